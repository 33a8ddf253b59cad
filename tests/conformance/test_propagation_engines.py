"""The contract of the propagation engines, tried on every one of them."""

import itertools
from dataclasses import fields

import numpy as np
import pytest

from engine_cases import FREE_CELLS, EngineCase, Motion, town
from radiodiff.errors import TransmitterError
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Grid, Scene, Transmitter

MOTIONS = [Motion(turns, mirrored) for turns, mirrored in itertools.product(range(4), (False, True))][1:]
SCENES = {"outlines": town(with_footprints=True), "raster": town(with_footprints=False)}


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    return SCENES[request.param]


@pytest.fixture(params=FREE_CELLS, ids=str)
def tx(request: pytest.FixtureRequest, scene: Scene) -> Transmitter:
    return Transmitter.at_cell(scene.grid, *request.param)


def assert_same(actual: np.ndarray, expected: np.ndarray, case: EngineCase) -> None:
    if case.engine.reaches_everywhere:
        np.testing.assert_allclose(actual, expected, rtol=0, atol=case.tolerance_db)
        return
    has_one, has_both = np.isfinite(actual) ^ np.isfinite(expected), np.isfinite(actual) & np.isfinite(expected)
    assert has_one.mean() <= 0.03
    assert np.median(np.abs(actual - expected)[has_both]) <= case.tolerance_db


def check_cells(radio_map: RadioMap, scene: Scene, case: EngineCase) -> None:
    """A value at every cell outside the buildings that has a path, the others counted; none inside."""
    np.testing.assert_array_equal(np.isfinite(radio_map.path_loss_db), radio_map.has_value)
    if case.engine.reaches_everywhere:
        np.testing.assert_array_equal(radio_map.has_value, ~scene.buildings)
        return
    assert not radio_map.has_value[scene.buildings].any()
    num_without = int((~radio_map.has_value & ~scene.buildings).sum())
    assert radio_map.meta["num_cells_without_path"] == num_without < 0.8 * (~scene.buildings).sum()


def test_a_value_outside_and_none_inside_the_buildings(case: EngineCase, scene: Scene, tx: Transmitter) -> None:
    radio_map = case.engine.radio_map(scene, tx)
    check_cells(radio_map, scene, case)


def test_values_are_losses_of_a_radio_link(case: EngineCase, scene: Scene, tx: Transmitter) -> None:
    radio_map = case.engine.radio_map(scene, tx)
    assert radio_map.path_loss_db.dtype == np.float32
    # 5.9 GHz: nobody is nearer than a metre (47.9 dB; some laws round it to 0.1 dB).
    assert np.nanmin(radio_map.path_loss_db) > 47.7
    assert np.nanmax(radio_map.path_loss_db) < 250.0


def test_the_map_knows_where_it_came_from(case: EngineCase, scene: Scene, tx: Transmitter) -> None:
    radio_map = case.engine.radio_map(scene, tx)
    assert isinstance(radio_map, RadioMap)
    assert radio_map.grid is scene.grid
    assert radio_map.scene is scene
    assert radio_map.tx is tx
    assert type(case.engine).__name__ in radio_map.producer
    for constant in fields(case.engine):
        assert f"{constant.name}={getattr(case.engine, constant.name)!r}" in radio_map.producer


