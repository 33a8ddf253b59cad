"""Measured points: where a receiver has been."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.radiomapseer.config import MeasurementsConfig

__all__ = ["draw_measured_cells", "half_mask"]

HALVES = ("left", "right", "top", "bottom")


def draw_measured_cells(
    config: MeasurementsConfig,
    random: np.random.Generator,
    outdoors: NDArray[np.bool_],
    corners: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Cells (n, 2) of (row, col) that are measured.

    Args:
        config: Which points.
        random: Source of the draw.
        outdoors: (rows, cols) cells where a receiver can stand.
        corners: (v, 2) outdoor cells at building corners.

    Returns:
        Without doubles. All that can be had where fewer are there than drawn for.
    """
    if config.kind == "vertices":
        return corners
    if config.kind == "half":
        half = config.half if config.half != "random" else HALVES[random.integers(len(HALVES))]
        return np.argwhere(outdoors & half_mask(outdoors.shape, half))
    free = np.flatnonzero(outdoors)
    count = min(int(random.integers(config.num_points[0], config.num_points[1] + 1)), len(free))
    chosen = np.sort(random.choice(free, size=count, replace=False))
    return np.stack(np.unravel_index(chosen, outdoors.shape), axis=1).astype(np.int64)


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
