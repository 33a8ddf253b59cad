"""Outlines that do not overlap."""

import numpy as np
import pytest
import shapely
from shapely import box

from radiodiff.formats.building_plan import separate_footprints


def plan(*shapes_and_heights):
    shapes, heights = zip(*shapes_and_heights, strict=True)
    return [(footprint.polygon, footprint.height_m) for footprint in separate_footprints(shapes, heights)]


def test_nothing_gives_nothing() -> None:
    assert separate_footprints([], []) == []


def test_touching_buildings_stay_two() -> None:
    found = plan((box(0, 0, 10, 10), 5.0), (box(10, 2, 20, 8), 5.0))
    assert [(shape.bounds, height) for shape, height in found] == [((0, 0, 10, 10), 5.0), ((10, 2, 20, 8), 5.0)]
    assert sum(shape.area for shape, _ in found) == 160


def test_the_higher_one_keeps_the_ground() -> None:
    found = {height: shape for shape, height in plan((box(0, 0, 20, 20), 8.0), (box(5, 5, 10, 10), 30.0))}
    assert found[30.0].equals(box(5, 5, 10, 10))
    assert found[8.0].equals(box(0, 0, 20, 20) - box(5, 5, 10, 10))


def test_a_lower_one_inside_a_higher_one_is_gone() -> None:
    assert [height for _, height in plan((box(0, 0, 20, 20), 8.0), (box(5, 5, 10, 10), 3.0))] == [8.0]


def test_of_equals_the_first_keeps_the_ground() -> None:
    found = plan((box(0, 0, 10, 10), 5.0), (box(5, 0, 15, 10), 5.0))
    assert [shape.bounds for shape, _ in found] == [(0, 0, 10, 10), (10, 0, 15, 10)]


def test_what_is_cut_in_two_becomes_two() -> None:
    found = plan((box(0, 0, 30, 5), 5.0), (box(10, -5, 20, 10), 9.0))
    assert sorted((shape.bounds, height) for shape, height in found) == [
        ((0, 0, 10, 5), 5.0),
        ((10, -5, 20, 10), 9.0),
        ((20, 0, 30, 5), 5.0),
    ]


@pytest.mark.parametrize(("gap_m", "area_m2"), [(0.25, 202.5), (0.75, 200.0)])
def test_a_slit_between_neighbours_is_closed_and_an_alley_is_not(gap_m: float, area_m2: float) -> None:
    found = plan((box(0, 0, 10, 10), 5.0), (box(10 + gap_m, 0, 20 + gap_m, 10), 7.0))
    assert len(found) == 2
    assert sum(shape.area for shape, _ in found) == area_m2


def test_a_thin_remainder_goes_to_the_neighbour() -> None:
    found = plan((box(0, 0, 10.125, 10), 5.0), (box(0, 0, 10, 10), 9.0))
    assert [(shape.bounds, height) for shape, height in found] == [((0, 0, 10.125, 10), 9.0)]


def test_a_thin_thing_on_its_own_is_no_building() -> None:
    assert [height for _, height in plan((box(0, 0, 10, 10), 5.0), (box(30, 0, 30.125, 10), 9.0))] == [5.0]


def test_a_courtyard_stays_and_a_slit_inside_does_not() -> None:
    block = box(0, 0, 30, 30) - box(5, 5, 15, 15) - box(20, 5, 20.25, 15)
    ((shape, _),) = plan((block, 12.0))
    assert shape.equals(box(0, 0, 30, 30) - box(5, 5, 15, 15))


def test_random_polygons_become_a_partition_of_their_union() -> None:
    rng = np.random.default_rng(5)
    centres = rng.uniform(0, 100, (60, 1, 2))
    angles = np.sort(rng.uniform(0, 2 * np.pi, (60, 7)), axis=1)
    radii = rng.uniform(4, 15, (60, 7))
    rings = centres + np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)
    shapes = shapely.make_valid(shapely.polygons(rings))
    heights = rng.uniform(3, 40, 60)
    found = separate_footprints(shapes, heights)
    parts = np.array([footprint.polygon for footprint in found])
    union = shapely.union_all(shapes)
    # Only closed slits and rounding to 1/64 m change the union; nothing overlaps.
    assert shapely.union_all(parts).area == pytest.approx(shapely.area(parts).sum(), rel=1e-9)
    assert shapely.symmetric_difference(shapely.union_all(parts), union).area < 0.005 * union.area
    points = rng.uniform(0, 100, (4000, 2))
    cover = shapely.contains_xy(shapes[:, None], points[:, 0], points[:, 1])
    highest = np.where(cover, heights[:, None], 0.0).max(axis=0)
    values = np.array([footprint.height_m for footprint in found])
    mine = np.where(shapely.contains_xy(parts[:, None], points[:, 0], points[:, 1]), values[:, None], 0.0).max(axis=0)
    assert (highest == mine).mean() > 0.99


def test_the_order_of_the_shapes_does_not_change_the_ground() -> None:
    shapes = [box(0, 0, 20, 20), box(10, 10, 30, 30), box(15, -5, 25, 12)]
    heights = [5.0, 9.0, 7.0]
    turned = separate_footprints(shapes[::-1], heights[::-1])
    assert {(f.polygon.wkt, f.height_m) for f in turned} == {
        (f.polygon.wkt, f.height_m) for f in separate_footprints(shapes, heights)
    }
