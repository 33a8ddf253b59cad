"""Rays of one transmitter through the cells of a scene: specular reflections off walls, power per cell.

All lengths are in cells, x to the right and y down, cell (row, col) covers col..col + 1 and row..row + 1. A wall is a
directed edge (ax, ay, bx, by) with the solid where cross(b - a, p - a) > 0; only its outer side reflects.

Source of the walk: Amanatides and Woo (1987), "A fast voxel traversal algorithm for ray tracing", Eurographics.
"""

import math

import numpy as np
from numba import njit

from radiodiff.propagation.dominant_path.visibility_kernels import facing_walls, sweep, sweep_space

__all__ = ["SAMPLES_PER_CELL", "free_shares", "index_walls", "launch", "sight_ring", "solid_shares"]

SAMPLES_PER_CELL = 8
"""Samples of the radial law per cell of path length."""

SMALLEST_FREE_SHARE = 0.02
"""Cells with less free area count as having this: what few rays bring them would be noise."""

EDGE_SLACK = 1e-6
"""Walls this close to a cell count as inside it, so that a ray that meets one on the edge of two cells finds it."""

HIT_SLACK = 1e-9
"""A ray this far behind a wall still hits it: after a reflection in a re-entrant corner it may start there."""


@njit(cache=True, error_model="numpy")
def _visit_cells(walls, shape, start, entries, is_filling):
    """Count, or list, the walls of every cell; walls outside the grid are left out."""
    rows, cols = shape
    for i in range(walls.shape[0]):
        ax, ay, bx, by = walls[i, 0], walls[i, 1], walls[i, 2], walls[i, 3]
        top = max(math.floor(min(ay, by) - EDGE_SLACK), 0)
        bottom = min(math.floor(max(ay, by) + EDGE_SLACK), rows - 1)
        for row in range(top, bottom + 1):
            low, high = min(ax, bx), max(ax, bx)
            if by != ay:
                # The stretch of the wall between the upper and lower edge of this row.
                u0 = min(max((row - EDGE_SLACK - ay) / (by - ay), 0.0), 1.0)
                u1 = min(max((row + 1.0 + EDGE_SLACK - ay) / (by - ay), 0.0), 1.0)
                x0, x1 = ax + u0 * (bx - ax), ax + u1 * (bx - ax)
                low, high = min(x0, x1), max(x0, x1)
            first = max(math.floor(low - EDGE_SLACK), 0)
            last = min(math.floor(high + EDGE_SLACK), cols - 1)
            for col in range(first, last + 1):
                cell = row * cols + col
                if is_filling:
                    entries[start[cell]] = i
                start[cell] += 1


@njit(cache=True, error_model="numpy")
def index_walls(walls, shape):
    """Walls by cell.

    Args:
        walls: (n, 4).
        shape: (rows, cols).

    Returns:
        start: (rows * cols + 1,) int32, the walls of a cell are entries[start[cell]] .. entries[start[cell + 1] - 1];
        entries: (m,) int32.
    """
    count = np.zeros(shape[0] * shape[1] + 1, np.int32)
    _visit_cells(walls, shape, count, count, False)
    start = np.zeros_like(count)
    start[1:] = np.cumsum(count)[:-1]
    entries = np.empty(start[-1], np.int32)
    _visit_cells(walls, shape, start[:-1].copy(), entries, True)
    return start, entries


@njit(cache=True, error_model="numpy")
def solid_shares(walls, shape):
    """Share of the area of every cell that closed rings of walls enclose, (rows, cols).

    Each wall takes the area to its right away from its row, or adds it, by direction.
    """
    rows, cols = shape
    share = np.zeros((rows, cols + 1))
    for i in range(walls.shape[0]):
        ax, ay, bx, by = walls[i, 0], walls[i, 1], walls[i, 2], walls[i, 3]
        if ay == by:
            continue
        top = max(math.floor(min(ay, by)), 0)
        bottom = min(math.floor(max(ay, by)), rows - 1)
        for row in range(top, bottom + 1):
            # The stretch of the wall in this row, and then its pieces by column.
            u0 = min(max((row - ay) / (by - ay), 0.0), 1.0)
            u1 = min(max((row + 1.0 - ay) / (by - ay), 0.0), 1.0)
            x0, x1 = ax + u0 * (bx - ax), ax + u1 * (bx - ax)
            height = abs(u1 - u0) * (ay - by)
            low, high = min(x0, x1), max(x0, x1)
            width = high - low
            first = min(max(math.floor(low), -1), cols)
            last = min(max(math.floor(high), -1), cols)
            for col in range(first, last + 1):
                left = low if col < 0 else max(low, float(col))
                right = high if col == last else min(high, col + 1.0)
                piece = height * ((right - left) / width if width > 0.0 else 1.0)
                if col < 0:
                    share[row, 0] += piece
                elif col < cols:
                    beyond = 0.5 * (left + right) - col
                    share[row, col] += piece * (1.0 - beyond)
                    share[row, col + 1] += piece * beyond
    for row in range(rows):
        for col in range(1, cols):
            share[row, col] += share[row, col - 1]
    return share[:, :cols].copy()


def free_shares(walls, shape):
    """Share of the area of every cell outside closed rings of walls, at least `SMALLEST_FREE_SHARE`, (rows, cols)."""
    return np.maximum(1.0 - solid_shares(walls, shape), SMALLEST_FREE_SHARE)


