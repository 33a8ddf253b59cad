"""The dominant path engine against closed forms, a brute-force search and its own laws."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import shapely

from brute_force import path_loss_db as brute_force_db
from engine_cases import free_cell, turned_blocks
from radiodiff.errors import PropagationError
from radiodiff.propagation import RADIOMAPSEER_LAW, DominantPath, DominantPathLaw
from radiodiff.propagation.dominant_path.corner_graph import CornerGraph, _gain_law
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(40, 60)
WALL = Footprint(shapely.box(30.0, 10.0, 32.0, 40.0))


def test_two_corners_have_the_closed_form() -> None:
    """Around the end of a wall: the legs' lengths and the angles between them, by hand."""
    scene = Scene.from_footprints(GRID, [WALL])
    tx = Transmitter.at_cell(GRID, 10, 12)
    loss_db = DominantPath().radio_map(scene, tx).path_loss_db
    # Row 5, column 45 is seen past the end of the wall.
    direct = math.dist((10.5, 12.5), (45.5, 5.5))
    assert loss_db[5, 45] == pytest.approx(47.84 + 25.0 * math.log10(direct), abs=1e-3)
    # Row 15, column 45 lies behind: the path turns at the near corner of the end, then at the far one.
    points = [(10.5, 12.5), (30.0, 10.0), (32.0, 10.0), (45.5, 15.5)]
    legs = list(itertools.pairwise(points))
    bearings = [math.degrees(math.atan2(b[1] - a[1], b[0] - a[0])) for a, b in legs]
    corners_db = sum(2.4 + (12.7 - 2.4) * min(turn / 68.0, 1.0) for turn in np.diff(bearings))
    length = sum(math.dist(a, b) for a, b in legs)
    assert loss_db[15, 45] == pytest.approx(47.84 + 28.0 * math.log10(length) + corners_db, abs=2e-3)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_a_search_of_all_corner_sequences(seed: int) -> None:
    scene = turned_blocks(seed, count=4)
    tx = free_cell(scene, seed)
    law = dataclasses.replace(RADIOMAPSEER_LAW, max_corners=2)
    actual = DominantPath(law).radio_map(scene, tx).path_loss_db
    expected = brute_force_db(scene, tx, law)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    outside = ~scene.buildings
    assert np.abs(actual - expected)[outside].max() < 2e-3


@pytest.mark.parametrize("top", [2.49, 2.4951, 2.495, 2.4995, 2.4999, 2.501])
def test_a_wall_that_grazes_the_ray_is_passed_by_its_corners(top: float) -> None:
    """The transmitter sees the far corner along the wall, some ten-thousandths of a cell inside it."""
    scene = Scene.from_footprints(GRID, [Footprint(shapely.box(20.0, top, 22.0, 30.0))])
    tx = Transmitter.at_cell(GRID, 3, 2)
    law = dataclasses.replace(RADIOMAPSEER_LAW, max_corners=2)
    actual = DominantPath(law).radio_map(scene, tx).path_loss_db
    np.testing.assert_allclose(actual, brute_force_db(scene, tx, law), atol=5e-3)


def test_more_corners_allowed_never_raise_the_loss() -> None:
    scene = turned_blocks(11)
    tx = free_cell(scene, 3)
    maps = [
        DominantPath(dataclasses.replace(RADIOMAPSEER_LAW, max_corners=n)).radio_map(scene, tx).path_loss_db
        for n in range(5)
    ]
    for fewer, more in itertools.pairwise(maps):
        assert (np.nan_to_num(more) <= np.nan_to_num(fewer) + 1e-4).all()


def test_a_closed_courtyard_is_reached_over_the_roofs() -> None:
    ring = shapely.Polygon(shapely.box(20, 10, 40, 30).exterior, [shapely.box(25, 15, 35, 25).exterior])
    scene = Scene.from_footprints(GRID, [Footprint(ring)])
    tx = Transmitter.at_cell(GRID, 5, 5)
    loss_db = DominantPath().radio_map(scene, tx).path_loss_db
    expected = 47.84 + 28.0 * math.log10(math.dist((5.5, 5.5), (30.5, 20.5))) + 38.1
    assert loss_db[20, 30] == pytest.approx(expected, abs=1e-3)


def test_blocks_that_only_touch_close_a_courtyard() -> None:
    """Four walls that share nothing but corner points let nothing through between them."""
    walls = [(20, 10, 40, 12), (40, 12, 42, 28), (20, 28, 40, 30), (18, 12, 20, 28)]
    scene = Scene.from_footprints(GRID, [Footprint(shapely.box(*wall)) for wall in walls])
    # On the diagonal through the upper left gap.
    loss_db = DominantPath().radio_map(scene, Transmitter.at_cell(GRID, 15, 7)).path_loss_db
    over_roofs = 47.84 + 28.0 * math.log10(math.dist((15.5, 7.5), (22.5, 14.5))) + 38.1
    assert loss_db[14, 22] == pytest.approx(over_roofs, abs=1e-3)


