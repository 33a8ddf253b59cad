"""Obstacles of a scene as the kernels want them: directed walls, convex corners, car sides, in cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import Footprint, Grid, Scene

__all__ = ["Obstacles"]

GAP_CELLS = 1e-3
"""Walls stand this far inside the outline, so a ray that grazes a wall or a corner is free, in every orientation.
Gaps narrower than twice this, and corners that only touch, are closed."""

SLIGHTEST_CORNER_RAD = np.radians(0.1)
MITRE_LIMIT = 10.0


@dataclass(frozen=True)
class Obstacles:
    """Walls and corners.

    Attributes:
        walls: (m, 4) float64, directed edges (ax, ay, bx, by), the solid where cross(b - a, p - a) > 0 [cells].
        corners: (n, 4) float64, position x, y of a path that bends there [cells], direction of the wall before the
            corner [rad], outer angle [rad].
        solid: Shapely polygons that the walls enclose.
        cars: (c, 4) float64, sides of the cars, directed like walls [cells].
        box: Walls of a box around everything, seen from inside, (4, 4).
    """

    walls: NDArray[np.float64]
    corners: NDArray[np.float64]
    solid: NDArray[np.object_]
    cars: NDArray[np.float64]
    box: NDArray[np.float64]

    @classmethod
    def of_scene(cls, scene: Scene) -> "Obstacles":
        """Buildings and cars; outlines where the scene has them, otherwise traced from its rasters."""
        grid = scene.grid
        union = _union_in_cells(grid, scene.outlines)
        solid = _polygons(_offset(_offset(_welded(union), GAP_CELLS), -2.0 * GAP_CELLS))
        rings = _rings(solid)
        cars = _rings(_polygons(_union_in_cells(grid, scene.car_outlines)))
        corners = [_convex_corners(ring) for ring in rings]
        return cls(
            _walls(rings),
            np.concatenate(corners) if corners else np.empty((0, 4)),
            solid,
            _walls(cars),
            _box(grid, rings + cars),
        )

    @property
    def all_walls(self) -> NDArray[np.float64]:
        """Walls and box together, (m + 4, 4)."""
        return np.concatenate([self.walls, self.box])


def _union_in_cells(grid: Grid, outlines: tuple[Footprint, ...]) -> object:
    import shapely

    union = shapely.union_all([outline.polygon for outline in outlines])
    return shapely.transform(union, lambda points: points / grid.cell_size_m)


def _polygons(geometry: object) -> NDArray[np.object_]:
    import shapely

    parts: NDArray[np.object_] = shapely.get_parts(geometry)
    solid: NDArray[np.object_] = parts[shapely.area(parts) > 0.0]
    return solid


def _rings(polygons: NDArray[np.object_]) -> list[NDArray[np.float64]]:
    """Rings of polygons, open, the solid on the left in (x, y) algebra."""
    import shapely

    rings = []
    for polygon in shapely.orient_polygons(shapely.remove_repeated_points(polygons, GAP_CELLS / 10.0)):
        rings += [shapely.get_coordinates(ring)[:-1] for ring in (polygon.exterior, *polygon.interiors)]
    return rings


def _walls(rings: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in rings] or [np.empty((0, 4))])


def _welded(union: object) -> object:
    """The union with a tiny block over every point where two of its outlines, or one with itself, only touch."""
    import shapely

    rings = shapely.get_rings(shapely.get_parts(union))
    points = np.concatenate([shapely.get_coordinates(ring)[:-1] for ring in rings] or [np.empty((0, 2))])
    positions, counts = np.unique(points.round(9), axis=0, return_counts=True)
    touching = positions[counts > 1]
    if not len(touching):
        return union
    x, y = touching.T
    reach = 4.0 * GAP_CELLS
    return shapely.union_all([union, *shapely.box(x - reach, y - reach, x + reach, y + reach)])


def _offset(geometry: object, distance: float) -> object:
    import shapely

    # GEOS now and then raises a floating-point flag without harm to the result.
    with np.errstate(invalid="ignore", divide="ignore"):
        return shapely.buffer(geometry, distance, join_style="mitre", mitre_limit=MITRE_LIMIT)


def _convex_corners(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of a ring (solid on the left) that a path can bend around, moved back out onto the outline."""
    before = ring - np.roll(ring, 1, axis=0)
    after = np.roll(ring, -1, axis=0) - ring
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    after /= np.linalg.norm(after, axis=1, keepdims=True)
    turn = np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))
    convex = turn > SLIGHTEST_CORNER_RAD
    before, after, turn = before[convex], after[convex], turn[convex]
    # Outer normals; their mitre moves both walls out by the same gap.
    normals = np.stack([before[:, 1] + after[:, 1], -before[:, 0] - after[:, 0]], axis=1)
    reach = np.minimum(1.0 / (1.0 + np.cos(turn)), MITRE_LIMIT)[:, None]
    position = ring[convex] + GAP_CELLS * reach * normals
    return np.column_stack([position, np.arctan2(before[:, 1], before[:, 0]), turn])


def _box(grid: Grid, rings: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    points = np.concatenate([np.array([[0.0, 0.0], [grid.cols, grid.rows]]), *rings])
    (x0, y0), (x1, y1) = points.min(axis=0) - 1.0, points.max(axis=0) + 1.0
    ring = np.array([[x0, y0], [x0, y1], [x1, y1], [x1, y0]])
    return np.hstack([ring, np.roll(ring, -1, axis=0)])
