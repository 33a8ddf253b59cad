"""What networks minimise. Losses hold no weights that a model is saved with."""

from radiodiff.losses.config import AdversarialConfig, AutoencoderLossConfig, HelmholtzConfig, PerceptualConfig

__all__ = ["AdversarialConfig", "AutoencoderLossConfig", "HelmholtzConfig", "PerceptualConfig"]
