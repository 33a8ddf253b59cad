"""Examples of a data set as an autoencoder sees them: what goes in, what should come out."""

from typing import Annotated, Literal

from pydantic import Field

from radiodiff.config import Config

__all__ = ["AutoencoderExamplesConfig"]


class AutoencoderExamplesConfig(Config):
    """What an autoencoder is given of each example.

    Attributes:
        input: "target" to learn the maps themselves, "condition" to learn the target from the condition's channels, or
            another simulation of the same scene ("DPM", "IRT2", "IRT4"; RadioMapSeer alone) to learn the transfer
            from it.
        with_condition: Give the condition too, for a discriminator that sees it. Has no meaning for input "condition".
        crop_size: Rows and columns of a window drawn from each training example; None keeps whole maps.
    """

    input: Literal["target", "condition", "DPM", "IRT2", "IRT4"] = "target"
    with_condition: bool = False
    crop_size: Annotated[int, Field(ge=1)] | None = None
