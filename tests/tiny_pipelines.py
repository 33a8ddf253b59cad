"""Small models of every kind with fresh weights, for tests."""

from collections.abc import Sequence
from typing import Any

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.encoding import CHANNELS, Channel, Encoding, path_loss_channel
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.radio_unet import RadioUnet, build_radio_unet
from radiodiff.models.unet import build_unet
from radiodiff.models.unet_config import BackboneConfig, RadioUnetConfig, RelationConfig, UnetConfig
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.pipeline.regression_pipeline import RegressionPipeline

AUTOENCODER = AutoencoderConfig(base_channels=8, channel_multipliers=(1, 1, 2), blocks_per_level=1, norm_groups=4)
UNET = UnetConfig(
    base_channels=8,
    channel_multipliers=(1, 2),
    backbone=BackboneConfig(kind="conv", widths=(8, 8, 8, 8), blocks=1),
    relation=RelationConfig(window_sizes=(2, 1), num_heads=2),
    attention_heads=2,
    head_channels=4,
    norm_groups=4,
    fourier_features=4,
    filter_cells=4,
)
RADIO_UNET = RadioUnetConfig(base_channels=8, channel_multipliers=(1, 2), blocks_per_level=1, norm_groups=4)

SCENE_NAMES = ("buildings", "transmitter", "cars", "los_mask", "log_distance_gain_db")
"""Channels that say how far the transmitter is, and do not hold the answer."""


def tiny_encoding(names: Sequence[str] = SCENE_NAMES, scale: str = "raw") -> Encoding:
    target = path_loss_channel("thresholded" if scale == "thresholded" else "raw")
    measured = Channel("measured_path_loss_db", target.low, target.high)
    return Encoding(tuple((CHANNELS | {measured.name: measured})[name] for name in names), target)


def tiny_diffusion(
    names: Sequence[str] = SCENE_NAMES,
    *,
    diffusion: DiffusionConfig | None = None,
    unet: UnetConfig = UNET,
    seed: int = 0,
    regression: RadioUnet | None = None,
    **record: Any,
) -> RadioDiffPipeline:
    """A diffusion model for maps of 32 x 32 cells of 1 m; `record` replaces fields of its record."""
    settings = diffusion or DiffusionConfig()
    encoding = record.pop("encoding", None) or tiny_encoding(names)
    autoencoder = build_autoencoder(AUTOENCODER, seed=seed)
    autoencoder.register_to_config(scaling_factor=0.5)
    network = build_unet(
        unet,
        condition_channels=len(encoding.names),
        latent_channels=AUTOENCODER.latent_channels,
        latent_factor=AUTOENCODER.factor,
        diffusion=settings,
        seed=seed + 1,
    )
    scheduler = DecoupledScheduler(settings.prediction_type, settings.time_min, settings.initial_noise)
    known = {"scale": "raw", "map_shape": (32, 32), "cell_size_m": 1.0} | record
    known_record = PipelineRecord("diffusion", encoding, **known)
    return RadioDiffPipeline(autoencoder, network, scheduler, known_record, regression)


def tiny_regression(names: Sequence[str] = SCENE_NAMES, *, seed: int = 0, **record: Any) -> RegressionPipeline:
    """A regression model for maps of 32 x 32 cells of 1 m; `record` replaces fields of its record."""
    encoding = record.pop("encoding", None) or tiny_encoding(names)
    network = build_radio_unet(RADIO_UNET, in_channels=len(encoding.names), seed=seed)
    known = {"scale": "raw", "map_shape": (32, 32), "cell_size_m": 1.0} | record
    return RegressionPipeline(network, PipelineRecord("regression", encoding, **known))
