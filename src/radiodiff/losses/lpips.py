"""LPIPS: a distance between two images, learned from people's judgement, on features of VGG16.

The package brings no weights. The user has two files: VGG16 trained on ImageNet as torchvision stores it
(`vgg16-397923af.pth`, names `features.<n>.weight`) and the linear heads of LPIPS version 0.1 for VGG16 (`vgg.pth`,
names `lin<i>.model.1.weight`), or the same arrays as safetensors.

Source: Zhang et al. (2018), "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", equation 1.
"""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from radiodiff.errors import InputError
from radiodiff.losses.config import SMALLEST_MAPS
from radiodiff.losses.reconstruction import check_same_shape
from radiodiff.models.backbones.vgg16 import STAGES, stage_ends
from radiodiff.models.named_arrays import read_weights

__all__ = ["MIN_SIZE", "Lpips"]

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""Mean and deviation of ImageNet's channels for values in [-1, 1], as the heads were trained with."""

MIN_SIZE = SMALLEST_MAPS["lpips"]
"""Rows and columns below which the last stage would have no cell."""

TINY = 1e-10
"""Added to the length of a feature vector, as published."""


class Lpips(nn.Module):
    """LPIPS on VGG16, for maps of any number of channels.

    It never learns and never drops anything out: weights are buffers, kept out of `state_dict`, and there is no
    training mode. It computes in float32, also under autocast.

    Args:
        vgg16: File of VGG16.
        heads: File of the linear heads.

    Raises:
        CheckpointError: A file is not there, cannot be read, or is not what it should be.
    """

    def __init__(self, vgg16: Path, heads: Path) -> None:
        super().__init__()
        convolutions = [convolution for stage in STAGES for convolution in stage]
        wanted: dict[tuple[str, ...], tuple[int, ...]] = {}
        for number, width_in, width_out in convolutions:
            wanted[(f"features.{number}.weight",)] = (width_out, width_in, 3, 3)
            wanted[(f"features.{number}.bias",)] = (width_out,)
        weights = read_weights(
            vgg16,
            wanted,
            what="VGG16",
            remedy="Set loss.perceptual.vgg16 to torchvision's weights of VGG16 for ImageNet.",
        )
        wanted = {
            (f"lin{i}.model.1.weight", f"lins.{i}.model.1.weight", f"lin{i}.weight"): (1, stage[-1][2], 1, 1)
            for i, stage in enumerate(STAGES)
        }
        weights |= read_weights(
            heads, wanted, what="LPIPS heads", remedy="Set loss.perceptual.heads to the heads of LPIPS 0.1 for VGG16."
        )
        for name, array in weights.items():
            self.register_buffer(name.replace(".", "_"), array, persistent=False)
        for name, values in (("shift", SHIFT), ("scale", SCALE)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay as it is, whatever the mode of the module around it."""
        return super().train(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Distance of each pair of maps.

        Args:
            prediction: (B, C, rows, cols) in [-1, 1], 16 rows and columns at least. Each channel is a grey image,
                also where there are three; their distances are averaged.
            target: (B, C, rows, cols) in [-1, 1].

        Returns:
            (B,) float32, not negative with the published heads; 0 for equal maps.

        Raises:
            InputError: The shapes differ, or the maps are too small.
        """
        check_same_shape(prediction, target)
        if not min(prediction.shape[2:]) >= MIN_SIZE:
            raise InputError(
                f"Maps must have {MIN_SIZE} rows and columns at least for LPIPS",
                value=f"{prediction.shape[2]} x {prediction.shape[3]}",
                remedy="Train on larger windows, or set loss.perceptual.kind to 'structure'.",
            )
        with torch.autocast(prediction.device.type, enabled=False):
            distance = self._distance(_images(prediction), _images(target))
        return distance.view(len(prediction), -1).mean(dim=1)

    def _distance(self, first: Tensor, second: Tensor) -> Tensor:
        """(N,) distances of colour images (N, 3, rows, cols)."""
        pair = (torch.cat([first, second]) - self.get_buffer("shift")) / self.get_buffer("scale")
        total = torch.zeros(len(first), device=first.device)
        # LPIPS compares what each stage ends with.
        for i, end in enumerate(stage_ends(pair, self._parameters_of)):
            unit = end / (torch.linalg.vector_norm(end, dim=1, keepdim=True) + TINY)
            difference = (unit[: len(first)] - unit[len(first) :]).square()
            head = self.get_buffer(f"lin{i}_model_1_weight")
            total = total + functional.conv2d(difference, head).mean(dim=(1, 2, 3))
        return total

    def _parameters_of(self, number: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution, by its number."""
        return self.get_buffer(f"features_{number}_weight"), self.get_buffer(f"features_{number}_bias")


def _images(maps: Tensor) -> Tensor:
    """Grey images (B C, 3, rows, cols) in float32 of maps (B, C, rows, cols)."""
    return maps.float().flatten(0, 1)[:, None].expand(-1, 3, -1, -1)
