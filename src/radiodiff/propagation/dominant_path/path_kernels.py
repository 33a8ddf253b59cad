"""Paths around corners: the labels of one transmitter, and the cells each label reaches.

A label is a path from the transmitter to a (corner, side) state: its length, the corner losses so far, its last
direction. Its loss at a cell further on is `10 n log10((length + d) G(turn))` with
`G(turn) = 10^(corner losses / (10 n))`, so the least loss is the least product `(length + d) G`; only that product is
computed per cell, in float32, in loops the compiler can vectorise.
"""

import math

import numpy as np
from numba import njit

from radiodiff.propagation.dominant_path.crossing_kernels import cells_behind
from radiodiff.propagation.dominant_path.visibility_kernels import is_facing

CELL_EPSILON = 1e-6
NO_LABEL = -1


@njit(cache=True, error_model="numpy")
def _is_dominated(length, loss_db, offset, side, first, next_label, labels, slope_db):
    """Whether a stored label of the same state is at least as good for every direction the new one serves.

    A stored label covers the new one when it arrives turned no further, so that its shadow sector holds the other's.
    It then turns more by the difference, which costs at most `slope_db` per radian.
    """
    other = first
    while other != NO_LABEL:
        further = labels[other, 4] - offset if side == 1 else offset - labels[other, 4]
        if (
            further >= -1e-9
            and labels[other, 0] <= length
            and labels[other, 1] + slope_db * max(further, 0.0) <= loss_db
        ):
            return True
        other = next_label[other]
    return False


@njit(cache=True, error_model="numpy")
def find_labels(states, values, links, losses, max_corners):
    """All undominated paths of up to `max_corners` corners.

    Args:
        states, values: Result of `look_around`.
        links: (link_start, link_state, link_value) of `build_graph`.
        losses: (offset_db, slope_db_per_rad, max_db) of one corner, and the loss of a stretch that crosses cars [dB].
        max_corners: Longest sequence.

    Returns:
        label_state: (n,) int64;
        labels: (n, 6): length, corner and car losses before this corner [dB], direction x, direction y, offset in the
            sector of the state [rad], sum of turns before this corner [rad].
    """
    link_start, link_state, link_value = links
    offset_db, slope_db, max_db, car_db = losses
    num_states = link_start.shape[0] - 1
    capacity = max(64, 4 * num_states)
    labels = np.empty((capacity, 6))
    label_state = np.empty(capacity, np.int64)
    next_label = np.empty(capacity, np.int64)
    first_label = np.full(num_states, NO_LABEL, np.int64)
    count = 0
    if max_corners < 1:
        return label_state[:0].copy(), labels[:0].copy()
    for k in range(states.shape[0]):
        labels[count, 0] = values[k, 0]
        labels[count, 1] = car_db * values[k, 4]
        labels[count, 2] = values[k, 1]
        labels[count, 3] = values[k, 2]
        labels[count, 4] = values[k, 3]
        labels[count, 5] = 0.0
        label_state[count] = states[k]
        next_label[count] = NO_LABEL
        first_label[states[k]] = count
        count += 1
    begin = 0
    for _ in range(max_corners - 1):
        end = count
        for label in range(begin, end):
            state = label_state[label]
            side = state % 2
            for link in range(link_start[state], link_start[state + 1]):
                target = link_state[link]
                turn = link_value[link, 3] - labels[label, 4]
                if side == 1:
                    turn = -turn
                if turn < -1e-9:
                    continue
                turn = max(turn, 0.0)
                length = labels[label, 0] + link_value[link, 0]
                loss_db = labels[label, 1] + min(offset_db + slope_db * turn, max_db) + car_db * link_value[link, 5]
                arriving = link_value[link, 4]
                if _is_dominated(
                    length, loss_db, arriving, target % 2, first_label[target], next_label, labels, slope_db
                ):
                    continue
                if count == labels.shape[0]:
                    labels = np.concatenate((labels, np.empty_like(labels)))
                    label_state = np.concatenate((label_state, np.empty_like(label_state)))
                    next_label = np.concatenate((next_label, np.empty_like(next_label)))
                labels[count, 0] = length
                labels[count, 1] = loss_db
                labels[count, 2] = link_value[link, 1]
                labels[count, 3] = link_value[link, 2]
                labels[count, 4] = arriving
                labels[count, 5] = labels[label, 5] + turn
                label_state[count] = target
                next_label[count] = first_label[target]
                first_label[target] = count
                count += 1
        begin = end
        if begin == count:
            break
    return label_state[:count].copy(), labels[:count].copy()


@njit(cache=True, error_model="numpy")
def _clip_run(low, high, dy, x, ux, uy, sign):
    """Columns of a run that lie beyond the shadow boundary: sign * cross(u, p - corner) >= 0."""
    a = sign * uy
    b = sign * ux * dy + CELL_EPSILON
    # a (col + 0.5 - x) <= b
    if a > 1e-9:
        high = math.floor(min(b / a + x - 0.5, float(high)))
    elif a < -1e-9:
        low = math.ceil(max(b / a + x - 0.5, float(low)))
    elif b < 0.0:
        high = low - 1
    return low, high


