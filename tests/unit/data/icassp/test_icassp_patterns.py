import numpy as np
import pytest

from radiodiff.data.icassp.pattern_analysis import analyse_pattern
from radiodiff.data.icassp.pattern_table import find_patterns
from radiodiff.errors import DataSetError
from radiodiff.scene import SectorAntenna, TableAntenna

DEG = np.arange(360)
TURNS = [0, 1, 17, 180, 337, 359]


def table(gains_db, turn=0):
    return TableAntenna(tuple(np.roll(gains_db, turn).tolist()))


def cosine_power(exponent, back_db=-60.0):
    """|cos|^exponent over the front half-plane."""
    front = np.maximum(np.cos(np.radians(DEG)), 1e-9) ** exponent
    return np.maximum(10.0 * np.log10(front), back_db)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("exponent", [1, 2, 4, 10])
def test_cosine_powers_have_the_beam_of_their_closed_form(exponent, turn):
    """-3 dB at arccos(10^(-0.3 / n)): for cos^2 that is 45 degrees to a seventh of a degree."""
    report = analyse_pattern(table(cosine_power(exponent), turn))
    assert report.beam_width_deg == pytest.approx(2 * np.degrees(np.arccos(10 ** (-0.3 / exponent))), abs=0.02)
    if exponent == 2:
        assert report.beam_width_deg == pytest.approx(90.0, abs=0.3)
    assert report.peak_deg == turn
    assert report.range_db == report.front_to_back_db == pytest.approx(60.0)
    first, last = report.beam_deg
    assert (turn - first) % 360 == pytest.approx((last - turn) % 360)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("width", [10.0, 65.0, 120.0])
def test_sector_antennas_have_the_width_they_were_given(width, turn):
    report = analyse_pattern(table(SectorAntenna(width, 25.0).relative_gain_db(DEG), turn))
    assert report.beam_width_deg == pytest.approx(width, abs=0.05)
    assert report.front_to_back_db == pytest.approx(25.0)


def test_an_absolute_gain_changes_nothing():
    gains_db = SectorAntenna().relative_gain_db(DEG)
    assert analyse_pattern(table(gains_db)).beam_width_deg == pytest.approx(
        analyse_pattern(table(gains_db + 14.0)).beam_width_deg
    )


def test_a_lopsided_beam_has_two_different_sides():
    gains_db = np.where(DEG <= 180, -DEG * 0.3, -(360 - DEG) * 0.1)
    report = analyse_pattern(table(gains_db))
    assert report.beam_deg == pytest.approx((330.0, 10.0))
    assert report.beam_width_deg == pytest.approx(40.0)


@pytest.mark.parametrize("turn", TURNS)
def test_a_beam_that_one_direction_ends_is_the_whole_circle(turn):
    report = analyse_pattern(table(np.where(DEG == 180, -3.0, 0.0), turn))
    assert report.beam_width_deg == 360.0
    first, last = report.beam_deg
    assert first == last == (180 + turn) % 360


def test_front_to_back_is_at_180_degrees_and_not_the_range():
    gains_db = np.full(360, -20.0)
    gains_db[[10, 190, 250]] = (0.0, -8.0, -35.0)
    report = analyse_pattern(table(gains_db))
    assert (report.front_to_back_db, report.range_db) == (8.0, 35.0)


@pytest.mark.parametrize(
    ("range_db", "kind"),
    [
        (0.0, "omnidirectional"),
        (2.9, "omnidirectional"),
        (3.0, "weakly directional"),
        (9.9, "weakly directional"),
        (10.0, "moderately directional"),
        (20.0, "highly directional"),
        (30.0, "extremely directional"),
        (51.6, "extremely directional"),
    ],
)
def test_classes_follow_the_range(range_db, kind):
    report = analyse_pattern(table(-range_db / 2 * (1 - np.cos(np.radians(DEG)))))
    assert report.kind == kind
    # Where no direction has half the power, there is no beam.
    assert (report.beam_width_deg is None) == (kind == "omnidirectional")


def test_patterns_are_found_in_a_data_set_and_in_a_folder(fake_root, tmp_path):
    names = ["Ant1_Pattern.csv", "Ant2_Pattern.csv"]
    assert [path.name for path in find_patterns(fake_root)] == names
    assert [path.name for path in find_patterns(fake_root / "Radiation_Patterns")] == names
    with pytest.raises(DataSetError, match="which holds none"):
        find_patterns(tmp_path)
    with pytest.raises(DataSetError, match="which is no folder"):
        find_patterns(tmp_path / "absent")
