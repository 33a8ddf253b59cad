"""Windows on a map: drawn so that they hold the transmitter, or with the transmitter in the middle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError

__all__ = ["Window", "centred_window", "cut", "draw_window", "window_starts"]


@dataclass(frozen=True)
class Window:
    """A part of a map, or more than it.

    Attributes:
        row: Row of the map at the window's top; negative where the window begins above the map.
        col: Column of the map at the window's left.
        rows: Rows of the window.
        cols: Columns of the window.
    """

    row: int
    col: int
    rows: int
    cols: int

    def moved(self, cell: tuple[int, int]) -> tuple[int, int]:
        """Where a cell (row, col) of the map lies in the window."""
        return cell[0] - self.row, cell[1] - self.col


def window_starts(length: int, tx: int, size: int, margin: int) -> range:
    """Starts of a window along one axis that have the transmitter at `margin` to `size - margin`, both included.

    The window lies on the map; where the map is shorter, the whole map lies in the window. Where the map's border is
    nearer to the transmitter than the margin, no start keeps it, and the one that leaves the transmitter farthest
    inside is the only one.

    Args:
        length: Pixels of the map along the axis.
        tx: Pixel of the transmitter.
        size: Pixels of the window.
        margin: First pixel of the window where the transmitter may stand; the last is `size - margin`, or the window's
            last where the margin is 0.

    Returns:
        The starts, at least one.
    """
    first, last = min(0, length - size), max(0, length - size)
    wanted_first, wanted_last = tx - min(size - margin, size - 1), tx - margin
    low, high = max(first, wanted_first), min(last, wanted_last)
    if low > high:
        low = high = first if wanted_last < first else last
    return range(low, high + 1)


def draw_window(
    shape: tuple[int, int], tx: tuple[int, int], random: np.random.Generator, *, size: int = 96, margin: int = 10
) -> Window:
    """Draw a square window that holds the transmitter, uniform over all positions of `window_starts`.

    Args:
        shape: (rows, cols) of the map.
        tx: (row, col) of the transmitter, a cell of the map.
        random: Where the draw comes from.
        size: Edge of the window [pixels].
        margin: The transmitter stands at `margin` to `size - margin` [pixels], where the map allows it: at 10 to 86 of
            96.

    Raises:
        InputError: The margins leave no pixel, or the transmitter is not on the map.
    """
    if not (margin >= 0 and 2 * margin < size):
        raise InputError(
            "The margins of a window must leave a pixel between them",
            value=f"margin {margin} of a window of {size} pixels",
            remedy="The usual window has 96 pixels and a margin of 10.",
        )
    _check_on_map(shape, tx)
    starts = [window_starts(length, at, size, margin) for length, at in zip(shape, tx, strict=True)]
    row, col = (int(random.integers(along.start, along.stop)) for along in starts)
    return Window(row, col, size, size)


def centred_window(shape: tuple[int, int], tx: tuple[int, int], size: int = 256) -> Window:
    """The square window with the transmitter at row and column `size // 2`.

    Raises:
        InputError: The size is not positive, or the transmitter is not on the map.
    """
    if not size >= 1:
        raise InputError("A window must have at least one pixel", value=size, remedy="The usual one has 256.")
    _check_on_map(shape, tx)
    return Window(tx[0] - size // 2, tx[1] - size // 2, size, size)


def cut(array: NDArray[np.floating], window: Window, outside: float) -> NDArray[np.float32]:
    """The window of an array (rows, cols), float32; `outside` where it goes beyond the array."""
    result = np.full((window.rows, window.cols), outside, dtype=np.float32)
    top, left = max(window.row, 0), max(window.col, 0)
    part = array[top : max(window.row + window.rows, 0), left : max(window.col + window.cols, 0)]
    row, col = window.moved((top, left))
    result[row : row + part.shape[0], col : col + part.shape[1]] = part
    return result


def _check_on_map(shape: tuple[int, int], tx: tuple[int, int]) -> None:
    if not all(0 <= at < length for at, length in zip(tx, shape, strict=True)):
        raise InputError(
            f"The transmitter must be a cell of the map, {shape[0]} x {shape[1]} pixels",
            value=f"row {tx[0]}, column {tx[1]}",
            remedy="Pass (row, col) of the cell nearest to it.",
        )
