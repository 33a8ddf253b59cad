"""Large maps in overlapping windows, blended by weights that add up to 1."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise, product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Pair", "WindowPlan", "blended", "plan_windows"]

Pair = tuple[int, int]
"""Number of a row of a batch, and number of a window."""

RAMP_SHARE = 0.5
"""Share of an overlap, in its middle, over which a window fades. What lies beside it, up to the border, gets nothing:
there a network sees an end of the world that is none."""


@dataclass(frozen=True)
class WindowPlan:
    """Where the windows of a map are.

    Attributes:
        shape: (rows, cols) of the map.
        window: (rows, cols) of a window.
        row_starts: First rows of the windows.
        col_starts: First columns of the windows.
    """

    shape: tuple[int, int]
    window: tuple[int, int]
    row_starts: tuple[int, ...] = (0,)
    col_starts: tuple[int, ...] = (0,)

    @property
    def corners(self) -> list[tuple[int, int]]:
        """(row, col) of the first cell of each window."""
        return list(product(self.row_starts, self.col_starts))

    @property
    def is_whole(self) -> bool:
        """Whether there is one window, the map itself."""
        return len(self.row_starts) * len(self.col_starts) == 1

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """How much each window counts at its cells, (windows, rows, cols): 1 together at every cell of the map."""
        down = _feathered(self.shape[0], self.window[0], self.row_starts)
        right = _feathered(self.shape[1], self.window[1], self.col_starts)
        return np.stack([np.outer(d, r) for d, r in product(down, right)]).astype(np.float32)

    def times(self, factor: int) -> "WindowPlan":
        """The same windows on a grid with `factor` cells along one edge of a cell."""
        rows, cols = (tuple(start * factor for start in starts) for starts in (self.row_starts, self.col_starts))
        shape, window = ((r * factor, c * factor) for r, c in (self.shape, self.window))
        return WindowPlan(shape, window, rows, cols)

    def batches(self, num_rows: int, batch_size: int) -> Iterator[list[Pair]]:
        """The windows of several maps, a batch at a time."""
        rest = iter(list(product(range(num_rows), range(len(self.corners)))))
        return iter(lambda: list(islice(rest, batch_size)), [])

    def cut(self, maps: Tensor, pairs: Sequence[Pair]) -> Tensor:
        """Windows (n, C, window rows, window cols) of maps (R, C, rows, cols)."""
        if self.is_whole:
            return maps[[row for row, _ in pairs]]
        rows, cols = self.window
        places = [(row, *self.corners[number]) for row, number in pairs]
        return torch.stack([maps[row, :, top : top + rows, left : left + cols] for row, top, left in places])


def plan_windows(shape: tuple[int, int], window: tuple[int, int], overlap: float) -> WindowPlan:
    """Windows that cover a map, evenly spread.

    Args:
        shape: (rows, cols) of the map.
        window: (rows, cols) of a window, at most those of the map.
        overlap: Least share of a window that the next one overlaps, at most a half.
    """
    rows, cols = (_starts(length, size, overlap) for length, size in zip(shape, window, strict=True))
    return WindowPlan(shape, window, rows, cols)


def blended(
    plan: WindowPlan,
    maps: Tensor,
    apply: Callable[[Tensor, Sequence[Pair]], Tensor],
    *,
    batch_size: int,
    factor: int = 1,
) -> Tensor:
    """What a network makes of maps, window by window.

    Args:
        plan: The windows.
        maps: (R, C, rows, cols).
        apply: The network: windows (n, C, r, c), and which they are, to (n, C', r * factor, c * factor).
        batch_size: Windows at a time.
        factor: Cells along one edge that it makes of one.

    Returns:
        (R, C', rows * factor, cols * factor) float32.
    """
    batches = plan.batches(len(maps), batch_size)
    if plan.is_whole:
        return torch.cat([apply(plan.cut(maps, pairs), pairs).float() for pairs in batches])
    fine = plan.times(factor)
    weights = torch.from_numpy(fine.weights).to(maps.device)
    rows, cols = fine.window
    result = torch.empty(0)
    for number_of_batch, pairs in enumerate(batches):
        outputs = apply(plan.cut(maps, pairs), pairs).float()
        if number_of_batch == 0:
            result = outputs.new_zeros(len(maps), outputs.shape[1], *fine.shape)
        for output, (row, number) in zip(outputs, pairs, strict=True):
            top, left = fine.corners[number]
            # A gradient passes through sums in place.
            result[row, :, top : top + rows, left : left + cols] += output * weights[number]
    return result


def _starts(length: int, size: int, overlap: float) -> tuple[int, ...]:
    """First cells of windows along one direction, the last one at the end."""
    if size >= length:
        return (0,)
    step = max(1, size - int(np.ceil(size * overlap)))
    count = 1 + -(-(length - size) // step)
    return tuple(round(i * (length - size) / (count - 1)) for i in range(count))


def _feathered(length: int, size: int, starts: Sequence[int]) -> NDArray[np.float64]:
    """Weights (windows, size) along one direction: raised cosines in the overlaps, 1 together at each cell."""
    weights = np.ones((len(starts), size))
    for number, (first, second) in enumerate(pairwise(starts)):
        shared = first + size - second
        ramp = np.clip(((np.arange(shared) + 0.5) / shared - 0.5) / RAMP_SHARE + 0.5, 0.0, 1.0)
        rising = np.sin(0.5 * np.pi * ramp) ** 2
        weights[number + 1, :shared] *= rising
        weights[number, size - shared :] *= 1.0 - rising
    # Where three windows meet, the products of their ramps do not add up to 1.
    total = np.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + size] += weight
    return np.stack([weight / total[start : start + size] for start, weight in zip(starts, weights, strict=True)])
