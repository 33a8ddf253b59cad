"""Settings of the city generator."""

import math

import pytest

from radiodiff.errors import GridError, LayoutError
from radiodiff.layouts import MIXED, STYLES, CitySettings


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"rows": 20}, "at least 48 m"),
        ({"cell_size_m": 0.1}, "at least 48 m"),
        ({"style": "perimetre"}, "known one"),
        ({"cars_per_hectare": -1.0}, "cars per hectare"),
        ({"cars_per_hectare": math.nan}, "cars per hectare"),
        ({"coverage": (0.5, 0.2)}, "CitySettings.coverage"),
        ({"coverage": (0.2, 1.2)}, "CitySettings.coverage"),
        ({"coverage": (math.nan, 0.5)}, "CitySettings.coverage"),
        ({"coverage": (0.2, 0.2)}, "span at least"),
        ({"coverage": (0.3, 0.9)}, "within 0.1..0.6"),
        ({"coverage": (0.1, 0.5), "style": "houses"}, "'houses' must lie within 0.1..0.22"),
        ({"street_width_m": (1.0, 9.0)}, "CitySettings.street_width_m"),
        ({"angle_deg": (0.0, 400.0)}, "CitySettings.angle_deg"),
        ({"height_m": (0.0, 9.0)}, "CitySettings.height_m"),
        ({"height_m": (9.0,)}, "CitySettings.height_m"),
        ({"rows": 100_000, "cols": 100_000}, "at most 64,000,000 cells"),
    ],
)
def test_bad_value_is_named(given, rule):
    with pytest.raises(LayoutError, match=rule):
        CitySettings(**given)


def test_bad_grid_is_the_grids_own_error():
    with pytest.raises(GridError):
        CitySettings(rows=0)


def test_styles_together_reach_10_to_60_percent_without_a_gap():
    assert CitySettings(style=MIXED).coverage_range == (0.10, 0.60)
    covered = 0.10
    for low, high in sorted(style.coverage for style in STYLES.values()):
        assert low <= covered
        covered = max(covered, high)
