"""The corner graph of a scene: which corner sees which, and which cells lie in the shadow sectors of a corner.

A path bends around a convex corner only where it stays tight against the building. With e1 and e2 the directions
of the walls before and after the corner, a tight path that keeps the building on the left arrives in a direction
between e1 and e2 and leaves between its own direction and e2 (side 0); one that keeps it on the right arrives
between -e1 and -e2 and leaves between its own direction and -e1 (side 1). Both sectors are as wide as the corner's
outer angle, and nothing outside them is ever reached around that corner.
"""

import math

import numpy as np
from numba import njit

from radiodiff.propagation.dominant_path.crossing_kernels import cars_in_view, is_behind, shade, split_runs
from radiodiff.propagation.dominant_path.visibility_kernels import (
    facing_walls,
    fill_segments,
    grown,
    relative_angle,
    sees,
    sweep,
    sweep_space,
)

SECTOR_EPSILON = 1e-7


@njit(cache=True, error_model="numpy")
def sector_offset(angle, start, width):
    """Angle counted from the start of a sector, or -1 outside it (grazing directions count as inside)."""
    offset = relative_angle(angle, start)
    if offset <= width:
        return offset
    if offset <= width + SECTOR_EPSILON:
        return width
    if offset >= 2.0 * math.pi - SECTOR_EPSILON:
        return 0.0
    return -1.0


@njit(cache=True, error_model="numpy")
def build_graph(corners, walls, cars, shape):
    """Links between corners and shadow cells of every (corner, side).

    Args:
        corners: (n, 4): x, y, direction of the wall before the corner [rad], outer angle [rad].
        walls: (m, 4) walls, an outer box around everything included.
        cars: (c, 4) walls of the cars.
        shape: (rows, cols).

    Returns:
        link_start: (2 n + 1,), links of state 2 * corner + side are link_start[state] .. link_start[state + 1];
        link_state: (links,), the state reached, int64;
        link_value: (links, 6), length, direction x, direction y, offset in the sector left, offset in the sector
            entered, 1 if the link crosses a car;
        run_start: (2 n + 1,), the same for runs;
        runs: (k, 4) int32, row, first column, last column, 1 if the way there crosses a car.
    """
    n = corners.shape[0]
    m = walls.shape[0]
    ids, first_angle, last_angle, reach, segments, bounds = sweep_space(m)
    run_of_row = np.empty(shape[0], np.int64)
    buffer = np.empty((shape[0] * (2 * m + 2), 3), np.int32)
    link_start = np.zeros(2 * n + 1, np.int64)
    run_start = np.zeros(2 * n + 1, np.int64)
    link_state = np.empty((max(16 * n, 1), 1), np.int64)
    link_value = np.empty((max(16 * n, 1), 6))
    runs = np.empty((max(256 * n, 1), 4), np.int32)
    part = np.empty((4 * shape[0], 4), np.int32)
    shaded = np.empty(shape, np.uint8)
    chosen = np.empty_like(cars)
    num_links = 0
    num_runs = 0
    for k in range(n):
        x = corners[k, 0]
        y = corners[k, 1]
        width = corners[k, 3]
        count = facing_walls(x, y, walls, ids, first_angle, last_angle, reach)
        facing = (count, ids, first_angle, last_angle, reach)
        for side in range(2):
            start = corners[k, 2] + side * math.pi
            found = sweep(x, y, walls, facing, start, width, segments, bounds)
            near = chosen[: cars_in_view(x, y, cars, (walls, segments, bounds, found), start, width, chosen)]
            for j in range(n):
                dx = corners[j, 0] - x
                dy = corners[j, 1] - y
                if j == k or (dx == 0.0 and dy == 0.0):
                    continue
                angle = math.atan2(dy, dx)
                leaving = sector_offset(angle, start, width)
                if leaving < 0.0:
                    continue
                if not sees(walls, segments, bounds, found, corners[j, 0], corners[j, 1], leaving):
                    continue
                for entered in range(2):
                    arriving = sector_offset(angle, corners[j, 2] + entered * math.pi, corners[j, 3])
                    if arriving < 0.0:
                        continue
                    link_state = grown(link_state, num_links + 1)
                    link_value = grown(link_value, num_links + 1)
                    length = math.hypot(dx, dy)
                    link_state[num_links, 0] = 2 * j + entered
                    link_value[num_links, 0] = length
                    link_value[num_links, 1] = dx / length
                    link_value[num_links, 2] = dy / length
                    link_value[num_links, 3] = leaving
                    link_value[num_links, 4] = arriving
                    link_value[num_links, 5] = is_behind(x, y, near, corners[j, 0], corners[j, 1])
                    num_links += 1
            filled = fill_segments(x, y, walls, segments, found, shape, run_of_row, buffer)
            shade(x, y, near, buffer, filled, shaded)
            part, filled = split_runs(buffer, filled, shaded, near.shape[0] > 0, part)
            runs = grown(runs, num_runs + filled)
            runs[num_runs : num_runs + filled] = part[:filled]
            num_runs += filled
            link_start[2 * k + side + 1] = num_links
            run_start[2 * k + side + 1] = num_runs
    return (
        link_start,
        link_state[:num_links, 0].copy(),
        link_value[:num_links].copy(),
        run_start,
        runs[:num_runs].copy(),
    )


