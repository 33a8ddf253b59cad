"""Regions of a map: outside buildings, in sight of the transmitter, behind buildings, beside them, far away."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.evaluation.config import RegionConfig
from radiodiff.evaluation.sight import Heights, in_sight_over_roofs

__all__ = ["ALL_CELLS", "OUTDOOR", "REGIONS", "RegionFinder"]

Mask = NDArray[np.bool_]

ALL_CELLS = "all"
OUTDOOR = "outdoor"

REGIONS = (ALL_CELLS, OUTDOOR, "los", "nlos", "boundary", "far")
"""Names of the regions; those but the first leave out what is inside buildings."""


class RegionFinder:
    """Finds the regions of maps; what follows from the buildings alone is kept for the next map of the same city.

    Args:
        config: Where regions end.
    """

    def __init__(self, config: RegionConfig | None = None) -> None:
        self.config = config or RegionConfig()
        self._buildings: Mask | None = None
        self._boundary: Mask | None = None

    def words(self) -> dict[str, str]:
        """What each region is."""
        return {
            ALL_CELLS: "all cells of the map",
            OUTDOOR: "cells outside buildings",
            "los": "outdoor cells whose straight ray to the transmitter crosses no building cell (where heights are "
            "known: passes above all roofs)",
            "nlos": "the other outdoor cells",
            "boundary": f"outdoor cells at most {self.config.boundary_cells:g} cells from a building cell",
            "far": f"outdoor cells more than {self.config.far_cells:g} cells from the transmitter",
        }

    def regions(
        self,
        shape: tuple[int, int],
        buildings: Mask | None,
        tx: tuple[int, int],
        counting: Mask | None = None,
        heights: Heights | None = None,
    ) -> Mapping[str, Mask]:
        """Regions of a map by name, in the order of `REGIONS`; those that nobody can tell are left out.

        Without buildings there are `all` and, of a transmitter on the map, `far`.

        Args:
            shape: (rows, cols) of the map.
            buildings: (rows, cols) cells inside buildings, or None where they are not known.
            tx: Cell (row, col) of the transmitter; beside the map where it has none.
            counting: (rows, cols) cells that count in any region; None for all.
            heights: Heights of the roofs and the transmitter; None where they are not known.

        Raises:
            InputError: Buildings or counting cells are no mask of this shape.
        """
        for mask in (buildings, counting):
            if mask is not None and not (mask.shape == shape and mask.dtype == np.bool_):
                raise InputError(
                    f"Buildings and counting cells must be bool maps of {shape[0]} x {shape[1]} cells",
                    value=f"{mask.dtype} of {mask.shape}",
                    remedy="Crop to one grid; compare a grey mask with a threshold first.",
                )
        has_tx = 0 <= tx[0] < shape[0] and 0 <= tx[1] < shape[1]
        outdoors = np.ones(shape, dtype=np.bool_) if buildings is None else ~buildings
        found = {ALL_CELLS: np.ones(shape, dtype=np.bool_)}
        if buildings is not None:
            found[OUTDOOR] = outdoors
            if has_tx:
                seen = _in_sight(buildings, tx) if heights is None else in_sight_over_roofs(heights, tx)
                found["los"] = outdoors & seen
                found["nlos"] = outdoors & ~found["los"]
            found["boundary"] = self._beside(buildings)
        if has_tx:
            row, col = np.ogrid[: shape[0], : shape[1]]
            found["far"] = outdoors & (np.hypot(row - tx[0], col - tx[1]) > self.config.far_cells)
        return found if counting is None else {name: mask & counting for name, mask in found.items()}

    def _beside(self, buildings: Mask) -> Mask:
        if self._boundary is None or self._buildings is None or not np.array_equal(buildings, self._buildings):
            self._buildings = buildings.copy()
            self._boundary = _near(buildings, self.config.boundary_cells)
        return self._boundary


def _near(buildings: Mask, cells: float) -> Mask:
    from scipy.ndimage import distance_transform_edt

    if not buildings.any():
        return np.zeros(buildings.shape, dtype=np.bool_)
    near: Mask = ~buildings & (distance_transform_edt(~buildings) <= cells)
    return near


def _in_sight(buildings: Mask, tx: tuple[int, int]) -> Mask:
    """Cells whose straight ray crosses no building cell; the transmitter's own cell is no obstacle.

    Images of RadioMapSeer show buildings half a cell beside the gain: a transmitter at a wall may stand in a building
    cell.
    """
    # Here, not above: importing the kernels takes a compiler.
    from radiodiff.propagation.wall_kernels import count_wall_runs

    row, col = tx
    walls = buildings.copy()
    walls[row, col] = False
    clear: Mask = count_wall_runs(walls, col + 0.5, row + 0.5) == 0
    return clear
