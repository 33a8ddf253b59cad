"""Cells for transmitters."""

import numpy as np
import pytest
import shapely
from scipy.ndimage import binary_dilation

from radiodiff.errors import LayoutError
from radiodiff.layouts import CitySettings, draw_transmitter_cells, generate_city
from radiodiff.scene import Footprint, Grid, Scene, Transmitter


@pytest.mark.parametrize("seed", range(8))
def test_cells_are_free_distinct_and_central(seed):
    scene = generate_city(CitySettings(), seed)
    cells = draw_transmitter_cells(scene, 80, seed)
    assert len(set(cells)) == 80
    near = binary_dilation(scene.buildings, np.ones((3, 3)))
    for col, row in cells:
        assert 50 <= col <= 205
        assert 50 <= row <= 205
        assert not near[row, col]
        assert not scene.cars[row, col]
        scene.check_transmitter(Transmitter.at_cell(scene.grid, col, row))


def test_repeats_and_depends_on_the_seed():
    scene = generate_city(CitySettings(), 1)
    assert draw_transmitter_cells(scene, 20, 4) == draw_transmitter_cells(scene, 20, 4)
    assert draw_transmitter_cells(scene, 20, 4) != draw_transmitter_cells(scene, 20, 5)


def test_closed_courtyard_is_left_out():
    ring = shapely.box(10, 10, 40, 40) - shapely.box(15, 15, 35, 35)
    scene = Scene.from_footprints(Grid(50, 50), [Footprint(ring)])
    cells = draw_transmitter_cells(scene, 50 * 50 - 32 * 32, 0, margin_share=0.0)
    assert not any(10 < col < 40 and 10 < row < 40 for col, row in cells)


def test_margin_and_clearance():
    scene = Scene.from_footprints(Grid(20, 40), [Footprint(shapely.box(18, 8, 22, 12))])
    cells = draw_transmitter_cells(scene, 4 * 36 - 36, 0, margin_share=0.05, clearance_cells=7)
    assert {row for _, row in cells} <= set(range(1, 19))
    assert min(abs(col - 20) for col, _ in cells) >= 8


def test_too_few_cells_are_counted():
    scene = Scene.from_footprints(Grid(20, 20), [Footprint(shapely.box(0, 0, 20, 18))])
    with pytest.raises(LayoutError, match=r"must have 5 free cells .* got 0 cells"):
        draw_transmitter_cells(scene, 5, 0)


def test_fully_built_scene():
    scene = Scene(Grid(8, 8), np.ones((8, 8), dtype=bool))
    with pytest.raises(LayoutError, match="free cells"):
        draw_transmitter_cells(scene, 1, 0)


@pytest.mark.parametrize(
    "given", [{"count": 0}, {"margin_share": 0.5}, {"margin_share": float("nan")}, {"clearance_cells": -1}]
)
def test_bad_arguments(given):
    scene = Scene.empty(Grid(8, 8))
    with pytest.raises(LayoutError, match="Transmitter cells need"):
        draw_transmitter_cells(scene, given.pop("count", 1), 0, **given)
