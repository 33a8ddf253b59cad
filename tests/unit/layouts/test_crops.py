"""Crops of larger scenes."""

import numpy as np
import pytest
import shapely

from radiodiff.errors import LayoutError
from radiodiff.layouts import (
    CitySettings,
    CropSettings,
    SceneSource,
    count_windows,
    crop_scenes,
    cut_layouts,
    generate_city,
)
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


HOUSES = [Footprint(shapely.box(x, y, x + 10.0, y + 8.0), 3.0 + x) for x in range(0, 90, 15) for y in range(0, 70, 12)]
TOWN = SceneSource("town", Scene.from_footprints(Grid(70, 96), HOUSES, source="town.obj"), "mine")


def test_layouts_are_windows_of_the_scene():
    settings = CropSettings(size=32, stride=16, coverage=(0.0, 1.0))
    found = list(cut_layouts(TOWN, settings))
    corners = [(row, col) for row in (0, 16, 32) for col in range(0, 65, 16)]
    assert [(one.row, one.col) for one in found] == corners
    assert count_windows(TOWN, settings) == len(corners) == 15
    assert found[6].name == "town_r0016_c0016"
    assert {(one.city, one.licence, one.scene.grid) for one in found} == {("town", "mine", Grid(32, 32))}
    for one in found:
        part = np.s_[one.row : one.row + 32, one.col : one.col + 32]
        assert np.array_equal(one.scene.buildings, TOWN.scene.buildings[part])
        assert np.array_equal(one.scene.roof_height_m, TOWN.scene.roof_height_m[part])


def test_windows_that_do_not_fit_are_passed_over():
    found = list(cut_layouts(TOWN, CropSettings(size=16, stride=16, coverage=(0.5, 0.6))))
    shares = [
        TOWN.scene.buildings[row : row + 16, col : col + 16].mean()
        for row in range(0, 55, 16)
        for col in range(0, 81, 16)
    ]
    assert [one is not None for one in found] == [0.5 <= share <= 0.6 for share in shares]
    assert 0 < sum(one is None for one in found) < len(found)


def test_cells_of_another_size():
    scene = Scene.from_footprints(Grid(35, 48, 2.0), HOUSES)
    (one,) = cut_layouts(SceneSource("town", scene, ""), CropSettings(size=30, stride=30, coverage=(0.0, 1.0)))
    assert one.scene.grid == Grid(30, 30, 2.0)
    assert np.array_equal(one.scene.buildings, scene.buildings[:30, :30])


def test_slivers_at_the_border_are_no_buildings():
    houses = [Footprint(shapely.box(15.9, 2, 20, 12), 5.0), Footprint(shapely.box(2, 15.05, 2.9, 20), 5.0)]
    scene = Scene.from_footprints(Grid(16, 16), [*houses, Footprint(shapely.box(5, 5, 9, 9), 5.0)])
    (one,) = cut_layouts(SceneSource("town", scene, ""), CropSettings(size=16, stride=16, coverage=(0.0, 1.0)))
    assert [footprint.polygon.bounds for footprint in one.scene.footprints] == [(5, 5, 9, 9)]


@pytest.mark.parametrize(
    ("scene", "rule"),
    [
        (Scene(Grid(40, 40), np.zeros((40, 40), dtype=bool)), "without outlines"),
        (Scene.from_footprints(Grid(40, 40), [Footprint(shapely.box(0, 0, 9, 9))]), "without some heights"),
        (Scene.empty(Grid(20, 40)), r"within the scene of 20 x 40 cells \(empty\); got 32 x 32"),
    ],
)
def test_scenes_that_cannot_be_cut(scene, rule):
    with pytest.raises(LayoutError, match=rule):
        cut_layouts(SceneSource("town", scene, ""), CropSettings(size=32, stride=32))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"size": 0}, "size of crops must be at least 1"),
        ({"stride": 0}, "stride"),
        ({"coverage": (0.6, 0.1)}, "coverage"),
        ({"coverage": (0.1, 1.1)}, "coverage"),
    ],
)
def test_settings_that_are_refused(changes, rule):
    with pytest.raises(LayoutError, match=rule):
        CropSettings(**changes)