@njit(cache=True, error_model="numpy")
def look_around(x, y, corners, walls, cars, shape):
    """What a transmitter sees directly.

    Returns:
        runs: (k, 4) int32, cells in line of sight, as in `build_graph`;
        is_seen: (n,), corners in line of sight;
        states: (l,) int64, the (corner, side) states that a tight path can enter;
        values: (l, 5), length, direction x, direction y, offset in the sector entered, 1 if the way crosses a car.
    """
    n = corners.shape[0]
    m = walls.shape[0]
    ids, first_angle, last_angle, reach, segments, bounds = sweep_space(m)
    count = facing_walls(x, y, walls, ids, first_angle, last_angle, reach)
    found = sweep(x, y, walls, (count, ids, first_angle, last_angle, reach), 0.0, 2.0 * math.pi, segments, bounds)
    runs = np.empty((shape[0] * (found + 1), 3), np.int32)
    filled = fill_segments(x, y, walls, segments, found, shape, np.empty(shape[0], np.int64), runs)
    chosen = np.empty_like(cars)
    near = chosen[: cars_in_view(x, y, cars, (walls, segments, bounds, found), 0.0, 2.0 * math.pi, chosen)]
    shaded = np.empty(shape, np.uint8)
    shade(x, y, near, runs, filled, shaded)
    part, filled = split_runs(runs, filled, shaded, near.shape[0] > 0, np.empty((filled + 1, 4), np.int32))
    is_seen = np.zeros(n, np.bool_)
    states = np.empty(2 * n, np.int64)
    values = np.empty((2 * n, 5))
    entered = 0
    for j in range(n):
        dx = corners[j, 0] - x
        dy = corners[j, 1] - y
        angle = math.atan2(dy, dx)
        is_seen[j] = sees(walls, segments, bounds, found, corners[j, 0], corners[j, 1], relative_angle(angle, 0.0))
        if not is_seen[j]:
            continue
        length = max(math.hypot(dx, dy), 1e-9)
        for side in range(2):
            arriving = sector_offset(angle, corners[j, 2] + side * math.pi, corners[j, 3])
            if arriving >= 0.0:
                states[entered] = 2 * j + side
                values[entered, 0] = length
                values[entered, 1] = dx / length
                values[entered, 2] = dy / length
                values[entered, 3] = arriving
                values[entered, 4] = is_behind(x, y, near, corners[j, 0], corners[j, 1])
                entered += 1
    return part[:filled].copy(), is_seen, states[:entered].copy(), values[:entered].copy()


@njit(cache=True, error_model="numpy")
def mark_runs(runs, is_los, crosses_car):
    """Set the cells of runs in bool arrays (rows, cols): all of them, and those behind a car."""
    for run in range(runs.shape[0]):
        is_los[runs[run, 0], runs[run, 1] : runs[run, 2] + 1] = True
        if runs[run, 3]:
            crosses_car[runs[run, 0], runs[run, 1] : runs[run, 2] + 1] = True


@njit(cache=True, error_model="numpy")
def fill_distances(runs, x, y, distance):
    """Set the cells of runs to their distance from (x, y), (rows, cols)."""
    for run in range(runs.shape[0]):
        row = runs[run, 0]
        for col in range(runs[run, 1], runs[run, 2] + 1):
            distance[row, col] = math.hypot(col + 0.5 - x, row + 0.5 - y)
