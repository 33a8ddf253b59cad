import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.multi_wall import HEAVY_WALL_LOSS_DB, LIGHT_WALL_LOSS_DB, MultiWall
from radiodiff.scene import Grid, Scene, Transmitter

GRID = Grid(3, 12, 0.5)
TX = Transmitter.at_cell(GRID, 0, 1)


def corridor(*walls: int) -> Scene:
    buildings = np.zeros(GRID.shape, dtype=bool)
    buildings[:, list(walls)] = True
    return Scene(GRID, buildings)


def test_each_wall_adds_its_loss() -> None:
    excess_db = (
        MultiWall(wall_loss_db=5.0).radio_map(corridor(2, 5, 8), TX).path_loss_db
        - FreeSpace().radio_map(Scene.empty(GRID), TX).path_loss_db
    )
    np.testing.assert_allclose(excess_db[1], [0, 0, np.nan, 5, 5, np.nan, 10, 10, np.nan, 15, 15, 15], atol=1e-4)


def test_a_thick_wall_is_one_wall() -> None:
    thin, thick = (MultiWall().radio_map(corridor(*walls), TX).path_loss_db[1, 11] for walls in ((4,), (4, 5, 6)))
    assert thin == thick


def test_the_constants_of_cost_231() -> None:
    # COST 231 final report (1999), section 4.7.2: light walls 3.4 dB, heavy walls 6.9 dB at 1.8 GHz.
    assert (LIGHT_WALL_LOSS_DB, HEAVY_WALL_LOSS_DB) == (3.4, 6.9)
    assert MultiWall().wall_loss_db == LIGHT_WALL_LOSS_DB


def test_walls_without_loss_are_free_space() -> None:
    scene = corridor(4, 7)
    np.testing.assert_array_equal(
        MultiWall(wall_loss_db=0.0).radio_map(scene, TX).path_loss_db,
        FreeSpace().radio_map(scene, TX).path_loss_db,
    )


def test_heights_lengthen_the_link() -> None:
    high = Transmitter.at_cell(GRID, 0, 1, height_m=4.5)
    np.testing.assert_array_equal(
        MultiWall(rx_height_m=0.5).radio_map(Scene.empty(GRID), high).path_loss_db,
        FreeSpace(rx_height_m=0.5).radio_map(Scene.empty(GRID), high).path_loss_db,
    )


@pytest.mark.parametrize("loss_db", [-0.1, np.nan, np.inf])
def test_the_loss_is_not_negative(loss_db: float) -> None:
    with pytest.raises(PropagationError, match=r"MultiWall\.wall_loss_db"):
        MultiWall(wall_loss_db=loss_db)


@pytest.mark.parametrize("height_m", [0.0, np.nan])
def test_receivers_have_a_height(height_m: float) -> None:
    with pytest.raises(PropagationError, match="rx_height_m"):
        MultiWall(rx_height_m=height_m)