@njit(cache=True, error_model="numpy")
def _paint_row(best, label_of, low, high, frame, gain, polynomial, label):
    """Keep the smaller product of a row run. Everything is float32, without branches."""
    x, dy, ux, uy, length = frame
    factor, last_turn = gain
    p0, p1, p2, p3, p4, p5, p6, p7, p8 = polynomial
    for col in range(low, high + 1):
        dx = np.float32(col) + np.float32(0.5) - x
        d = np.sqrt(dx * dx + dy * dy)
        # tan(turn / 2): exact at small turns, no arc functions.
        t = abs(ux * dy - uy * dx) / (d + ux * dx + uy * dy + np.float32(1e-12))
        t = min(t, last_turn)
        g = p0 + t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * (p5 + t * (p6 + t * (p7 + t * p8)))))))
        product = (length + d) * (g * factor)
        better = product < best[col]
        best[col] = product if better else best[col]
        label_of[col] = label if better else label_of[col]


@njit(cache=True, error_model="numpy")
def paint_labels(corners, label_state, labels, run_start, runs, gain_law, best, label_of):
    """Least `(length + d) G` over all labels at every cell.

    Args:
        corners: (n, 4) of `build_graph`.
        label_state, labels: Result of `find_labels`.
        run_start, runs: Result of `build_graph`.
        gain_law: (polynomial of G over tan(turn / 2), largest tan(turn / 2), 10 n in dB per decade, factor of a stretch
            that crosses cars).
        best: In and out, (rows, cols) float32.
        label_of: In and out, (rows, cols) int32.
    """
    polynomial, last_turn, per_decade, car_factor = gain_law
    for label in range(label_state.shape[0]):
        state = label_state[label]
        x = corners[state // 2, 0]
        y = corners[state // 2, 1]
        sign = 1.0 if state % 2 == 0 else -1.0
        ux = labels[label, 2]
        uy = labels[label, 3]
        factor = 10.0 ** (labels[label, 1] / per_decade)
        for run in range(run_start[state], run_start[state + 1]):
            row = runs[run, 0]
            dy = row + 0.5 - y
            low, high = _clip_run(runs[run, 1], runs[run, 2], dy, x, ux, uy, sign)
            if low > high:
                continue
            gain = (np.float32(factor * car_factor if runs[run, 3] else factor), last_turn)
            frame = (np.float32(x), np.float32(dy), np.float32(ux), np.float32(uy), np.float32(labels[label, 0]))
            _paint_row(best[row], label_of[row], low, high, frame, gain, polynomial, np.int32(label))


@njit(cache=True, error_model="numpy")
def shortest_lengths(x, y, is_seen, corners, links):
    """Length of the shortest path from a point to every corner (Dijkstra over corners), inf where there is none."""
    link_start, link_state, link_value = links
    n = corners.shape[0]
    length = np.full(n, np.inf)
    done = np.zeros(n, np.bool_)
    for k in range(n):
        if is_seen[k]:
            length[k] = math.hypot(corners[k, 0] - x, corners[k, 1] - y)
    for _ in range(n):
        nearest = -1
        for k in range(n):
            if not done[k] and length[k] < np.inf and (nearest < 0 or length[k] < length[nearest]):
                nearest = k
        if nearest < 0:
            break
        done[nearest] = True
        for link in range(link_start[2 * nearest], link_start[2 * nearest + 2]):
            k = link_state[link] // 2
            length[k] = min(length[k], length[nearest] + link_value[link, 0])
    return length


@njit(cache=True, error_model="numpy")
def paint_lengths(corners, length, run_start, runs, best):
    """Least path length at every cell over all corners, (rows, cols) float32, in and out."""
    for k in range(corners.shape[0]):
        if length[k] == np.inf:
            continue
        x = np.float32(corners[k, 0])
        so_far = np.float32(length[k])
        for run in range(run_start[2 * k], run_start[2 * k + 2]):
            row = runs[run, 0]
            dy = np.float32(row + 0.5 - corners[k, 1])
            line = best[row]
            for col in range(runs[run, 1], runs[run, 2] + 1):
                dx = np.float32(col) + np.float32(0.5) - x
                line[col] = min(line[col], so_far + np.sqrt(dx * dx + dy * dy))


@njit(cache=True, error_model="numpy")
def add_obstructed_lengths(x, y, walls, shape, total):
    """Add the length of the straight ray inside solids to every cell, (rows, cols) float64, in and out.

    Every wall adds to the cells behind it: the stretch from the wall to the cell counts as solid where the ray enters
    there, and is taken back where it leaves.
    """
    rows, cols = shape
    for i in range(walls.shape[0]):
        ax = walls[i, 0] - x
        ay = walls[i, 1] - y
        ex = walls[i, 2] - walls[i, 0]
        ey = walls[i, 3] - walls[i, 1]
        sign = 1.0 if is_facing(x, y, walls[i]) else -1.0
        reach = ax * ey - ay * ex
        for row in range(rows):
            first, last = cells_behind(x, y, walls[i], row, cols)
            dy = row + 0.5 - y
            for col in range(first, last + 1):
                dx = col + 0.5 - x
                crossed = dx * ey - dy * ex
                if crossed != 0.0:
                    total[row, col] += sign * math.sqrt(dx * dx + dy * dy) * (1.0 - reach / crossed)
