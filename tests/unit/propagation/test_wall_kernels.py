import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.wall_kernels import count_wall_runs


def walls_of(*rows: str) -> np.ndarray:
    """Walls drawn as text, # for a wall."""
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_runs_along_a_row_and_a_column() -> None:
    walls = walls_of(".##.#..")
    np.testing.assert_array_equal(count_wall_runs(walls, 0.5, 0.5), [[0, 1, 1, 1, 2, 2, 2]])
    np.testing.assert_array_equal(count_wall_runs(walls.T, 0.5, 0.5)[:, 0], [0, 1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(count_wall_runs(walls, 6.5, 0.5), [[2, 2, 2, 1, 1, 0, 0]])


def test_a_ray_through_a_corner_touches_neither_cell_beside_it() -> None:
    assert count_wall_runs(walls_of(".#", ".."), 0.5, 0.5)[1, 1] == 0
    assert count_wall_runs(walls_of("..", "#."), 0.5, 0.5)[1, 1] == 0


def test_walls_that_touch_at_a_corner_are_tight() -> None:
    walls = walls_of(".#", "#.")
    assert count_wall_runs(walls, 0.5, 0.5)[1, 1] == 1


def test_a_corner_joint_next_to_a_wall_is_part_of_it() -> None:
    assert count_wall_runs(walls_of(".#.", "##.", "..."), 0.5, 0.5)[2, 2] == 1
    assert count_wall_runs(walls_of("...", ".##", ".#."), 0.5, 0.5)[2, 2] == 1


def test_a_diagonal_row_of_walls_is_one_wall() -> None:
    walls = np.eye(5, dtype=bool)
    walls[0, 0] = walls[4, 4] = False
    assert count_wall_runs(walls, 0.5, 0.5)[4, 4] == 1


def test_a_ray_starts_in_the_cell_that_it_enters() -> None:
    walls = walls_of("#.")
    np.testing.assert_array_equal(count_wall_runs(walls, 1.0, 0.5), [[1, 0]])
    # A transmitter on the corner of four cells meets no joint of walls: it stands in it.
    np.testing.assert_array_equal(count_wall_runs(walls_of("#.", ".#"), 1.0, 1.0), [[1, 0], [0, 1]])


def test_the_border_of_the_grid_is_on_the_grid() -> None:
    walls = walls_of("#.", "..")
    np.testing.assert_array_equal(count_wall_runs(walls, 2.0, 2.0), [[1, 0], [0, 0]])
    np.testing.assert_array_equal(count_wall_runs(walls, 0.0, 0.0), [[1, 1], [1, 1]])


def test_the_walk_from_a_cell_to_itself() -> None:
    assert count_wall_runs(walls_of("."), 0.5, 0.5)[0, 0] == 0
    assert count_wall_runs(walls_of("#"), 0.5, 0.5)[0, 0] == 1


def test_arrays_of_any_layout() -> None:
    walls = np.random.default_rng(3).random((12, 9)) < 0.3
    expected = count_wall_runs(walls, 2.5, 3.5)
    assert expected.dtype == np.int32
    for same in (np.asfortranarray(walls), np.repeat(walls, 2, axis=1)[:, ::2]):
        same.flags.writeable = False
        np.testing.assert_array_equal(count_wall_runs(same, 2.5, 3.5), expected)


def test_a_large_grid_does_not_overflow() -> None:
    walls = np.zeros((3, 20_000), dtype=bool)
    walls[:, 10_000] = True
    runs = count_wall_runs(walls, 0.5, 0.5)
    assert (runs[:, :10_000] == 0).all()
    assert (runs[:, 10_000:] == 1).all()


@pytest.mark.parametrize(
    ("col", "row"), [(-0.1, 1.0), (3.1, 1.0), (1.0, -0.1), (1.0, 2.1), (np.nan, 1.0), (1.0, np.nan)]
)
def test_rays_start_on_the_grid(col: float, row: float) -> None:
    with pytest.raises(PropagationError, match=r"0\.\.3 columns and 0\.\.2 rows"):
        count_wall_runs(walls_of("...", "..."), col, row)
