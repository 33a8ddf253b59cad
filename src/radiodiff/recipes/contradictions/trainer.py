"""Settings of a training that cannot both hold, whatever is trained."""

from radiodiff.errors import ConfigError
from radiodiff.training.config import TrainerConfig

__all__ = ["check_trainer"]


def check_trainer(trainer: TrainerConfig) -> None:
    """Refuse settings that contradict each other.

    Raises:
        ConfigError: Two settings contradict each other; the error names both keys.
    """
    start = trainer.warm_start
    for key, is_given in (("freeze", bool(start.freeze)), ("allow_missing", start.allow_missing)):
        if is_given and start.init_from is None:
            raise ConfigError(
                f"trainer.warm_start.{key} needs trainer.warm_start.init_from",
                value=f"{key}={getattr(start, key)!r} and no weights to begin with",
                remedy="Give the weights, or leave it out.",
            )
    if trainer.precision == "fp16" and trainer.cpu:
        raise ConfigError(
            "trainer.precision 'fp16' needs a GPU, so trainer.cpu must be false",
            value="precision='fp16' with cpu=true",
            remedy="Set trainer.precision to 'fp32' or 'bf16'.",
        )
