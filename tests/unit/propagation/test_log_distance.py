import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.log_distance import LogDistance
from radiodiff.scene import Grid, Scene, Transmitter

STREET = Scene.empty(Grid(1, 201))
TX = Transmitter.at_cell(STREET.grid, 0, 0)


def test_exponent_2_is_free_space() -> None:
    np.testing.assert_allclose(
        LogDistance(exponent=2.0).radio_map(STREET, TX).path_loss_db,
        FreeSpace().radio_map(STREET, TX).path_loss_db,
        atol=1e-4,
    )


def test_the_default_is_the_optional_law_of_tr_38901() -> None:
    # Table 7.4.1-1, UMi, optional NLOS: 32.4 + 20 log10 5.9 + 31.9 log10 100 = 111.6 dB.
    path_loss_db = LogDistance().radio_map(STREET, TX).path_loss_db
    assert path_loss_db[0, 100] == pytest.approx(111.617, abs=0.06)
    assert path_loss_db[0, 200] - path_loss_db[0, 20] == pytest.approx(31.9, abs=1e-3)


def test_heights_lengthen_the_link() -> None:
    high = Transmitter.at_cell(STREET.grid, 0, 0, height_m=32.0)
    path_loss_db = LogDistance(exponent=3.0, rx_height_m=2.0).radio_map(STREET, high).path_loss_db
    level_db = LogDistance(exponent=3.0).radio_map(STREET, TX).path_loss_db
    assert path_loss_db[0, 40] == pytest.approx(level_db[0, 50], abs=1e-4)


@pytest.mark.parametrize("exponent", [0.0, -2.0, np.nan, np.inf])
def test_the_exponent_is_positive(exponent: float) -> None:
    with pytest.raises(PropagationError, match=r"LogDistance\.exponent"):
        LogDistance(exponent=exponent)


@pytest.mark.parametrize("height_m", [0.0, np.nan])
def test_receivers_have_a_height(height_m: float) -> None:
    with pytest.raises(PropagationError, match="rx_height_m"):
        LogDistance(rx_height_m=height_m)
