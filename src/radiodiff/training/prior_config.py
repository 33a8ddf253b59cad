"""Which prior maps are learnt as the difference to."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError

__all__ = ["PriorConfig"]


class PriorConfig(Config):
    """The prior of a map: `map = prior + what is learnt`.

    Attributes:
        channel: Channel of the condition that is the prior, such as "dominant_path_gain_db".
        model: Folder of a regression, or of the run that left it, whose maps are the prior.
        span_db: Largest difference that is learnt [dB]: an autoencoder sees what is beyond it cut off, and all that is
            below it with more contrast. None takes the range of the target, beyond which there is nothing.

    Raises:
        ConfigError: There is not one of channel and model, or a value is not allowed.
    """

    channel: str | None = None
    model: Path | None = None
    span_db: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.channel is None) == (self.model is None):
            raise ConfigError(
                "PriorConfig needs either channel or model",
                value="both" if self.channel is not None else "neither",
                remedy="Give channel=dominant_path_gain_db, or model=RUN of a regression; set prior to null for none.",
            )
        return self
