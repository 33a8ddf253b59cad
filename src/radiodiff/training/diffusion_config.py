"""Settings of the second stage's training and of the regression beside it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError

__all__ = ["LatentSourceConfig", "RegressionLossConfig", "SamplingConfig"]

Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]


class LatentSourceConfig(Config):
    """Where the latents of training maps come from.

    Attributes:
        cache: Folder for the posterior of every training map in each of its symmetries, made before the first step and
            used again by later runs; None encodes the maps of each step.
        scaling_factor: Factor on the latents. "measured" is 1 / standard deviation of encoded training maps: as stored
            with the autoencoder, or measured before the first step. The published runs had 0.3 or 0.18215.
        num_examples: Maps that it is measured on where the autoencoder has none stored.
        is_sampled: Draw latents from the posterior; otherwise take its mean.
    """

    cache: Path | None = None
    scaling_factor: Literal["measured"] | Annotated[float, Field(gt=0)] = "measured"
    num_examples: Count = 1_000
    is_sampled: bool = True


class SamplingConfig(Config):
    """How maps are sampled in validations, and by default by the model that a run leaves.

    Attributes:
        num_inference_steps: Numbers of steps to validate with; the first one chooses the best checkpoint.
        is_stochastic: Sample by the stochastic reverse process; otherwise by the deterministic one.
        time_power: Steps are at the times `(1 - i/N)^time_power`: above 1 more of them are near the clean latents, and
            few steps give draws that differ more. 1 as published.
    """

    num_inference_steps: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 5)
    is_stochastic: bool = True
    time_power: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.num_inference_steps)) != len(self.num_inference_steps):
            raise ConfigError(
                "SamplingConfig.num_inference_steps must name each number once",
                value=self.num_inference_steps,
                remedy="Leave the repeated ones out.",
            )
        return self


class RegressionLossConfig(Config):
    """What the regression network minimises, averaged over the cells that count.

    Attributes:
        mse_weight: Weight of the squared error.
        l1_weight: Weight of the absolute error.
    """

    mse_weight: Weight = 1.0
    l1_weight: Weight = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.mse_weight + self.l1_weight > 0:
            raise ConfigError(
                "RegressionLossConfig needs mse_weight or l1_weight above 0",
                value="both 0",
                remedy="RadioUNet is trained with 1 and 0.",
            )
        return self
