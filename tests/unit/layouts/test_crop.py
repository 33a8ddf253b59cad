"""Crops of larger scenes."""

import numpy as np
import pytest
import shapely

from radiodiff.errors import LayoutError
from radiodiff.layouts import CitySettings, crop_scenes, generate_city
from radiodiff.scene import Footprint, Grid, Scene


@pytest.fixture(scope="module")
def city():
    return generate_city(CitySettings(rows=256, cols=320, style="perimeter"), 2)


def test_crops_equal_slices_of_the_raster(city):
    crops = list(crop_scenes(city, 128, 128, stride=64, coverage=(0.0, 1.0)))
    corners = [(row, col) for row in (0, 64, 128) for col in (0, 64, 128, 192)]
    assert len(crops) == len(corners)
    for crop, (row, col) in zip(crops, corners, strict=True):
        assert crop.grid.shape == (128, 128)
        assert np.array_equal(crop.buildings, city.buildings[row : row + 128, col : col + 128])
        assert np.array_equal(crop.cars, city.cars[row : row + 128, col : col + 128])


def test_outlines_are_cut_at_the_border_and_give_the_same_raster(city):
    for crop in crop_scenes(city, 100, 90, stride=77, coverage=(0.0, 1.0)):
        shapes = np.array([footprint.polygon for footprint in crop.footprints])
        bounds = shapely.bounds(shapes)
        assert bounds[:, :2].min() >= 0
        assert bounds[:, 2].max() <= 90
        assert bounds[:, 3].max() <= 100
        assert np.array_equal(Scene.from_footprints(crop.grid, crop.footprints).buildings, crop.buildings)


def test_coverage_filters():
    scene = Scene.from_footprints(
        Grid(10, 30), [Footprint(shapely.box(10, 0, 15, 10)), Footprint(shapely.box(20, 0, 30, 10))]
    )
    assert [crop.coverage for crop in crop_scenes(scene, 10, 10, stride=10, coverage=(0.0, 1.0))] == [0.0, 0.5, 1.0]
    assert [crop.coverage for crop in crop_scenes(scene, 10, 10, stride=10)] == [0.5]


@pytest.mark.parametrize(
    ("rows", "stride", "coverage", "rule"),
    [
        (300, 1, (0.0, 1.0), "must lie within"),
        (0, 1, (0.0, 1.0), "must lie within"),
        (10, 0, (0.0, 1.0), "stride"),
        (10, 1, (0.6, 0.1), "coverage"),
        (10, 1, (0.0, float("nan")), "coverage"),
    ],
)
def test_bad_arguments_fail_at_the_call(rows, stride, coverage, rule):
    with pytest.raises(LayoutError, match=rule):
        crop_scenes(Scene.empty(Grid(20, 20)), rows, 10, stride=stride, coverage=coverage)
