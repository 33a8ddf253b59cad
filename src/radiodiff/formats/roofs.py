"""Roofs of a mesh: pieces of surface that are not walls, their outlines from above and their heights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.formats.mesh import SurfaceMesh

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon

__all__ = ["LATTICE_M", "Roof", "find_ground", "roofs_above_ground"]

LATTICE_M = 1.0 / 64.0
"""Outlines are rounded to this lattice, so that neighbours that meet in the mesh meet exactly."""

WALL_COSINE = 0.05
"""Faces whose normal is closer to the horizon than this (3 deg) are walls."""

FLAT_COSINE = 0.999

GROUND_SHARE = 0.5
"""A sheet without walls that covers this share of the extent, and lies low, is the ground."""

FLOATING_M = 0.5
"""An object that begins further than this above the highest ground under it stands on another building."""

GROUND_STEP_M = 4.0
"""Spacing of the points along an outline at which the ground below is looked up."""


@dataclass(frozen=True, eq=False)
class Roof:
    """A connected piece of the upper surface of a building, all flat or all sloped.

    Attributes:
        outline: Its projection onto the ground, x right, y up, on the lattice.
        height_m: Mean height of its surface above the ground of its building [m].
        spread_m: Standard deviation of the height over its surface [m]; 0 for a flat roof.
        area_m2: Projected area of its triangles [m^2].
        building: Number of its building.
    """

    outline: "Polygon | MultiPolygon"
    height_m: float
    spread_m: float
    area_m2: float
    building: int


def find_ground(meshes: Sequence[SurfaceMesh]) -> tuple[list[SurfaceMesh], list[SurfaceMesh]]:
    """Split the objects of a scene into (ground, buildings).

    Ground is an object without walls whose projection fills at least half of the extent of the scene and which lies
    below the mean of the rest.
    """
    corners = np.concatenate([mesh.vertices_m for mesh in meshes])
    extent_m2 = float(np.prod(np.ptp(corners[:, :2], axis=0)))
    heights_sum_m, count = float(corners[:, 2].sum()), len(corners)
    ground, buildings = list[SurfaceMesh](), list[SurfaceMesh]()
    for mesh in meshes:
        area_m2, cosine = _projection(mesh.corners_m)
        heights_m = mesh.vertices_m[:, 2]
        others = count - len(heights_m)
        is_low = others == 0 or float(heights_m.mean()) * others <= heights_sum_m - float(heights_m.sum())
        is_wide = area_m2.any() and float(area_m2.sum()) >= GROUND_SHARE * extent_m2
        # Faces without a surface have no direction.
        is_sheet = bool((cosine > WALL_COSINE)[np.isfinite(cosine)].all())
        (ground if is_wide and is_sheet and is_low else buildings).append(mesh)
    return ground, buildings


def roofs_above_ground(buildings: Sequence[SurfaceMesh], ground: Sequence[SurfaceMesh]) -> list[Roof]:
    """The roofs of each building.

    Heights count from the lowest point of the building. Where that floats above the ground under it, as a tower does
    that stands on a roof, they count from the middle between the lowest and the highest ground there.
    """
    roofs = [roof for index, mesh in enumerate(buildings) for roof in _roofs(mesh, index)]
    if not roofs:
        return []
    lowest_m = np.array([mesh.vertices_m[:, 2].min() for mesh in buildings])
    base_m = _base_levels_m(roofs, lowest_m, ground)
    return [replace(roof, height_m=roof.height_m - float(base_m[roof.building])) for roof in roofs]


def _roofs(mesh: SurfaceMesh, building: int) -> list[Roof]:
    """Roofs of one object, their heights above the datum."""
    import shapely
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    mesh = mesh.merged()
    area_m2, cosine = _projection(mesh.corners_m)
    is_roof = (cosine > WALL_COSINE) & (area_m2 > 0.0)
    faces, area_m2, is_flat = mesh.faces[is_roof], area_m2[is_roof], cosine[is_roof] > FLAT_COSINE
    if not len(faces):
        return []
    first, second = _neighbours(faces)
    is_link = is_flat[first] == is_flat[second]
    links = (np.ones(int(is_link.sum()), dtype=np.int8), (first[is_link], second[is_link]))
    count, labels = connected_components(coo_matrix(links, shape=(len(faces), len(faces))), directed=False)
    corners = mesh.vertices_m[faces]
    triangles = shapely.make_valid(shapely.polygons(np.rint(corners[:, :, :2] / LATTICE_M) * LATTICE_M))
    levels_m = corners[:, :, 2]
    roofs = []
    for label in range(count):
        own = labels == label
        weights = area_m2[own] / area_m2[own].sum()
        mean_m = float(weights @ levels_m[own].mean(axis=1))
        # Variance of a linear function over a triangle: (sum of squares + square of the sum) / 12 of its corners.
        offset_m = levels_m[own] - mean_m
        squares = ((offset_m**2).sum(axis=1) + offset_m.sum(axis=1) ** 2) / 12.0
        outline = shapely.union_all(triangles[own], grid_size=LATTICE_M)
        roofs.append(Roof(outline, mean_m, float(np.sqrt(weights @ squares)), float(area_m2[own].sum()), building))
    return [roof for roof in roofs if roof.outline.area > 0.0]


def _projection(corners_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Projected area [m^2] of triangles (n, 3, 3), and the cosine between their normals and the vertical, in 0..1.

    The cosine is NaN for triangles without a surface.
    """
    normals = np.cross(corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0])
    upward = np.abs(normals[:, 2])
    length = np.linalg.norm(normals, axis=1)
    return upward / 2.0, np.divide(upward, length, out=np.full_like(upward, np.nan), where=length > 0.0)


