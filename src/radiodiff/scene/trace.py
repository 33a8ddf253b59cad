"""Outlines of obstacles read off a raster, with corners below the size of a cell."""

import itertools

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene.grid import Grid
from radiodiff.scene.scene import Footprint

__all__ = ["trace_footprints"]

Points = NDArray[np.float64]

TOLERANCE_CELLS = 1.2
"""The staircase of a straight wall stays within 0.71 cells of it. Less slack than this leaves false corners on long
walls, and each costs a path 2.4 dB (benchmarks/README.md)."""

SMALLEST_CELLS = 40
"""Smaller things (cars) are too few cells to tell a slanted side by. They keep their staircase, and so do things with
walls of a cell or two, which cross or vanish when straightened."""

MOVED_CELLS_PER_LENGTH = 0.35
"""A straight wall cuts at most a quarter of a cell off, or adds it to, each step of its staircase."""

MAX_CORNER_SHIFT_CELLS = 1.5
"""A fitted corner further than this from the staircase belongs to two walls that are almost parallel."""


def trace_footprints(grid: Grid, mask: NDArray[np.bool_]) -> tuple[Footprint, ...]:
    """Outlines of the True cells of a raster, in local metres.

    The boundary between True and False cells is a staircase. Its steps' midpoints are split into straight
    walls (Douglas and Peucker, 1973), a line is fitted to each wall by total least squares, and neighbouring
    lines are intersected: the corners of a rasterised polygon come back to a fraction of a cell.

    Args:
        grid: The grid.
        mask: (rows, cols) bool.
    """
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    found = []
    for geometry, _ in shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=Affine.identity()):
        shell, *holes = (_straighten(np.asarray(ring, dtype=np.float64)) for ring in geometry["coordinates"])
        outline = shapely.Polygon(shell, holes)
        staircase = shapely.Polygon(geometry["coordinates"][0], geometry["coordinates"][1:])
        if not (staircase.area >= SMALLEST_CELLS and outline.is_valid and _is_close(outline, staircase)):
            outline = staircase
        found.extend(shapely.get_parts(shapely.make_valid(outline)))
    size = grid.cell_size_m
    scaled = (shapely.transform(part, lambda points: points * size) for part in found)
    return tuple(Footprint(part) for part in scaled if part.geom_type == "Polygon" and part.area > 0)


def _is_close(outline: object, staircase: object) -> bool:
    """Whether no more area changed sides than straight walls through a staircase account for."""
    import shapely

    moved = shapely.area(shapely.symmetric_difference(outline, staircase))
    return bool(moved <= MOVED_CELLS_PER_LENGTH * shapely.length(staircase))


def _straighten(ring: Points) -> Points:
    """Corners of a closed staircase ring (n, 2) with unit-length cells; whole numbers in, fractions out."""
    midpoints = _crack_midpoints(ring)
    keys = _key_indices(midpoints)
    if len(keys) < 3:
        return ring
    lines = [_fit_line(_between(midpoints, start, stop)) for start, stop in zip(keys, np.roll(keys, -1), strict=True)]
    corners = [
        _corner(lines[i - 1], lines[i], midpoints[key], at_border=_near_staircase(ring, midpoints[key]))
        for i, key in enumerate(keys)
    ]
    return np.asarray(corners)


def _crack_midpoints(ring: Points) -> Points:
    """Midpoints of the unit steps of a closed ring whose last point repeats the first."""
    pieces = []
    for start, stop in itertools.pairwise(ring):
        count = round(float(np.abs(stop - start).max()))
        pieces.append(start + (stop - start) * ((np.arange(count) + 0.5) / count)[:, None])
    return np.concatenate(pieces)


def _key_indices(points: Points) -> NDArray[np.intp]:
    """Indices of the points that Douglas-Peucker keeps on a closed ring, ascending."""
    # Two far points split the ring into two open lines; both lie on the hull, so both are real corners.
    first = int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
    second = int(np.argmax(((points - points[first]) ** 2).sum(axis=1)))
    low, high = sorted((first, second))
    if low == high:
        return np.array([low])
    keep = {low, high}
    wrapped = np.concatenate([points, points])
    for start, stop in ((low, high), (high, low + len(points))):
        stack = [(start, stop)]
        while stack:
            begin, end = stack.pop()
            if end - begin < 2:
                continue
            chord = wrapped[end] - wrapped[begin]
            offsets = wrapped[begin + 1 : end] - wrapped[begin]
            distance = np.abs(chord[0] * offsets[:, 1] - chord[1] * offsets[:, 0]) / max(np.hypot(*chord), 1e-9)
            worst = int(np.argmax(distance))
            if distance[worst] > TOLERANCE_CELLS:
                middle = begin + 1 + worst
                keep.add(middle % len(points))
                stack += [(begin, middle), (middle, end)]
    return np.array(sorted(keep))


def _between(points: Points, start: int, stop: int) -> Points:
    """Points of one wall, without its two ends where there are enough: they may belong to the neighbours."""
    count = (stop - start) % len(points)
    indices = (start + np.arange(count + 1)) % len(points)
    return points[indices[1:-1] if count >= 3 else indices]


def _fit_line(points: Points) -> tuple[Points, Points]:
    """Total least squares: a point on the line and its unit direction."""
    centre = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - centre, full_matrices=False)
    return centre, axes[0]


def _corner(before: tuple[Points, Points], after: tuple[Points, Points], key: Points, *, at_border: Points) -> Points:
    """Where two walls meet; the staircase's own corner where the lines do not meet near it."""
    (p, u), (q, v) = before, after
    cross = u[0] * v[1] - u[1] * v[0]
    if abs(cross) > 0.05:
        meeting: Points = p + u * ((q[0] - p[0]) * v[1] - (q[1] - p[1]) * v[0]) / cross
        if np.hypot(*(meeting - key)) <= MAX_CORNER_SHIFT_CELLS:
            return meeting
    return at_border


def _near_staircase(ring: Points, point: Points) -> Points:
    """The ring vertex next to a point."""
    nearest: Points = ring[int(np.argmin(((ring - point) ** 2).sum(axis=1)))]
    return nearest
