"""Outdoor cells at the corners of buildings."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import Scene

__all__ = ["corner_cells"]


def corner_cells(scene: Scene, buildings: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n, 2) outdoor cells (row, col), sorted, each with a building corner within its 3 x 3 neighbourhood.

    Of the neighbourhood of a corner the free cell nearest to it is taken; a corner without one gives none.
    """
    rows, cols = buildings.shape
    size_m = scene.grid.cell_size_m
    found: set[tuple[int, int]] = set()
    for footprint in scene.footprints or ():
        rings = (footprint.polygon.exterior, *footprint.polygon.interiors)
        points = np.concatenate([np.asarray(ring.coords)[:-1, :2] for ring in rings]) / size_m
        for x, y in points:
            found |= _nearest_free(float(x), float(y), buildings, rows, cols)
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)


def _nearest_free(x: float, y: float, buildings: NDArray[np.bool_], rows: int, cols: int) -> set[tuple[int, int]]:
    col, row = int(np.floor(x)), int(np.floor(y))
    around = [
        ((c + 0.5 - x) ** 2 + (r + 0.5 - y) ** 2, r, c)
        for r in range(max(row - 1, 0), min(row + 2, rows))
        for c in range(max(col - 1, 0), min(col + 2, cols))
        if not buildings[r, c]
    ]
    return {min(around)[1:]} if around else set()