@njit(cache=True, error_model="numpy")
def sight_ring(x, y, walls):
    """The outline of all that a point sees, as one closed ring of walls, the seen area its solid.

    Args:
        x, y: The point.
        walls: (m, 4) walls, an outer box around everything included.

    Returns:
        (n, 4).
    """
    ids, first_angle, last_angle, reach, segments, bounds = sweep_space(walls.shape[0])
    count = facing_walls(x, y, walls, ids, first_angle, last_angle, reach)
    facing = (count, ids, first_angle, last_angle, reach)
    found = sweep(x, y, walls, facing, 0.0, 2.0 * math.pi, segments, bounds)
    ring = np.empty((2 * found, 4))
    for corner in range(2 * found):
        segment = segments[corner // 2]
        ax, ay, bx, by = walls[int(segment[4])]
        dx, dy = segment[2 * (corner % 2)], segment[2 * (corner % 2) + 1]
        share = ((x - ax) * dy - (y - ay) * dx) / ((bx - ax) * dy - (by - ay) * dx)
        # A ray along a wall meets it nowhere in particular; rounding may put others a little beyond its ends.
        share = min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
        ring[corner, 0] = ax + share * (bx - ax)
        ring[corner, 1] = ay + share * (by - ay)
    for corner in range(2 * found):
        ring[corner, 2:] = ring[(corner + 1) % (2 * found), :2]
    return ring


@njit(cache=True, error_model="numpy")
def launch(x, y, directions, walls, index, reflectivity, radial, max_depth, power):
    """Follow rays from a point and add the power of what was reflected to the cells it crosses.

    A ray stands for a tube between its neighbours. Over a stretch dl in a cell it brings reflectivity * radial(l) dl,
    where radial(l) holds the tube's width times the power density of the straight path of the unfolded length l. The
    stretch from the transmitter to the first wall adds nothing: its power is known in closed form. Rays end at the
    border of the grid and after `max_depth` reflections.

    Args:
        x, y: Where the rays start.
        directions: (n, 2) unit vectors.
        walls: (m, 6): edge, and unit vector along it.
        index: (start, entries) of `index_walls`.
        reflectivity: (k,) share of the power that a wall reflects, over the cosine of the angle of incidence in 0..1.
        radial: (p,) radial law, `SAMPLES_PER_CELL` values per cell of length, at the middle of their intervals.
        max_depth: Most reflections.
        power: In and out, (2, rows, cols) float64: of the even rays and of the odd ones.
    """
    _, rows, cols = power.shape
    cell_start, cell_walls = index
    last_bin = reflectivity.shape[0] - 1
    for ray in range(directions.shape[0]):
        tally = power[ray & 1]
        dx, dy = directions[ray]
        px, py = x, y
        col = min(max(int(px), 0), cols - 1)
        row = min(max(int(py), 0), rows - 1)
        weight = 1.0
        length = 0.0
        came_from = -1
        for depth in range(max_depth + 1):
            step_x = 1 if dx > 0.0 else -1
            step_y = 1 if dy > 0.0 else -1
            period_x = abs(1.0 / dx) if dx != 0.0 else np.inf
            period_y = abs(1.0 / dy) if dy != 0.0 else np.inf
            next_x = (col + (dx > 0.0) - px) / dx if dx != 0.0 else np.inf
            next_y = (row + (dy > 0.0) - py) / dy if dy != 0.0 else np.inf
            t = 0.0
            hit = -1
            while True:
                out = min(next_x, next_y)
                cell = row * cols + col
                for entry in range(cell_start[cell], cell_start[cell + 1]):
                    i = cell_walls[entry]
                    if i == came_from:
                        continue
                    ex = walls[i, 2] - walls[i, 0]
                    ey = walls[i, 3] - walls[i, 1]
                    into = ex * dy - ey * dx
                    if into <= 0.0:
                        continue
                    sx = px - walls[i, 0]
                    sy = py - walls[i, 1]
                    along = sx * dy - sy * dx
                    if along < -HIT_SLACK or along > into + HIT_SLACK:
                        continue
                    at = (sx * ey - sy * ex) / into
                    # Not "<": what lies in the next cell is found there.
                    if -HIT_SLACK <= at <= out + EDGE_SLACK and (hit < 0 or at < out):
                        hit = i
                        out = min(at, out)
                if depth > 0 and out > t:
                    middle = length + 0.5 * (t + out)
                    tally[row, col] += weight * (out - t) * radial[int(middle * SAMPLES_PER_CELL)]
                t = max(out, t)
                if hit >= 0:
                    break
                if next_x < next_y:
                    col += step_x
                    next_x += period_x
                    if col < 0 or col >= cols:
                        break
                else:
                    row += step_y
                    next_y += period_y
                    if row < 0 or row >= rows:
                        break
            if hit < 0 or depth == max_depth:
                break
            length += t
            px += t * dx
            py += t * dy
            ux, uy = walls[hit, 4], walls[hit, 5]
            across = ux * dy - uy * dx
            # Linear between the samples.
            place = min(max(across, 0.0), 1.0) * last_bin
            low = min(int(place), last_bin - 1)
            weight *= reflectivity[low] + (place - low) * (reflectivity[low + 1] - reflectivity[low])
            along = ux * dx + uy * dy
            dx, dy = 2.0 * along * ux - dx, 2.0 * along * uy - dy
            came_from = hit
