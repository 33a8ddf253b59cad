"""The regression network beside the second stage: a U-Net from the condition to the map, in one pass."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional

from radiodiff.models.layers.blocks import Upsample
from radiodiff.models.saved_network import SavedNetwork
from radiodiff.models.seeded_weights import seeded_weights
from radiodiff.models.unet_config import RadioUnetConfig

__all__ = ["RadioUnet", "build_radio_unet"]


class RadioUnet(SavedNetwork):
    """A U-Net of plain convolutions with skips; each example is normalised by itself.

    Its arguments are JSON types, which `config.json` of a saved network holds; `build_radio_unet` makes one from
    settings.

    Args:
        in_channels: Channels of the condition.
        out_channels: Channels of the map.
        network: `RadioUnetConfig`.

    Attributes:
        settings: The network's settings.
        size_multiple: Rows and columns of the map are multiples of it.

    Source: Levie et al. 2021, "RadioUNet: Fast Radio Map Estimation with Convolutional Neural Networks", for the idea
    and the size.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, in_channels: int, out_channels: int, network: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        config = RadioUnetConfig(**network)
        self.settings = config
        self.size_multiple = config.factor
        widths, cells = config.level_channels, config.stem_factor**2
        entries = (in_channels * cells, *widths[1:])
        self.down = nn.ModuleList(
            _convolutions(entry, width, config) for entry, width in zip(entries, widths, strict=True)
        )
        self.downsample = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths))
        self.upsample = nn.ModuleList(Upsample(coarse, fine) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(_convolutions(2 * fine, fine, config) for fine in widths[:-1])
        terms = in_channels + 1 if config.mixes_condition else 1
        self.out = nn.Conv2d(widths[0], out_channels * terms * cells, 1)

    def forward(self, condition: Tensor) -> Tensor:
        """Maps (B, out_channels, rows, cols), in about [-1, 1] once trained, not bounded.

        Args:
            condition: (B, in_channels, rows, cols) in [-1, 1], multiples of `size_multiple`.

        Raises:
            InputError: The condition has other channels, or its rows or columns are no multiples.
        """
        self._check_condition(condition, self.config["in_channels"])
        stem = self.settings.stem_factor
        x = functional.pixel_unshuffle(condition.to(self.out.weight.dtype), stem)
        skips: list[Tensor] = []
        for i, level in enumerate(self.down):
            x = self._run(level, self.downsample[i - 1](x) if i > 0 else x)
            skips.append(x)
        skips.pop()
        for i in reversed(range(len(self.up))):
            x = self._run(self.up[i], torch.cat([self.upsample[i](x), skips.pop()], dim=1))
        maps = functional.pixel_shuffle(self.out(x), stem).to(condition.dtype)
        return _mixed(maps, condition) if self.settings.mixes_condition else maps


def build_radio_unet(config: RadioUnetConfig, *, in_channels: int, out_channels: int = 1, seed: int = 0) -> RadioUnet:
    """A regression network with fresh weights, on the CPU.

    Args:
        config: The network.
        in_channels: Channels of the condition.
        out_channels: Channels of the map.
        seed: Seed of its weights.
    """
    with seeded_weights(seed):
        network: RadioUnet = RadioUnet(
            in_channels=in_channels, out_channels=out_channels, network=config.model_dump(mode="json")
        )
    return network


def _mixed(terms: Tensor, condition: Tensor) -> Tensor:
    """Maps (B, M, rows, cols): a term of their own and the condition's channels with weights.

    Args:
        terms: (B, M * (1 + C), rows, cols), of each map its own term and the weights of the channels.
        condition: (B, C, rows, cols).
    """
    by_map = terms.reshape(len(terms), -1, condition.shape[1] + 1, *condition.shape[-2:])
    weighted: Tensor = (by_map[:, :, 1:] * condition[:, None]).sum(dim=2)
    return by_map[:, :, 0] + weighted


def _convolutions(in_channels: int, out_channels: int, config: RadioUnetConfig) -> nn.Sequential:
    """Convolutions 3x3, each followed by group normalisation and SiLU."""
    layers: list[nn.Module] = []
    for i in range(config.blocks_per_level):
        layers += [
            nn.Conv2d(in_channels if i == 0 else out_channels, out_channels, 3, padding=1),
            nn.GroupNorm(config.norm_groups, out_channels),
            nn.SiLU(),
        ]
    return nn.Sequential(*layers)
