"""First stages with fresh weights on the disk, for tests of the second one."""

from pathlib import Path

from radiodiff.encoding import Channel, Encoding
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord, save_autoencoder
from radiodiff.models.config import AutoencoderConfig

SETTINGS = AutoencoderConfig(base_channels=8, channel_multipliers=(1, 1, 2), blocks_per_level=1, norm_groups=4)


def write_first_stage(folder: Path, target: Channel, scale: str, *, latent_channels: int = 3, seed: int = 0) -> Path:
    """An autoencoder of a target that has learnt nothing; its latents tell maps apart all the same."""
    network = build_autoencoder(SETTINGS.replaced(latent_channels=latent_channels), seed=seed)
    save_autoencoder(folder, network, AutoencoderRecord(Encoding((target,), target), scale))
    return folder
