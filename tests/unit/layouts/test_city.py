"""The city generator: coverage, geometry, repetition."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import shapely

from radiodiff.errors import LayoutError
from radiodiff.layouts import STYLES, CitySettings, generate_city

SEEDS = range(12)


def polygons(footprints):
    return np.array([footprint.polygon for footprint in footprints], dtype=object)


def touching_pairs(first, second):
    left, right = shapely.STRtree(second).query(first, predicate="intersects")
    return [
        pair for pair in zip(left.tolist(), right.tolist(), strict=True) if first is not second or pair[0] < pair[1]
    ]


def fingerprint(scene):
    outlines = b"".join(shapely.to_wkb(polygons(scene.footprints)).tolist())
    cars = b"".join(shapely.to_wkb(polygons(scene.car_footprints)).tolist())
    heights = tuple(footprint.height_m for footprint in scene.footprints)
    return scene.buildings.tobytes(), scene.cars.tobytes(), outlines, cars, heights


def fingerprint_of(seed):
    return fingerprint(generate_city(CitySettings(rows=128, cols=128), seed))


@pytest.fixture(scope="module", params=STYLES)
def scenes(request):
    settings = CitySettings(style=request.param)
    return settings, [generate_city(settings, seed) for seed in SEEDS]


def test_coverage_is_in_range_and_varies(scenes):
    settings, drawn = scenes
    low, high = settings.coverage_range
    shares = [scene.coverage for scene in drawn]
    assert all(low <= share <= high for share in shares)
    assert max(shares) - min(shares) > 0.3 * (high - low)


def test_footprints_are_valid_apart_and_on_the_map(scenes):
    settings, drawn = scenes
    for scene in drawn:
        shapes = polygons(scene.footprints)
        assert shapely.is_valid(shapes).all()
        assert touching_pairs(shapes, shapes) == []
        bounds = shapely.bounds(shapes)
        assert bounds.min() >= 0
        assert bounds.max() <= settings.cols
        assert all(footprint.height_m >= 4.0 for footprint in scene.footprints)


def test_some_buildings_go_on_beyond_the_border(scenes):
    _, drawn = scenes
    cut = [shapely.bounds(polygons(scene.footprints)) for scene in drawn]
    share = np.mean([((bounds <= 0) | (bounds >= 256)).any(axis=1).mean() for bounds in cut])
    assert share > 0.1


def test_cars_stand_apart_on_free_ground(scenes):
    _, drawn = scenes
    for scene in drawn:
        cars = polygons(scene.car_footprints)
        assert 30 <= len(cars) <= 92
        assert touching_pairs(cars, polygons(scene.footprints)) == []
        assert touching_pairs(cars, cars) == []
        assert not (scene.cars & scene.buildings).any()
        # Axis-aligned on whole cells: each car covers 2 x 4 cells.
        assert scene.cars.sum() == 8 * len(cars)


def test_same_seed_same_bits_in_another_process():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = list(pool.map(fingerprint_of, range(3)))
    assert elsewhere == [fingerprint_of(seed) for seed in range(3)]


def test_different_seeds_differ():
    assert len({fingerprint_of(seed)[0] for seed in [*SEEDS, (0, 1), (1, 0)]}) == len(SEEDS) + 2


def test_cars_do_not_move_buildings():
    with_cars = generate_city(CitySettings(), 5)
    without = generate_city(CitySettings(cars_per_hectare=0.0), 5)
    assert without.cars is None
    assert np.array_equal(with_cars.buildings, without.buildings)


def test_radiomapseer_style_has_the_size_of_the_real_layouts():
    drawn = [generate_city(CitySettings(style="radiomapseer"), seed) for seed in range(40)]
    counts = [len(scene.footprints) for scene in drawn]
    corners = [shapely.get_num_coordinates(polygons(scene.footprints)).sum() - len(scene.footprints) for scene in drawn]
    assert 0.15 < np.mean([scene.coverage for scene in drawn]) < 0.25
    assert 20 < np.median(counts) < 60
    assert 100 < np.median(corners) < 300


@pytest.mark.parametrize("low", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_mixed_meets_a_narrow_range(low):
    settings = CitySettings(rows=160, cols=160, coverage=(low, low + 0.05))
    for seed in range(4):
        assert low <= generate_city(settings, seed).coverage <= low + 0.05


@pytest.mark.parametrize("seed", [124, 965])
def test_offsets_that_cross_themselves_are_repaired(seed):
    # A sharp-cornered offset of a block of these scenes is not a valid polygon.
    scene = generate_city(CitySettings(style="old_town"), seed)
    assert shapely.is_valid(polygons(scene.footprints)).all()


def test_other_sizes_and_cells():
    scene = generate_city(CitySettings(rows=200, cols=120, cell_size_m=0.5, cars_follow_streets=True), 3)
    assert scene.grid.shape == scene.buildings.shape == (200, 120)
    assert shapely.bounds(polygons(scene.footprints)).max() <= 100.0
    assert touching_pairs(polygons(scene.car_footprints), polygons(scene.footprints)) == []


def test_heights_and_angle_can_be_set():
    settings = CitySettings(style="grid", angle_deg=(0.0, 0.0), height_m=(25.0, 25.0))
    scene = generate_city(settings, 0)
    assert {footprint.height_m for footprint in scene.footprints} == {25.0}
    rectangles = [footprint.polygon for footprint in scene.footprints if len(footprint.polygon.exterior.coords) == 5]
    assert rectangles
    assert all(shape.area == pytest.approx(shape.envelope.area, rel=0.02) for shape in rectangles)


def test_unreachable_coverage_says_what_was_reached():
    settings = CitySettings(style="houses", street_width_m=(70.0, 80.0), coverage=(0.2, 0.22))
    with pytest.raises(LayoutError, match=r"'houses' must reach .* got 0\.\d+\.\.0\.\d+ in 24 attempts"):
        generate_city(settings, 1)


@pytest.mark.parametrize("seed", [-1, 1.5, "7", (), (1, -2), None])
def test_bad_seed(seed):
    with pytest.raises(LayoutError, match="seed must be"):
        generate_city(CitySettings(), seed)
