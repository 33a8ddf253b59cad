"""Buildings of a scene as one triangle mesh."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import PropagationError
from radiodiff.scene import Footprint, Scene

__all__ = ["Mesh", "building_mesh", "car_outlines", "ground_mesh", "outlines_with_heights"]

Point = tuple[float, float]

PRECISION_M = 1e-3
"""Outlines closer than this are one."""

CAR_ROOF_GAP_M = 0.05
"""A ray meets the plane of the receivers and a roof this far apart in an order that rounding does not change."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles.

    Attributes:
        vertices: (n, 3) float64: x right, y DOWN the map, z up [m]. Triangles that meet share theirs: edges that they
            do not share cannot diffract.
        triangles: (m, 3) int64, seen anticlockwise (in the algebra of x, y, z) from outside.
    """

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]


@dataclass
class _Builder:
    numbers: dict[tuple[float, float, float, int], int] = field(default_factory=dict)
    triangles: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, *corners: tuple[float, float, float], owner: int = 0) -> None:
        """Add a triangle; it shares vertices with those of the same owner."""
        a, b, c = (self.numbers.setdefault((*corner, owner), len(self.numbers)) for corner in corners)
        self.triangles.append((a, b, c))

    def mesh(self) -> Mesh:
        vertices = np.array(list(self.numbers), dtype=np.float64).reshape(-1, 4)[:, :3]
        return Mesh(vertices, np.array(self.triangles, dtype=np.int64).reshape(-1, 3))


class _Wall(NamedTuple):
    """A wall, its building on the left of the way from here to there."""

    here: Point
    there: Point
    low_m: float
    high_m: float


class _Column:
    """The upright edge of a wall, cut at levels."""

    def __init__(self, point: Point, levels_m: set[float], low_m: float, high_m: float) -> None:
        self.point = point
        self.levels_m = sorted(level for level in levels_m if low_m <= level <= high_m)
        self.top = len(self.levels_m) - 1

    def vertex(self, level: int) -> tuple[float, float, float]:
        return (*self.point, self.levels_m[level])


def outlines_with_heights(scene: Scene, default_height_m: float | None) -> tuple[Footprint, ...]:
    """Outlines of a scene, traced where it has only a raster, each with a height.

    Raises:
        PropagationError: A height is not known and there is no default.
    """
    outlines = scene.outlines
    unknown = sum(outline.height_m is None for outline in outlines)
    if unknown and default_height_m is None:
        raise PropagationError(
            "Buildings need heights for ray tracing",
            value=f"{unknown} of {len(outlines)} without",
            remedy="Give heights to the footprints, or set default_height_m.",
        )
    return tuple(
        Footprint(outline.polygon, default_height_m) if outline.height_m is None else outline for outline in outlines
    )


def car_outlines(scene: Scene, height_m: float, receivers_m: float) -> tuple[Footprint, ...]:
    """Outlines of the cars of a scene, traced where it has only a raster, with one height.

    Raises:
        PropagationError: There are cars, and their roofs lie in the plane of the receivers.
    """
    outlines = scene.car_outlines
    if outlines and abs(height_m - receivers_m) < CAR_ROOF_GAP_M:
        raise PropagationError(
            f"The roofs of cars must lie at least {CAR_ROOF_GAP_M:g} m above or below the receivers",
            value=f"cars of {height_m:g} m, receivers at {receivers_m:g} m",
            remedy="Set car_height_m or rx_height_m.",
        )
    return tuple(Footprint(outline.polygon, height_m) for outline in outlines)


def building_mesh(footprints: Sequence[Footprint], split_m: Sequence[float] = (), *, edges_from_m: float = 0.0) -> Mesh:
    """Walls and flat roofs of buildings; where outlines overlap or touch, the higher one counts.

    The outlines cut the plane into faces, each as high as the highest outline over it. A wall stands on every edge
    between two faces, from the lower to the higher roof, so that no wall lies inside a building.

    Args:
        footprints: Outlines with heights.
        split_m: Walls are cut at these heights too [m]. The ray tracer looks for diffracted paths along the whole of
            an edge that a ray has come near: cut at the heights of both ends, only the part between them counts.
        edges_from_m: Below this height, one of `split_m`, walls share no edges with each other, so that none diffracts
            [m]: a path that bends around an upright edge below its receiver never rises to it.
    """
    import shapely

    if not footprints:
        return _Builder().mesh()
    polygons = np.array([footprint.polygon for footprint in footprints], dtype=object)
    heights_m = np.array([footprint.height_m for footprint in footprints], dtype=np.float64)
    lines = shapely.union_all(shapely.boundary(polygons), grid_size=PRECISION_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(lines))))
    face_of, outline_of = shapely.STRtree(polygons).query(shapely.point_on_surface(faces), predicate="intersects")
    roofs_m = np.zeros(len(faces))
    np.maximum.at(roofs_m, face_of, heights_m[outline_of])
    builder = _Builder()
    faces = shapely.orient_polygons(faces)
    _add_walls(builder, _walls_between(faces, roofs_m), split_m, edges_from_m)
    for face, roof_m in zip(faces, roofs_m, strict=True):
        if roof_m > 0.0:
            _add_roof(builder, face, float(roof_m))
    return builder.mesh()


def _walls_between(faces: NDArray[np.object_], roofs_m: NDArray[np.float64]) -> list[_Wall]:
    """Walls on the edges between faces, the higher face on the left."""
    import shapely

    roof_left_of: dict[tuple[Point, Point], float] = {}
    for face, roof_m in zip(faces, roofs_m, strict=True):
        for ring in (face.exterior, *face.interiors):
            points = [(float(x), float(y)) for x, y in shapely.get_coordinates(ring)]
            for here, there in itertools.pairwise(points):
                roof_left_of[here, there] = float(roof_m)
    walls = []
    for (here, there), high_m in roof_left_of.items():
        low_m = roof_left_of.get((there, here), 0.0)
        if high_m > low_m:
            walls.append(_Wall(here, there, low_m, high_m))
    return walls


def _add_walls(builder: _Builder, walls: Sequence[_Wall], split_m: Sequence[float], edges_from_m: float) -> None:
    levels: dict[Point, set[float]] = defaultdict(set)
    for wall in walls:
        for point in (wall.here, wall.there):
            levels[point] |= {wall.low_m, wall.high_m, *split_m}
    for number, wall in enumerate(walls, start=1):
        left = _Column(wall.here, levels[wall.here], wall.low_m, wall.high_m)
        right = _Column(wall.there, levels[wall.there], wall.low_m, wall.high_m)
        _add_wall(builder, left, right, number, edges_from_m)


def _add_wall(builder: _Builder, left: _Column, right: _Column, number: int, edges_from_m: float) -> None:
    """Triangles between two columns of levels, so that they share their edges with the walls beside them."""
    i = j = 0
    while i < left.top or j < right.top:
        bottom_left, bottom_right = left.vertex(i), right.vertex(j)
        if i == left.top or (j < right.top and right.levels_m[j + 1] <= left.levels_m[i + 1]):
            j += 1
            tip = right.vertex(j)
        else:
            i += 1
            tip = left.vertex(i)
        builder.add(bottom_left, bottom_right, tip, owner=number if tip[2] <= edges_from_m else 0)


def _add_roof(builder: _Builder, face: object, roof_m: float) -> None:
    import shapely

    for triangle in shapely.get_parts(shapely.constrained_delaunay_triangles(face)):
        a, b, c = ((float(x), float(y), roof_m) for x, y in shapely.get_coordinates(triangle)[:3])
        is_seen_from_above = (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])
        builder.add(*((a, b, c) if is_seen_from_above else (a, c, b)))


def ground_mesh(scene: Scene, footprints: Sequence[Footprint]) -> Mesh:
    """A square of ground under the map and all buildings, wider than both on every side by their diagonal."""
    width_m, height_m = (count * scene.grid.cell_size_m for count in (scene.grid.cols, scene.grid.rows))
    boxes = [(0.0, 0.0, width_m, height_m), *(footprint.polygon.bounds for footprint in footprints)]
    left, top, _, _ = np.min(boxes, axis=0)
    _, _, right, bottom = np.max(boxes, axis=0)
    margin = float(np.hypot(right - left, bottom - top))
    left, top, right, bottom = (float(v) for v in (left - margin, top - margin, right + margin, bottom + margin))
    builder = _Builder()
    builder.add((left, top, 0.0), (right, top, 0.0), (right, bottom, 0.0))
    builder.add((left, top, 0.0), (right, bottom, 0.0), (left, bottom, 0.0))
    return builder.mesh()
