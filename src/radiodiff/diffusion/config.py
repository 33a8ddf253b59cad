"""Settings of the diffusion process and of what is learnt of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError

__all__ = ["DiffusionConfig", "DiffusionLossConfig", "InitialNoise", "Preconditioning", "PredictionType"]

PredictionType = Literal["pred_KC", "pred_x0", "pred_noise", "pred_v"]
"""What a network says of noisy latents: `-x0` and the noise, the clean latents, the noise, or noise minus latents."""

InitialNoise = Literal["normal", "uniform"]
"""Noise that sampling starts from: the law of x_1, or U(-1, 1)."""

Preconditioning = Literal["corrected", "published", "none"]
"""Fixed skips around the network; "published" has the sign of the published program."""

START_OF_PRED_NOISE = 0.99
"""First time of "pred_noise". See the README beside for what was measured."""

Weight = Annotated[float, Field(ge=0)]


class DiffusionConfig(Config):
    """The decoupled process `x_t = (1 - t) x_0 + sqrt(t) eps`, t in (0, 1].

    Attributes:
        prediction_type: What the network predicts. "pred_KC" has two heads, C = -x_0 and the noise, as published;
            "pred_x0", "pred_noise" and "pred_v" (the noise minus x_0, as in flow matching) have one.
        time_min: Smallest time that is trained on.
        start_share: Share of training examples at `start_time`; the other times are uniform. 0 as published; a model
            for one step learns more from more of them.
        initial_noise: Noise that sampling starts from: "normal" is the law of x_1, "uniform" is U(-1, 1).
        preconditioning: Fixed skips around the network. "published" has the sign of the published program, which its
            weights need; "none" leaves the network alone.
    """

    prediction_type: PredictionType = "pred_KC"
    time_min: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    start_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    initial_noise: InitialNoise = "normal"
    preconditioning: Preconditioning = "corrected"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.preconditioning == "published" and self.prediction_type != "pred_KC":
            raise ConfigError(
                "DiffusionConfig.preconditioning 'published' belongs to prediction_type 'pred_KC'",
                value=f"prediction_type={self.prediction_type!r}",
                remedy="Set preconditioning to 'corrected'.",
            )
        return self

    @property
    def start_time(self) -> float:
        """Time that sampling starts at: at t = 1 "pred_noise" would say nothing of the clean latents."""
        return START_OF_PRED_NOISE if self.prediction_type == "pred_noise" else 1.0

    @property
    def num_heads(self) -> int:
        """Tensors of the size of the latents that the network gives."""
        return 2 if self.prediction_type == "pred_KC" else 1


class DiffusionLossConfig(Config):
    """What the network minimises: weighted errors of its predictions, averaged over latent cells and heads.

    Attributes:
        mse_weight: Weight of the squared error.
        l1_weight: Weight of the absolute error.
        weighting: Weight by time. "none" is 1; "exponential" is `2 exp(1 - t)` for C (or x_0) and `exp(sqrt t)` for the
            noise, as published; "rational" is `(t^2 - t + 1) / t` and `(t^2 - t + 1) / (1 - t + time_min)`, by later
            authors.
    """

    mse_weight: Weight = 1.0
    l1_weight: Weight = 1.0
    weighting: Literal["none", "exponential", "rational"] = "none"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.mse_weight + self.l1_weight > 0:
            raise ConfigError(
                "DiffusionLossConfig needs mse_weight or l1_weight above 0",
                value="both 0",
                remedy="The published loss has 1 and 1.",
            )
        return self
