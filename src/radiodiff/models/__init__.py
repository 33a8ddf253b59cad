"""Networks: the autoencoder of the first stage and its discriminator."""

from radiodiff.models.config import AutoencoderConfig, DiscriminatorConfig

__all__ = ["AutoencoderConfig", "DiscriminatorConfig"]
