"""The ray launcher against the ray tracer, between walls that nothing passes over."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from engine_cases import free_cell, turned_blocks
from radiodiff.propagation.ray_launching import RayLaunching, RayLaunchingSettings
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings
from radiodiff.scene import Scene, Transmitter
from ray_tracer import needs_ray_tracer

TRACED = RayTracingSettings(
    max_depth=3,
    line_of_sight=False,
    diffraction=False,
    ground_material=None,
    default_height_m=200.0,
    # So thick that nothing comes back from the far side: the launcher's walls have none.
    wall_thickness_m=2.0,
    num_rays=500_000,
    max_rays=2_000_000,
)
LAUNCHED = RayLaunchingSettings(max_depth=3, combination="none")


def reflected_db(scene: Scene, tx: Transmitter, settings: RayLaunchingSettings) -> NDArray[np.float64]:
    """Path loss of all paths but the straight one, NaN where there is none [dB]."""
    all_paths, straight = (
        np.nan_to_num(10.0 ** (-engine.radio_map(scene, tx).path_loss_db.astype(np.float64) / 10.0))
        for engine in (RayLaunching(settings), RayLaunching(dataclasses.replace(settings, max_depth=0)))
    )
    power = all_paths - straight
    # Float32 maps leave a rounding of the straight path.
    is_reached = power > 1e-5 * straight
    return np.where(is_reached, -10.0 * np.log10(np.where(is_reached, power, 1.0)), np.nan)


@needs_ray_tracer
@pytest.mark.parametrize("material", ["concrete", "glass"])
def test_reflections_agree_with_the_ray_tracer(material: str) -> None:
    scene = turned_blocks(3)
    tx = free_cell(scene, 3)
    launched_db = reflected_db(scene, tx, dataclasses.replace(LAUNCHED, building_material=material))
    tracer = RayTracing(dataclasses.replace(TRACED, building_material=material))
    error_db = launched_db - tracer.radio_map(scene, tx).path_loss_db.astype(np.float64)
    both = np.isfinite(error_db)
    assert both.sum() > 0.95 * np.isfinite(launched_db).sum() > 1000
    assert abs(np.median(error_db[both])) < 0.1
    assert np.sqrt((error_db[both] ** 2).mean()) < 1.0


@needs_ray_tracer
def test_edges_of_shadows_agree_with_the_ray_tracer() -> None:
    scene = turned_blocks(3)
    tx = free_cell(scene, 3)
    settings = dataclasses.replace(TRACED, max_depth=0, line_of_sight=True)
    traced_db, launched_db = (
        engine.radio_map(scene, tx).path_loss_db.astype(np.float64)
        for engine in (RayTracing(settings), RayLaunching(dataclasses.replace(LAUNCHED, max_depth=0)))
    )
    is_lit, near = np.isfinite(launched_db), np.s_[1:-1, 1:-1]
    has_dark_neighbour = ~(is_lit[:-2, 1:-1] & is_lit[2:, 1:-1] & is_lit[1:-1, :-2] & is_lit[1:-1, 2:])
    is_far = tx.distance_m(scene.grid)[near] > 3.0
    error_db = (launched_db - traced_db)[near][
        has_dark_neighbour & is_far & np.isfinite(traced_db)[near] & is_lit[near]
    ]
    assert error_db.size > 50
    # The tracer divides by the whole cell beside a wall, too.
    assert np.quantile(np.abs(error_db), 0.75) < 1.0
