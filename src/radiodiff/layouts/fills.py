"""What stands on a block: each fill turns an outline into polygons of buildings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from radiodiff.layouts.closed_blocks import fill_lots, fill_old_block
from radiodiff.layouts.outline import Frame, Outline, Vertices
from radiodiff.layouts.perimeter import fill_perimeter
from radiodiff.layouts.plans import COMPOUND_PLANS, bar, house, slab
from radiodiff.layouts.spacing import keep_apart

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["FILLS"]

Fill = Callable[[Outline, float, np.random.Generator], list["Polygon"]]
"""(block, density 0..1, generator) -> buildings inside the block, which do not touch."""

LARGEST_HALL_M = (110.0, 55.0)
SMALLEST_GAP_M = 2.0
"""Closest two detached buildings of one block stand."""


def fill_houses(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """Rows of detached houses along the frontages, each row of one type."""
    rings: list[Vertices] = []
    for start_m, end_m in outline.sides:
        width_m, depth_m = rng.uniform(8.5, 13.0 + 4.0 * density), rng.uniform(9.0, 13.0 + 4.0 * density)
        gap_m = (8.0 - 6.0 * density) * rng.uniform(0.6, 1.4) + SMALLEST_GAP_M
        setback_m, is_ragged = rng.uniform(2.5, 7.0), rng.uniform() < 0.4
        count = int((end_m - start_m - 4.0) / (width_m + gap_m))
        if count < 1:
            continue
        pitch_m = (end_m - start_m - 4.0) / count
        for index in range(count):
            middle_m = start_m + 2.0 + (index + 0.5) * pitch_m + rng.uniform(-0.1, 0.1) * pitch_m
            scale = rng.uniform(0.8, 1.2) if is_ragged else 1.0
            frame = outline.frame(middle_m - width_m / 2.0, middle_m + width_m / 2.0)
            back = np.array([0.0, setback_m + is_ragged * rng.uniform(0.0, 4.0)])
            rings.append(frame.place(house(scale * width_m, scale * depth_m, rng) + back))
    return _kept(outline, rings)


def fill_ribbons(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """Terraces and long buildings that follow the frontages, bends included."""
    rings: list[Vertices] = []
    depth_m, setback_m = rng.uniform(9.0, 13.0), rng.uniform(2.0, 8.0)
    longest_m, gap_m = rng.uniform(30.0, 90.0), 5.0 + 12.0 * (1.0 - density)
    for start_m, end_m in outline.sides:
        run_m = end_m - start_m - 2.0 * (setback_m + 0.5 * depth_m)
        if run_m < 18.0 or rng.uniform() > 0.6 + 0.4 * density:
            continue
        count = max(1, round(run_m / (longest_m + gap_m)))
        pitch_m = run_m / count
        for index in range(count):
            left_m = start_m + setback_m + 0.5 * depth_m + index * pitch_m + gap_m / 2.0
            steps = max(1, round((pitch_m - gap_m) / 16.0))
            stops = left_m + (pitch_m - gap_m) * np.arange(steps + 1) / steps
            frames = [outline.frame(stop - 2.0, stop + 2.0) for stop in stops.tolist()]
            front = [frame.origin + setback_m * frame.inward for frame in frames]
            back = [frame.origin + (setback_m + depth_m) * frame.inward for frame in frames]
            rings.append(np.array([*front, *back[::-1]]))
    return _kept(outline, rings)


def fill_slabs(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """Parallel blocks of flats on open ground."""
    depth_m, length_m = rng.uniform(10.0, 14.0), rng.uniform(38.0, 75.0)
    pitch = np.array([length_m + 6.0 + 10.0 * (1.0 - density), depth_m + 11.0 + 17.0 * (1.0 - density)])
    frame = outline.main_frame
    if rng.uniform() < 0.45:
        frame = Frame(frame.origin, frame.inward, -frame.along)
    return _kept(outline, _rows(outline, frame, pitch, lambda: slab(length_m * rng.uniform(0.75, 1.0), depth_m, rng)))


def fill_towers(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """Point blocks on open ground."""
    width_m, depth_m = rng.uniform(16.0, 26.0), rng.uniform(16.0, 26.0)
    pitch = np.array([width_m, depth_m]) + 14.0 + 20.0 * (1.0 - density)
    return _kept(outline, _rows(outline, outline.main_frame, pitch, lambda: bar(width_m, depth_m)))


def fill_compounds(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """One or two large buildings with wings, or a hall: school, hospital, offices, works."""
    frame = outline.main_frame
    low, high = frame.extent(outline.ring)
    span = high - low
    parts = 2 if span[0] > 95.0 or (span[0] > 60.0 and rng.uniform() < 0.3) else 1
    rings = []
    for index in range(parts):
        room = np.maximum(np.array([span[0] / parts, span[1]]) - 10.0, 12.0)
        size = np.minimum(room * rng.uniform(0.5 + 0.35 * density, 0.98, 2), LARGEST_HALL_M)
        plan = _compound(size, density, rng)
        middle = low + np.array([index + 0.5, 0.5]) * span / [parts, 1.0]
        shift = rng.uniform(-0.5, 0.5, 2) * (room - size)
        # A skew block may need a smaller building; keeping apart drops the smaller ones where the first fits.
        rings += [frame.place(plan * scale + middle + shift * scale) for scale in (1.0, 0.88, 0.76)]
    return _kept(outline, rings)


def _compound(size: Vertices, density: float, rng: np.random.Generator) -> Vertices:
    """A centred plan of a given (length, depth)."""
    length_m, depth_m = size.tolist()
    wing_m = rng.uniform(11.0, 16.0 + 5.0 * density)
    choice, is_turned = rng.uniform(), rng.uniform() < 0.5
    # Yards between wings are at least 8 m wide.
    fitting = [plan for plan, wings in COMPOUND_PLANS if length_m > wings * wing_m + 8.0 * max(wings - 1, 1)]
    if choice < 0.3 or depth_m < 1.6 * wing_m or not fitting:
        plan = bar(length_m, depth_m)
    else:
        plan = fitting[int((choice - 0.3) / 0.7 * len(fitting))](length_m, depth_m, wing_m)
    centred: Vertices = plan - np.array([0.0, depth_m / 2.0])
    return -centred if is_turned else centred


def fill_open(outline: Outline, density: float, rng: np.random.Generator) -> list["Polygon"]:
    """A square or a park: empty, or with one pavilion or church."""
    if rng.uniform() < 0.6:
        return []
    frame = outline.main_frame
    low, high = frame.extent(outline.ring)
    plan = bar(rng.uniform(10.0, 26.0), rng.uniform(8.0, 16.0)) + low + (high - low) * rng.uniform(0.35, 0.6, 2)
    return _kept(outline, [frame.place(plan)])


def _rows(outline: Outline, frame: Frame, pitch: Vertices, plan: Callable[[], Vertices]) -> list[Vertices]:
    """Plans on a rectangular array over the whole block, in the directions of a frame."""
    low, high = frame.extent(outline.ring)
    counts = np.maximum(np.round((high - low) / pitch).astype(int), 1)
    step = (high - low) / counts
    rings = []
    for row in range(counts[1]):
        for column in range(counts[0]):
            corners = plan()
            middle = low + step * [column + 0.5, row + 0.5]
            corners = corners - (corners.min(axis=0) + corners.max(axis=0)) / 2.0
            # Where the block is too narrow for the whole plan, a shorter one may fit.
            rings += [frame.place(corners * [share, 1.0] + middle) for share in (1.0, 0.6)]
    return rings


def _kept(outline: Outline, rings: list[Vertices]) -> list["Polygon"]:
    """The buildings that stand inside the block and away from those before them."""
    import shapely

    if not rings:
        return []
    corners = np.concatenate(rings)
    owners = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    shapes = shapely.polygons(shapely.linearrings(corners, indices=owners))
    shapely.prepare(outline.polygon)
    shapes = shapes[shapely.is_valid(shapes) & shapely.covers(outline.polygon, shapes)]
    return [shapes[index] for index in keep_apart(shapes, SMALLEST_GAP_M)]


FILLS: Final[dict[str, Fill]] = {
    "houses": fill_houses,
    "ribbons": fill_ribbons,
    "slabs": fill_slabs,
    "towers": fill_towers,
    "compounds": fill_compounds,
    "perimeter": fill_perimeter,
    "old_blocks": fill_old_block,
    "lots": fill_lots,
    "open": fill_open,
}
