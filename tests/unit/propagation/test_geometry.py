"""The geometry channels against shapely, a graph search of scipy, and figures by hand."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from engine_cases import FREE_CELLS, Motion, free_cell, random_town, town, turned_blocks
from radiodiff.errors import InputError, PropagationError, TransmitterError
from radiodiff.propagation import (
    RADIOMAPSEER_LAW,
    DominantPath,
    DominantPathLaw,
    OverRoofs,
    RayLaunching,
    geometry_channels,
)
from radiodiff.propagation.dominant_path.corner_graph import CornerGraph
from radiodiff.propagation.geometry import GEOMETRY_CHANNELS, GeometrySolver
from radiodiff.propagation.ray_launching import RAY_LAUNCHING_SETTINGS
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

LOS, STRAIGHT, OBSTRUCTED, SHORTEST, TURNING, DOMINANT, _, LAUNCHED = range(8)
GRID = Grid(40, 60)
WALL = Scene.from_footprints(GRID, [Footprint(shapely.box(30.0, 10.0, 32.0, 40.0))])
YARD = Scene.from_footprints(
    GRID, [Footprint(shapely.Polygon(shapely.box(20, 10, 40, 30).exterior, [shapely.box(25, 15, 35, 25).exterior]))]
)
SEEDS = range(12)


def solids(scene: Scene) -> shapely.Geometry:
    """The buildings as the engine counts them: what grazes a wall by less than a thousandth of a cell is free."""
    union = shapely.union_all([footprint.polygon for footprint in scene.footprints or ()])
    solid = shapely.buffer(union, -1e-3, join_style="mitre", mitre_limit=10.0)
    shapely.prepare(solid)
    return solid


def rays(tx: Transmitter, scene: Scene) -> np.ndarray:
    """Straight lines to all cell centres, (rows, cols)."""
    x_m, y_m = np.broadcast_arrays(*scene.grid.centres_m())
    ends = np.stack([np.full_like(x_m, tx.x_m), np.full_like(y_m, tx.y_m), x_m, y_m], axis=-1)
    return shapely.linestrings(ends.reshape(-1, 2, 2)).reshape(scene.grid.shape)


def test_eight_channels_in_the_documented_order() -> None:
    assert GEOMETRY_CHANNELS == (
        "los_mask",
        "log_distance_gain_db",
        "obstructed_length_m",
        "shortest_path_length_m",
        "turning_angle_deg",
        "dominant_path_gain_db",
        "over_roofs_gain_db",
        "ray_launching_gain_db",
    )
    channels = geometry_channels(WALL, Transmitter.at_cell(GRID, 10, 12))
    assert channels.shape == (8, 40, 60)
    assert channels.dtype == np.float32


@pytest.mark.parametrize("seed", SEEDS)
def test_documented_ranges(seed: int) -> None:
    for scene in (turned_blocks(seed), random_town(seed)):
        tx = free_cell(scene, seed)
        channels, outdoors = geometry_channels(scene, tx), ~scene.buildings
        distance = tx.distance_m(scene.grid)
        assert np.isfinite(channels).all()
        assert (channels[:, scene.buildings] == 0.0).all()
        los, straight, obstructed, shortest, turning, dominant, over_roofs, launched = channels[:, outdoors]
        assert set(np.unique(los)) <= {0.0, 1.0}
        expected = -47.84 - 10 * RADIOMAPSEER_LAW.los_exponent * np.log10(np.maximum(distance[outdoors], 1.0))
        np.testing.assert_allclose(straight, expected, atol=1e-4)
        assert (obstructed >= 0.0).all()
        assert (obstructed <= distance[outdoors] + 1e-4).all()
        assert (shortest >= distance[outdoors] - 1e-4).all()
        assert (turning >= 0.0).all()
        assert (turning <= 360.0).all()
        assert (dominant <= straight + 1e-4).all()
        np.testing.assert_array_equal(over_roofs, -OverRoofs().radio_map(scene, tx).path_loss_db[outdoors])
        rays = RayLaunching(RAY_LAUNCHING_SETTINGS["fast"]).radio_map(scene, tx)
        np.testing.assert_array_equal(launched, -rays.path_loss_db[outdoors])
        # In line of sight the best path is the straight one.
        seen = los == 1.0
        np.testing.assert_array_equal(dominant[seen], straight[seen])
        np.testing.assert_allclose(shortest[seen], np.maximum(distance[outdoors][seen], 1.0), rtol=1e-6)
        assert (turning[seen] == 0.0).all()


def test_rays_of_a_transmitter_above_the_roofs_are_not_launched() -> None:
    scene = Scene.from_footprints(GRID, [Footprint(shapely.box(30.0, 10.0, 32.0, 40.0), height_m=10.0)])
    for tx in (Transmitter.at_cell(GRID, 31, 20, height_m=13.0), Transmitter.at_cell(GRID, 10, 12, height_m=12.0)):
        channels = geometry_channels(scene, tx)
        np.testing.assert_array_equal(channels[LAUNCHED], channels[DOMINANT])
    channels = geometry_channels(scene, Transmitter.at_cell(GRID, 10, 12, height_m=2.5))
    assert (channels[LAUNCHED] > channels[DOMINANT] + 1.0).any()


def test_a_carrier_beyond_the_materials_of_rays_is_refused_only_for_them() -> None:
    tx = Transmitter.at_cell(GRID, 10, 12, frequency_hz=200e9)
    with pytest.raises(PropagationError, match="200"):
        geometry_channels(WALL, tx)
    assert np.isfinite(GeometrySolver(WALL).channels(tx, GEOMETRY_CHANNELS[:-1])).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_obstructed_length_is_that_of_shapely(seed: int) -> None:
    scene = turned_blocks(seed)
    tx = free_cell(scene, seed)
    channels, outdoors = geometry_channels(scene, tx), ~scene.buildings
    inside = shapely.length(shapely.intersection(rays(tx, scene), solids(scene)))
    np.testing.assert_allclose(channels[OBSTRUCTED][outdoors], inside[outdoors], atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_line_of_sight_is_where_nothing_obstructs(seed: int) -> None:
    scene = turned_blocks(seed)
    tx = free_cell(scene, seed)
    channels, outdoors = geometry_channels(scene, tx), ~scene.buildings
    np.testing.assert_array_equal(channels[LOS][outdoors] == 1.0, channels[OBSTRUCTED][outdoors] == 0.0)
    is_blocked = shapely.intersects(rays(tx, scene), solids(scene))
    np.testing.assert_array_equal(channels[LOS][outdoors] == 1.0, ~is_blocked[outdoors])


def shortest_lengths(scene: Scene, tx: Transmitter, cells: np.ndarray) -> np.ndarray:
    """Shortest ways to some cells (row, col): scipy's Dijkstra over all corners that see each other."""
    solid = solids(scene)
    corners = np.concatenate([shapely.get_coordinates(f.polygon)[:-1] for f in scene.footprints or ()])
    points = np.concatenate([[[tx.x_m, tx.y_m]], corners, cells[:, ::-1] + 0.5])
    first, second = np.triu_indices(len(points), k=1)
    lines = shapely.linestrings(np.stack([points[first], points[second]], axis=1))
    sees = ~shapely.intersects(solid, lines)
    lengths = np.linalg.norm(points[first] - points[second], axis=1)
    graph = csr_array((lengths[sees], (first[sees], second[sees])), shape=(len(points),) * 2)
    return dijkstra(graph, directed=False, indices=0)[1 + len(corners) :]


