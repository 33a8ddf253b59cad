"""Settings of the ICASSP 2025 reader."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.data.icassp.azimuth import DEFAULT_CONVENTION, AzimuthConvention
from radiodiff.data.icassp.channels import View
from radiodiff.errors import ConfigError

__all__ = ["IcasspConfig"]

Task = Literal[1, 2, 3]
Band = Literal[1, 2, 3]


class IcasspConfig(Config):
    """Which examples, and what they hold.

    Attributes:
        kind: Always "icassp".
        root: The folder that holds `Inputs`.
        tasks: Tasks of the challenge; a radio map that several of them hold is an example of each.
        bands: Carriers f1, f2, f3.
        part: Part of the split by building, or "all".
        split: Path of a manifest with building numbers (`radiodiff.data.splits`), or None for `building_split` of the
            buildings in the folder.
        split_seed: Seed of the order in which buildings are dealt to the parts, where no split is given.
        view: Channels, see `radiodiff.data.icassp.channels.view_encoding`.
        condition2: Third channel of the condition.
        crop: "tx-aware" draws a window that holds the transmitter, "tx-centred" has it in the middle, "none" gives
            the whole map, padded at the bottom and on the right.
        size: Edge of a window [pixels]; 96 and 256 are usual.
        margin_px: In a drawn window, before its symmetry, the transmitter stands at row and column `margin_px` to
            `size - margin_px`, where the map allows it [pixels]: at 10 to 86 of 96.
        multiple: A whole map is padded to a multiple of this [pixels].
        augment: Draw a symmetry of the square for each example; whole maps that are no squares have four of them.
        mask_padding: Give masks: cells beside the map do not count, in losses and figures.
        azimuth: What azimuths mean.
        seed: Seed of the draws; each follows from it, the number of the draw and the example's index.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    kind: Literal["icassp"] = "icassp"
    root: Path
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)] = (1,)
    bands: Annotated[tuple[Band, ...], Field(min_length=1)] = (1, 2, 3)
    part: Literal["train", "validation", "test", "all"] = "train"
    split: Path | None = None
    split_seed: Annotated[int, Field(ge=0)] = 0
    view: View = "multi-condition"
    condition2: Literal["distance", "free-space"] = "distance"
    crop: Literal["tx-aware", "tx-centred", "none"] = "tx-aware"
    size: Annotated[int, Field(ge=1)] = 96
    margin_px: Annotated[int, Field(ge=0)] = 10
    multiple: Annotated[int, Field(ge=1)] = 32
    augment: bool = False
    mask_padding: bool = True
    azimuth: AzimuthConvention = DEFAULT_CONVENTION
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.crop == "tx-aware" and not 2 * self.margin_px < self.size:
            raise ConfigError(
                "IcasspConfig.margin_px must be less than half of size",
                value=f"margin_px={self.margin_px}, size={self.size}",
                remedy="The usual window has 96 pixels and a margin of 10.",
            )
        for name in ("tasks", "bands"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ConfigError(
                    f"IcasspConfig.{name} must not name one twice", value=getattr(self, name), remedy="Name each once."
                )
        return self
