"""Maps turned, mirrored, resampled or padded; cells move along."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError

__all__ = ["NUM_SYMMETRIES", "Fit", "Placement", "draw_symmetry", "symmetries_of", "turn_array", "turn_cells"]

NUM_SYMMETRIES = 8
"""Those of the square: number k is k % 4 quarter turns to the left, then for k >= 4 a left-right mirror."""

Fit = Literal["resample", "pad"]


def draw_symmetry(random: np.random.Generator, shape: tuple[int, int]) -> int:
    """A symmetry that keeps the shape (rows, cols): all eight of a square, four of another rectangle."""
    rows, cols = shape
    return int(random.integers(NUM_SYMMETRIES)) if rows == cols else 2 * int(random.integers(NUM_SYMMETRIES // 2))


def symmetries_of(shape: tuple[int, int]) -> tuple[int, ...]:
    """What `draw_symmetry` may draw for a shape (rows, cols)."""
    return tuple(range(0, NUM_SYMMETRIES, 1 if shape[0] == shape[1] else 2))


def turn_array(array: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """A view (..., rows, cols) of an array in one symmetry."""
    turned = np.rot90(array, symmetry % 4, axes=(-2, -1))
    return turned[..., ::-1] if symmetry >= 4 else turned


def turn_cells(cells: NDArray[np.int64], shape: tuple[int, int], symmetry: int) -> NDArray[np.int64]:
    """Cells (n, 2) of (row, col) where `turn_array` moves them; `shape` is that of the array before."""
    row, col = cells[:, 0], cells[:, 1]
    rows, cols = shape
    for _ in range(symmetry % 4):
        row, col = cols - 1 - col, row
        rows, cols = cols, rows
    if symmetry >= 4:
        col = cols - 1 - col
    return np.stack([row, col], axis=1)


@dataclass(frozen=True)
class Placement:
    """Another size for maps: resampled, or padded at the bottom and on the right.

    Attributes:
        shape: (rows, cols) of the arrays that come in.
        size: (rows, cols) of the arrays that go out; None keeps the size.
        fit: Resample, or pad.

    Raises:
        InputError: The map is larger than the size that it is to be padded to.
    """

    shape: tuple[int, int]
    size: tuple[int, int] | None = None
    fit: Fit = "resample"

    def __post_init__(self) -> None:
        rows, cols = self.shape
        if self.size is not None and self.fit == "pad" and not (rows <= self.size[0] and cols <= self.size[1]):
            raise InputError(
                f"A map can only be padded to at least its own size, {rows} x {cols} cells",
                value=f"{self.size[0]} x {self.size[1]}",
                remedy="Resample it, or give a larger size.",
            )

    @property
    def out_shape(self) -> tuple[int, int]:
        """(rows, cols) of the arrays that go out."""
        return self.size or self.shape

    @property
    def content(self) -> tuple[int, int]:
        """(rows, cols) of the map within them; the rest is padding."""
        return self.out_shape if self.fit == "resample" else self.shape

    def place(
        self, array: NDArray[np.float32], out: NDArray[np.float32], *, is_mask: bool, outside: float = -1.0
    ) -> None:
        """Put an array (rows, cols) into one of `out_shape`.

        Args:
            array: The array.
            out: Where it goes.
            is_mask: Take the nearest cell; other arrays are interpolated (where they shrink: averaged).
            outside: Value of the padding.
        """
        rows, cols = self.out_shape
        if array.shape == (rows, cols):
            out[:] = array
        elif self.fit == "pad":
            out[:] = outside
            out[: array.shape[0], : array.shape[1]] = array
        else:
            import cv2

            shrinks = rows < array.shape[0] or cols < array.shape[1]
            method = cv2.INTER_NEAREST_EXACT if is_mask else cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            out[:] = cv2.resize(np.ascontiguousarray(array), (cols, rows), interpolation=method)

    def move(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cells (n, 2) of (row, col) that hold the centres of those given."""
        if self.fit == "pad" or self.size is None:
            return cells
        scale = np.array(self.size) / np.array(self.shape)
        moved: NDArray[np.int64] = np.floor((cells + 0.5) * scale).astype(np.int64)
        return moved
