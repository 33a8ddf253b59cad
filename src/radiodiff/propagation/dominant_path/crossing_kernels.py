"""Cars and solids on straight lines: which cells lie behind a wall, and which lines cross a car.

Frames and walls are those of `visibility_kernels`.
"""

import math

import numpy as np
from numba import njit

from radiodiff.propagation.dominant_path.visibility_kernels import (
    grown,
    is_facing,
    narrowed,
    relative_angle,
    sees,
    segment_at,
    within,
)


@njit(cache=True, error_model="numpy")
def cells_behind(x, y, wall, row, cols):
    """First and last column of the cells of a row behind a wall (4,) as seen from (x, y); first > last if none."""
    ax = wall[0] - x
    ay = wall[1] - y
    bx = wall[2] - x
    by = wall[3] - y
    sign = 1.0 if is_facing(x, y, wall) else -1.0
    dy = row + 0.5 - y
    limits = (-np.inf, np.inf)
    # sign * cross(b, p) >= 0, sign * cross(p, a) >= 0, and p beyond the line of the wall.
    limits = narrowed(sign * by, sign * bx * dy, limits)
    limits = narrowed(-sign * ay, -sign * ax * dy, limits)
    limits = narrowed(sign * (by - ay), sign * ((bx - ax) * (dy - ay) + (by - ay) * ax), limits)
    first = max(math.ceil(within(limits[0] + x, cols) - 0.5), 0)
    last = min(math.floor(within(limits[1] + x, cols) - 0.5), cols - 1)
    return first, last


@njit(cache=True, error_model="numpy")
def is_behind(x, y, walls, target_x, target_y):
    """Whether the straight line from (x, y) to a target crosses one of the walls (n, 4), all facing (x, y)."""
    px = target_x - x
    py = target_y - y
    for i in range(walls.shape[0]):
        ax = walls[i, 0] - x
        ay = walls[i, 1] - y
        bx = walls[i, 2] - x
        by = walls[i, 3] - y
        if (
            bx * py - by * px >= 0.0
            and px * ay - py * ax >= 0.0
            and (bx - ax) * (py - ay) - (by - ay) * (px - ax) > 0.0
        ):
            return True
    return False


@njit(cache=True, error_model="numpy")
def cars_in_view(x, y, cars, view, start, width, chosen):
    """Car sides that face (x, y) and may be seen from there within a swept sector; those surely hidden are left out.

    Args:
        x, y: The point.
        cars: (m, 4) walls of the cars.
        view: (walls, segments, bounds, found) of `sweep`.
        start, width: Sector [rad].
        chosen: Out, (m, 4).

    Returns:
        How many.
    """
    walls, segments, bounds, found = view
    count = 0
    for i in range(cars.shape[0]):
        if not is_facing(x, y, cars[i]):
            continue
        first = relative_angle(math.atan2(cars[i, 3] - y, cars[i, 2] - x), start)
        last = relative_angle(math.atan2(cars[i, 1] - y, cars[i, 0] - x), start)
        if first <= last:
            if first > width:
                continue
            # Wholly behind one wall: both ends are, and no other wall begins between them.
            if (
                last <= width
                and segment_at(bounds, found, first) == segment_at(bounds, found, last)
                and not sees(walls, segments, bounds, found, cars[i, 2], cars[i, 3], first)
                and not sees(walls, segments, bounds, found, cars[i, 0], cars[i, 1], last)
            ):
                continue
        chosen[count] = cars[i]
        count += 1
    return count


@njit(cache=True, error_model="numpy")
def shade(x, y, cars, runs, count, shaded):
    """Set to 1 the cells whose straight line from (x, y) crosses a car, in the rows of some runs; to 0 their others.

    Args:
        x, y: Where the lines start.
        cars: (m, 4) sides of the cars that face (x, y).
        runs: (n, 3) int32, of which `count` are filled.
        shaded: Out, (rows, cols) uint8.
    """
    rows, cols = shaded.shape
    if count == 0 or cars.shape[0] == 0:
        return
    first_row = runs[:count, 0].min()
    last_row = runs[:count, 0].max()
    shaded[first_row : last_row + 1] = 0
    for i in range(cars.shape[0]):
        ay = cars[i, 1]
        by = cars[i, 3]
        # The shadow of a wall that lies wholly below or above the point does so, too.
        top = first_row
        bottom = last_row
        if min(ay, by) > y:
            top = max(top, int(within(min(ay, by) - 0.5, rows)))
        if max(ay, by) < y:
            bottom = min(bottom, int(within(max(ay, by) + 0.5, rows)))
        for row in range(top, bottom + 1):
            first, last = cells_behind(x, y, cars[i], row, cols)
            if first <= last:
                shaded[row, first : last + 1] = 1


@njit(cache=True, error_model="numpy")
def split_runs(runs, count, shaded, has_cars, split):
    """Cut runs where `shaded` changes along them.

    Args:
        runs: (n, 3) int32, of which `count` are filled.
        shaded: (rows, cols) uint8 of `shade`.
        has_cars: False if nothing is shaded; `shaded` is then not read.
        split: Out, (k, 4) int32: row, first column, last column, 1 if shaded.

    Returns:
        The filled array, grown where needed, and how many of its rows are filled.
    """
    filled = 0
    for run in range(count):
        row = runs[run, 0]
        first = runs[run, 1]
        while first <= runs[run, 2]:
            last = runs[run, 2]
            crosses = 0
            if has_cars:
                crosses = shaded[row, first]
                last = first
                while last < runs[run, 2] and shaded[row, last + 1] == crosses:
                    last += 1
            split = grown(split, filled + 1)
            split[filled, 0] = row
            split[filled, 1] = first
            split[filled, 2] = last
            split[filled, 3] = crosses
            filled += 1
            first = last + 1
    return split, filled
