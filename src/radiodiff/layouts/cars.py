"""Cars on the streets between the blocks."""

from typing import Final

import numpy as np

from radiodiff.layouts.outline import SUBDIVISIONS, Outline, Vertices
from radiodiff.layouts.settings import CitySettings
from radiodiff.layouts.spacing import keep_apart
from radiodiff.scene import Footprint, Scene

__all__ = ["park_cars"]

CAR_SIZE_M: Final = np.array([4.0, 2.0])
CAR_HEIGHT_M: Final = 1.5
"""Length, width and height of a car. A car of RadioMapSeer covers 2 x 4 cells of 1 m."""

SLOT_M = 6.5
PARKED_M, MOVING_M = 2.0, 4.8
"""Distance from the edge of the block to the middle of a car [m]."""

MOVING_SHARE = 0.25
CLEARANCE_M = 0.4
M2_PER_HECTARE = 10_000.0


def park_cars(scene: Scene, blocks: list[Outline], settings: CitySettings, rng: np.random.Generator) -> Scene:
    """The scene with cars along the edges of the blocks, or unchanged where none are asked for."""
    import shapely

    if settings.cars_per_hectare == 0:
        return scene
    size_m = np.array([settings.cols, settings.rows]) * settings.cell_size_m
    wanted = round(settings.cars_per_hectare * size_m.prod() / M2_PER_HECTARE)
    shapes = shapely.polygons(_car_rings(*_places(blocks, size_m, rng), settings))
    in_block, _ = shapely.STRtree([block.polygon for block in blocks]).query(
        shapes, predicate="dwithin", distance=CLEARANCE_M
    )
    shapes = np.delete(shapes, np.unique(in_block))
    cars = [shapes[index] for index in keep_apart(shapes, CLEARANCE_M)[:wanted]]
    return scene.with_cars(Footprint(car, CAR_HEIGHT_M) for car in cars)


def _places(blocks: list[Outline], size_m: Vertices, rng: np.random.Generator) -> tuple[Vertices, Vertices]:
    """Centres and directions (n, 2) of slots on the map, in the order in which they fill."""
    origins, directions, keys = [], [], []
    for block in blocks:
        for start_m, end_m in block.sides:
            count = int((end_m - start_m) / SLOT_M)
            # Cars crowd in some streets and leave others nearly empty.
            popularity = rng.uniform(0.15, 1.0)
            draws = rng.uniform(size=(count, 3))
            middle_m = start_m + (np.arange(count) + 0.35 + 0.3 * draws[:, 0]) * SLOT_M
            lane_m = np.where(draws[:, 1] < MOVING_SHARE, MOVING_M, PARKED_M)
            start, end = block.at(middle_m - 1.0), block.at(middle_m + 1.0)
            along = (end - start) / np.sqrt(((end - start) ** 2).sum(axis=1))[:, None]
            outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
            origins.append((start + end) / 2.0 + lane_m[:, None] * outward)
            directions.append(along)
            keys.append(draws[:, 2] / popularity)
    origin, along, key = (np.concatenate(parts) for parts in (origins, directions, keys))
    order = np.argsort(key, kind="stable")
    order = order[((origin > CAR_SIZE_M[0]) & (origin < size_m - CAR_SIZE_M[0])).all(axis=1)[order]]
    return origin[order], along[order]


def _car_rings(origin: Vertices, along: Vertices, settings: CitySettings) -> Vertices:
    """Corners (n, 4, 2) of cars, along their streets or along the map's axes on whole cells."""
    unit = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    if settings.cars_follow_streets:
        offset = (unit - 0.5) * CAR_SIZE_M
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        rings = origin[:, None] + offset[:, :1] * along[:, None] + offset[:, 1:] * across[:, None]
        return np.asarray(np.round(rings * SUBDIVISIONS) / SUBDIVISIONS)
    is_lengthwise = np.abs(along[:, :1]) >= np.abs(along[:, 1:])
    size = np.where(is_lengthwise, CAR_SIZE_M, CAR_SIZE_M[::-1])
    corner = np.round((origin - size / 2.0) / settings.cell_size_m) * settings.cell_size_m
    return np.asarray(corner[:, None] + unit * size[:, None])
