"""Histograms of a few images of a folder, drawn by a seed."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.inspect.description import Histogram, HistogramCount
from radiodiff.errors import FormatError
from radiodiff.formats import read_grey_image

__all__ = ["LevelDraw", "read_grey"]


class LevelDraw:
    """Opens some images of each folder.

    Args:
        samples: How many.
        bins: Bins of histograms.
        random: Source of the draws.
    """

    def __init__(self, samples: int, bins: int, random: np.random.Generator) -> None:
        self.samples = samples
        self.bins = bins
        self.random = random
        self.shapes: Counter[tuple[int, int]] = Counter()
        self.notes: list[str] = []

    def levels(self, folder: str, images: list[Any], read: Callable[[Any], NDArray[np.uint8]]) -> Histogram:
        """Histogram of some of the images, each read by `read`; damaged ones are left out and noted."""
        count = HistogramCount(folder, self.bins)
        chosen = self.random.permutation(len(images))[: self.samples]
        failed = 0
        for index in sorted(int(i) for i in chosen):
            try:
                image = read(images[index])
            except FormatError:
                failed += 1
                continue
            self.shapes[image.shape[0], image.shape[1]] += 1
            count.add(image)
        if failed:
            self.notes.append(
                f"{failed} of {len(chosen)} images of {folder} cannot be read: run radiodiff dataset validate."
            )
        return count.histogram()


def read_grey(path: Path) -> NDArray[np.uint8]:
    """A grey image (rows, cols).

    Raises:
        FormatError: It is damaged or not grey.
    """
    return read_grey_image(path)[0]
