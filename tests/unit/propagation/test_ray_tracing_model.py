"""Ray tracing against closed forms, and the traps of the library behind it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from shapely import Polygon, box

from radiodiff.errors import PropagationError, TransmitterError
from radiodiff.propagation.dominant_path import DominantPath
from radiodiff.propagation.materials import complex_permittivity, fresnel
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings
from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from radiodiff.units import free_space_path_loss_db
from ray_tracer import needs_ray_tracer

pytestmark = needs_ray_tracer

OPEN = RayTracingSettings(ground_material=None, diffraction=False, noise_target_db=0.2)
QUICK = RayTracingSettings(num_rays=50_000, max_rays=200_000)
BLOCK = Scene.from_footprints(Grid(64, 80), [Footprint(box(30, 20, 50, 40), 20.0)])


def trace(scene: Scene, tx: Transmitter, settings: RayTracingSettings) -> NDArray[np.float32]:
    return RayTracing(settings).radio_map(scene, tx).path_loss_db


def length_m(scene: Scene, tx: Transmitter, height_m: float) -> NDArray[np.float64]:
    return np.hypot(tx.distance_m(scene.grid), height_m)


def median_and_spread(values: NDArray[np.floating]) -> tuple[float, float]:
    return float(np.nanmedian(values)), float(np.nanmedian(np.abs(values))) / 0.6745


@pytest.mark.parametrize("height_m", [2.5, 10.0, 30.0])
def test_free_space(height_m: float) -> None:
    scene = Scene.empty(Grid(120, 100))
    tx = Transmitter.at_cell(scene.grid, 30, 50, height_m=height_m)
    loss_db = trace(scene, tx, OPEN)
    expected_db = free_space_path_loss_db(length_m(scene, tx, height_m - 1.5), tx.frequency_hz)
    is_far = tx.distance_m(scene.grid) > 3.0
    median_db, spread_db = median_and_spread((loss_db - expected_db)[is_far])
    assert abs(median_db) < 0.05
    assert spread_db < 0.2


def test_a_cell_cut_by_a_wall_holds_the_mean_over_its_free_part() -> None:
    """Cells whose area is 30 to 70 % building, before a wall that gives no reflections."""
    wall = Polygon([(20, 40), (70, 27), (70, 37), (20, 50)])
    scene = Scene.from_footprints(Grid(60, 80), [Footprint(wall, 20.0)])
    tx = Transmitter.at_cell(scene.grid, 45, 10, height_m=2.5)
    loss_db = trace(scene, tx, replace(OPEN, specular_reflection=False, max_depth=0))
    expected_db = free_space_path_loss_db(length_m(scene, tx, 1.0), tx.frequency_hz)
    shares = np.array([[box(x, y, x + 1, y + 1).intersection(wall).area for x in range(80)] for y in range(60)])
    # What lies behind the wall has no path here.
    is_lit = (shares > 0.3) & (shares < 0.7) & ~scene.buildings & np.isfinite(loss_db)
    assert is_lit.sum() >= 8
    assert abs(float(np.median((loss_db - expected_db)[is_lit]))) < 0.2


@pytest.mark.parametrize("material", ["concrete", "medium_dry_ground"])
@pytest.mark.parametrize("height_m", [3.0, 12.0])
def test_two_rays_over_flat_ground(material: str, height_m: float) -> None:
    scene = Scene.empty(Grid(100, 120))
    tx = Transmitter.at_cell(scene.grid, 20, 40, height_m=height_m, frequency_hz=3.5e9)
    loss_db = trace(scene, tx, replace(OPEN, ground_material=material))
    straight_m, mirrored_m = length_m(scene, tx, height_m - 1.5), length_m(scene, tx, height_m + 1.5)
    # The ground reflects a vertical antenna's field in the plane of incidence; powers add.
    _, amplitude = fresnel(complex_permittivity(material, 3.5e9), (height_m + 1.5) / mirrored_m)
    gain = straight_m**-2.0 + np.abs(amplitude) ** 2 * mirrored_m**-2.0
    expected_db = free_space_path_loss_db(1.0, 3.5e9) - 10.0 * np.log10(gain)
    is_far = tx.distance_m(scene.grid) > 3.0
    median_db, spread_db = median_and_spread((loss_db - expected_db)[is_far])
    assert abs(median_db) < 0.05
    assert spread_db < 0.2


def test_a_long_wall_is_a_mirror() -> None:
    scene = Scene.from_footprints(Grid(60, 100), [Footprint(box(-300, -20, 400, 5), 30.0)])
    tx = Transmitter.at_cell(scene.grid, 50, 25)
    loss_db = trace(scene, tx, OPEN)
    x_m, y_m = scene.grid.centres_m()
    straight_m = np.sqrt((x_m - tx.x_m) ** 2 + (y_m - tx.y_m) ** 2 + 1.0)
    mirrored_m = np.sqrt((x_m - tx.x_m) ** 2 + (y_m - (10.0 - tx.y_m)) ** 2 + 1.0)
    amplitude, _ = fresnel(complex_permittivity("concrete", tx.frequency_hz), (y_m + tx.y_m - 10.0) / mirrored_m)
    gain = straight_m**-2.0 + np.abs(amplitude) ** 2 * mirrored_m**-2.0
    expected_db = free_space_path_loss_db(1.0, tx.frequency_hz) - 10.0 * np.log10(gain)
    is_far = (tx.distance_m(scene.grid) > 3.0) & ~scene.buildings
    median_db, spread_db = median_and_spread((loss_db - expected_db)[is_far])
    assert abs(median_db) < 0.05
    assert spread_db < 0.3


def test_row_zero_is_the_top() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 40, 10)
    loss_db = trace(BLOCK, tx, replace(QUICK, diffraction=False))
    # The block stands below the transmitter: its shadow lies at high row numbers.
    assert np.isfinite(loss_db[5, :]).all()
    assert np.isnan(loss_db[60, 35:46]).all()
    assert np.nanargmin(loss_db) == np.ravel_multi_index((10, 40), loss_db.shape)


def test_a_shadow_is_lit_around_the_corner() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 12, 8)
    settings = replace(QUICK, num_rays=250_000, max_rays=1_000_000, max_depth=1)
    straight, bent = (
        RayTracing(replace(settings, diffraction=diffraction)).radio_map(BLOCK, tx) for diffraction in (False, True)
    )
    assert straight.meta["num_cells_without_path"] > 500
    assert bent.meta["num_cells_without_path"] < 0.05 * straight.meta["num_cells_without_path"]
    in_shadow = np.isnan(straight.path_loss_db) & ~BLOCK.buildings & bent.has_value
    excess_db = (bent.path_loss_db - free_space_path_loss_db(length_m(BLOCK, tx, 1.0), tx.frequency_hz))[in_shadow]
    # Half a field at the border of the shadow, 6 dB; a knife edge bent by 90 degrees loses some 40 dB at 5.9 GHz.
    assert 6.0 < np.median(excess_db) < 45.0
    assert not np.isfinite(straight.path_loss_db[in_shadow]).any()


def test_diffraction_in_sight_only_adds_where_there_is_sight() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 12, 8)
    settings = replace(QUICK, max_depth=1, num_rays=200_000, max_rays=800_000, specular_reflection=False)
    shadow, everywhere = (trace(BLOCK, tx, replace(settings, diffraction_in_sight=on)) for on in (False, True))
    straight = np.isfinite(trace(BLOCK, tx, replace(settings, diffraction=False)))
    both = np.isfinite(shadow) & np.isfinite(everywhere)
    # The same, for noise; in sight, a little more power near the edge alone.
    assert abs(np.median((everywhere - shadow)[both & ~straight])) < 0.3
    assert -0.2 < np.median((everywhere - shadow)[both & straight]) <= 0.0


def test_loss_behind_a_corner_follows_the_knife_edge() -> None:
    """At slight turns the shape of an edge hardly matters: a corner of metal is a knife edge."""
    scene = Scene.from_footprints(Grid(90, 110), [Footprint(box(40, 30, 60, 300), 30.0)])
    tx = Transmitter.at_cell(scene.grid, 5, 60)
    settings = replace(OPEN, diffraction=True, max_depth=1, building_material="metal", max_rays=4_000_000)
    loss_db = trace(scene, tx, replace(settings, num_rays=500_000))
    x_m, y_m = scene.grid.centres_m()
    near_m, far_m = np.hypot(40.0 - tx.x_m, 30.0 - tx.y_m), np.hypot(x_m - 40.0, y_m - 30.0)
    turn_rad = np.arctan2(y_m - 30.0, x_m - 40.0) - np.arctan2(30.0 - tx.y_m, 40.0 - tx.x_m)
    wavelength_m = 299_792_458.0 / tx.frequency_hz
    v = turn_rad * np.sqrt(2.0 * near_m * far_m / (wavelength_m * (near_m + far_m)))
    # ITU-R P.526-15, eq. 31.
    knife_db = 6.9 + 20.0 * np.log10(np.sqrt((v - 0.1) ** 2 + 1.0) + v - 0.1)
    is_slight = (turn_rad > np.radians(3.0)) & (turn_rad < np.radians(15.0)) & (x_m > 45.0)
    excess_db = loss_db - free_space_path_loss_db(length_m(scene, tx, 1.0), tx.frequency_hz)
    assert is_slight.sum() > 200
    assert abs(np.nanmedian((excess_db - knife_db)[is_slight])) < 2.0


def test_horizon_sampling_does_not_change_the_map() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30, height_m=6.0)
    settings = replace(OPEN, max_depth=2, ground_material="concrete", noise_target_db=0.3)
    warped_db, even_db = (trace(BLOCK, tx, replace(settings, has_horizon_sampling=on)) for on in (True, False))
    median_db, spread_db = median_and_spread(warped_db - even_db)
    assert abs(median_db) < 0.05
    assert spread_db < 0.5


def test_horizon_sampling_lowers_the_noise() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, diffraction=False, max_depth=2)
    warped, even = (
        RayTracing(replace(settings, has_horizon_sampling=on)).radio_map(BLOCK, tx).meta for on in (True, False)
    )
    assert warped["rays"] == even["rays"]
    assert warped["standard_error_db"] < 0.5 * even["standard_error_db"]


def test_the_error_is_as_told() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, max_depth=2, num_rays=20_000, max_rays=80_000, diffraction=False)
    noisy = RayTracing(settings).radio_map(BLOCK, tx)
    quiet = RayTracing(replace(settings, num_rays=500_000, max_rays=2_000_000)).radio_map(BLOCK, tx)
    assert quiet.meta["standard_error_db"] < 0.3 * noisy.meta["standard_error_db"]
    _, spread_db = median_and_spread(noisy.path_loss_db - quiet.path_loss_db)
    assert 0.5 * noisy.meta["standard_error_db"] < spread_db < 1.5 * noisy.meta["standard_error_db"]


def test_rays_are_added_until_the_noise_is_low_enough() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, num_rays=10_000, max_rays=10_000_000, max_depth=1, diffraction=False)
    facts = [
        RayTracing(replace(settings, noise_target_db=target_db)).radio_map(BLOCK, tx).meta for target_db in (2.0, 0.4)
    ]
    assert [fact["noise_target_reached"] for fact in facts] == [True, True]
    assert facts[0]["standard_error_db"] <= 2.0
    assert facts[1]["standard_error_db"] <= 0.4
    assert facts[0]["rays"] < facts[1]["rays"]


def test_the_budget_ends_it() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, num_rays=5_000, max_rays=70_000, noise_target_db=0.01, max_depth=1, diffraction=False)
    facts = RayTracing(settings).radio_map(BLOCK, tx).meta
    assert facts["rays"] <= 70_000
    assert facts["noise_target_reached"] is False
    assert facts["standard_error_db"] > 0.01


def test_so_does_the_time() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, num_rays=5_000, max_rays=10**9, noise_target_db=0.01, max_seconds=1e-6)
    assert RayTracing(settings).radio_map(BLOCK, tx).meta["batches"] == settings.num_batches


@pytest.mark.parametrize("height_m", [1.5, 1.2, 2.0])
def test_a_transmitter_in_the_plane_of_the_receivers_is_raised(height_m: float) -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30, height_m=height_m)
    found = RayTracing(QUICK).radio_map(BLOCK, tx)
    assert found.meta["tx_height_m"] == 2.5
    assert found.path_loss_db.tobytes() == trace(BLOCK, replace(tx, height_m=2.5), QUICK).tobytes()


def test_a_transmitter_below_the_receivers() -> None:
    scene = Scene.empty(Grid(40, 40))
    tx = Transmitter.at_cell(scene.grid, 20, 20, height_m=1.0)
    loss_db = trace(scene, tx, replace(OPEN, rx_height_m=4.0))
    expected_db = free_space_path_loss_db(length_m(scene, tx, 3.0), tx.frequency_hz)
    median_db, _ = median_and_spread((loss_db - expected_db)[tx.distance_m(scene.grid) > 3.0])
    assert abs(median_db) < 0.05


def test_a_transmitter_on_a_roof_sees_over_lower_ones() -> None:
    low, high = Footprint(box(40, 20, 50, 40), 6.0), Footprint(box(5, 20, 20, 40), 25.0)
    scene = Scene.from_footprints(Grid(64, 120), [low, high])
    tx = Transmitter.at_cell(scene.grid, 19, 30, height_m=28.0)
    settings = replace(OPEN, specular_reflection=False, noise_target_db=0.3)
    loss_db = trace(scene, tx, settings)
    # The shadow of the low roof: 26.5 m above the receivers, 30.5 m to its far edge, 22 m above that edge.
    end_m = tx.x_m + (50.0 - tx.x_m) * 26.5 / 22.0
    assert np.isnan(loss_db[30, 50 : int(end_m) - 1]).all()
    assert np.isfinite(loss_db[30, int(end_m) + 2 :]).all()
    lit_db = trace(scene, tx, replace(settings, diffraction=True))
    assert np.isfinite(lit_db[30, 50 : int(end_m)]).mean() > 0.5


def test_the_same_arguments_give_the_same_bits() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    assert trace(BLOCK, tx, QUICK).tobytes() == trace(BLOCK, tx, QUICK).tobytes()


def test_transmitters_together_keep_their_own_maps() -> None:
    txs = [Transmitter.at_cell(BLOCK.grid, col, 50) for col in (10, 40, 70)]
    settings = replace(QUICK, diffraction=False, noise_target_db=2.0)
    alone = [trace(BLOCK, tx, settings) for tx in txs]
    for together, single in zip(
        RayTracing(replace(settings, tx_per_solve=2)).radio_maps(BLOCK, txs), alone, strict=True
    ):
        np.testing.assert_allclose(together.path_loss_db, single, atol=1e-3)


def test_transmitters_of_different_kinds_in_one_call() -> None:
    txs = [
        Transmitter.at_cell(BLOCK.grid, 10, 50),
        Transmitter.at_cell(BLOCK.grid, 10, 50, frequency_hz=3.5e9),
        Transmitter.at_cell(BLOCK.grid, 10, 50, height_m=5.0),
    ]
    maps = list(RayTracing(replace(QUICK, tx_per_solve=3)).radio_maps(BLOCK, txs))
    for found, tx in zip(maps, txs, strict=True):
        assert found.path_loss_db.tobytes() == trace(BLOCK, tx, QUICK).tobytes()


def test_facts_are_of_json_types() -> None:
    facts = RayTracing(QUICK).radio_map(BLOCK, Transmitter.at_cell(BLOCK.grid, 20, 30)).meta
    assert {type(value) for value in facts.values()} <= {bool, int, float, str}
    assert {"rays", "batches", "standard_error_db", "noise_target_reached", "floor_db", "seconds", "variant"} <= set(
        facts
    )


def test_thin_walls_let_waves_through() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, diffraction=False, max_depth=2, building_material="wood", wall_thickness_m=0.01)
    closed, passed = (RayTracing(replace(settings, refraction=on)).radio_map(BLOCK, tx) for on in (False, True))
    # One block in the open: behind it arrives what passes two walls, or nothing.
    assert passed.meta["num_cells_without_path"] < 0.1 * closed.meta["num_cells_without_path"]
    behind = np.isnan(closed.path_loss_db) & passed.has_value
    free_db = free_space_path_loss_db(length_m(BLOCK, tx, 1.0), tx.frequency_hz)
    assert 0.0 < np.median((passed.path_loss_db - free_db)[behind]) < 12.0


def test_rough_walls_light_what_mirrors_do_not() -> None:
    blocks = [Footprint(box(20, -200, 100, 20), 20.0), Footprint(box(40, 30, 60, 50), 20.0)]
    scene = Scene.from_footprints(Grid(64, 80), blocks)
    tx = Transmitter.at_cell(scene.grid, 30, 40)
    settings = replace(QUICK, diffraction=False, max_depth=1)
    smooth, rough = (RayTracing(replace(settings, diffuse_reflection=on)).radio_map(scene, tx) for on in (False, True))
    assert rough.meta["num_cells_without_path"] < smooth.meta["num_cells_without_path"]


def test_without_a_line_of_sight_reflections_are_left() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, diffraction=False, max_depth=1, ground_material=None)
    with_it, without = (trace(BLOCK, tx, replace(settings, line_of_sight=on)) for on in (True, False))
    assert 0.1 < np.isfinite(without).mean() < 0.5
    assert (without >= with_it)[np.isfinite(without)].all()


@pytest.mark.parametrize("completion", ["where-no-path", "strongest", "power-sum"])
def test_the_dominant_path_completes_the_map(completion: str) -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    settings = replace(QUICK, diffraction=False)
    traced_db = trace(BLOCK, tx, settings)
    path_db = DominantPath().radio_map(BLOCK, tx).path_loss_db
    found = RayTracing(replace(settings, completion=completion)).radio_map(BLOCK, tx)  # type: ignore[arg-type]
    assert found.meta["num_cells_without_path"] == 0
    assert found.meta["num_cells_traced"] == int(np.isfinite(traced_db).sum())
    expected_db = {
        "where-no-path": np.where(np.isnan(traced_db), path_db, traced_db),
        "strongest": np.fmin(traced_db, path_db),
        "power-sum": -10.0 * np.log10(np.nan_to_num(10.0 ** (-traced_db / 10.0)) + 10.0 ** (-path_db / 10.0)),
    }[completion]
    np.testing.assert_allclose(found.path_loss_db, expected_db, atol=1e-3)


def test_another_exponent_adds_to_the_distance() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30)
    more_db = trace(BLOCK, tx, replace(QUICK, distance_exponent=2.6)) - trace(BLOCK, tx, QUICK)
    expected_db = 6.0 * np.log10(tx.distance_m(BLOCK.grid, minimum_m=1.0))
    np.testing.assert_allclose(more_db[np.isfinite(more_db)], expected_db[np.isfinite(more_db)], atol=1e-3)


def test_a_transmitter_under_the_edge_of_an_outline_is_put_outside() -> None:
    outline = Footprint(box(30, 20, 50, 40.7), 20.0)
    buildings = np.zeros(BLOCK.grid.shape, dtype=bool)
    buildings[20:40, 30:50] = True
    scene = Scene(BLOCK.grid, buildings, (outline,))
    found = RayTracing(QUICK).radio_map(scene, Transmitter.at_cell(BLOCK.grid, 40, 40))
    # From 40.5 to 40.7, and the clearance of the wall.
    assert found.meta["tx_moved_m"] == pytest.approx(0.25)
    assert np.isfinite(found.path_loss_db[45:, :]).all()
    assert RayTracing(QUICK).radio_map(BLOCK, Transmitter.at_cell(BLOCK.grid, 40, 40)).meta["tx_moved_m"] == 0.0


def test_a_transmitter_deep_under_an_outline_is_refused_before_any_is_solved() -> None:
    scene = Scene(BLOCK.grid, np.zeros(BLOCK.grid.shape, dtype=bool), BLOCK.footprints)
    txs = [Transmitter.at_cell(BLOCK.grid, *cell) for cell in ((5, 5), (40, 30))]
    with pytest.raises(TransmitterError, match="outside the walls"):
        next(RayTracing(QUICK).radio_maps(scene, txs))


def test_the_roof_of_a_car_is_a_mirror() -> None:
    open_scene = Scene.empty(Grid(40, 60))
    tx = Transmitter.at_cell(open_scene.grid, 5, 20)
    scene = open_scene.with_cars([Footprint(box(1, 10, 59, 30))])
    loss_db = trace(scene, tx, OPEN)
    # Transmitter 1.1 m above a roof of 1.4 m, receivers 0.1 m: metal reflects all.
    gain = length_m(scene, tx, 1.0) ** -2.0 + length_m(scene, tx, 1.2) ** -2.0
    expected_db = free_space_path_loss_db(1.0, tx.frequency_hz) - 10.0 * np.log10(gain)
    is_above = np.zeros(scene.grid.shape, dtype=bool)
    is_above[12:28, 10:57] = True
    median_db, spread_db = median_and_spread((loss_db - expected_db)[is_above])
    assert abs(median_db) < 0.05
    assert spread_db < 0.3


def test_a_van_throws_a_shadow() -> None:
    open_scene = Scene.empty(Grid(40, 60))
    tx = Transmitter.at_cell(open_scene.grid, 5, 20)
    # From the raster alone: 3 m high between 2.5 and 1.5 m.
    cars = np.zeros(open_scene.grid.shape, dtype=bool)
    cars[18:23, 20:23] = True
    loss_db = trace(replace(open_scene, cars=cars), tx, replace(OPEN, car_height_m=3.0))
    assert np.isnan(loss_db[20, 20:60]).all()
    assert np.isfinite(loss_db[20, :19]).all()
    assert np.isfinite(loss_db[2, :]).all()


def test_cars_in_the_plane_of_the_receivers_are_refused() -> None:
    scene = BLOCK.with_cars([Footprint(box(10, 10, 12, 14))])
    with pytest.raises(PropagationError, match=r"at least 0\.05 m above or below the receivers"):
        trace(scene, Transmitter.at_cell(BLOCK.grid, 20, 30), replace(QUICK, car_height_m=1.5))


@pytest.mark.parametrize(
    ("heights_m", "facts"), [((20.0, 9.0), {}), ((20.0, None), {"num_default_heights": 1, "default_height_m": 25.0})]
)
def test_heights_that_are_not_known_are_told(heights_m: tuple, facts: dict) -> None:
    outlines = [Footprint(box(x, 20, x + 10, 40), height_m) for x, height_m in zip((10, 30), heights_m, strict=True)]
    scene = Scene.from_footprints(BLOCK.grid, outlines)
    meta = (
        RayTracing(replace(QUICK, max_depth=0, diffraction=False))
        .radio_map(scene, Transmitter.at_cell(BLOCK.grid, 50, 10))
        .meta
    )
    assert {name: value for name, value in meta.items() if "default_height" in name} == facts


def test_a_transmitter_in_the_sky_is_refused_before_any_is_solved() -> None:
    txs = [Transmitter.at_cell(BLOCK.grid, 20, 30, height_m=height_m) for height_m in (2.5, 6000.0)]
    with pytest.raises(TransmitterError, match="at most 5000 m"):
        next(RayTracing(QUICK).radio_maps(BLOCK, txs))


def test_a_carrier_outside_the_range_of_the_ground_is_refused() -> None:
    tx = Transmitter.at_cell(BLOCK.grid, 20, 30, frequency_hz=28e9)
    with pytest.raises(PropagationError, match="medium_dry_ground hold from 1 to 10 GHz"):
        trace(BLOCK, tx, QUICK)
