"""Outlines of obstacles read off a raster, with corners below the size of a cell."""

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene.grid import Grid
from radiodiff.scene.scene import Footprint

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["trace_footprints"]

Points = NDArray[np.float64]
Line = tuple[Points, Points]

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

STRAIGHT_CELLS = 0.72
SLIGHT_TURN = np.sin(np.radians(20.0))
"""Two walls with less of a turn are one where a single line passes this close to all midpoints of their steps: the
staircase of a straight wall keeps within 0.71 cells."""

CUT_CELLS = 2.5
"""A wall whose neighbours meet this close to both its ends is a piece of their corner."""


def trace_footprints(grid: Grid, mask: NDArray[np.bool_]) -> tuple[Footprint, ...]:
    """Outlines of the True cells of a raster, in local metres.

    The boundary between True and False cells is a staircase. Its steps' midpoints are split into straight
    walls (Douglas and Peucker, 1973), walls that are pieces of one wall or of a corner are joined, a line is fitted
    to each by total least squares, and neighbouring lines are intersected: the corners of a rasterised polygon come
    back to a fraction of a cell.

    Args:
        grid: The grid.
        mask: (rows, cols) bool.
    """
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    found = []
    for geometry, _ in shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=Affine.identity()):
        rings = [np.asarray(ring, dtype=np.float64) for ring in geometry["coordinates"]]
        found.extend(shapely.get_parts(shapely.make_valid(_outline(rings))))
    size = grid.cell_size_m
    scaled = (shapely.transform(part, lambda points: points * size) for part in found)
    return tuple(Footprint(part) for part in scaled if part.geom_type == "Polygon" and part.area > 0)


def _outline(rings: list[Points]) -> "Polygon":
    """The plainest polygon that keeps close to a staircase (shell and holes), which may be the staircase itself."""
    import shapely

    staircase = shapely.Polygon(rings[0], rings[1:])
    if staircase.area >= SMALLEST_CELLS:
        for is_plain in (True, False):
            shell, *holes = (_straighten(ring, is_plain=is_plain) for ring in rings)
            outline = shapely.Polygon(shell, holes)
            if outline.is_valid and _is_close(outline, staircase):
                return outline
    return staircase


def _is_close(outline: object, staircase: object) -> bool:
    """Whether no more area changed sides than straight walls through a staircase account for."""
    import shapely

    moved = shapely.area(shapely.symmetric_difference(outline, staircase))
    return bool(moved <= MOVED_CELLS_PER_LENGTH * shapely.length(staircase))


def _straighten(ring: Points, *, is_plain: bool) -> Points:
    """Corners of a closed staircase ring (n, 2) with unit-length cells; whole numbers in, fractions out.

    Plain outlines lose slight bends and cut corners: few buildings have them, many staircases seem to.
    """
    midpoints = _crack_midpoints(ring)
    keys = _key_indices(midpoints)
    if is_plain:
        keys = _without_slight_bends(midpoints, keys)
    if len(keys) < 3:
        return ring
    lines = [_fit_line(_between(midpoints, *ends)) for ends in zip(keys, [*keys[1:], keys[0]], strict=True)]
    turns = [midpoints[key] for key in keys]
    if is_plain:
        _leave_out_cut_corners(lines, turns)
    corners = [
        _corner(lines[i - 1], lines[i], turn, at_border=_near_staircase(ring, turn)) for i, turn in enumerate(turns)
    ]
    return np.asarray(corners)


def _crack_midpoints(ring: Points) -> Points:
    """Midpoints of the unit steps of a closed ring whose last point repeats the first."""
    pieces = []
    for start, stop in itertools.pairwise(ring):
        count = round(float(np.abs(stop - start).max()))
        pieces.append(start + (stop - start) * ((np.arange(count) + 0.5) / count)[:, None])
    return np.concatenate(pieces)


def _key_indices(points: Points) -> list[int]:
    """Indices of the points that Douglas-Peucker keeps on a closed ring, ascending."""
    # Two far points split the ring into two open lines; both lie on the hull, so both are real corners.
    first = int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
    second = int(np.argmax(((points - points[first]) ** 2).sum(axis=1)))
    low, high = sorted((first, second))
    if low == high:
        return [low]
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
    return sorted(keep)


def _without_slight_bends(points: Points, keys: list[int]) -> list[int]:
    """The keys without those inside a straight wall: Douglas-Peucker's ends may lie beside the wall's line."""
    keys, i = list(keys), 0
    while i < len(keys) and len(keys) > 3:
        before, after = keys[i - 1], keys[(i + 1) % len(keys)]
        (_, u), (_, v) = (_fit_line(_between(points, *ends)) for ends in ((before, keys[i]), (keys[i], after)))
        both = _between(points, before, after)
        centre, along = _fit_line(both)
        if (
            u @ v > 0
            and abs(_cross(u, v)) <= SLIGHT_TURN
            and np.abs(_cross(both - centre, along)).max() <= STRAIGHT_CELLS
        ):
            del keys[i]
            i = max(i - 1, 0)
        else:
            i += 1
    return keys


def _leave_out_cut_corners(lines: list[Line], turns: list[Points]) -> None:
    """Drop, in place, each wall between two others that meet close by; `turns` are the points before the walls."""
    i = 0
    while i < len(lines) and len(lines) > 3:
        after = (i + 1) % len(lines)
        meeting = _meeting(lines[i - 1], lines[after])
        if meeting is not None and max(math.dist(meeting, turns[i]), math.dist(meeting, turns[after])) <= CUT_CELLS:
            turns[after] = (turns[i] + turns[after]) / 2.0
            del lines[i], turns[i]
        else:
            i += 1


def _between(points: Points, start: int, stop: int) -> Points:
    """Points of one wall, without its two ends where there are enough: they may belong to the neighbours."""
    count = (stop - start) % len(points)
    indices = (start + np.arange(count + 1)) % len(points)
    return points[indices[1:-1] if count >= 3 else indices]


def _fit_line(points: Points) -> Line:
    """Total least squares: a point on the line and its unit direction, along the order of the points."""
    centre = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - centre, full_matrices=False)
    return centre, axes[0] if axes[0] @ (points[-1] - points[0]) >= 0 else -axes[0]


def _corner(before: Line, after: Line, turn: Points, *, at_border: Points) -> Points:
    """Where two walls meet; the staircase's own corner where the lines do not meet near it."""
    meeting = _meeting(before, after)
    return at_border if meeting is None or math.dist(meeting, turn) > MAX_CORNER_SHIFT_CELLS else meeting


def _meeting(before: Line, after: Line) -> Points | None:
    """Where two lines meet, None where they are almost parallel."""
    (p, u), (q, v) = before, after
    cross = _cross(u, v)
    return p + u * _cross(q - p, v) / cross if abs(cross) > 0.05 else None


def _cross(u: Points, v: Points) -> Points:
    """Cross products of two-dimensional vectors in the last axis."""
    product: Points = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return product


def _near_staircase(ring: Points, point: Points) -> Points:
    """The ring vertex next to a point."""
    nearest: Points = ring[int(np.argmin(((ring - point) ** 2).sum(axis=1)))]
    return nearest