def test_the_same_arguments_give_the_same_bits(case: EngineCase, scene: Scene, tx: Transmitter) -> None:
    first, second = (case.engine.radio_map(scene, tx).path_loss_db for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_many_transmitters_give_what_each_gives_alone(case: EngineCase, scene: Scene) -> None:
    txs = [Transmitter.at_cell(scene.grid, *cell) for cell in FREE_CELLS]
    together = list(case.engine.radio_maps(scene, iter(txs)))
    assert [radio_map.tx for radio_map in together] == txs
    for radio_map, tx in zip(together, txs, strict=True):
        assert radio_map.path_loss_db.tobytes() == case.engine.radio_map(scene, tx).path_loss_db.tobytes()


def test_no_transmitters_give_no_maps(case: EngineCase, scene: Scene) -> None:
    assert list(case.engine.radio_maps(scene, [])) == []


@pytest.mark.parametrize("motion", MOTIONS, ids=str)
def test_the_map_moves_with_the_scene(case: EngineCase, scene: Scene, tx: Transmitter, motion: Motion) -> None:
    moved = case.engine.radio_map(motion.scene(scene), motion.transmitter(scene, tx))
    assert_same(moved.path_loss_db, motion.array(case.engine.radio_map(scene, tx).path_loss_db), case)


def test_a_transmitter_between_cell_centres_moves_with_the_scene(case: EngineCase, scene: Scene) -> None:
    tx, motion = Transmitter.at_cell(scene.grid, 11.2, 13.4), Motion(1, is_mirrored=True)
    moved = case.engine.radio_map(motion.scene(scene), motion.transmitter(scene, tx))
    assert_same(moved.path_loss_db, motion.array(case.engine.radio_map(scene, tx).path_loss_db), case)


def test_an_empty_scene_has_the_closed_form(case: EngineCase) -> None:
    grid = Grid(40, 70)
    tx = Transmitter.at_cell(grid, 20, 10)
    radio_map = case.engine.radio_map(Scene.empty(grid), tx)
    distance_m = np.hypot(np.arange(70)[None, :] - 20, np.arange(40)[:, None] - 10)
    expected = case.open_space_law(np.maximum(distance_m, 1.0), tx.frequency_hz)
    assert_same(radio_map.path_loss_db, np.broadcast_to(expected, grid.shape), case)


def test_open_space_is_the_same_everywhere(case: EngineCase) -> None:
    open_scene = Scene.empty(Grid(30, 50))
    here, there = case.engine.radio_maps(
        open_scene,
        [Transmitter.at_cell(open_scene.grid, 10, 12), Transmitter.at_cell(open_scene.grid, 27, 15)],
    )
    assert_same(there.path_loss_db[3:, 17:], here.path_loss_db[:-3, :-17], case)


def test_finer_cells_keep_the_values_at_common_points(case: EngineCase) -> None:
    # A third, not a half: only then is the centre of a coarse cell the centre of a fine one.
    coarse, fine = Grid(14, 20, 3.0), Grid(42, 60, 1.0)
    maps = [case.engine.radio_map(Scene.empty(grid), Transmitter(31.5, 16.5)).path_loss_db for grid in (coarse, fine)]
    assert_same(maps[1][1::3, 1::3], maps[0], case)


def test_half_the_cell_size_halves_the_distances(case: EngineCase) -> None:
    grid = Grid(30, 50, 0.5)
    tx = Transmitter.at_cell(grid, 20, 10)
    radio_map = case.engine.radio_map(Scene.empty(grid), tx)
    expected = case.open_space_law(np.array([2.0, 5.0, 12.0]), tx.frequency_hz)
    assert_same(radio_map.path_loss_db[10, [24, 30, 44]], expected, case)


@pytest.mark.parametrize("cell_size_m", [0.5, 2.0])
def test_buildings_count_at_any_cell_size(case: EngineCase, cell_size_m: float) -> None:
    sized = town(with_footprints=True, cell_size_m=cell_size_m)
    radio_map = case.engine.radio_map(sized, Transmitter.at_cell(sized.grid, *FREE_CELLS[0]))
    check_cells(radio_map, sized, case)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 3)], ids=str)
def test_any_shape_of_grid(case: EngineCase, shape: tuple[int, int]) -> None:
    radio_map = case.engine.radio_map(Scene.empty(Grid(*shape)), Transmitter(0.5, 0.5))
    assert radio_map.path_loss_db.shape == shape
    assert radio_map.has_value.all()


@pytest.mark.parametrize(("x_m", "y_m"), [(-0.1, 5.0), (36.1, 5.0), (5.0, -0.1), (5.0, 28.1)])
def test_a_transmitter_off_the_grid_is_refused(case: EngineCase, scene: Scene, x_m: float, y_m: float) -> None:
    with pytest.raises(TransmitterError, match="stand on the grid"):
        case.engine.radio_map(scene, Transmitter(x_m, y_m))


def test_a_transmitter_indoors_is_refused_before_any_is_solved(case: EngineCase, scene: Scene) -> None:
    outdoors, indoors = Transmitter.at_cell(scene.grid, 1, 1), Transmitter.at_cell(scene.grid, 3, 5)
    with pytest.raises(TransmitterError, match="outside the buildings"):
        next(case.engine.radio_maps(scene, [outdoors, indoors]))


@pytest.mark.parametrize("corner", [(0.0, 0.0), (36.0, 0.0), (36.0, 28.0), (0.0, 28.0)], ids=str)
def test_a_transmitter_on_the_border_of_the_grid_is_served(
    case: EngineCase, scene: Scene, corner: tuple[float, float]
) -> None:
    radio_map = case.engine.radio_map(scene, Transmitter(*corner))
    check_cells(radio_map, scene, case)
