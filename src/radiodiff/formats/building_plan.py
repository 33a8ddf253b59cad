"""A plan of buildings: outlines that do not overlap, each with one height."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.formats.roofs import LATTICE_M
from radiodiff.scene import Footprint

if TYPE_CHECKING:
    from shapely import Geometry

__all__ = ["separate_footprints"]

GAP_M = 0.5
"""Gaps between buildings narrower than this are closed: neighbours that were drawn apart by a hand's width are one
front, and a ray that passes such a slit is no ray of the real city."""

THINNEST_M = 0.2
"""Remainders thinner than this go to the building beside them."""

REACH_M = 0.1
"""How far the neighbour of a gap or of a remainder may be."""


def separate_footprints(shapes: Sequence["Geometry"], heights_m: Sequence[float]) -> list[Footprint]:
    """Outlines that share borders at most: where shapes lie over each other, the highest keeps the ground.

    Args:
        shapes: Valid polygons or multi-polygons with an area, in metres.
        heights_m: One height per shape [m].

    Returns:
        Footprints on a lattice of 1/64 m, in the order of their shapes; each lies in one shape, but for gaps below
        0.5 m and remainders below 0.2 m, which go to a neighbour.
    """
    import shapely

    if not len(shapes):
        return []
    heights = np.asarray(heights_m, dtype=np.float64)
    rounded = shapely.set_precision(np.asarray(shapes, dtype=object), LATTICE_M)
    # The lattice would stay with the shapes, and with all that is made of them: offsets would be rounded, too.
    outlines = _without_gaps(shapely.set_precision(rounded, 0.0))
    faces, owners = _faces(outlines, heights)
    parts, owners = _dissolved(faces, owners)
    is_thin = shapely.is_empty(_offset(parts, -THINNEST_M / 2.0))
    whole, homes = parts[~is_thin], owners[~is_thin]
    if is_thin.any() and len(whole):
        thin = parts[is_thin]
        nearest = _nearest(thin, whole)
        joined = np.concatenate([whole, thin[nearest >= 0]])
        whole, homes = _dissolved(joined, np.concatenate([np.arange(len(whole)), nearest[nearest >= 0]]), homes)
    return [Footprint(shapely.normalize(part), float(heights[home])) for part, home in zip(whole, homes, strict=True)]


def _without_gaps(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The shapes, those beside a narrow gap grown into it."""
    import shapely

    union = shapely.union_all(shapes, grid_size=LATTICE_M)
    closed = _offset(_offset(union, GAP_M / 2.0), -GAP_M / 2.0)
    gaps = _polygons(shapely.difference(closed, union, grid_size=LATTICE_M))
    nearest = _nearest(gaps, shapes)
    grown = shapes.copy()
    for owner in np.unique(nearest[nearest >= 0]):
        grown[owner] = shapely.union_all([shapes[owner], *gaps[nearest == owner]], grid_size=LATTICE_M)
    return grown


def _faces(
    shapes: NDArray[np.object_], heights_m: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The faces that all outlines together cut the plane into, and the highest shape over each; bare ones left out."""
    import shapely

    lines = shapely.union_all(shapely.boundary(shapes), grid_size=LATTICE_M)
    faces: NDArray[np.object_] = shapely.get_parts(shapely.polygonize([lines]))
    face, shape = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="intersects")
    # The last one assigned stays: ascending heights, and of equal ones the first shape.
    order = np.lexsort((-shape, heights_m[shape]))
    owners = np.full(len(faces), -1, dtype=np.int64)
    owners[face[order]] = shape[order]
    return faces[owners >= 0], owners[owners >= 0]


def _dissolved(
    parts: NDArray[np.object_], owners: NDArray[np.int64], labels: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The parts of each owner joined, as polygons, and their owners, or the labels of these."""
    import shapely

    joined: list[object] = []
    homes: list[int] = []
    for owner in np.unique(owners):
        polygons = _polygons(shapely.union_all(parts[owners == owner], grid_size=LATTICE_M))
        joined += list(polygons)
        homes += [int(owner if labels is None else labels[owner])] * len(polygons)
    return np.array(joined, dtype=object), np.array(homes, dtype=np.int64)


def _nearest(parts: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Number of the shape that each part touches most, -1 where it touches none."""
    import shapely

    around = _offset(parts, REACH_M)
    part, shape = shapely.STRtree(shapes).query(around, predicate="intersects")
    contact_m2 = shapely.area(shapely.intersection(around[part], shapes[shape]))
    nearest = np.full(len(parts), -1, dtype=np.int64)
    order = np.lexsort((-shape, contact_m2))
    nearest[part[order]] = shape[order]
    return nearest


def _offset(shapes: NDArray[np.object_], distance_m: float) -> NDArray[np.object_]:
    import shapely

    # GEOS now and then raises a floating-point flag without harm to the result.
    with np.errstate(invalid="ignore", divide="ignore"):
        moved: NDArray[np.object_] = shapely.buffer(shapes, distance_m, join_style="mitre")
        valid: NDArray[np.object_] = shapely.make_valid(moved)
        return valid


def _polygons(geometry: object) -> NDArray[np.object_]:
    """The polygons with area inside any geometry."""
    import shapely

    parts: NDArray[np.object_] = shapely.get_parts(shapely.get_parts(geometry))
    is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    polygons: NDArray[np.object_] = parts[is_polygon & (shapely.area(parts) > 0.0)]
    return polygons
