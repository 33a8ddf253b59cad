"""Perimeter blocks: a ring of houses around a courtyard."""

from typing import TYPE_CHECKING

import numpy as np

from radiodiff.layouts.closed_blocks import OVERLAP_M, PAVEMENT_M, buildings_in, fill_lots
from radiodiff.layouts.outline import Outline, Vertices
from radiodiff.layouts.spacing import move_walls

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["fill_perimeter"]

LARGE_YARD_M2 = 900.0
NARROWEST_YARD_M = 8.0
DEEPEST_RING_SHARE = 0.28
"""Depth of the houses as a share of the block's width, at most, so that a courtyard is left."""


def fill_perimeter(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """A ring of houses with passages, a missing side, cut corners, or wings in the courtyard."""
    import shapely

    low, high = outline.main_frame.extent(outline.ring)
    ring = _cut_corners(outline, rng.uniform(4.0, 9.0)) if rng.uniform() < 0.35 else outline.ring
    outer = shapely.simplify(move_walls(shapely.Polygon(ring), -PAVEMENT_M), 0.8)
    depth_m = min(rng.uniform(9.5, 12.0) + 5.0 * density, DEEPEST_RING_SHARE * float(high[1] - low[1]))
    yard = shapely.simplify(move_walls(outer, -depth_m), 0.8)
    if yard.geom_type != "Polygon" or not 2.0 * yard.area > NARROWEST_YARD_M * yard.length:
        return fill_lots(outline, density, rng)
    built = outer - yard
    for _ in range(int(rng.integers(0, 3 if density > 0.5 else 4))):
        built = built - _opening(outline, depth_m, rng)
    if yard.area > LARGE_YARD_M2:
        built = shapely.union(built, _yard_wings(outline, yard, density, rng))
    return buildings_in(built)


def _cut_corners(outline: Outline, size_m: float) -> Vertices:
    """The ring with every sharp corner cut at `size_m` from it along both frontages."""
    return np.concatenate([outline.stretch(start + size_m, end - size_m) for start, end in outline.sides])


def _opening(outline: Outline, depth_m: float, rng: np.random.Generator) -> "Polygon":
    """A passage through the ring, or the better part of one side of it; away from the corners."""
    import shapely

    start_m, end_m = outline.sides[int(rng.integers(len(outline.sides)))]
    room_m = end_m - start_m - 2.0 * (depth_m + PAVEMENT_M + 4.0)
    width_m = min(room_m, 200.0 if rng.uniform() < 0.2 else rng.uniform(4.0, 10.0))
    middle_m = (start_m + end_m) / 2.0 + rng.uniform(-0.5, 0.5) * (room_m - width_m)
    if width_m < 4.0:
        return shapely.Polygon()
    frame = outline.frame(middle_m - 2.0, middle_m + 2.0)
    inner_m = depth_m + PAVEMENT_M + 3.0
    return shapely.Polygon(frame.rectangle((-width_m / 2.0, -4.0), (width_m / 2.0, inner_m)))


def _yard_wings(outline: Outline, yard: "Polygon", density: float, rng: np.random.Generator) -> "Polygon":
    """Side wings across the courtyard, or one building that stands free in it."""
    import shapely

    frame = outline.main_frame
    low, high = frame.extent(np.asarray(yard.exterior.coords))
    span, width_m = high - low, rng.uniform(8.0, 12.0)
    if rng.uniform() < 0.3:
        plan = frame.rectangle(low + [0.2, 0.3] * span, high - [0.2, 0.3] * span)
        return shapely.intersection(move_walls(yard, -6.0), shapely.Polygon(plan))
    count = int(span[0] / (width_m + rng.uniform(14.0, 20.0) + 30.0 * (1.0 - density)))
    strips = []
    for index in range(count):
        reach = 1.0 if rng.uniform() < 0.4 else rng.uniform(0.5, 0.8)
        if rng.uniform() < 0.25 + 0.65 * density:
            left_m = low[0] + span[0] * (index + 0.5) / count - width_m / 2.0
            top_m = low[1] + reach * span[1]
            strips.append(shapely.Polygon(frame.rectangle((left_m, low[1] - 2.0), (left_m + width_m, top_m))))
    return shapely.intersection(yard.buffer(OVERLAP_M), shapely.union_all(strips))
