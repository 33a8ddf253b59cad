import numpy as np
import pytest

from radiodiff.errors import TransmitterError
from radiodiff.scene import Grid, SectorAntenna, Transmitter

GRID = Grid(4, 6, 2.0)


def test_the_defaults_are_those_of_radiomapseer() -> None:
    tx = Transmitter(1.0, 2.0)
    assert (tx.height_m, tx.frequency_hz, tx.eirp_dbm) == (1.5, 5.9e9, 23.0)


@pytest.mark.parametrize("name", ["x_m", "y_m", "eirp_dbm", "azimuth_deg"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_are_finite(name: str, value: float) -> None:
    with pytest.raises(TransmitterError, match=f"Transmitter.{name} must be finite"):
        Transmitter(**{"x_m": 1.0, "y_m": 1.0, name: value})


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_heights_are_positive(value: float) -> None:
    with pytest.raises(TransmitterError, match=r"Transmitter.height_m must be finite and above 0"):
        Transmitter(1.0, 1.0, height_m=value)


@pytest.mark.parametrize("value", [0.0, -1.0, 5.9, np.nan, np.inf])
def test_frequencies_are_hertz(value: float) -> None:
    with pytest.raises(TransmitterError, match=r"at least 1e\+06; got .*5.9e9, not 5.9"):
        Transmitter(1.0, 1.0, frequency_hz=value)


def test_cells_are_column_first_and_mean_centres() -> None:
    tx = Transmitter.at_cell(GRID, 4, 1, height_m=3.0)
    assert (tx.x_m, tx.y_m, tx.height_m) == (9.0, 3.0, 3.0)
    assert tx.cell(GRID) == (1, 4)


def test_cells_may_be_fractions() -> None:
    tx = Transmitter.at_cell(GRID, 1.5, -0.5)
    assert (tx.x_m, tx.y_m) == (4.0, 0.0)


@pytest.mark.parametrize(("col", "row"), [(-0.6, 0), (5.6, 0), (0, -0.6), (0, 3.6), (np.nan, 0), (0, np.nan)])
def test_cells_lie_on_the_grid(col: float, row: float) -> None:
    with pytest.raises(TransmitterError, match=r"columns 0\.\.5, rows 0\.\.3"):
        Transmitter.at_cell(GRID, col, row)


@pytest.mark.parametrize(("x_m", "y_m"), [(-0.1, 1.0), (12.1, 1.0), (1.0, -0.1), (1.0, 8.1)])
def test_positions_lie_on_the_grid(x_m: float, y_m: float) -> None:
    with pytest.raises(TransmitterError, match="stand on the grid"):
        Transmitter(x_m, y_m).cell(GRID)


def test_distance_is_horizontal_and_has_a_floor() -> None:
    tx = Transmitter.at_cell(GRID, 0, 0, height_m=30.0)
    distance_m = tx.distance_m(GRID)
    assert distance_m.shape == GRID.shape
    assert distance_m[0, 0] == 0.0
    assert distance_m[3, 4] == 10.0
    assert tx.distance_m(GRID, minimum_m=1.0)[0, 0] == 1.0


@pytest.mark.parametrize(("azimuth_deg", "cell"), [(0.0, (0, 1)), (90.0, (1, 2)), (180.0, (2, 1)), (270.0, (1, 0))])
def test_azimuth_turns_clockwise_from_north(azimuth_deg: float, cell: tuple[int, int]) -> None:
    grid = Grid(3, 3)
    tx = Transmitter.at_cell(grid, 1, 1, antenna=SectorAntenna(), azimuth_deg=azimuth_deg)
    gains_db = tx.pattern_gain_db(grid)
    assert gains_db[cell] == pytest.approx(0.0)
    assert gains_db[2 - cell[0], 2 - cell[1]] == -30.0
