"""Meeting a coverage: taking whole buildings out, then thinning the walls of the rest."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from radiodiff.layouts.spacing import move_walls

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["Building", "thin_out"]

LARGEST_EROSION_M = 1.2
"""Most that a wall moves to meet a coverage [m]."""

BLOCK_WEIGHT = 1.3
"""How far buildings of one block go together: squares and parks appear instead of single gaps."""


@dataclass(frozen=True)
class Building:
    """A building that touches the map.

    Attributes:
        polygon: Its whole outline in local metres, beyond the border of the map too.
        height_m: Its height [m].
        block: Number of the block it stands on.
        area_m2: The part of its area that lies on the map.
    """

    polygon: "Polygon"
    height_m: float
    block: int
    area_m2: float


def thin_out(buildings: list[Building], area_m2: float, rng: np.random.Generator) -> list[Building]:
    """Buildings that cover `area_m2` of the map, or all of them where they cover less.

    Whole buildings go first, mostly block by block; what is still too much is taken off the walls.
    """
    areas = np.array([building.area_m2 for building in buildings])
    blocks = np.array([building.block for building in buildings], dtype=int)
    excess_m2 = float(areas.sum()) - area_m2
    if not excess_m2 > 0:
        return buildings
    block_order = rng.permutation(int(blocks.max()) + 1) / (blocks.max() + 1)
    order = np.argsort(BLOCK_WEIGHT * block_order[blocks] + rng.uniform(size=len(areas)), kind="stable")
    is_kept = np.ones(len(areas), dtype=bool)
    for index in order:
        if areas[index] <= excess_m2:
            is_kept[index] = False
            excess_m2 -= float(areas[index])
    return _eroded([b for b, kept in zip(buildings, is_kept, strict=True) if kept], excess_m2)


def _eroded(buildings: list[Building], excess_m2: float) -> list[Building]:
    """The buildings with all walls moved in until about `excess_m2` is gone."""
    import shapely

    walls_m = sum(b.polygon.length * b.area_m2 / b.polygon.area for b in buildings)
    step_m = min(excess_m2 / max(walls_m, 1.0), LARGEST_EROSION_M)
    if step_m < 0.02:
        return buildings
    thinner = []
    for building in buildings:
        shape = move_walls(building.polygon, -step_m)
        parts = [part for part in shapely.get_parts(shape) if part.area > 0]
        thinner += [replace(building, polygon=part) for part in parts]
    return thinner
