import numpy as np
import pytest

from radiodiff.units import (
    db_to_ratio,
    dbm_to_watt,
    free_space_path_loss_db,
    noise_power_dbm,
    ratio_to_db,
    watt_to_dbm,
)


@pytest.mark.parametrize(("value_db", "ratio"), [(0.0, 1.0), (10.0, 10.0), (-30.0, 1e-3), (3.0103, 2.0)])
def test_decibels_and_ratios(value_db: float, ratio: float) -> None:
    assert db_to_ratio(value_db) == pytest.approx(ratio, rel=1e-5)
    assert ratio_to_db(ratio) == pytest.approx(value_db, abs=1e-4)


@pytest.mark.parametrize(("power_dbm", "power_w"), [(0.0, 1e-3), (30.0, 1.0), (23.0, 0.19953), (-104.0, 3.9811e-14)])
def test_dbm_and_watt(power_dbm: float, power_w: float) -> None:
    assert dbm_to_watt(power_dbm) == pytest.approx(power_w, rel=1e-4)
    assert watt_to_dbm(power_w) == pytest.approx(power_dbm, abs=1e-3)


def test_arrays_keep_their_shape() -> None:
    values = np.array([[-10.0, 0.0, 10.0]])
    np.testing.assert_allclose(db_to_ratio(values), [[0.1, 1.0, 10.0]])
    np.testing.assert_allclose(ratio_to_db(db_to_ratio(values)), values)
    np.testing.assert_allclose(watt_to_dbm(dbm_to_watt(values)), values)


@pytest.mark.parametrize(
    ("distance_m", "frequency_hz", "loss_db"),
    [
        # ITU-R P.525-4, eq. 4: 32.4 + 20 log10 f_MHz + 20 log10 d_km, so 92.4 dB at 1 GHz and 1 km.
        (1000.0, 1e9, 92.4),
        (1.0, 1e9, 32.4),
        # Top of the grey window of RadioMapSeer (-47.84 dB at 1 m, 5.9 GHz; Yapar et al. 2022).
        (1.0, 5.9e9, 47.84),
    ],
)
def test_free_space_has_published_values(distance_m: float, frequency_hz: float, loss_db: float) -> None:
    assert free_space_path_loss_db(distance_m, frequency_hz) == pytest.approx(loss_db, abs=0.05)


def test_free_space_takes_arrays() -> None:
    losses_db = free_space_path_loss_db(np.array([1.0, 10.0, 100.0]), 2.4e9)
    np.testing.assert_allclose(losses_db, [40.052, 60.052, 80.052], atol=1e-3)


def test_thermal_noise_is_minus_174_dbm_per_hertz() -> None:
    # ITU-R P.372: -174 dBm/Hz at 290 K.
    assert noise_power_dbm(1.0) == pytest.approx(-173.975, abs=1e-3)
    # RadioMapSeer's receiver: 10 MHz.
    assert noise_power_dbm(10e6) == pytest.approx(-103.975, abs=1e-3)
    assert noise_power_dbm(10e6, noise_figure_db=7.0) == pytest.approx(-96.975, abs=1e-3)
    assert noise_power_dbm(10e6, temperature_k=580.0) == pytest.approx(-100.965, abs=1e-3)
