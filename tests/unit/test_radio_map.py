from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from radiodiff.errors import GridError, InputError
from radiodiff.radio_map import Ensemble, RadioMap
from radiodiff.scene import Grid, Scene, SectorAntenna, Transmitter


@pytest.fixture
def radio_map() -> RadioMap:
    grid = Grid(2, 3, 2.0)
    return RadioMap(
        np.array([[50.0, 60.0, np.nan], [70.0, 80.0, 90.0]]),
        grid,
        Transmitter.at_cell(grid, 0, 0, eirp_dbm=20.0),
        producer="test",
    )


def test_values_are_float32_and_read_only(radio_map: RadioMap) -> None:
    assert radio_map.path_loss_db.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        radio_map.path_loss_db[0, 0] = 1.0
    with pytest.raises(FrozenInstanceError):
        radio_map.producer = "other"


def test_gain_is_minus_loss(radio_map: RadioMap) -> None:
    np.testing.assert_array_equal(radio_map.path_gain_db, [[-50, -60, np.nan], [-70, -80, -90]])


def test_has_value(radio_map: RadioMap) -> None:
    np.testing.assert_array_equal(radio_map.has_value, [[True, True, False], [True, True, True]])


@pytest.mark.parametrize("shape", [(3, 2), (2, 4), (6,)])
def test_the_array_must_fill_the_grid(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="2 x 3 cells"):
        RadioMap(np.zeros(shape), Grid(2, 3), None, producer="test")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="1 infinite cells"):
        RadioMap(np.array([[1.0, value]]), Grid(1, 2), None, producer="test")


def test_received_power_of_an_isotropic_antenna(radio_map: RadioMap) -> None:
    power_dbm = radio_map.rss_dbm(rx_antenna_gain_dbi=2.0)
    assert power_dbm.dtype == np.float32
    np.testing.assert_allclose(power_dbm, [[-28, -38, np.nan], [-48, -58, -68]])


def test_received_power_follows_the_antenna() -> None:
    grid = Grid(3, 3)
    tx = Transmitter.at_cell(grid, 1, 1, eirp_dbm=30.0, antenna=SectorAntenna(), azimuth_deg=0.0)
    power_dbm = RadioMap(np.full((3, 3), 100.0), grid, tx, producer="test").rss_dbm()
    assert power_dbm[0, 1] == pytest.approx(-70.0)  # north, on boresight
    assert power_dbm[1, 2] == pytest.approx(-70.0 - 12 * (90 / 65) ** 2, abs=1e-4)
    assert power_dbm[2, 1] == pytest.approx(-100.0)  # south, behind


def test_received_power_needs_a_transmitter(radio_map: RadioMap) -> None:
    with pytest.raises(InputError, match="needs a transmitter"):
        replace(radio_map, tx=None).rss_dbm()


def test_point_query_in_local_metres(radio_map: RadioMap) -> None:
    assert radio_map.at(3.0, 1.0) == 60.0
    assert radio_map.at(0.1, 3.9) == 70.0
    assert np.isnan(radio_map.at(5.0, 1.0))


def test_point_query_in_map_coordinates() -> None:
    grid = Grid(2, 3, 2.0, crs="EPSG:32633", origin_x=500_000.0, origin_y=5_800_000.0)
    radio_map = RadioMap(np.arange(6.0).reshape(2, 3), grid, None, producer="test")
    assert radio_map.at(500_003.0, 5_799_997.0) == 4.0


@pytest.mark.parametrize(("x", "y"), [(-0.1, 1.0), (6.1, 1.0), (1.0, -0.1), (1.0, 4.1), (np.nan, 1.0)])
def test_point_query_off_the_grid(radio_map: RadioMap, x: float, y: float) -> None:
    with pytest.raises(GridError):
        radio_map.at(x, y)


def test_xarray_has_coordinates_and_units() -> None:
    grid = Grid(2, 3, 2.0, crs="EPSG:32633", origin_x=500_000.0, origin_y=5_800_000.0)
    labelled = RadioMap(np.arange(6.0).reshape(2, 3), grid, None, producer="test engine").to_xarray()
    assert labelled.dims == ("y", "x")
    np.testing.assert_array_equal(labelled.x, [500_001.0, 500_003.0, 500_005.0])
    np.testing.assert_array_equal(labelled.y, [5_799_999.0, 5_799_997.0])
    assert labelled.attrs["units"] == "dB"
    assert labelled.attrs["producer"] == "test engine"
    assert labelled.attrs["crs"] == "EPSG:32633"
    assert float(labelled.sel(x=500_003.0, y=5_799_997.0)) == 4.0


