import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.scene import Grid, Scene, Transmitter
from radiodiff.units import free_space_path_loss_db


def test_values_at_equal_heights() -> None:
    # ITU-R P.525-4, eq. 4: 32.4 + 20 log10(5900 MHz) + 20 log10(0.1 km) = 87.8 dB.
    scene = Scene.empty(Grid(1, 101))
    path_loss_db = FreeSpace().radio_map(scene, Transmitter.at_cell(scene.grid, 0, 0)).path_loss_db
    assert path_loss_db[0, 100] == pytest.approx(87.8, abs=0.1)
    assert path_loss_db[0, 10] == pytest.approx(67.8, abs=0.1)


def test_heights_lengthen_the_link() -> None:
    scene = Scene.empty(Grid(1, 41))
    tx = Transmitter.at_cell(scene.grid, 0, 0, height_m=31.5)
    path_loss_db = FreeSpace(rx_height_m=1.5).radio_map(scene, tx).path_loss_db
    assert path_loss_db[0, 40] == pytest.approx(free_space_path_loss_db(50.0, 5.9e9), abs=1e-4)
    assert path_loss_db[0, 0] == pytest.approx(free_space_path_loss_db(30.0, 5.9e9), abs=1e-4)


def test_short_links_count_as_one_metre() -> None:
    scene = Scene.empty(Grid(3, 3, 0.25))
    path_loss_db = FreeSpace().radio_map(scene, Transmitter.at_cell(scene.grid, 1, 1)).path_loss_db
    np.testing.assert_allclose(path_loss_db, free_space_path_loss_db(1.0, 5.9e9), rtol=1e-6)


def test_buildings_change_nothing() -> None:
    buildings = np.zeros((5, 9), dtype=bool)
    buildings[:, 4] = True
    grid = Grid(5, 9)
    tx = Transmitter.at_cell(grid, 1, 2)
    walled = FreeSpace().radio_map(Scene(grid, buildings), tx).path_loss_db
    open_ = FreeSpace().radio_map(Scene.empty(grid), tx).path_loss_db
    np.testing.assert_array_equal(walled[~buildings], open_[~buildings])


@pytest.mark.parametrize("height_m", [0.0, -1.0, np.nan, np.inf])
def test_receivers_have_a_height(height_m: float) -> None:
    with pytest.raises(PropagationError, match="rx_height_m"):
        FreeSpace(rx_height_m=height_m)
