"""What a point sees among polygon walls: an angular sweep, its cells as row runs, the corners it sees.

All lengths are in cells, x to the right and y down, cell (row, col) with its centre at (col + 0.5, row + 0.5).
A wall is a directed edge (ax, ay, bx, by) with the solid where cross(b - a, p - a) > 0; only walls that show their
outer side to a point can hide anything from it.

The sweep is the classical one for the visibility polygon of a point (Asano, 1985): between two neighbouring
directions in which a wall starts or ends, one wall is nearest.
"""

import math

import numpy as np
from numba import njit

TURN = 2.0 * math.pi
ANGLE_EPSILON = 1e-12
CELL_EPSILON = 1e-7


@njit(cache=True, error_model="numpy")
def relative_angle(angle, start):
    """Angle in [0, 2 pi) counted from `start` in the direction from x to y."""
    relative = (angle - start) % TURN
    return relative if relative < TURN else 0.0


@njit(cache=True, error_model="numpy")
def facing_walls(x, y, walls, ids, first_angle, last_angle, reach):
    """Walls that show their outer side to (x, y).

    Fills ids, the angles of their first and last end in sweep order, and `reach`, the cross product that a
    ray's distance is computed from. Returns how many.
    """
    count = 0
    for i in range(walls.shape[0]):
        ax = walls[i, 0] - x
        ay = walls[i, 1] - y
        bx = walls[i, 2] - x
        by = walls[i, 3] - y
        cross = ax * by - ay * bx
        if cross < 0.0:
            ids[count] = i
            first_angle[count] = math.atan2(by, bx)
            last_angle[count] = math.atan2(ay, ax)
            reach[count] = ax * (by - ay) - ay * (bx - ax)
            count += 1
    return count


@njit(cache=True, error_model="numpy")
def sweep(x, y, walls, facing, start, width, segments, bounds):
    """Nearest walls in the sector [start, start + width] around (x, y).

    Args:
        x, y: The point.
        walls: (n, 4) float64.
        facing: (count, ids, first_angle, last_angle, reach) of `facing_walls`.
        start, width: Sector [rad]; width up to 2 pi.
        segments: Out, (m, 5): directions of both bounding rays, wall id.
        bounds: Out, (m, 2): angles of both rays counted from start.

    Returns:
        Number of segments, in ascending angle.
    """
    count, ids, first_angle, last_angle, reach = facing
    angles = np.empty(2 * count + 1)
    which = np.empty(2 * count + 1, np.int64)
    active = np.empty(count, np.int64)
    slot = np.full(count, -1, np.int64)
    num_active = 0
    events = 0
    for k in range(count):
        first = relative_angle(first_angle[k], start)
        last = relative_angle(last_angle[k], start)
        if first > last:
            slot[k] = num_active
            active[num_active] = k
            num_active += 1
        if first < width:
            angles[events] = first
            which[events] = 2 * k
            events += 1
        if last < width:
            angles[events] = last
            which[events] = 2 * k + 1
            events += 1
    angles[events] = width
    which[events] = -1
    events += 1
    order = np.argsort(angles[:events])
    found = 0
    before = 0.0
    before_x = math.cos(start)
    before_y = math.sin(start)
    for position in range(events):
        event = which[order[position]]
        angle = angles[order[position]]
        if event < 0:
            now_x = math.cos(start + width)
            now_y = math.sin(start + width)
        else:
            wall = ids[event // 2]
            end = 0 if event % 2 else 2
            now_x = walls[wall, end] - x
            now_y = walls[wall, end + 1] - y
        if angle - before > ANGLE_EPSILON:
            middle = start + 0.5 * (angle + before)
            mx = math.cos(middle)
            my = math.sin(middle)
            nearest = -1
            nearest_distance = np.inf
            for j in range(num_active):
                k = active[j]
                i = ids[k]
                distance = reach[k] / (mx * (walls[i, 3] - walls[i, 1]) - my * (walls[i, 2] - walls[i, 0]))
                if 0.0 < distance < nearest_distance:
                    nearest_distance = distance
                    nearest = i
            if found > 0 and segments[found - 1, 4] == nearest and bounds[found - 1, 1] == before:
                segments[found - 1, 2] = now_x
                segments[found - 1, 3] = now_y
                bounds[found - 1, 1] = angle
            elif nearest >= 0:
                segments[found, 0] = before_x
                segments[found, 1] = before_y
                segments[found, 2] = now_x
                segments[found, 3] = now_y
                segments[found, 4] = nearest
                bounds[found, 0] = before
                bounds[found, 1] = angle
                found += 1
            before = angle
            before_x = now_x
            before_y = now_y
        if event >= 0:
            k = event // 2
            if event % 2 == 0:
                if slot[k] < 0:
                    slot[k] = num_active
                    active[num_active] = k
                    num_active += 1
            elif slot[k] >= 0:
                num_active -= 1
                moved = active[num_active]
                active[slot[k]] = moved
                slot[moved] = slot[k]
                slot[k] = -1
    return found


@njit(cache=True, error_model="numpy")
def segment_at(bounds, found, angle):
    """Index of the segment of a sweep that holds an angle counted from its start."""
    low = 0
    high = found - 1
    while low < high:
        middle = (low + high) // 2
        if bounds[middle, 1] < angle:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, error_model="numpy")
