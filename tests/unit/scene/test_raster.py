import numpy as np
import pytest
from shapely import LineString, MultiPolygon, Point, Polygon, box

from radiodiff.errors import SceneError
from radiodiff.scene import Grid, clean_footprints, rasterize

BOW_TIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


def test_no_polygons_fill_nothing() -> None:
    assert not rasterize(Grid(2, 3), []).any()


def test_a_cell_is_filled_where_its_centre_is_inside() -> None:
    filled = rasterize(Grid(3, 4), [box(0.6, 0.4, 2.6, 1.6)])
    np.testing.assert_array_equal(np.argwhere(filled), [[0, 1], [0, 2], [1, 1], [1, 2]])


def test_polygons_are_in_metres() -> None:
    filled = rasterize(Grid(3, 4, 0.5), [box(0.5, 0.5, 1.0, 1.5)])
    np.testing.assert_array_equal(np.argwhere(filled), [[1, 1], [2, 1]])


def test_courtyards_stay_open() -> None:
    ring = Polygon(box(0, 0, 5, 5).exterior.coords, [box(1, 1, 4, 4).exterior.coords])
    filled = rasterize(Grid(5, 5), [ring])
    assert filled.sum() == 16
    assert not filled[1:4, 1:4].any()


@pytest.mark.parametrize("cut", [1.0, 1.5, 2.0])
def test_neighbours_never_share_a_cell(cut: float) -> None:
    grid = Grid(3, 4)
    upright = [rasterize(grid, [part]) for part in (box(0, 0, cut, 3), box(cut, 0, 4, 3))]
    level = [rasterize(grid, [part]) for part in (box(0, 0, 4, cut), box(0, cut, 4, 3))]
    for first, second in (upright, level):
        assert not (first & second).any()
        assert (first | second).all()


def test_a_centre_on_the_outline_is_inside_on_the_left_and_lower_side() -> None:
    filled = rasterize(Grid(3, 3), [box(0.5, 0.5, 1.5, 1.5)])
    np.testing.assert_array_equal(np.argwhere(filled), [[1, 0]])


def test_the_sample_point_can_move() -> None:
    shape = box(1.1, 1.1, 2.1, 2.1)
    np.testing.assert_array_equal(np.argwhere(rasterize(Grid(4, 4), [shape])), [[1, 1]])
    moved = rasterize(Grid(4, 4), [shape], sample_offset=(-0.45, -0.45))
    np.testing.assert_array_equal(np.argwhere(moved), [[2, 2]])


def test_clean_shapes_stay_as_they_are() -> None:
    footprints, num_repaired = clean_footprints([box(0, 0, 1, 1), box(2, 2, 3, 3)], [10.0, None])
    assert num_repaired == 0
    assert [footprint.height_m for footprint in footprints] == [10.0, None]
    assert footprints[0].polygon.equals(box(0, 0, 1, 1))


def test_a_self_crossing_ring_is_repaired_and_counted() -> None:
    footprints, num_repaired = clean_footprints([BOW_TIE], [12.0])
    assert num_repaired == 1
    assert [footprint.polygon.area for footprint in footprints] == [1.0, 1.0]
    assert all(footprint.height_m == 12.0 for footprint in footprints)


def test_parts_of_a_multi_polygon_are_footprints_of_their_own() -> None:
    footprints, num_repaired = clean_footprints([MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)])])
    assert num_repaired == 0
    assert len(footprints) == 2
    assert footprints[0].height_m is None


def test_shapes_without_an_area_are_dropped() -> None:
    flat = Polygon([(0, 0), (1, 1), (2, 2)])
    footprints, _ = clean_footprints([LineString([(0, 0), (1, 1)]), Point(1, 1), flat, Polygon()])
    assert footprints == ()


def test_every_shape_has_a_height_or_none_has() -> None:
    with pytest.raises(SceneError, match="one height"):
        clean_footprints([BOW_TIE], [1.0, 2.0])