@pytest.mark.parametrize("seed", SEEDS)
def test_shortest_path_is_that_of_a_search_over_all_corners(seed: int) -> None:
    scene = turned_blocks(seed, count=5)
    tx = free_cell(scene, seed)
    cells = np.argwhere(~scene.buildings)
    cells = cells[np.random.default_rng(seed).permutation(len(cells))[:150]]
    expected = shortest_lengths(scene, tx, cells)
    assert np.isfinite(expected).all()
    actual = geometry_channels(scene, tx)[SHORTEST][tuple(cells.T)]
    np.testing.assert_allclose(actual, np.maximum(expected, 1.0), atol=1e-4)


def test_around_two_corners_by_hand() -> None:
    channels = geometry_channels(WALL, Transmitter.at_cell(GRID, 10, 12))[:, 15, 45]
    points = [(10.5, 12.5), (30.0, 10.0), (32.0, 10.0), (45.5, 15.5)]
    legs = list(itertools.pairwise(points))
    bearings = [math.degrees(math.atan2(b[1] - a[1], b[0] - a[0])) for a, b in legs]
    # The straight ray rises by 3 rows over 35 columns and meets the wall's two columns.
    assert channels[LOS] == 0.0
    assert channels[OBSTRUCTED] == pytest.approx(2.0 * math.hypot(35.0, 3.0) / 35.0, abs=3e-3)
    assert channels[SHORTEST] == pytest.approx(sum(math.dist(a, b) for a, b in legs), abs=1e-4)
    assert channels[TURNING] == pytest.approx(bearings[2] - bearings[0], abs=1e-3)


