"""Blocks built up to the street on all sides: old town blocks and building lots."""

from typing import TYPE_CHECKING

import numpy as np

from radiodiff.layouts.outline import Frame, Outline, Vertices, cut_by_line
from radiodiff.layouts.spacing import move_walls

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["OVERLAP_M", "PAVEMENT_M", "buildings_in", "fill_lots", "fill_old_block"]

SMALLEST_LIGHT_WELL_M2 = 45.0
SMALLEST_BUILDING_M2 = 60.0
THINNEST_BUILDING_M = 4.0
PAVEMENT_M = 1.5
SLIT_M = 3.2
"""Gaps between neighbours narrower than this are filled."""

SHALLOWEST_PAIR_M = 34.0
OVERLAP_M = 0.1
"""How far neighbours reach into each other, so that no hairline gap is left between them."""


def fill_old_block(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """Houses of different depth side by side along every frontage; what is left inside are yards."""
    import shapely

    rings = []
    for start_m, end_m in outline.sides:
        count = max(1, round((end_m - start_m) / rng.uniform(11.0, 19.0)))
        ends_m = start_m + (end_m - start_m) * (np.arange(count + 1) / count)
        ends_m[1:-1] += rng.uniform(-4.0, 4.0, count - 1)
        corners = outline.at(ends_m)
        front = corners[1:] - corners[:-1]
        inward = np.stack([-front[:, 1], front[:, 0]], axis=1) / np.sqrt((front**2).sum(axis=1))[:, None]
        depth = rng.uniform(8.0, 14.0 + 7.0 * density, (count, 1)) * inward
        plots = np.stack([corners[:-1], corners[1:], corners[1:] + depth, corners[:-1] + depth], axis=1)
        rings.append(plots[rng.uniform(size=count) >= 0.1 * (1.0 - density)])
    shapes = shapely.polygons(np.concatenate(rings))
    built = shapely.union_all(shapes[shapely.is_valid(shapes)])
    built = move_walls(move_walls(built, SLIT_M / 2.0), -SLIT_M / 2.0)
    outer = move_walls(outline.polygon, -PAVEMENT_M / 2.0)
    built = shapely.simplify(shapely.intersection(built, outer), 0.7)
    return [_without_small_yards(part) for part in buildings_in(built)]


def fill_lots(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """Building lots on both sides of a back yard, each built up to the street and to its own depth."""
    import shapely

    frame = outline.main_frame
    low, high = frame.extent(outline.ring)
    middle = (low + high) / 2.0
    half_yard_m = rng.uniform(3.0, 9.0) * (1.2 - 0.8 * density)
    is_through = high[1] - low[1] < SHALLOWEST_PAIR_M
    rings = []
    for side in (1.0,) if is_through else (-1.0, 1.0):
        left_m = float(low[0])
        while left_m < high[0] - 1.0:
            width_m = rng.uniform(15.0, 38.0)
            right_m = float(high[0]) if high[0] - left_m < width_m + 12.0 else left_m + width_m
            gap_m = rng.uniform(3.0, 6.0) if rng.uniform() < 0.5 - 0.4 * density else -OVERLAP_M
            back_m = half_yard_m + rng.uniform(0.0, 0.4 - 0.3 * density) * (high[1] - middle[1])
            if rng.uniform() < 0.86 + 0.14 * density:
                lot = _between(frame, outline.ring, left_m, right_m - gap_m)
                back = frame.place(np.array([[0.0, middle[1] + side * back_m]]))[0]
                rings.append(lot if is_through else cut_by_line(lot, back, side * frame.inward))
            left_m = right_m
    shapes = [shapely.Polygon(ring) for ring in rings if len(ring) >= 3]
    built = shapely.union_all([shape for shape in shapes if shape.is_valid])
    built = shapely.intersection(built, move_walls(outline.polygon, -PAVEMENT_M))
    return buildings_in(shapely.simplify(built, 0.4))


def _between(frame: Frame, ring: Vertices, left_m: float, right_m: float) -> Vertices:
    """The part of a ring between two lines across the frontage."""
    left, right = frame.place(np.array([[left_m, 0.0], [right_m, 0.0]]))
    part = cut_by_line(ring, left, frame.along)
    return cut_by_line(part, right, -frame.along)


def buildings_in(shape: object) -> list["Polygon"]:
    """The polygons inside any geometry that are large and wide enough for a building."""
    import shapely

    parts = shapely.get_parts(shape)
    is_large = (shapely.area(parts) > SMALLEST_BUILDING_M2) & (
        2.0 * shapely.area(parts) > THINNEST_BUILDING_M * shapely.length(parts)
    )
    return list(parts[is_large & (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON)])


def _without_small_yards(polygon: "Polygon") -> "Polygon":
    import shapely

    yards = [yard for yard in polygon.interiors if shapely.Polygon(yard).area >= SMALLEST_LIGHT_WELL_M2]
    return shapely.Polygon(polygon.exterior, yards)
