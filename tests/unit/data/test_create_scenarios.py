"""Where the transmitters of a scenario stand, and how high."""

import numpy as np
import pytest
import shapely

from radiodiff.data.create import SCENARIOS, draw_transmitters
from radiodiff.errors import LayoutError
from radiodiff.layouts import CitySettings, draw_roof_cells, draw_transmitter_cells, generate_city
from radiodiff.scene import Footprint, Grid, Scene


@pytest.fixture(scope="module")
def city() -> Scene:
    return generate_city(CitySettings(rows=128, cols=128, coverage=(0.3, 0.5)), 3)


def cells(scene: Scene, txs: list) -> list[tuple[int, int]]:
    return [tx.cell(scene.grid)[::-1] for tx in txs]


def test_the_street_is_a_metre_above_the_receivers_and_radiomapseer_as_high(city: Scene) -> None:
    for scenario, height_m in (("radiomapseer", 1.5), ("street", 2.5)):
        txs = draw_transmitters(city, 12, scenario, (7, 1), frequency_hz=3.5e9)
        assert cells(city, txs) == draw_transmitter_cells(city, 12, (7, 1))
        assert {tx.height_m for tx in txs} == {height_m}
        assert {tx.frequency_hz for tx in txs} == {3.5e9}


@pytest.mark.parametrize("seed", range(4))
def test_rooftop_stands_three_metres_above_its_roof_or_all_roofs_near(city: Scene, seed: int) -> None:
    txs = draw_transmitters(city, 24, "rooftop", seed)
    assert len(set(cells(city, txs))) == 24
    heights_m = city.roof_height_m
    rows, cols = np.indices(heights_m.shape)
    num_masts = 0
    for tx in txs:
        city.check_transmitter(tx)
        row, col = tx.cell(city.grid)
        if city.buildings[row, col]:
            assert tx.height_m == pytest.approx(heights_m[row, col] + 3.0, abs=0.006)
            assert city.buildings[row - 1 : row + 2, col - 1 : col + 2].all()
        else:
            num_masts += 1
            near = heights_m[np.hypot(rows - row, cols - col) <= 50.0]
            assert tx.height_m == pytest.approx(max(near.max() + 3.0, 10.0), abs=0.006)
    assert 0 < num_masts < 14


def test_masts_on_bare_ground_are_ten_metres_high() -> None:
    far = Scene.from_footprints(Grid(300, 300), [Footprint(shapely.box(60, 60, 90, 90), 20.0)])
    masts = [tx for tx in draw_transmitters(far, 40, "rooftop", 1) if not far.buildings[tx.cell(far.grid)]]
    assert {tx.height_m for tx in masts} == {10.0, 23.0}
    for tx in masts:
        distance_m = far.footprints[0].polygon.distance(shapely.Point(tx.x_m, tx.y_m))
        # Cells are counted, not outlines: a cell at the edge may be on either side of 50 m.
        if abs(distance_m - 50.0) > 1.0:
            assert (tx.height_m == 23.0) == (distance_m < 50.0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_seed_decides(city: Scene, scenario: str) -> None:
    draws = [draw_transmitters(city, 8, scenario, seed) for seed in ((1, 2), (1, 2), (1, 3))]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_an_unknown_scenario(city: Scene) -> None:
    with pytest.raises(LayoutError, match="one of radiomapseer, street, rooftop; got 'moon'"):
        draw_transmitters(city, 1, "moon", 1)


def test_roofs_of_unknown_height_carry_nothing() -> None:
    boxes = [shapely.box(20, 20, 40, 60), shapely.box(60, 20, 80, 60)]
    scene = Scene.from_footprints(Grid(100, 100), [Footprint(boxes[0], 12.0), Footprint(boxes[1])])
    drawn = draw_roof_cells(scene, 100, 1, clearance_cells=2)
    assert all(22 <= col < 38 and 22 <= row < 58 for col, row in drawn)
    with pytest.raises(LayoutError, match="must have 577 roof cells"):
        draw_roof_cells(scene, 577, 1, clearance_cells=2)
    assert len(set(draw_roof_cells(scene, 576, 1, clearance_cells=2))) == 576


def test_a_roof_goes_on_beyond_the_map() -> None:
    scene = Scene.from_footprints(Grid(20, 20), [Footprint(shapely.box(0, 0, 20, 10), 5.0)])
    assert len(draw_roof_cells(scene, 180, 0, margin_share=0.0)) == 180


@pytest.mark.parametrize("given", [{"count": 0}, {"margin_share": 0.5}, {"clearance_cells": -1}])
def test_bad_arguments_for_roofs(given: dict) -> None:
    with pytest.raises(LayoutError, match="Transmitter cells need"):
        draw_roof_cells(Scene.empty(Grid(8, 8)), given.pop("count", 1), 0, **given)
