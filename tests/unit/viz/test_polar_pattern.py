import numpy as np
import pytest

from radiodiff.errors import InputError
from radiodiff.viz.polar_pattern import draw_polar_pattern

GAINS_DB = 7.0 - 12.0 * (1.0 - np.cos(np.radians(np.arange(360) - 20)))


def test_the_line_is_the_pattern_relative_to_its_maximum_and_closed():
    axes = draw_polar_pattern(GAINS_DB, title="Ant2").axes[0]
    angle, radius_db = axes.lines[0].get_data()
    assert radius_db.max() == 0.0
    assert np.degrees(angle[radius_db.argmax()]) == pytest.approx(20.0)
    np.testing.assert_allclose(radius_db[:-1], GAINS_DB - GAINS_DB.max())
    assert radius_db[0] == radius_db[-1]
    assert axes.get_title() == "Ant2"
    assert axes.get_xlabel() == "gain relative to the maximum [dB]"


def test_zero_is_at_the_top_and_angles_grow_clockwise():
    axes = draw_polar_pattern(GAINS_DB).axes[0]
    assert axes.get_theta_offset() == pytest.approx(np.pi / 2)
    assert axes.get_theta_direction() == -1


@pytest.mark.parametrize(("range_db", "span_db"), [(0.0, 10.0), (24.0, 30.0), (90.0, 40.0)])
def test_the_radius_follows_the_range_within_limits(range_db, span_db):
    axes = draw_polar_pattern(-range_db / 2 * (1 - np.cos(np.radians(np.arange(360))))).axes[0]
    assert axes.get_ylim()[0] == -span_db
    assert axes.lines[0].get_ydata().min() == pytest.approx(-min(range_db, span_db))


def test_a_beam_over_zero_is_shaded_the_short_way():
    axes = draw_polar_pattern(GAINS_DB, beam_deg=(350.0, 50.0)).axes[0]
    (shade,) = axes.collections
    angles_deg = np.degrees(shade.get_paths()[0].vertices[:, 0])
    assert angles_deg.min() == pytest.approx(350.0)
    assert angles_deg.max() == pytest.approx(410.0)
    assert "half-power beam" in axes.get_xlabel()


@pytest.mark.parametrize("gains_db", [np.zeros((4, 4)), np.zeros(3), np.array([0.0, np.nan, 0.0, 0.0])], ids=str)
def test_what_is_no_pattern_is_refused(gains_db):
    with pytest.raises(InputError, match="one row of at least four finite gains"):
        draw_polar_pattern(gains_db)
