"""Small data and networks for tests of the second stage's training."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.layouts import CitySettings
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.unet_config import UnetConfig

__all__ = ["FACTOR", "SIZE", "UNET", "PlainPass", "make_city", "small_autoencoder"]

SIZE = 48
"""Rows and columns of the maps."""

AUTOENCODER = AutoencoderConfig(base_channels=8, norm_groups=4, channel_multipliers=(1, 2), blocks_per_level=1)

FACTOR = AUTOENCODER.factor

UNET = UnetConfig(
    base_channels=8,
    channel_multipliers=(1, 2),
    backbone={"kind": "conv", "widths": (8, 8, 8, 8), "blocks": 1},
    relation={"window_sizes": (8, 4), "num_heads": 2},
    attention_heads=2,
    head_channels=4,
    norm_groups=4,
    fourier_features=4,
)


def make_city(root: Path, *, num_maps: int = 3, num_tx: int = 4) -> Path:
    """A data set of square maps with dominant path targets."""
    list(create_data_set(root, CreateSettings(num_maps, num_tx, 3, city=CitySettings(rows=SIZE, cols=SIZE))))
    return root


def small_autoencoder(seed: int = 0) -> AutoencoderKL:
    """An autoencoder that has learnt nothing; its latents tell maps apart all the same."""
    return build_autoencoder(AUTOENCODER, seed=seed)


@dataclass
class PlainPass:
    """One process, one precision."""

    networks: Mapping[str, nn.Module]
    step: int = 1
    loss_scale: float = 1.0

    def autocast(self) -> AbstractContextManager[None]:
        """None."""
        return nullcontext()

    def mean_over_processes(self, tensor: Tensor) -> Tensor:
        """The tensor."""
        return tensor
