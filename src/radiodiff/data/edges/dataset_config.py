"""Settings of edge data sets."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from radiodiff.config import Config

__all__ = ["EdgeDataSetConfig"]


class EdgeDataSetConfig(Config):
    """What to read.

    Attributes:
        kind: Always "edges".
        root: Folder of the edges.
        part: Name of a part, or "all".
        scene: Data set in RadioMapSeer's layout that the radio maps belong to: its buildings, transmitter and cars are
            the condition. None takes the image.
        cars: Show the cars of `scene`; otherwise their channel is empty.
        images: Folder of the images, for edges that keep its structure; None takes the one on record.
        split: Name of a split or path of a manifest, for edges that keep the structure; None takes the manifest of
            `scene` (else of `root`) and, where there is none, `disjoint`. Folders `<part>` are their own split.
        threshold: Grey / 255 from which on a cell is an edge.
        uncertain: What cells above 0 and below the threshold are: "ignored" (they do not count, as in training sets
            with several annotators), or "no edge".
        augment: Draw one of the symmetries of the square.
        seed: Seed of all draws.

    Raises:
        ConfigError: A key is unknown, or a value is not allowed.
    """

    kind: Literal["edges"] = "edges"
    root: Path
    part: str = "train"
    scene: Path | None = None
    cars: bool = False
    images: Path | None = None
    split: str | None = None
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    uncertain: Literal["ignored", "no edge"] = "no edge"
    augment: bool = False
    seed: Annotated[int, Field(ge=0)] = 0
