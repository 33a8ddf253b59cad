"""Line of sight over roofs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Heights", "in_sight_over_roofs"]

RX_HEIGHT_M = 1.5
"""Height of the receivers of data sets in RadioMapSeer's layout [m]."""

STEPS_PER_CELL = 2
"""Of rays and along them: every cell within reach holds at least one sample."""


@dataclass(frozen=True, eq=False)
class Heights:
    """Heights on a map.

    Attributes:
        roofs_m: (rows, cols) height of the roof over the centre of each cell, 0 outdoors [m].
        tx_m: Height of the transmitter [m].
    """

    roofs_m: NDArray[np.float32]
    tx_m: float


def in_sight_over_roofs(heights: Heights, tx: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells (rows, cols) whose receiver a straight line from the transmitter reaches above all roofs.

    Rays leave for the border of the map. Along a ray a receiver is in sight while no roof before it stands steeper, as
    seen from the transmitter, than the receiver itself. Both are sampled every half cell: the edge of a roof is exact
    to that, and the end of its shadow to as much more as it is further away.

    Args:
        heights: Heights of roofs and transmitter.
        tx: Cell (row, col) of the transmitter.
    """
    rows, cols = heights.roofs_m.shape
    middle = np.array(tx) + 0.5
    ends = _border(rows, cols) - middle
    count = int(np.ceil(np.hypot(rows, cols) * STEPS_PER_CELL))
    length = np.hypot(*ends.T)[:, None]
    distance = (np.arange(count) + 0.5) / STEPS_PER_CELL
    is_on_map = distance <= length
    points = middle[:, None, None] + ends.T[:, :, None] / length * np.minimum(distance, length)
    row, col = (np.clip(points[axis].astype(np.int64), 0, size - 1) for axis, size in ((0, rows), (1, cols)))
    slope = (heights.roofs_m[row, col] - heights.tx_m) / distance
    steepest = np.maximum.accumulate(slope, axis=1)
    before = np.concatenate([np.full((len(ends), 1), -np.inf), steepest[:, :-1]], axis=1)
    is_seen = is_on_map & ((RX_HEIGHT_M - heights.tx_m) / distance >= before) & (heights.roofs_m[row, col] == 0)
    found = np.zeros((rows, cols), dtype=np.bool_)
    found[row[is_seen], col[is_seen]] = True
    # Its own cell is met by no ray from its middle outwards where roofs are.
    found[tx] = heights.roofs_m[tx] == 0
    return found


def _border(rows: int, cols: int) -> NDArray[np.float64]:
    """(n, 2) points (row, col) along the border of a map."""
    down = np.arange(0, rows + 0.25, 1 / STEPS_PER_CELL)
    right = np.arange(0, cols + 0.25, 1 / STEPS_PER_CELL)
    sides = [(down, 0 * down), (down, 0 * down + cols), (0 * right, right), (0 * right + rows, right)]
    return np.concatenate([np.stack(side, axis=1) for side in sides])
