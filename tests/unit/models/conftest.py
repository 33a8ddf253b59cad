"""A small autoencoder and its record."""

import pytest
from diffusers import AutoencoderKL

from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.latent_statistics import LatentStatistics

TINY = AutoencoderConfig(base_channels=8, channel_multipliers=(1, 2), blocks_per_level=1, norm_groups=4)


@pytest.fixture
def tiny_config() -> AutoencoderConfig:
    return TINY


@pytest.fixture
def tiny() -> AutoencoderKL:
    return build_autoencoder(TINY, seed=5).eval()


@pytest.fixture
def latents() -> LatentStatistics:
    return LatentStatistics(
        num_maps=7,
        mean=(0.1, -0.2, 0.0),
        std=(1.0, 2.0, 3.0),
        scaling_factor=0.4,
        mean_variance=(0.5, 0.01, 0.011),
        mean_posterior_std=(0.1, 0.2, 0.3),
        divergence_nats=(1.0, 2.0, 3.0),
    )


@pytest.fixture
def record(latents: LatentStatistics) -> AutoencoderRecord:
    channel = path_loss_channel("thresholded")
    return AutoencoderRecord(
        encoding=Encoding((channel,), channel),
        scale="thresholded",
        data={"kind": "radiomapseer", "part": "train", "geometry": []},
        examples={"input": "target", "crop_size": None},
        latents=latents,
        training={"recipe": "autoencoder/tiny", "steps": 300, "minutes": 1.5},
    )