def test_a_closed_courtyard() -> None:
    """No way leads in: the distance stands for the shortest path, and the path over the roofs has no turns."""
    tx = Transmitter.at_cell(GRID, 5, 5)
    channels = geometry_channels(YARD, tx)[:, 20, 30]
    distance = math.dist((5.5, 5.5), (30.5, 20.5))
    assert channels[LOS] == 0.0
    assert channels[SHORTEST] == pytest.approx(distance, abs=1e-4)
    assert channels[TURNING] == 0.0
    assert channels[DOMINANT] == pytest.approx(-47.84 - 28.0 * math.log10(distance) - 38.1, abs=1e-3)


def test_no_turns_where_the_roofs_are_the_better_way() -> None:
    law = DominantPathLaw(over_roof_loss_db=RADIOMAPSEER_LAW.corner_max_db)
    scene = turned_blocks(1)
    tx = free_cell(scene, 1)
    channels, outdoors = geometry_channels(scene, tx, law), ~scene.buildings
    over_roofs_db = 47.84 + 28.0 * np.log10(tx.distance_m(GRID, minimum_m=1.0)) + law.over_roof_loss_db
    is_over = outdoors & (channels[LOS] == 0.0) & (np.abs(channels[DOMINANT] + over_roofs_db) < 1e-4)
    assert is_over.sum() > 100
    assert (channels[TURNING][is_over] == 0.0).all()
    around = outdoors & (channels[LOS] == 0.0) & ~is_over
    assert (channels[TURNING][around] > 0.0).all()


@pytest.mark.parametrize("seed", range(4))
def test_dominant_gain_is_that_of_the_engine(seed: int) -> None:
    law = dataclasses.replace(RADIOMAPSEER_LAW, max_corners=2, corner_offset_db=1.0)
    for scene in (turned_blocks(seed), random_town(seed)):
        tx = dataclasses.replace(free_cell(scene, seed), frequency_hz=3.5e9)
        path_loss_db = DominantPath(law).radio_map(scene, tx).path_loss_db
        gain_db = geometry_channels(scene, tx, law)[DOMINANT]
        np.testing.assert_array_equal(gain_db[~scene.buildings], -path_loss_db[~scene.buildings])


def test_cars_count_for_the_dominant_path_alone() -> None:
    with_cars = WALL.with_cars([Footprint(shapely.box(18, 8, 22, 16))])
    tx = Transmitter.at_cell(GRID, 10, 12)
    plain, crossed = geometry_channels(WALL, tx), geometry_channels(with_cars, tx)
    np.testing.assert_array_equal(crossed[:TURNING], plain[:TURNING])
    assert crossed[DOMINANT, 12, 25] == pytest.approx(plain[DOMINANT, 12, 25] - RADIOMAPSEER_LAW.car_loss_los_db)