def test_a_ray_along_a_wall_is_free() -> None:
    scene = Scene.from_footprints(GRID, [Footprint(shapely.box(20.5, 10.5, 40.5, 30.5))])
    tx = Transmitter.at_cell(GRID, 10, 10)
    loss_db = DominantPath().radio_map(scene, tx).path_loss_db
    # Row 10 has its centres on the upper wall itself, which is outdoors by the rule of ties.
    assert loss_db[10, 50] == pytest.approx(47.84 + 25.0 * math.log10(40.0), abs=1e-3)


def test_a_car_costs_a_fixed_loss() -> None:
    empty = Scene.empty(GRID)
    car = Footprint(shapely.box(20, 18, 22, 22))
    scene = empty.with_cars([car])
    tx = Transmitter.at_cell(GRID, 5, 20)
    with_car, without = (DominantPath().radio_map(s, tx).path_loss_db for s in (scene, empty))
    difference = with_car - without
    assert difference[20, 50] == pytest.approx(4.3, abs=1e-4)
    assert difference[2, 50] == 0.0
    assert difference[20, 10] == 0.0


def test_a_car_costs_less_on_a_way_around_corners() -> None:
    scene = Scene.from_footprints(GRID, [WALL])
    # On the way from the wall's far corner to row 15, column 45.
    with_car = scene.with_cars([Footprint(shapely.box(38, 11, 40, 14))])
    tx = Transmitter.at_cell(GRID, 10, 12)
    plain, crossed = (DominantPath().radio_map(s, tx).path_loss_db for s in (scene, with_car))
    assert crossed[15, 45] - plain[15, 45] == pytest.approx(1.3, abs=1e-3)
    assert crossed[30, 35] == plain[30, 35]


def test_a_higher_carrier_adds_its_free_space_difference() -> None:
    scene = turned_blocks(2)
    cell = free_cell(scene, 2)
    low = DominantPath().radio_map(scene, dataclasses.replace(cell, frequency_hz=2.95e9)).path_loss_db
    high = DominantPath().radio_map(scene, cell).path_loss_db
    np.testing.assert_allclose((high - low)[~scene.buildings], 20 * math.log10(2.0), atol=1e-4)


def test_the_corner_polynomial_follows_the_angle_law() -> None:
    for law in (
        RADIOMAPSEER_LAW,
        DominantPathLaw(corner_saturation_deg=120.0, corner_max_db=30.0, over_roof_loss_db=90),
    ):
        coefficients, last_turn, per_decade, _ = _gain_law(law)
        turns_deg = np.linspace(0.0, law.corner_saturation_deg, 500)
        half_tangent = np.tan(np.radians(turns_deg) / 2.0)
        actual = per_decade * np.log10(np.polynomial.polynomial.polyval(half_tangent, coefficients))
        slope = (law.corner_max_db - law.corner_offset_db) / law.corner_saturation_deg
        np.testing.assert_allclose(actual, law.corner_offset_db + slope * turns_deg, atol=1e-3)
        assert last_turn == pytest.approx(half_tangent[-1])


def test_a_transmitter_just_inside_an_outline_is_moved_out() -> None:
    scene = Scene.from_footprints(GRID, [WALL])
    graph = CornerGraph.of_scene(scene)
    assert graph.free_point(20.0, 20.0) == (20.0, 20.0)
    x, y = graph.free_point(30.2, 20.0)
    assert x == pytest.approx(30.0, abs=2e-3)
    assert y == pytest.approx(20.0, abs=1e-6)


def test_winprop_names() -> None:
    law = DominantPathLaw.from_winprop(
        exponent_los=2.5, exponent_olos=2.8, diffr_offset=2.0, diffr_loss=13.0, diffr_breakpoint=70.0
    )
    assert (law.los_exponent, law.nlos_exponent) == (2.5, 2.8)
    assert (law.corner_offset_db, law.corner_max_db, law.corner_saturation_deg) == (2.0, 13.0, 70.0)
    assert law.over_roof_loss_db == 39.0


@pytest.mark.parametrize(
    "broken",
    [
        {"los_exponent": 0.0},
        {"nlos_exponent": math.nan},
        {"reference_frequency_hz": -1.0},
        {"reference_loss_db": math.inf},
        {"corner_saturation_deg": 121.0},
        {"minimum_distance_m": 0.0},
        {"corner_offset_db": -0.1},
        {"corner_max_db": 1.0},
        {"over_roof_loss_db": 5.0},
        {"car_loss_los_db": -1.0},
        {"car_loss_nlos_db": math.nan},
        {"max_corners": -1},
        {"max_corners": 2.0},
        {"max_corners": True},
    ],
    ids=str,
)
def test_a_law_refuses(broken: dict[str, float]) -> None:
    with pytest.raises(PropagationError, match=next(iter(broken))):
        DominantPathLaw(**broken)  # type: ignore[arg-type]
