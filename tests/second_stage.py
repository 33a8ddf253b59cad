"""Small data and networks for tests of the second stage's training."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.example import Draw
from radiodiff.data.loader import Batch, ExampleSource, collate
from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.layouts import CitySettings
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.radio_unet import build_radio_unet
from radiodiff.models.unet import build_unet
from radiodiff.models.unet_config import RadioUnetConfig, UnetConfig
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.diffusion_config import RegressionLossConfig, SamplingConfig
from radiodiff.training.diffusion_stage import DiffusionParts
from radiodiff.training.regression_stage import RegressionParts

__all__ = [
    "AUTOENCODER",
    "FACTOR",
    "REGRESSION",
    "SIZE",
    "UNET",
    "PlainPass",
    "batch_of",
    "diffusion_parts",
    "make_city",
    "regression_parts",
    "small_autoencoder",
]

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

REGRESSION = RadioUnetConfig(base_channels=8, channel_multipliers=(1, 2), blocks_per_level=1, norm_groups=4)


def make_city(root: Path, *, num_maps: int = 3, num_tx: int = 4) -> Path:
    """A data set of square maps with dominant path targets."""
    list(create_data_set(root, CreateSettings(num_maps, num_tx, 3, city=CitySettings(rows=SIZE, cols=SIZE))))
    return root


def small_autoencoder(seed: int = 0) -> AutoencoderKL:
    """An autoencoder that has learnt nothing; its latents tell maps apart all the same."""
    return build_autoencoder(AUTOENCODER, seed=seed)


def diffusion_parts(
    source: ExampleSource, diffusion: DiffusionConfig | None = None, unet: UnetConfig = UNET, **changes: Any
) -> DiffusionParts:
    """A second stage that is trained and validated on the same examples."""
    diffusion = diffusion or DiffusionConfig()
    parts = DiffusionParts(
        unet=build_unet(
            unet,
            condition_channels=len(source.encoding.names),
            latent_channels=AUTOENCODER.latent_channels,
            latent_factor=FACTOR,
            diffusion=diffusion,
        ),
        autoencoder=small_autoencoder(),
        record=PipelineRecord(kind="diffusion", encoding=source.encoding, scale=source.scale),
        diffusion=diffusion,
        loss=DiffusionLossConfig(),
        sampling=SamplingConfig(num_inference_steps=(1, 3)),
        optimizer=OptimizerConfig(learning_rate=2e-3),
        scaling_factor=1.7,
        is_sampled=True,
        source=source,
        validation_source=source,
        validation_part="all",
        shows_all_buildings=True,
        num_previews=1,
        seed=5,
    )
    return replace(parts, **changes)


def regression_parts(source: ExampleSource, **changes: Any) -> RegressionParts:
    """A regression that is trained and validated on the same examples."""
    parts = RegressionParts(
        network=build_radio_unet(REGRESSION, in_channels=len(source.encoding.names)),
        record=PipelineRecord(kind="regression", encoding=source.encoding, scale=source.scale),
        loss=RegressionLossConfig(),
        optimizer=OptimizerConfig(learning_rate=2e-3),
        source=source,
        validation_source=source,
        validation_part="all",
        shows_all_buildings=True,
        num_previews=1,
    )
    return replace(parts, **changes)


def batch_of(source: ExampleSource, *draws: int | Draw) -> Batch:
    """A batch of examples, by number, or by number and draw."""
    pairs = [draw if isinstance(draw, tuple) else (draw, 0) for draw in draws]
    return collate([source[draw] for draw in pairs], source.encoding, source.scale, pairs)


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
