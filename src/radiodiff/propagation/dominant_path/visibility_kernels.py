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
def _narrow(a, b, limits):
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
            limits = _narrow(d0y, d0x * (py - y) + d0y * x + slack0, limits)
            limits = _narrow(-d1y, -d1x * (py - y) - d1y * x + slack1, limits)
            limits = _narrow(-ey, -ex * (py - ay) - ey * ax + slack_wall, limits)
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
    limits = _narrow(sign * by, sign * bx * dy, limits)
    limits = _narrow(-sign * ay, -sign * ax * dy, limits)
    limits = _narrow(sign * (by - ay), sign * ((bx - ax) * (dy - ay) + (by - ay) * ax), limits)
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


@njit(cache=True, error_model="numpy")
def grown(array, needed):
    """The array, or a copy at least twice as long when `needed` rows do not fit."""
    if needed <= array.shape[0]:
        return array
    larger = np.empty((max(needed, 2 * array.shape[0]), array.shape[1]), array.dtype)
    larger[: array.shape[0]] = array
    return larger
