"""Measured points: where a receiver has been."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.radiomapseer.config import MeasurementsConfig

__all__ = ["draw_measured_cells", "half_mask", "measurable_cells"]

HALVES = ("left", "right", "top", "bottom")

NEIGHBOURS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
"""Steps (down, right) to the cells around a cell, the nearer ones first."""


def draw_measured_cells(
    config: MeasurementsConfig,
    random: np.random.Generator,
    measurable: NDArray[np.bool_],
    corners: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Cells (n, 2) of (row, col) that are measured.

    Args:
        config: Which points.
        random: Source of the draw.
        measurable: (rows, cols), see `measurable_cells`.
        corners: (v, 2) outdoor cells at building corners; for one that is not measurable the nearest of the cells
            around it that is stands in, if there is one.

    Returns:
        Without doubles. All that can be had where fewer are there than drawn for.
    """
    if config.kind == "vertices":
        return _nearest_measurable(corners, measurable)
    if config.kind == "half":
        half = config.half if config.half != "random" else HALVES[random.integers(len(HALVES))]
        return np.argwhere(measurable & half_mask(measurable.shape, half))
    free = np.flatnonzero(measurable)
    count = min(int(random.integers(config.num_points[0], config.num_points[1] + 1)), len(free))
    chosen = np.sort(random.choice(free, size=count, replace=False))
    return np.stack(np.unravel_index(chosen, measurable.shape), axis=1).astype(np.int64)


def measurable_cells(buildings: NDArray[np.bool_], has_value: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells where a receiver can stand and the radio map has something to say, (rows, cols).

    The image of the buildings stands half a cell beside the gain (docs/decisions/002): a cell without a value that
    touches a building is inside it for the gain, and no measurement. One without a value in the open is: too weak.

    Args:
        buildings: (rows, cols) complete buildings.
        has_value: (rows, cols) cells above the lowest level of the radio map.
    """
    rows, cols = buildings.shape
    wide = np.pad(buildings, 1)
    near = np.zeros_like(buildings)
    for down, right in (*NEIGHBOURS, (0, 0)):
        near |= wide[1 + down : 1 + down + rows, 1 + right : 1 + right + cols]
    return ~buildings & (has_value | ~near)


def _nearest_measurable(cells: NDArray[np.int64], measurable: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows, cols = measurable.shape
    found = np.full(cells.shape, -1, dtype=np.int64)
    # The nearest last: it overwrites the others.
    for step in (*reversed(NEIGHBOURS), (0, 0)):
        moved = cells + np.array(step)
        inside = ((moved >= 0) & (moved < (rows, cols))).all(axis=1)
        row, col = np.where(inside[:, None], moved, 0).T
        chosen = inside & measurable[row, col]
        found[chosen] = moved[chosen]
    return np.unique(found[found[:, 0] >= 0], axis=0)


def half_mask(shape: tuple[int, ...], half: str) -> NDArray[np.bool_]:
    """True in one half of a map (rows, cols); the middle line of an odd size belongs to the right and bottom."""
    rows, cols = shape
    first_half, index = {
        "left": (True, np.arange(cols)[None] < cols // 2),
        "right": (False, np.arange(cols)[None] < cols // 2),
        "top": (True, np.arange(rows)[:, None] < rows // 2),
        "bottom": (False, np.arange(rows)[:, None] < rows // 2),
    }[half]
    return np.broadcast_to(index == first_half, (rows, cols))
