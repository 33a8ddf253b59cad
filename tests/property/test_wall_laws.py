"""Laws of the exact walk over the grid, and its agreement with a slow walk in fractions."""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_cases import Motion
from radiodiff.propagation.wall_kernels import count_wall_runs

seeds = st.integers(0, 2**32 - 1)
ROWS, COLS = 8, 11

# Transmitters on quarters of cells: on centres, on edges and on corners, where the ties are.
quarters_right, quarters_down = st.integers(0, 4 * COLS), st.integers(0, 4 * ROWS)


def noise(seed: int, rows: int = ROWS, cols: int = COLS) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, cols)) < 0.4


def slow_walk(walls: np.ndarray, tx: tuple[Fraction, Fraction], row: int, col: int) -> int:
    """Wall runs of one ray, cut at every grid line; a part's middle tells its cell."""
    start_x, start_y = tx
    run_x, run_y = col + Fraction(1, 2) - start_x, row + Fraction(1, 2) - start_y
    cuts = {Fraction(0), Fraction(1)}
    for start, run, lines in ((start_x, run_x, walls.shape[1]), (start_y, run_y, walls.shape[0])):
        if run:
            cuts |= {cut for line in range(lines + 1) if 0 < (cut := (line - start) / run) < 1}
    ordered = sorted(cuts)
    states = []
    for before, after in itertools.pairwise(ordered):
        middle = (before + after) / 2
        x, y = start_x + middle * run_x, start_y + middle * run_y
        is_wall = bool(walls[int(y), int(x)])
        if before > 0:
            corner_x, corner_y = start_x + before * run_x, start_y + before * run_y
            if corner_x.denominator == corner_y.denominator == 1:
                # The two cells beside the corner: one from each side of both grid lines, not on the ray.
                right, down = run_x > 0, run_y > 0
                beside = [
                    walls[int(corner_y) - (not down), int(corner_x) - right],
                    walls[int(corner_y) - down, int(corner_x) - (not right)],
                ]
                if all(beside) and not states[-1] and not is_wall:
                    states.append(True)
        states.append(is_wall)
    return sum(now and not earlier for earlier, now in itertools.pairwise([False, *states]))


@settings(max_examples=40)
@given(seeds, quarters_right, quarters_down)
def test_the_walk_agrees_with_fractions(seed: int, quarters_x: int, quarters_y: int) -> None:
    walls = noise(seed)
    tx = Fraction(quarters_x, 4), Fraction(quarters_y, 4)
    runs = count_wall_runs(walls, float(tx[0]), float(tx[1]))
    for row, col in np.ndindex(ROWS, COLS):
        if (col + Fraction(1, 2), row + Fraction(1, 2)) == tx:
            continue
        assert runs[row, col] == slow_walk(walls, tx, row, col)


@given(seeds, st.data())
def test_a_ray_and_its_reverse_meet_the_same_walls(seed: int, data: st.DataObject) -> None:
    walls = noise(seed, 20, 30)
    (row_a, col_a), (row_b, col_b) = ((data.draw(st.integers(0, 19)), data.draw(st.integers(0, 29))) for _ in range(2))
    there = count_wall_runs(walls, col_a + 0.5, row_a + 0.5)[row_b, col_b]
    assert there == count_wall_runs(walls, col_b + 0.5, row_b + 0.5)[row_a, col_a]


@given(seeds, quarters_right, quarters_down, st.integers(0, 3), st.booleans())
def test_walls_turn_with_the_grid(seed: int, quarters_x: int, quarters_y: int, turns: int, mirrored: bool) -> None:
    walls, x, y = noise(seed), quarters_x / 4, quarters_y / 4
    motion = Motion(turns, mirrored)
    moved_x, moved_y, width, height = (COLS - x if mirrored else x), y, COLS, ROWS
    for _ in range(turns):
        moved_x, moved_y, width, height = moved_y, width - moved_x, height, width
    np.testing.assert_array_equal(
        count_wall_runs(motion.array(walls), moved_x, moved_y), motion.array(count_wall_runs(walls, x, y))
    )


@given(seeds, quarters_right, quarters_down)
def test_finer_cells_meet_the_same_walls(seed: int, quarters_x: int, quarters_y: int) -> None:
    walls, x, y = noise(seed), quarters_x / 4, quarters_y / 4
    fine = np.kron(walls, np.ones((3, 3), dtype=bool))
    np.testing.assert_array_equal(count_wall_runs(fine, 3 * x, 3 * y)[1::3, 1::3], count_wall_runs(walls, x, y))
