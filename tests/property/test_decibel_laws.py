"""Laws of the decibel algebra, of free space and of grey scales."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from radiodiff.grey_scale import GreyScale
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.scene import Grid, Scene, Transmitter
from radiodiff.units import (
    db_to_ratio,
    dbm_to_watt,
    free_space_path_loss_db,
    noise_power_dbm,
    ratio_to_db,
    watt_to_dbm,
)

decibels = st.floats(-300, 300)
distances_m = st.floats(0.1, 1e5)
frequencies_hz = st.floats(1e8, 1e11)


@given(decibels)
def test_ratio_and_decibels_invert_each_other(value_db: float) -> None:
    assert ratio_to_db(db_to_ratio(value_db)) == pytest.approx(value_db, abs=1e-9)


@given(decibels)
def test_watt_and_dbm_invert_each_other(power_dbm: float) -> None:
    assert watt_to_dbm(dbm_to_watt(power_dbm)) == pytest.approx(power_dbm, abs=1e-9)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_sums_of_decibels_are_products_of_ratios(first_db: float, second_db: float) -> None:
    assert db_to_ratio(first_db + second_db) == pytest.approx(db_to_ratio(first_db) * db_to_ratio(second_db))


@given(decibels)
def test_dbm_is_a_ratio_to_a_milliwatt(power_dbm: float) -> None:
    assert dbm_to_watt(power_dbm) == pytest.approx(1e-3 * db_to_ratio(power_dbm))


@given(st.floats(1e3, 1e10), st.floats(0, 30), st.floats(10, 1000))
def test_noise_adds_its_figure_and_doubles_with_bandwidth(bandwidth_hz: float, figure_db: float, kelvin: float) -> None:
    quiet_dbm = noise_power_dbm(bandwidth_hz, 0.0, kelvin)
    assert noise_power_dbm(bandwidth_hz, figure_db, kelvin) == pytest.approx(quiet_dbm + figure_db)
    assert noise_power_dbm(2 * bandwidth_hz, 0.0, kelvin) == pytest.approx(quiet_dbm + 3.0103, abs=1e-4)


@given(distances_m, frequencies_hz)
def test_free_space_loses_6_db_more_for_double_distance_or_frequency(distance_m: float, frequency_hz: float) -> None:
    loss_db = free_space_path_loss_db(distance_m, frequency_hz)
    doubled_db = loss_db + 20 * np.log10(2.0)
    assert free_space_path_loss_db(2 * distance_m, frequency_hz) == pytest.approx(doubled_db, abs=1e-9)
    assert free_space_path_loss_db(distance_m, 2 * frequency_hz) == pytest.approx(doubled_db, abs=1e-9)


@given(frequencies_hz, st.integers(0, 29), st.integers(0, 39))
def test_free_space_maps_fall_with_frequency_and_distance(frequency_hz: float, row: int, col: int) -> None:
    scene = Scene.empty(Grid(30, 40))
    slow, fast = (
        next(FreeSpace().radio_maps(scene, [Transmitter.at_cell(scene.grid, col, row, frequency_hz=frequency)]))
        for frequency in (frequency_hz, 2 * frequency_hz)
    )
    np.testing.assert_allclose(fast.path_loss_db - slow.path_loss_db, 6.0206, atol=1e-4)
    nearest_first = np.argsort(slow.tx.distance_m(scene.grid), axis=None)
    assert (np.diff(slow.path_loss_db.ravel()[nearest_first]) >= 0).all()


@st.composite
def grey_scales(draw: st.DrawFn) -> GreyScale:
    min_gain_db = draw(st.floats(-200, -50))
    return GreyScale(min_gain_db, min_gain_db + draw(st.floats(1, 150)), draw(st.floats(0, 0.9)))


@given(grey_scales(), st.booleans(), st.floats(0, 1))
def test_grey_keeps_path_loss_within_half_a_step(scale: GreyScale, thresholded: bool, share: float) -> None:
    floor_db = scale.to_path_loss_db(0, thresholded=thresholded)
    path_loss_db = floor_db + share * (scale.to_path_loss_db(255, thresholded=thresholded) - floor_db)
    grey = scale.to_grey(path_loss_db, thresholded=thresholded)
    error_db = abs(scale.to_path_loss_db(grey, thresholded=thresholded) - path_loss_db)
    assert error_db <= 0.5 * scale.step_db(thresholded=thresholded) + 1e-9


@given(grey_scales(), st.booleans())
def test_every_grey_level_comes_back(scale: GreyScale, thresholded: bool) -> None:
    levels = np.arange(256, dtype=np.uint8)
    back = scale.to_grey(scale.to_path_loss_db(levels, thresholded=thresholded), thresholded=thresholded)
    np.testing.assert_array_equal(back, levels)


@given(grey_scales(), st.booleans(), st.floats(-50, 400), st.floats(-50, 400))
def test_more_loss_is_never_brighter(scale: GreyScale, thresholded: bool, first_db: float, second_db: float) -> None:
    assume(first_db <= second_db)
    first, second = scale.to_grey([first_db, second_db], thresholded=thresholded)
    assert first >= second
