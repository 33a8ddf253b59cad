"""How maps are predicted, where a model leaves a choice."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from radiodiff.config import Config

__all__ = ["PredictConfig", "PredictOptions"]

Count = Annotated[int, Field(ge=1, strict=True)]

WindowSize = Literal["auto", "whole"] | Count | tuple[Count, Count]


class PredictConfig(Config):
    """Choices of a prediction.

    Attributes:
        num_inference_steps: Steps of a draw, each an evaluation of the network; None takes those of the model's record.
        num_draws: Draws of each map.
        is_stochastic: Sample by the stochastic reverse process, else by the deterministic one (draws then differ by
            their first noise alone); None takes that of the model's record.
        batch_size: Maps, draws or windows that go through a network at a time: bounds the memory.
        window: "auto" cuts maps larger than those of the training into windows of that size, "whole" never cuts; rows
            and columns of a window otherwise (one number for a square).
        overlap: Share of a window that overlaps with the next one, in each direction.
        guidance_steps: Steps towards the measured points through the decoder, in each step of a draw; 0 corrects the
            drawn maps alone. Without measured points, or in a model that has a channel for them, there are none.

    Raises:
        ConfigError: A key is unknown, or a value is not allowed.
    """

    num_inference_steps: Count | None = None
    num_draws: Count = 1
    is_stochastic: Annotated[bool, Field(strict=True)] | None = None
    batch_size: Count = 16
    window: WindowSize = "auto"
    overlap: Annotated[float, Field(gt=0, le=0.5, strict=True)] = 0.25
    guidance_steps: Annotated[int, Field(ge=0, strict=True)] = 2


class PredictOptions(TypedDict, total=False):
    """The keys of `PredictConfig`, as keyword arguments."""

    num_inference_steps: int | None
    num_draws: int
    is_stochastic: bool | None
    batch_size: int
    window: Literal["auto", "whole"] | int | tuple[int, int]
    overlap: float
    guidance_steps: int
