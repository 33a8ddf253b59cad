"""Obstacles of a scene as the kernels want them: directed walls and convex corners, in cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import Footprint, Grid, Scene
from radiodiff.scene.trace import trace_footprints

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
        solid: Shapely geometry of the walls.
        box: Walls of a box around everything, seen from inside, (4, 4).
    """

    walls: NDArray[np.float64]
    corners: NDArray[np.float64]
    solid: object
    box: NDArray[np.float64]

    @classmethod
    def of_scene(cls, scene: Scene) -> "Obstacles":
        """Buildings and cars; outlines where the scene has them, otherwise traced from its rasters."""
        footprints = _outlines(scene.grid, scene.buildings, scene.footprints)
        if scene.cars is not None:
            footprints += _outlines(scene.grid, scene.cars, scene.car_footprints)
        return cls.of_footprints(scene.grid, footprints)

    @classmethod
    def of_footprints(cls, grid: Grid, footprints: tuple[Footprint, ...]) -> "Obstacles":
        """Union of the outlines, in cells."""
        import shapely

        union = shapely.union_all([f.polygon for f in footprints])
        union = shapely.transform(union, lambda points: points / grid.cell_size_m)
        closed = _offset(union, GAP_CELLS)
        solid = _offset(closed, -2.0 * GAP_CELLS)
        rings = []
        for part in shapely.get_parts(solid):
            part = shapely.orient_polygons(shapely.remove_repeated_points(part, GAP_CELLS / 10.0))
            rings += [shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)]
        walls = [np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in rings]
        return cls(
            np.concatenate(walls) if walls else np.empty((0, 4)),
            np.concatenate([_convex_corners(ring) for ring in rings]) if rings else np.empty((0, 4)),
            solid,
            _box(grid, rings),
        )

    @property
    def all_walls(self) -> NDArray[np.float64]:
        """Walls and box together, (m + 4, 4)."""
        return np.concatenate([self.walls, self.box])


def _outlines(
    grid: Grid, mask: NDArray[np.bool_], footprints: tuple[Footprint, ...] | None
) -> tuple[Footprint, ...]:
    return trace_footprints(grid, mask) if footprints is None else footprints


def _offset(geometry: object, distance: float) -> object:
    import shapely

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