def _neighbours(faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of faces that share an edge."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    owners = np.tile(np.arange(len(faces)), 3)
    _, numbers = np.unique(edges, axis=0, return_inverse=True)
    order = np.argsort(numbers.reshape(-1), kind="stable")
    is_same = np.diff(numbers.reshape(-1)[order]) == 0
    return owners[order][:-1][is_same], owners[order][1:][is_same]


def _base_levels_m(
    roofs: list[Roof], lowest_m: NDArray[np.float64], ground: Sequence[SurfaceMesh]
) -> NDArray[np.float64]:
    """Level from which the heights of each building count [m above the datum]."""
    import shapely

    if not ground:
        return lowest_m
    outlines = shapely.segmentize([roof.outline for roof in roofs], GROUND_STEP_M)
    points, numbers = shapely.get_coordinates(outlines, return_index=True)
    levels_m = _ground_levels_m(ground, points)
    is_known = np.isfinite(levels_m)
    levels_m = levels_m[is_known]
    building = np.array([roof.building for roof in roofs])[numbers[is_known]]
    # Where no ground is known below a building, its own foot counts.
    has_ground = np.bincount(building, minlength=len(lowest_m)) > 0
    low_m, high_m = np.where(has_ground, np.inf, lowest_m), np.where(has_ground, -np.inf, lowest_m)
    np.minimum.at(low_m, building, levels_m)
    np.maximum.at(high_m, building, levels_m)
    base_m: NDArray[np.float64] = np.where(lowest_m > high_m + FLOATING_M, (low_m + high_m) / 2.0, lowest_m)
    return base_m


def _ground_levels_m(ground: Sequence[SurfaceMesh], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level of the ground under points (n, 2), the highest where sheets overlap; NaN beside it [m]."""
    import shapely

    corners = np.concatenate([mesh.corners_m for mesh in ground])
    corners = corners[_projection(corners)[0] > 0.0]
    tree = shapely.STRtree(shapely.polygons(corners[:, :, :2]))
    point, triangle = tree.query(shapely.points(points), predicate="intersects")
    a, b, c = (corners[triangle, k] for k in range(3))
    p = points[point]
    u, v, w = (b - a)[:, :2], (c - a)[:, :2], p - a[:, :2]
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    s = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / cross
    t = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / cross
    found = a[:, 2] + s * (b - a)[:, 2] + t * (c - a)[:, 2]
    levels_m = np.full(len(points), -np.inf)
    np.maximum.at(levels_m, point, found)
    levels_m[np.isinf(levels_m)] = np.nan
    return levels_m
