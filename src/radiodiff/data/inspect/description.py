"""What describing a data set gives: counts, sizes, histograms, splits."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.inspect.layout import LAYOUTS, Layout

__all__ = ["Description", "FolderCount", "Histogram", "HistogramCount", "SplitFit"]

LEVELS = 256


@dataclass(frozen=True)
class FolderCount:
    """How much a folder, or an array of a packed file, holds.

    Attributes:
        folder: The folder, below that of the data set.
        files: Files, or images of an array.
        maps: Maps (buildings, in ICASSP) that they belong to; None where names do not say.
    """

    folder: str
    files: int
    maps: int | None


@dataclass(frozen=True)
class Histogram:
    """Grey levels of some images.

    Attributes:
        folder: What was counted.
        images: Number of images.
        edges: (bins + 1) first level of each bin, and the end of the last.
        counts: (bins) pixels.
        zero_share: Share of pixels of level 0.
        lowest: Lowest level.
        highest: Highest level.
    """

    folder: str
    images: int
    edges: tuple[int, ...]
    counts: tuple[int, ...]
    zero_share: float
    lowest: int
    highest: int


class HistogramCount:
    """Counts levels image by image.

    Args:
        folder: What is counted.
        bins: Number of bins, a divisor of 256.
    """

    def __init__(self, folder: str, bins: int) -> None:
        self.folder = folder
        self.bins = bins
        self.images = 0
        self.levels = np.zeros(LEVELS, dtype=np.int64)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Count an image (rows, cols)."""
        self.images += 1
        self.levels += np.bincount(image.ravel(), minlength=LEVELS)

    def histogram(self) -> Histogram:
        """What was counted."""
        found = np.flatnonzero(self.levels)
        return Histogram(
            folder=self.folder,
            images=self.images,
            edges=tuple(range(0, LEVELS + 1, LEVELS // self.bins)),
            counts=tuple(int(count) for count in self.levels.reshape(self.bins, -1).sum(axis=1)),
            zero_share=float(self.levels[0] / max(self.levels.sum(), 1)),
            lowest=int(found[0]) if len(found) else 0,
            highest=int(found[-1]) if len(found) else 0,
        )


@dataclass(frozen=True)
class SplitFit:
    """A split and how it fits the maps of a data set.

    Attributes:
        name: Its name.
        source: "named", or the file of the manifest.
        parts: Number of maps of each part.
        absent: Maps of the split that the data set does not have.
        unused: Maps of the data set that are in no part.
        shared: Number of maps that two parts share, by "one and other"; empty for a sound split.
    """

    name: str
    source: str
    parts: dict[str, int]
    absent: int
    unused: int
    shared: dict[str, int]


@dataclass(frozen=True)
class Description:
    """What a data set folder holds.

    Attributes:
        root: The folder.
        layout: Which layout.
        maps: Number of maps (buildings, in ICASSP).
        map_ids: Least and greatest number; None without maps.
        folders: What each folder holds.
        transmitters: Number of maps with so many transmitters each.
        shapes: Number of sampled images of each size (rows, cols).
        histograms: Levels of sampled images.
        splits: The manifest of the folder, and the named splits that fit.
        settings: Settings on record, where radiodiff made the data set.
        notes: What else is worth knowing, one sentence each.
    """

    root: str
    layout: Layout
    maps: int
    map_ids: tuple[int, int] | None
    folders: tuple[FolderCount, ...]
    transmitters: dict[int, int] = field(default_factory=dict)
    shapes: dict[tuple[int, int], int] = field(default_factory=dict)
    histograms: tuple[Histogram, ...] = ()
    splits: tuple[SplitFit, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The layout in words."""
        return LAYOUTS[self.layout]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        content = asdict(self)
        content["title"] = self.title
        content["transmitters"] = {str(count): maps for count, maps in self.transmitters.items()}
        content["shapes"] = {f"{rows} x {cols}": count for (rows, cols), count in self.shapes.items()}
        return content