def test_xarray_without_a_crs(radio_map: RadioMap) -> None:
    labelled = radio_map.to_xarray()
    assert "crs" not in labelled.attrs
    np.testing.assert_array_equal(labelled.y, [1.0, 3.0])


def test_repr_is_short_and_names_the_producer(radio_map: RadioMap) -> None:
    scene = Scene.empty(radio_map.grid)
    text = repr(replace(radio_map, scene=scene))
    assert "producer='test'" in text
    assert "array" not in text


DRAWS = np.array([[[50.0, np.nan]], [[54.0, np.nan]], [[61.0, np.nan]]])


def test_an_ensemble_says_how_much_draws_differ() -> None:
    ensemble = Ensemble.of_draws(DRAWS, (0.0, 0.25, 0.5), keep=True)
    assert ensemble.num_draws == 3
    # Deviations -5, -1, 6 from the mean 55: (25 + 1 + 36) / 2.
    np.testing.assert_allclose(ensemble.std_db, [[31.0**0.5, np.nan]], rtol=1e-6)
    assert {share: float(array[0, 0]) for share, array in ensemble.quantiles_db.items()} == {0.0: 50, 0.25: 52, 0.5: 54}
    assert ensemble.draws_db is not None
    np.testing.assert_array_equal(ensemble.draws_db, DRAWS)
    assert ensemble.std_db.dtype == ensemble.draws_db.dtype == np.float32


def test_draws_are_kept_on_demand() -> None:
    ensemble = Ensemble.of_draws(DRAWS, ())
    assert ensemble.draws_db is None
    assert ensemble.quantiles_db == {}


def test_what_an_ensemble_holds_is_read_only() -> None:
    ensemble = Ensemble.of_draws(DRAWS, (0.5,), keep=True)
    assert ensemble.draws_db is not None
    for array in (ensemble.std_db, ensemble.quantiles_db[0.5], ensemble.draws_db):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_an_ensemble_keeps_copies_as_float32() -> None:
    std_db, draws_db, median = np.zeros((1, 2)), np.zeros((2, 1, 2)), np.zeros((1, 2), np.float32)
    quantiles = {0.5: median}
    ensemble = Ensemble(2, std_db, quantiles, draws_db)
    for array in (std_db, draws_db, median):
        array[...] = 7.0
    quantiles[0.9] = median
    assert list(ensemble.quantiles_db) == [0.5]
    assert ensemble.draws_db is not None
    for kept in (ensemble.std_db, ensemble.quantiles_db[0.5], ensemble.draws_db):
        assert kept.dtype == np.float32
        assert not kept.any()


def test_a_single_draw_is_no_ensemble() -> None:
    with pytest.raises(InputError, match=r"must have at least 2 draws.*got 1 draws"):
        Ensemble.of_draws(DRAWS[:1])


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_shares_are_between_0_and_1(share: float) -> None:
    with pytest.raises(InputError, match=r"Shares of quantiles must be in \[0, 1\]"):
        Ensemble.of_draws(DRAWS, (0.5, share))
    with pytest.raises(InputError, match=r"quantiles of shares in \[0, 1\]"):
        Ensemble(2, np.zeros((1, 2), np.float32), {share: np.zeros((1, 2), np.float32)})


@pytest.mark.parametrize(
    "given",
    [
        {"num_draws": 2, "std_db": np.zeros((1, 2)), "quantiles_db": {0.5: np.zeros((2, 1))}},
        {"num_draws": 2, "std_db": np.zeros(2), "quantiles_db": {}},
        {"num_draws": 3, "std_db": np.zeros((1, 2)), "quantiles_db": {}, "draws_db": np.zeros((2, 1, 2))},
        {"num_draws": 2, "std_db": np.zeros((1, 2)), "quantiles_db": {}, "draws_db": np.zeros((2, 2, 2))},
    ],
)
def test_the_arrays_of_an_ensemble_have_one_size(given: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"arrays .* of one size"):
        Ensemble(**given)


def test_an_ensemble_has_the_size_of_its_map(radio_map: RadioMap) -> None:
    with pytest.raises(InputError, match=r"RadioMap.ensemble must be of 2 x 3 cells; got shape \(1, 2\)"):
        replace(radio_map, ensemble=Ensemble.of_draws(DRAWS))
