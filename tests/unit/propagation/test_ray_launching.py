"""The ray launcher against free space, the method of images, and figures by hand."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import shapely
import shapely.affinity
from numpy.typing import NDArray

from engine_cases import free_cell, town, turned_blocks
from radiodiff.errors import PropagationError, TransmitterError
from radiodiff.propagation import DominantPath, FreeSpace
from radiodiff.propagation.dominant_path.obstacles import Obstacles
from radiodiff.propagation.ray_launching import (
    RAY_LAUNCHING_SETTINGS,
    RayLaunching,
    RayLaunchingSettings,
    launch_kernels,
)
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(40, 60)
SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
REFLECTED = RayLaunchingSettings(combination="none", reflection_loss_db=6.0)
Walls = NDArray[np.float64]


def blocks(*boxes: tuple[float, float, float, float]) -> Scene:
    return Scene.from_footprints(GRID, [Footprint(shapely.box(*box)) for box in boxes])


def power(scene: Scene, tx: Transmitter, settings: RayLaunchingSettings) -> NDArray[np.float64]:
    """Power gain at every cell, 0 where no path leads."""
    loss_db = RayLaunching(settings).radio_map(scene, tx).path_loss_db.astype(np.float64)
    return np.nan_to_num(10.0 ** (-loss_db / 10.0))


def friis(length_m: float, frequency_hz: float = 5.9e9) -> float:
    return (SPEED_OF_LIGHT_M_PER_S / (4.0 * math.pi * frequency_hz * max(length_m, 1.0))) ** 2


def concrete_te_reflectivity(cosine: float, frequency_hz: float) -> float:
    """Power reflected by concrete, field across the plane of incidence: ITU-R P.2040-3, table 3, eqs. 9b, 31a."""
    ghz = frequency_hz / 1e9
    conductivity = 0.0462 * ghz**0.7822
    permittivity = 5.24 - 1j * 17.98 * conductivity / ghz
    root = (permittivity - 1.0 + cosine**2) ** 0.5
    return abs((cosine - root) / (cosine + root)) ** 2


def images(scene: Scene, tx: Transmitter, depth: int, reflectivity: float) -> NDArray[np.float64]:
    """Power by mirror images: every sequence of walls, every cell centre, no pruning."""
    solid = shapely.union_all([footprint.polygon for footprint in scene.footprints or ()])
    inner = shapely.buffer(solid, -2e-3, join_style="mitre")
    shapely.prepare(inner)
    walls = []
    for part in shapely.get_parts(solid):
        for ring in (part.exterior, *part.interiors):
            walls += list(itertools.pairwise(shapely.get_coordinates(ring)))
    result = np.zeros(scene.grid.shape)
    x_m, y_m = scene.grid.centres_m()
    ends = {(r, c): np.array([x_m[0, c], y_m[r, 0]]) for r, c in np.argwhere(~scene.buildings)}
    for count in range(depth + 1):
        for sequence in itertools.product(walls, repeat=count):
            sources = [np.array([tx.x_m, tx.y_m])]
            for wall in sequence:
                sources.append(mirrored(sources[-1], *wall))
            if any(a is b for a, b in itertools.pairwise(sequence)):
                continue
            for cell, end in ends.items():
                points = way_back(sources, sequence, end)
                if points is None or shapely.intersects(inner, shapely.linestrings(points)):
                    continue
                result[cell] += friis(math.dist(sources[-1], end)) * reflectivity**count
    return result


def mirrored(point: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    along = (b - a) / np.linalg.norm(b - a)
    return 2.0 * (a + ((point - a) @ along) * along) - point


def way_back(sources: list, sequence: tuple, end: NDArray[np.float64]) -> list | None:
    """Points of the path from a receiver back to the transmitter, None where a mirror is missed."""
    points = [end]
    for source, (a, b) in zip(reversed(sources[1:]), reversed(sequence), strict=True):
        (ex, ey), (dx, dy), (px, py) = b - a, source - points[-1], points[-1] - a
        cross = ex * dy - ey * dx
        if abs(cross) < 1e-12:
            return None
        share, along = (px * ey - py * ex) / cross, (px * dy - py * dx) / cross
        if not (1e-9 < share < 1.0 - 1e-9 and 0.0 <= along <= 1.0):
            return None
        points.append(points[-1] + share * np.array([dx, dy]))
    return [*points, sources[0]]


def test_an_empty_scene_is_free_space() -> None:
    scene, tx = Scene.empty(GRID), Transmitter.at_cell(GRID, 20, 10)
    expected = FreeSpace().radio_map(scene, tx).path_loss_db
    for combination in ("power-sum", "none"):
        settings = RayLaunchingSettings(combination=combination)
        np.testing.assert_allclose(RayLaunching(settings).radio_map(scene, tx).path_loss_db, expected, atol=1e-4)


@pytest.mark.parametrize("frequency_hz", [2.4e9, 5.9e9])
def test_one_wall_has_the_power_of_its_image(frequency_hz: float) -> None:
    """A long wall of concrete: straight path and image, by hand."""
    scene = blocks((0.0, 30.0, 60.0, 40.0))
    tx = Transmitter.at_cell(GRID, 12, 20, frequency_hz=frequency_hz)
    actual = power(scene, tx, RayLaunchingSettings(combination="none"))
    for col, row in ((40, 25), (55, 10), (30, 5), (14, 28)):
        straight = math.dist((12, 20), (col, row))
        down = (30.0 - 20.5) + (30.0 - row - 0.5)
        unfolded = math.hypot(col - 12, down)
        reflected = concrete_te_reflectivity(down / unfolded, frequency_hz) * friis(unfolded, frequency_hz)
        expected = friis(straight, frequency_hz) + reflected
        assert 10.0 * math.log10(actual[row, col] / expected) == pytest.approx(0.0, abs=0.005), (col, row)


def test_two_facing_walls_have_the_series_of_images() -> None:
    """A street canyon: images at -y and beyond, one reflection more each, up to the depth."""
    scene = blocks((0.0, 0.0, 60.0, 10.0), (0.0, 30.0, 60.0, 40.0))
    tx = Transmitter(10.0, 18.0)
    for depth in (1, 2, 4):
        actual = power(scene, tx, dataclasses.replace(REFLECTED, max_depth=depth))
        for col, row in ((45, 20), (25, 12), (33, 28)):
            x, y = col + 0.5, row + 0.5
            expected = friis(math.dist((10.0, 18.0), (x, y)))
            for first in (10.0, 30.0):
                image, wall = 18.0, first
                for count in range(1, depth + 1):
                    image, wall = 2.0 * wall - image, 40.0 - wall
                    expected += friis(math.dist((10.0, image), (x, y))) * 10.0 ** (-0.6 * count)
            # Images of depth 4 are 90 m away, where reflections begin to leave the map at its ends.
            assert 10.0 * math.log10(actual[row, col] / expected) == pytest.approx(0.0, abs=0.02), (depth, col, row)


def test_a_corner_of_two_walls_has_three_images() -> None:
    scene = blocks((0.0, 30.0, 60.0, 40.0), (50.0, 0.0, 60.0, 30.0))
    tx = Transmitter(20.0, 20.0)
    actual = power(scene, tx, dataclasses.replace(REFLECTED, max_depth=5))
    for col, row in ((30, 10), (40, 25), (10, 22)):
        x, y = col + 0.5, row + 0.5
        expected = sum(
            friis(math.dist(image, (x, y))) * 10.0 ** (-0.6 * count)
            for image, count in (((20, 20), 0), ((20, 40), 1), ((80, 20), 1), ((80, 40), 2))
        )
        assert 10.0 * math.log10(actual[row, col] / expected) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("seed", [1, 3])
def test_agrees_with_all_images_of_turned_blocks(seed: int) -> None:
    scene = turned_blocks(seed, count=2)
    tx = free_cell(scene, seed)
    expected = images(scene, tx, 2, 10.0**-0.6)
    actual = power(scene, tx, dataclasses.replace(REFLECTED, max_depth=2))
    outside = ~scene.buildings
    both = outside & (expected > 0.0) & (actual > 0.0)
    error_db = 10.0 * np.log10(actual[both] / expected[both])
    assert both.sum() > 0.8 * (outside & ((expected > 0.0) | (actual > 0.0))).sum()
    assert abs(np.median(error_db)) < 0.005
    # Edges of reflections cross cells: those hold a share of what their centre does, or does not, receive.
    assert np.quantile(np.abs(error_db), 0.9) < 0.3


def town_maps(**changes: object) -> NDArray[np.float64]:
    scene = town(with_footprints=True)
    return power(scene, Transmitter.at_cell(scene.grid, 11, 13), RayLaunchingSettings(**changes))


def test_without_reflections_and_corners_only_the_straight_path_is_left() -> None:
    scene = town(with_footprints=True)
    tx = Transmitter.at_cell(scene.grid, 11, 13)
    engine = RayLaunching(RayLaunchingSettings(max_depth=0, combination="none"))
    radio_map = engine.radio_map(scene, tx)
    seen = np.isfinite(radio_map.path_loss_db)
    shadow_db = radio_map.path_loss_db - FreeSpace().radio_map(scene, tx).path_loss_db
    # At the edge of a shadow a cell holds the lit share of the power.
    assert (shadow_db[seen] > -1e-4).all()
    assert (np.abs(shadow_db[seen]) < 1e-4).mean() > 0.8
    assert not engine.reaches_everywhere
    assert radio_map.meta["num_cells_without_path"] == (~seen & ~scene.buildings).sum() > 100


def test_a_cell_has_the_lit_share_of_the_straight_path() -> None:
    """Behind one turned block: the area of each free part of a cell outside the shadow, by polygons."""
    block = shapely.affinity.rotate(shapely.box(20, 14, 30, 24), 20.0)
    scene = Scene.from_footprints(GRID, [Footprint(block)])
    tx = Transmitter(8.3, 11.6)
    settings = RayLaunchingSettings(max_depth=0, combination="none")
    share = power(scene, tx, settings) / 10.0 ** (-FreeSpace().radio_map(scene, tx).path_loss_db / 10.0)
    origin = np.array([tx.x_m, tx.y_m])
    corners = shapely.get_coordinates(block)[:-1]
    shadow = shapely.MultiPoint(np.concatenate([corners, origin + 50.0 * (corners - origin)])).convex_hull
    rows, cols = np.nonzero(~scene.buildings)
    free = shapely.difference(shapely.box(cols, rows, cols + 1, rows + 1), block)
    expected = shapely.area(shapely.difference(free, shadow)) / shapely.area(free)
    assert ((expected > 0.1) & (expected < 0.9)).sum() > 40
    # Walls stand a thousandth of a cell inside their outlines.
    np.testing.assert_allclose(share[rows, cols], expected, atol=0.01)


def test_how_corners_add_to_reflections() -> None:
    """Without line of sight: both powers, or the larger one."""
    scene = town(with_footprints=True)
    tx = Transmitter.at_cell(scene.grid, 11, 13)
    corners, reflected = town_maps(max_depth=0), town_maps(combination="none")
    straight = town_maps(max_depth=0, combination="none")
    hidden = ~scene.buildings & (straight == 0.0)
    both, larger = town_maps(), town_maps(combination="strongest")
    hidden_only = town_maps(combination="nlos-power-sum")
    expected_db = DominantPath().radio_map(scene, tx).path_loss_db
    np.testing.assert_allclose(-10.0 * np.log10(corners[hidden]), expected_db[hidden], atol=1e-4)
    np.testing.assert_allclose(both[hidden], (corners + reflected)[hidden], rtol=1e-5)
    np.testing.assert_allclose(larger[hidden], np.maximum(corners, reflected)[hidden], rtol=1e-5)
    np.testing.assert_allclose(hidden_only[hidden], both[hidden], rtol=1e-6)
    assert (reflected[hidden] > corners[hidden]).any()
    assert (reflected[hidden] < corners[hidden]).any()
    # In line of sight there is nothing around corners to choose from.
    lit = straight > 10.0 ** (-FreeSpace().radio_map(scene, tx).path_loss_db / 10.0) * (1.0 - 1e-5)
    np.testing.assert_allclose(both[lit], reflected[lit], rtol=1e-6)
    np.testing.assert_allclose(hidden_only[lit], straight[lit], rtol=1e-6)
    np.testing.assert_allclose(larger[lit], np.maximum(straight, reflected - straight)[lit], rtol=1e-4)


def test_more_reflections_never_take_power_away() -> None:
    maps = [town_maps(max_depth=depth) for depth in (0, 1, 2, 5)]
    for fewer, more in itertools.pairwise(maps):
        assert (more >= fewer * (1.0 - 1e-6)).all()
        assert (more > fewer * 1.001).any()


def test_the_ground_adds_its_reflection() -> None:
    """Medium dry ground at 5.9 GHz, field in the plane of incidence: ITU-R P.2040-3, eq. 31b, by hand."""
    scene, tx = Scene.empty(GRID), Transmitter.at_cell(GRID, 10, 10, height_m=2.5)
    grounded = power(scene, tx, RayLaunchingSettings(ground_material="medium_dry_ground"))
    permittivity = 15.0 * 5.9**-0.1 - 1j * 17.98 * 0.035 * 5.9**1.63 / 5.9
    for col in (12, 25, 50):
        length, heights = col - 10.0, 2.5 + 1.5
        slanted = math.hypot(length, heights)
        cosine = heights / slanted
        root = (permittivity - 1.0 + cosine**2) ** 0.5
        amplitude = abs((permittivity * cosine - root) / (permittivity * cosine + root))
        expected = friis(length) + amplitude**2 * friis(slanted)
        assert 10.0 * math.log10(grounded[10, col] / expected) == pytest.approx(0.0, abs=1e-3)


def test_a_horizontal_antenna_has_its_brewster_angle() -> None:
    """Glass hardly absorbs: at tan = sqrt(permittivity) the field in the plane of incidence is not reflected."""
    scene = blocks((0.0, 29.5, 60.0, 40.0))
    # Image and receiver are 2 x 6 cells apart across the wall, and 12 sqrt(6.31) = 30.1 along it.
    tx = Transmitter.at_cell(GRID, 10, 23)
    settings = RayLaunchingSettings(combination="none", building_material="glass")
    flat, upright = (
        power(scene, tx, dataclasses.replace(settings, polarization=name)) for name in ("horizontal", "vertical")
    )
    direct = friis(30.0)
    assert flat[23, 40] / direct - 1.0 < 1e-3
    assert upright[23, 40] / direct - 1.0 > 0.2


def test_the_distance_exponent_holds_for_straight_and_reflected_paths() -> None:
    scene = blocks((0.0, 30.0, 60.0, 40.0))
    tx = Transmitter.at_cell(GRID, 12, 20)
    actual = power(scene, tx, dataclasses.replace(REFLECTED, distance_exponent=2.6))
    straight, unfolded = math.dist((12, 20), (40, 25)), math.hypot(28.0, 9.5 + 4.5)
    expected = friis(1.0) * (straight**-2.6 + unfolded**-2.6 * 10.0**-0.6)
    assert 10.0 * math.log10(actual[25, 40] / expected) == pytest.approx(0.0, abs=0.01)


def test_cells_that_a_wall_cuts_have_the_density_of_their_free_part() -> None:
    """A wall into the row at 29.55: the power there is that of the image at the middle of the free part."""
    scene = blocks((0.0, 29.55, 60.0, 40.0))
    actual = power(scene, Transmitter.at_cell(GRID, 30, 10), REFLECTED)[29, 30]
    expected = friis(19.0) + 10.0**-0.6 * friis(29.55 - 10.5 + 0.55 / 2.0)
    assert 10.0 * math.log10(actual / expected) == pytest.approx(0.0, abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_solid_shares_are_areas(seed: int) -> None:
    scene = turned_blocks(seed)
    walls = Obstacles.of_scene(scene).walls
    shares = launch_kernels.solid_shares(walls, scene.grid.shape)
    rows, cols = np.mgrid[: scene.grid.rows, : scene.grid.cols]
    solid = shapely.union_all([footprint.polygon for footprint in scene.footprints or ()])
    expected = shapely.area(shapely.intersection(shapely.box(cols, rows, cols + 1, rows + 1), solid))
    # Walls stand a thousandth of a cell inside their outlines.
    np.testing.assert_allclose(shares, expected, atol=3e-3)


def test_finer_cells_agree_on_average() -> None:
    """A cell of 2 m holds the mean of its four cells of 1 m, where all are free and lit alike."""
    outlines = [Footprint(shapely.box(0.0, 32.0, 60.0, 40.0))]
    coarse, fine = (Scene.from_footprints(Grid(40 // size, 60 // size, float(size)), outlines) for size in (2, 1))
    tx = Transmitter(21.0, 11.0)
    settings = dataclasses.replace(REFLECTED, combination="none")
    # Without the straight path, which is taken at the centres.
    maps = [
        power(scene, tx, settings) - power(scene, tx, dataclasses.replace(settings, max_depth=0))
        for scene in (coarse, fine)
    ]
    averaged = maps[1].reshape(20, 2, 30, 2).mean(axis=(1, 3))
    far = np.s_[2:14, 16:28]
    np.testing.assert_allclose(10.0 * np.log10(maps[0][far] / averaged[far]), 0.0, atol=0.02)


def test_links_agree_in_both_directions_on_average() -> None:
    """Cells hold means and transmitters are points: the two differ at edges of shadows and of reflections only."""
    scene = turned_blocks(3)
    txs = [free_cell(scene, seed) for seed in range(30)]
    maps = list(RayLaunching().radio_maps(scene, txs))
    error_db = [
        there.path_loss_db[b.cell(scene.grid)] - back.path_loss_db[a.cell(scene.grid)]
        for (a, there), (b, back) in itertools.combinations(zip(txs, maps, strict=True), 2)
    ]
    assert np.median(np.abs(error_db)) < 0.05
    assert np.quantile(np.abs(error_db), 0.9) < 0.8


def test_ten_times_the_rays_change_little_and_less_than_the_stated_error() -> None:
    scene = turned_blocks(5)
    tx = free_cell(scene, 5)
    few, many = (RayLaunching(RayLaunchingSettings(num_rays=n)).radio_map(scene, tx) for n in (2_000, 20_000))
    error_db = np.abs(few.path_loss_db - many.path_loss_db)[~scene.buildings]
    assert few.meta["rays"] == 2_000
    assert np.median(error_db) < few.meta["standard_error_db"] < 1.0
    assert np.sqrt((error_db**2).mean()) < 0.5
    assert many.meta["standard_error_db"] < 0.3 * few.meta["standard_error_db"]


def test_a_car_dims_the_straight_path_only() -> None:
    scene = Scene.empty(GRID).with_cars([Footprint(shapely.box(20, 18, 22, 22))])
    tx = Transmitter.at_cell(GRID, 5, 20)
    with_car, without = (RayLaunching().radio_map(s, tx).path_loss_db for s in (scene, scene.without_cars()))
    assert (with_car - without)[20, 50] == pytest.approx(4.3, abs=1e-4)
    assert (with_car - without)[2, 50] == 0.0


def test_a_transmitter_above_a_roof_is_refused_before_any_is_solved() -> None:
    scene = Scene.from_footprints(GRID, [Footprint(shapely.box(10, 10, 30, 30), height_m=12.0)])
    below = Transmitter.at_cell(GRID, 5, 5, height_m=12.0)
    for cell, told in (((20, 20), "column 20, row 20, which is indoors"), ((5, 5), "roofs of 12 m at most")):
        above = Transmitter.at_cell(GRID, *cell, height_m=15.0)
        with pytest.raises(TransmitterError, match=f"street level.*{told}; height 15 m"):
            next(RayLaunching().radio_maps(scene, [below, above]))


def test_a_mast_among_buildings_of_unknown_height_is_served() -> None:
    outlines = [Footprint(shapely.box(10, 10, 20, 30), 12.0), Footprint(shapely.box(25, 10, 30, 30))]
    tx = Transmitter.at_cell(GRID, 5, 5, height_m=15.0)
    scene = Scene.from_footprints(GRID, outlines)
    np.testing.assert_array_equal(RayLaunching().radio_map(scene, tx).has_value, ~scene.buildings)


def test_a_carrier_outside_the_range_of_a_material_is_refused() -> None:
    scene = blocks((0.0, 30.0, 60.0, 40.0))
    low = Transmitter.at_cell(GRID, 20, 20, frequency_hz=100e6)
    with pytest.raises(PropagationError, match="concrete hold from 1 to 100 GHz"):
        RayLaunching().radio_map(scene, low)
    with pytest.raises(PropagationError, match="wet_ground hold from 1 to 10 GHz"):
        RayLaunching(RayLaunchingSettings(ground_material="wet_ground", max_depth=0)).radio_map(scene, low)
    # A fixed loss holds everywhere.
    RayLaunching(REFLECTED).radio_map(scene, low)


@pytest.mark.parametrize("angle_deg", [0.0, 17.0])
def test_nothing_leaves_a_closed_courtyard(angle_deg: float) -> None:
    ring = shapely.Polygon(shapely.box(15, 5, 45, 35).exterior, [shapely.box(20, 10, 40, 30).exterior])
    turned = shapely.affinity.rotate(ring, angle_deg, origin=(30, 20))
    scene = Scene.from_footprints(GRID, [Footprint(turned)])
    settings = RayLaunchingSettings(combination="none", max_depth=30)
    loss_db = RayLaunching(settings).radio_map(scene, Transmitter.at_cell(GRID, 28, 21)).path_loss_db
    inside = shapely.contains_xy(shapely.Polygon(turned.interiors[0]), *np.broadcast_arrays(*GRID.centres_m()))
    np.testing.assert_array_equal(np.isfinite(loss_db), inside)


def test_fast_and_reference_tell_the_same() -> None:
    scene = turned_blocks(7)
    tx = free_cell(scene, 7)
    fast, reference = (
        RayLaunching(RAY_LAUNCHING_SETTINGS[name]).radio_map(scene, tx) for name in ("fast", "reference")
    )
    error_db = (fast.path_loss_db - reference.path_loss_db)[~scene.buildings]
    assert np.sqrt((error_db**2).mean()) < 0.5
    assert reference.meta["standard_error_db"] < fast.meta["standard_error_db"]
