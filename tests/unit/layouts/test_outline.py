"""Outlines of blocks."""

import numpy as np
import pytest
import shapely

from radiodiff.layouts.outline import Outline, cut_by_line
from radiodiff.layouts.plans import angled, bar, comb, h_shape, house, slab, u_shape
from radiodiff.layouts.spacing import keep_apart

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])


@pytest.mark.parametrize("ring", [SQUARE, SQUARE[::-1]])
def test_inward_points_into_the_block(ring):
    outline = Outline.of(ring)
    assert len(outline.sides) == 4
    for start_m, end_m in outline.sides:
        frame = outline.frame(start_m, end_m)
        assert outline.polygon.contains(shapely.Point(frame.origin + frame.inward))


def test_points_go_round():
    outline = Outline.of(SQUARE)
    assert outline.at(45.0).tolist() == outline.at(5.0).tolist() == [5.0, 0.0]
    assert outline.at([5.0, 15.0]).shape == (2, 2)
    assert outline.stretch(38.0, 52.0).tolist() == [[0.0, 2.0], [0.0, 0.0], [10.0, 0.0], [10.0, 2.0]]


def test_round_block_is_one_frontage():
    angles = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    outline = Outline.of(50.0 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert len(outline.sides) == 1
    assert np.isfinite(outline.main_frame.along).all()


def test_cut_keeps_the_side_of_the_normal():
    half = cut_by_line(SQUARE, np.array([4.0, 0.0]), np.array([1.0, 0.0]))
    assert shapely.Polygon(half).bounds == (4.0, 0.0, 10.0, 10.0)
    assert len(cut_by_line(SQUARE, np.array([20.0, 0.0]), np.array([1.0, 0.0]))) == 0


@pytest.mark.parametrize("plan", [angled, u_shape, h_shape, comb])
def test_compound_plans_are_simple_and_keep_their_size(plan):
    shape = shapely.Polygon(plan(60.0, 30.0, 10.0))
    assert shape.is_valid
    assert shape.bounds == (-30.0, 0.0, 30.0, 30.0)
    assert shape.area < shapely.Polygon(bar(60.0, 30.0)).area


@pytest.mark.parametrize("seed", range(20))
def test_houses_and_slabs_are_simple_and_keep_their_size(seed):
    rng = np.random.default_rng(seed)
    for shape in (shapely.Polygon(house(12.0, 10.0, rng)), shapely.Polygon(slab(60.0, 12.0, rng))):
        assert shape.is_valid
        assert shape.bounds[0] == -shape.bounds[2]
        assert shape.bounds[1] == 0.0


def test_keep_apart_prefers_the_earlier():
    shapes = np.array([shapely.box(x, 0, x + 1, 1) for x in (0.0, 1.5, 3.0, 3.2)])
    assert keep_apart(shapes, 0.0) == [0, 1, 2]
    assert keep_apart(shapes, 1.0) == [0, 2]
