import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.umi import UrbanMicro
from radiodiff.scene import Grid, Scene, Transmitter

CELL_SIZE_M = 5.0
STREET = Grid(1, 1001, CELL_SIZE_M)


def street_loss_db(distance_m: float, engine: UrbanMicro | None = None, *, is_los: bool, **tx: float) -> float:
    """Path loss along a street, with a wall 5 m from the transmitter or without."""
    buildings = np.zeros(STREET.shape, dtype=bool)
    buildings[0, 1] = not is_los
    sender = Transmitter.at_cell(STREET, 0, 0, **{"height_m": 10.0, "frequency_hz": 5e9, **tx})
    radio_map = (engine or UrbanMicro()).radio_map(Scene(STREET, buildings), sender)
    return float(radio_map.path_loss_db[0, round(distance_m / CELL_SIZE_M)])


# Values of ns-3, src/propagation/test/three-gpp-propagation-loss-model-test-suite.cc (UMi street canyon,
# 5 GHz, base station at 10 m, terminal at 1.5 m), which holds them against the same table.
@pytest.mark.parametrize(
    ("distance_m", "is_los", "loss_db"),
    [
        (10, True, 69.8591),
        (100, True, 88.4122),
        (1000, True, 119.3114),
        (5000, True, 147.2696),
        (10, False, 76.7563),
        (100, False, 107.9432),
        (1000, False, 143.1886),
        (5000, False, 167.8617),
    ],
)
def test_published_values(distance_m: float, is_los: bool, loss_db: float) -> None:
    assert street_loss_db(distance_m, is_los=is_los) == pytest.approx(loss_db, abs=0.01)


def test_the_slopes_meet_at_the_break_point() -> None:
    # d'_BP = 4 * 9 m * 0.5 m * 5 GHz / c = 300.2 m: no jump there, 21 dB per decade before and 40 beyond.
    losses_db = [street_loss_db(distance_m, is_los=True) for distance_m in (150, 300, 305, 3050)]
    assert losses_db[1] - losses_db[0] == pytest.approx(21 * np.log10(2), abs=0.02)
    assert losses_db[2] - losses_db[1] == pytest.approx(40 * np.log10(305 / 300), abs=0.05)
    assert losses_db[3] - losses_db[2] == pytest.approx(40.0, abs=0.02)


def test_the_break_point_is_a_horizontal_distance() -> None:
    # Base station at 31.5 m, 0.5 GHz: d'_BP = 4 * 30.5 m * 0.5 m * 0.5 GHz / c = 101.74 m, and at 100 m along
    # the ground the link is 104.40 m long: 32.4 + 21 log10 104.40 - 6.02 = 68.77 dB.
    mast = {"height_m": 31.5, "frequency_hz": 0.5e9}
    assert street_loss_db(100, is_los=True, **mast) == pytest.approx(68.772, abs=2e-3)
    # At 200 m: 32.4 + 40 log10 202.24 - 6.02 - 9.5 log10 (101.74^2 + 30^2) = 80.13 dB.
    assert street_loss_db(200, is_los=True, **mast) == pytest.approx(80.128, abs=2e-3)


def test_without_line_of_sight_the_loss_is_never_lower() -> None:
    # At 1 m the NLOS law alone gives 37.3 dB, below the 46.4 dB of the LOS law.
    grid = Grid(2, 2, 0.4)
    buildings = np.array([[False, True], [True, False]])
    path_loss_db = UrbanMicro().radio_map(Scene(grid, buildings), Transmitter.at_cell(grid, 0, 0)).path_loss_db
    assert path_loss_db[1, 1] == path_loss_db[0, 0] == pytest.approx(32.4 + 20 * np.log10(5.9), abs=1e-4)


def test_high_terminals_gain_0_3_db_per_metre_without_line_of_sight() -> None:
    # 35.3 log10 |(1000, 7)| + 22.4 + 21.3 log10 5 - 0.3 * 1.5, by hand.
    loss_db = street_loss_db(1000, UrbanMicro(rx_height_m=3.0), is_los=False)
    assert loss_db == pytest.approx(105.9004 + 22.4 + 14.8881 - 0.45, abs=1e-3)


def test_terminals_at_street_level() -> None:
    # Both effective heights 0.5 m: break point 19.68 m; 32.4 + 80 + 15.417 - 19 log10 19.68 = 103.23 dB.
    street = {"height_m": 1.5, "frequency_hz": 5.9e9}
    assert street_loss_db(100, is_los=True, **street) == pytest.approx(103.23, abs=0.01)
    # An environment of 0.5 m: break point 78.72 m; 32.4 + 80 + 15.417 - 19 log10 78.72 = 91.79 dB.
    vehicles = UrbanMicro(environment_height_m=0.5)
    assert street_loss_db(100, vehicles, is_los=True, **street) == pytest.approx(91.79, abs=0.01)


def test_no_effective_height_is_below_half_a_metre() -> None:
    low = UrbanMicro(rx_height_m=0.4)
    level_db = street_loss_db(200, is_los=True, height_m=1.5)
    assert street_loss_db(200, low, is_los=True, height_m=0.4) == pytest.approx(level_db, abs=1e-4)


def test_the_scene_decides_on_line_of_sight() -> None:
    grid = Grid(5, 9)
    buildings = np.zeros(grid.shape, dtype=bool)
    buildings[1:3, 4] = True
    tx = Transmitter.at_cell(grid, 0, 2)
    blocked = UrbanMicro().radio_map(Scene(grid, buildings), tx).path_loss_db
    open_ = UrbanMicro().radio_map(Scene.empty(grid), tx).path_loss_db
    is_nlos = blocked > open_
    assert is_nlos[2, 5:].all()
    assert not is_nlos[:, :4].any()
    assert not is_nlos[4].any()


@pytest.mark.parametrize("frequency_hz", [0.49e9, 100.1e9])
def test_the_table_ends_at_100_ghz(frequency_hz: float) -> None:
    with pytest.raises(PropagationError, match=r"0\.5 to 100 GHz"):
        street_loss_db(100, is_los=True, frequency_hz=frequency_hz)


@pytest.mark.parametrize("frequency_hz", [0.5e9, 100e9])
def test_the_ends_of_the_frequency_range_count(frequency_hz: float) -> None:
    assert np.isfinite(street_loss_db(100, is_los=True, frequency_hz=frequency_hz))


@pytest.mark.parametrize("height_m", [-0.1, np.nan, np.inf])
def test_the_environment_height_is_not_negative(height_m: float) -> None:
    with pytest.raises(PropagationError, match=r"UrbanMicro\.environment_height_m"):
        UrbanMicro(environment_height_m=height_m)


@pytest.mark.parametrize("height_m", [0.0, np.nan])
def test_receivers_have_a_height(height_m: float) -> None:
    with pytest.raises(PropagationError, match="rx_height_m"):
        UrbanMicro(rx_height_m=height_m)
