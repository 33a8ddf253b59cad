"""One training engine for every stage."""

from radiodiff.training.config import TrainerConfig

__all__ = ["TrainerConfig"]
