import numpy as np
import pytest

from radiodiff.data.icassp.azimuth import AZIMUTH_CONVENTIONS, DEFAULT_CONVENTION, pattern_angle_deg
from radiodiff.data.icassp.free_space_loss import free_space_loss_db, pattern_loss_db, pixel_distance_m
from radiodiff.errors import InputError
from radiodiff.scene import TableAntenna

SHAPE, TX = (41, 61), (20, 30)
TOWARDS = {"right": (20, 50), "down": (38, 30), "left": (20, 10), "up": (2, 30)}
"""Pixels straight away from the transmitter."""
CLOCKWISE = ["right", "down", "left", "up"]

OMNI = TableAntenna((3.0,) * 360)
BEAM = TableAntenna(tuple(10.0 * np.cos(np.radians(np.arange(360))) + 0.01 * np.arange(360)))


def test_the_default_is_the_sample_code_of_the_data_set():
    """Row of the pattern there: -atan2(tx_y - y, tx_x - x) in degrees + 180 + azimuth, x right and y down."""
    y, x = np.indices(SHAPE)
    sample_code = -np.degrees(np.arctan2(TX[0] - y, TX[1] - x)) + 180 + 77
    difference = (pattern_angle_deg(SHAPE, TX, 77.0) - sample_code + 180) % 360 - 180
    difference[TX] = 0.0
    np.testing.assert_allclose(difference, 0.0, atol=1e-9)


@pytest.mark.parametrize("convention", AZIMUTH_CONVENTIONS)
def test_each_convention_means_what_its_name_says(convention):
    zero, turn, pattern_turn = convention.split("-")
    at = CLOCKWISE.index(zero)
    assert pattern_angle_deg(SHAPE, TX, 0.0, convention)[TOWARDS[zero]] == pytest.approx(0.0)
    turned = CLOCKWISE[(at + (1 if turn == "cw" else -1)) % 4]
    assert pattern_angle_deg(SHAPE, TX, 90.0, convention)[TOWARDS[turned]] == pytest.approx(0.0)
    next_row = CLOCKWISE[(at + (1 if pattern_turn == "cw" else -1)) % 4]
    assert pattern_angle_deg(SHAPE, TX, 0.0, convention)[TOWARDS[next_row]] == pytest.approx(90.0)


def test_an_unknown_convention_is_refused():
    with pytest.raises(InputError, match="named <right"):
        pattern_angle_deg(SHAPE, TX, 0.0, "north-cw-cw")


def test_free_space_follows_friis():
    """32.45 dB at 1 km and 1 MHz, 20 dB per decade of distance and of frequency."""
    loss_db = free_space_loss_db((1, 401), (0, 0), 3.5e9, OMNI, 0.0)
    for col, distance_km in ((4, 0.001), (40, 0.01), (400, 0.1)):
        expected_db = 32.45 + 20 * np.log10(3500) + 20 * np.log10(distance_km)
        assert loss_db[0, col] == pytest.approx(expected_db, abs=0.01)


def test_the_transmitters_own_pixel_counts_as_a_tenth_of_a_metre():
    loss_db = free_space_loss_db((1, 5), (0, 0), 868e6, OMNI, 0.0)
    assert loss_db[0, 4] - loss_db[0, 0] == pytest.approx(20.0)


def test_distances_are_those_of_pixel_centres():
    assert pixel_distance_m((5, 5), (0, 0))[4, 3] == pytest.approx(1.25)
    assert pixel_distance_m((5, 5), (-4, 0))[0, 3] == pytest.approx(1.25)


def test_the_pattern_adds_what_it_lacks_of_its_maximum():
    loss_db = pattern_loss_db(SHAPE, TX, BEAM, 0.0)
    assert loss_db.min() >= 0.0
    assert loss_db[TOWARDS["right"]] == pytest.approx(max(BEAM.gains_db) - BEAM.gains_db[0])
    assert loss_db[TOWARDS["up"]] == pytest.approx(max(BEAM.gains_db) - BEAM.gains_db[90])
    both_db = free_space_loss_db(SHAPE, TX, 1.8e9, BEAM, 0.0)
    np.testing.assert_allclose(both_db - free_space_loss_db(SHAPE, TX, 1.8e9, OMNI, 0.0), loss_db)


def test_between_degrees_gains_are_linear_in_decibels():
    loss_db = pattern_loss_db((3, 121), (1, 0), BEAM, -0.25, "right-cw-cw")
    expected_db = max(BEAM.gains_db) - (0.75 * BEAM.gains_db[0] + 0.25 * BEAM.gains_db[1])
    assert loss_db[1, 100] == pytest.approx(expected_db)


def test_a_pattern_takes_at_most_100_db():
    deep = TableAntenna((0.0,) * 180 + (-300.0,) * 180)
    loss_db = pattern_loss_db(SHAPE, TX, deep, 0.0, DEFAULT_CONVENTION)
    assert loss_db.max() == 100.0