def sees(walls, segments, bounds, found, target_x, target_y, target_angle):
    """Whether a target in the swept sector lies on this side of the nearest wall."""
    if found == 0:
        return False
    i = int(segments[segment_at(bounds, found, target_angle), 4])
    ex = walls[i, 2] - walls[i, 0]
    ey = walls[i, 3] - walls[i, 1]
    return ex * (target_y - walls[i, 1]) - ey * (target_x - walls[i, 0]) <= CELL_EPSILON


@njit(cache=True, error_model="numpy")
def within(value, size):
    """The value moved into [-1, size + 1]: a float beyond the range of an integer must never be cast to one."""
    return min(max(value, -1.0), size + 1.0)


@njit(cache=True, error_model="numpy")
def narrowed(a, b, limits):
    """The interval limits[0] <= x <= limits[1], narrowed by a x <= b."""
    low, high = limits
    if a > 1e-12:
        high = min(high, b / a)
    elif a < -1e-12:
        low = max(low, b / a)
    elif b < 0.0:
        high = -np.inf
    return low, high


@njit(cache=True, error_model="numpy")
def fill_segments(x, y, walls, segments, found, shape, run_of_row, runs):
    """Cells whose centres lie in the swept triangles, as row runs.

    Args:
        x, y: The point that was swept around.
        walls, segments, found: Input and result of `sweep`.
        shape: (rows, cols).
        run_of_row: Work space, (rows,) int64.
        runs: Out, (n, 3) int32: row, first column, last column.

    Returns:
        Number of runs. Runs of neighbouring triangles are joined.
    """
    rows, cols = shape
    run_of_row[:] = -1
    count = 0
    for s in range(found):
        i = int(segments[s, 4])
        ax = walls[i, 0]
        ay = walls[i, 1]
        ex = walls[i, 2] - ax
        ey = walls[i, 3] - ay
        d0x = segments[s, 0]
        d0y = segments[s, 1]
        d1x = segments[s, 2]
        d1y = segments[s, 3]
        reach = (ax - x) * ey - (ay - y) * ex
        y0 = y + d0y * reach / (d0x * ey - d0y * ex)
        y1 = y + d1y * reach / (d1x * ey - d1y * ex)
        if not (math.isfinite(y0) and math.isfinite(y1)):
            continue
        top = max(0, math.ceil(within(min(y, y0, y1), rows) - 0.5 - CELL_EPSILON))
        bottom = min(rows - 1, math.floor(within(max(y, y0, y1), rows) - 0.5 + CELL_EPSILON))
        slack0 = CELL_EPSILON * (abs(d0x) + abs(d0y))
        slack1 = CELL_EPSILON * (abs(d1x) + abs(d1y))
        slack_wall = CELL_EPSILON * (abs(ex) + abs(ey))
        for row in range(top, bottom + 1):
            py = row + 0.5
            limits = (-np.inf, np.inf)
            # cross(d0, p - q) >= 0, cross(p - q, d1) >= 0, and p on the outer side of the wall.
            limits = narrowed(d0y, d0x * (py - y) + d0y * x + slack0, limits)
            limits = narrowed(-d1y, -d1x * (py - y) - d1y * x + slack1, limits)
            limits = narrowed(-ey, -ex * (py - ay) - ey * ax + slack_wall, limits)
            low = max(math.ceil(within(limits[0], cols) - 0.5), 0)
            high = min(math.floor(within(limits[1], cols) - 0.5), cols - 1)
            if low > high:
                continue
            last = run_of_row[row]
            if last >= 0 and low <= runs[last, 2] + 1 and high >= runs[last, 1] - 1:
                runs[last, 1] = min(runs[last, 1], low)
                runs[last, 2] = max(runs[last, 2], high)
            else:
                runs[count, 0] = row
                runs[count, 1] = low
                runs[count, 2] = high
                run_of_row[row] = count
                count += 1
    return count


@njit(cache=True, error_model="numpy")
def is_facing(x, y, wall):
    """Whether a wall (4,) shows its outer side to (x, y)."""
    return (wall[0] - x) * (wall[3] - y) - (wall[1] - y) * (wall[2] - x) < 0.0


@njit(cache=True, error_model="numpy")
def grown(array, needed):
    """The array, or a copy at least twice as long when `needed` rows do not fit."""
    if needed <= array.shape[0]:
        return array
    larger = np.empty((max(needed, 2 * array.shape[0]), array.shape[1]), array.dtype)
    larger[: array.shape[0]] = array
    return larger


@njit(cache=True, error_model="numpy")
def sweep_space(count):
    """Work arrays for `count` walls: ids, first and last angles, reach, segments, bounds."""
    return (
        np.empty(count, np.int64),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty((2 * count + 2, 5)),
        np.empty((2 * count + 2, 2)),
    )