def test_lengths_grow_with_the_cells() -> None:
    small, large = (town(with_footprints=True, cell_size_m=size) for size in (1.0, 2.5))
    fine, coarse = (geometry_channels(scene, Transmitter.at_cell(scene.grid, 11, 13)) for scene in (small, large))
    np.testing.assert_array_equal(fine[LOS], coarse[LOS])
    np.testing.assert_allclose(2.5 * fine[OBSTRUCTED], coarse[OBSTRUCTED], atol=1e-4)
    # At the transmitter itself the distance is the law's least one, 1 m, whatever the cells.
    away = fine[SHORTEST] > 1.0
    np.testing.assert_allclose(2.5 * fine[SHORTEST][away], coarse[SHORTEST][away], rtol=1e-5)


def test_a_solver_serves_many_transmitters() -> None:
    scene = town(with_footprints=True)
    solver = GeometrySolver(scene)
    for cell in FREE_CELLS:
        tx = Transmitter.at_cell(scene.grid, *cell)
        assert solver.channels(tx).tobytes() == geometry_channels(scene, tx).tobytes()


def test_channels_are_the_same_whichever_are_asked_for() -> None:
    scene = town(with_footprints=True)
    tx = Transmitter.at_cell(scene.grid, *FREE_CELLS[0])
    solver = GeometrySolver(scene)
    everything = dict(zip(GEOMETRY_CHANNELS, geometry_channels(scene, tx), strict=True))
    for names in (*((name,) for name in GEOMETRY_CHANNELS), GEOMETRY_CHANNELS[::-2], ()):
        found = solver.channels(tx, names)
        assert found.dtype == np.float32
        assert found.shape == (len(names), *scene.grid.shape)
        for name, channel in zip(names, found, strict=True):
            assert channel.tobytes() == everything[name].tobytes(), name
    with pytest.raises(InputError, match=r"A geometry channel must be one of los_mask, .*; got roads\."):
        solver.channels(tx, ("los_mask", "roads"))


def test_only_what_is_asked_for_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    tx = Transmitter.at_cell(GRID, 10, 12)
    monkeypatch.setattr(OverRoofs, "prepare", lambda *_: 1 / 0)
    assert GeometrySolver(WALL).channels(tx, GEOMETRY_CHANNELS[:6]).shape[0] == 6
    monkeypatch.setattr(CornerGraph, "of_scene", lambda *_: 1 / 0)
    solver = GeometrySolver(WALL)
    assert solver.channels(tx, GEOMETRY_CHANNELS[:3]).shape[0] == 3
    for name in GEOMETRY_CHANNELS[3:]:
        with pytest.raises(ZeroDivisionError):
            solver.channels(tx, [name])


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["turned", "mirrored"])
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("seed", range(3))
def test_all_channels_turn_with_the_scene(seed: int, turns: int, is_mirrored: bool) -> None:
    scene, motion = turned_blocks(seed), Motion(turns, is_mirrored)
    tx = free_cell(scene, seed)
    there = geometry_channels(motion.scene(scene), motion.transmitter(scene, tx))
    here = geometry_channels(scene, tx)
    for index, name in enumerate(GEOMETRY_CHANNELS):
        # Two paths of equal loss may turn by different angles: none of these scenes has such a cell.
        np.testing.assert_allclose(there[index], motion.array(here[index]), atol=2e-3, err_msg=name)


@pytest.mark.parametrize(
    ("x_m", "y_m", "rule"),
    [(-0.1, 5.0, "on the grid"), (5.0, 40.1, "on the grid"), (31.0, 20.0, "outside the buildings")],
)
def test_a_transmitter_that_cannot_stand_there_is_refused(x_m: float, y_m: float, rule: str) -> None:
    with pytest.raises(TransmitterError, match=rule):
        geometry_channels(WALL, Transmitter(x_m, y_m))
