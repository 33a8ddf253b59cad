"""The images that edges are made of: read one by one, and what becomes of those that cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.edges.retry import retried
from radiodiff.data.placement import Placement
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import read_grey_image

__all__ = ["Failure", "check_failures", "printable", "read_source"]


@dataclass(frozen=True)
class Failure:
    """An image without edges.

    Attributes:
        path: The file, as `printable` writes it.
        reason: Why.
    """

    path: str
    reason: str

    @classmethod
    def of(cls, path: Path, error: Exception) -> "Failure":
        """The failure of a file with an error."""
        return cls(printable(path), printable(error))


def printable(thing: object) -> str:
    r"""Text that can be written: bytes of file names that are no UTF-8 stand as `\udc80` to `\udcff`."""
    return str(thing).encode("utf-8", errors="backslashreplace").decode("utf-8")


def check_failures(failures: Sequence[Failure], images: int, listed_in: str) -> None:
    """Make an error of images that have no edges.

    Args:
        failures: The images.
        images: How many there are in all.
        listed_in: Where the user finds them.

    Raises:
        DataSetError: There is one.
    """
    if failures:
        raise DataSetError(
            "Every image must be a readable grey image with more than one level",
            value=f"{len(failures)} of {images} that failed, the first: {failures[0].path}",
            remedy=f"{listed_in} names each with its reason. Mend them and run it again, or begin anew without them.",
        )


def read_source(path: Path, size: int | None) -> NDArray[np.uint8]:
    """A grey image (rows, cols) that can have edges, resized where a size is given.

    Raises:
        FormatError: The file is absent, empty, damaged, not grey, or of one level everywhere.
        OSError: The system refuses it.
    """
    grey, _ = retried(partial(read_grey_image, path))
    levels = np.unique(grey)
    if len(levels) < 2:
        raise FormatError(
            "An image must have more than one grey level to have edges",
            value=f"{path}, {levels[0]} everywhere",
            remedy="It was probably cut short or never written: copy it again.",
        )
    if size is None:
        return grey
    resized = np.empty((size, size), dtype=np.float32)
    Placement(grey.shape, (size, size)).place(grey.astype(np.float32), resized, is_mask=len(levels) == 2)
    return np.rint(resized).astype(np.uint8)
