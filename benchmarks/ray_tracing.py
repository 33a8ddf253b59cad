"""Ray tracing: time, noise, agreement of two ray counts, memory, and how near it comes to WinProp's IRT maps.

Protocol. Time: CPU time of one process with one thread, the kernels compiled before; cities of `radiodiff.layouts`,
256 x 256 cells of 1 m, buildings of 25 m, transmitters a metre above the receivers, or 3 m above the roofs; 5.9 GHz.
Maps per hour: two processes, wall time, four transmitters per scene, start of the processes and compilation left out.
Set-up: the mesh and its copy in the ray tracer, everything that a scene costs before its first ray. Agreement: RMSE,
and the median of the magnitude over 0.6745, of the difference to a map with ten times the rays, over cells above the
floor, beside the standard error that the map tells of itself. Directions: the same number of rays with and without
horizon sampling. Memory: resident, after some and after many scenes with few rays. IRT: map 419, transmitters 0 to 3
(IRT4: 0), all cells outside the buildings, path loss limited to the floor of the thresholded scale; line of sight as
counted on the raster. The sample of RadioMapSeer is not part of the repository: give its folder. Deep shadow: one crop
each of Munich, Florence and Etoile, two transmitters, the rays of `fast`; share of the open cells without a path, by
effect, and the path loss that an effect finds in cells which have none with five interactions.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.measure import read, spread, write
from radiodiff import RADIOMAPSEER_GREY, CitySettings, DominantPath, Scene, Transmitter, generate_city
from radiodiff.data.create.scenarios import Scenario, draw_transmitters
from radiodiff.formats import read_radiomapseer_scene, read_radiomapseer_transmitters
from radiodiff.layouts import CropSettings, city_scene, cut_layouts, draw_transmitter_cells
from radiodiff.propagation.presets import PRESETS
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings
from radiodiff.propagation.wall_kernels import count_wall_runs

SAMPLE = Path(__file__).parents[2] / "shared" / "data" / "radiomapseer-sample"
MAP = 419
HEIGHTS_M = {"street": 2.5, "rooftop": 28.0}
FLOOR_DB = float(RADIOMAPSEER_GREY.to_path_loss_db(np.zeros(1), thresholded=True)[0])


def settings_of(preset: str) -> RayTracingSettings:
    engine = PRESETS["ray-tracing"][preset]
    assert isinstance(engine, RayTracing)
    return engine.settings


def city(seed: int) -> Scene:
    return generate_city(CitySettings(style="radiomapseer"), (6, seed)).without_cars()


def transmitters(scene: Scene, count: int, height_m: float) -> list[Transmitter]:
    cells = draw_transmitter_cells(scene, count, 1)
    return [Transmitter.at_cell(scene.grid, *cell, height_m=height_m) for cell in cells]


def solve_scenes(settings: RayTracingSettings, numbers: Sequence[int], height_m: float) -> int:
    count = 0
    for number in numbers:
        scene = city(number)
        count += len(list(RayTracing(settings).radio_maps(scene, transmitters(scene, 4, height_m))))
    return count


def cpu_seconds(preset: str, scenes: int) -> dict[str, Any]:
    """CPU time of a transmitter, and what its map tells of itself."""
    figures: dict[str, Any] = {}
    engine = RayTracing(settings_of(preset))
    for scenario, height_m in HEIGHTS_M.items():
        each, rays, errors_db, holes = [], [], [], []
        for number in range(scenes + 1):
            scene = city(number)
            for tx in transmitters(scene, 2, height_m):
                start = time.process_time()
                found = engine.radio_map(scene, tx)
                each.append(time.process_time() - start)
                rays.append(found.meta["rays"])
                errors_db.append(found.meta["standard_error_db"])
                holes.append(found.meta["num_cells_without_path"] / float((~scene.buildings).sum()))
        # The first scene compiles.
        figures[scenario] = {
            "cpu_s": spread(each[2:]),
            "mega_rays": spread([count / 1e6 for count in rays[2:]]),
            "standard_error_db": spread(errors_db[2:]),
            "share_without_path": spread(holes[2:]),
        }
    return figures


def setup_seconds(scenes: int) -> dict[str, float]:
    """CPU time of a scene's set-up."""
    from radiodiff.propagation.ray_tracing.llvm import load_ray_tracer

    load_ray_tracer("auto")
    from radiodiff.propagation.ray_tracing.meshes import building_mesh, ground_mesh, outlines_with_heights
    from radiodiff.propagation.ray_tracing.tracing_kernels import SceneTracer

    taken = []
    for number in range(scenes + 1):
        scene = city(number)
        start = time.process_time()
        footprints = outlines_with_heights(scene, 25.0)
        surfaces = {
            "buildings": (building_mesh(footprints, (1.5, 2.5)), "concrete"),
            "ground": (ground_mesh(scene, footprints), "medium_dry_ground"),
        }
        tracer = SceneTracer(scene.grid, surfaces, 5.9e9, RayTracingSettings())
        taken.append(time.process_time() - start)
        tracer.close()
    return spread(taken[1:])


def maps_per_hour(preset: str, scenario: str, scenes: int) -> float:
    """Rate of two processes, the drawing of the cities included."""
    settings, height_m = settings_of(preset), HEIGHTS_M[scenario]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(solve_scenes, [settings] * 2, [[0], [1]], [height_m] * 2))
        start = time.perf_counter()
        halves = [range(2, scenes + 2, 2), range(3, scenes + 3, 2)]
        count = sum(pool.map(solve_scenes, [settings] * 2, halves, [height_m] * 2))
        return 3600.0 * count / (time.perf_counter() - start)


def agreement(settings: RayTracingSettings, scenario: str, scenes: int) -> dict[str, Any]:
    """Difference between a map and one with ten times its rays [dB]."""
    rmse_db, spread_db, stated_db = [], [], []
    for number in range(scenes):
        scene = city(number)
        (tx,) = transmitters(scene, 1, HEIGHTS_M[scenario])
        few = RayTracing(settings).radio_map(scene, tx)
        rays = 10 * few.meta["rays"]
        many = RayTracing(replace(settings, num_rays=rays // 4, max_rays=rays)).radio_map(scene, tx)
        error_db = (few.path_loss_db - many.path_loss_db).astype(np.float64)
        error_db = error_db[np.isfinite(error_db) & (many.path_loss_db < settings.floor_db)]
        rmse_db.append(float(np.sqrt((error_db**2).mean())))
        spread_db.append(float(np.median(np.abs(error_db))) / 0.6745)
        stated_db.append(few.meta["standard_error_db"])
    return {"rmse_db": spread(rmse_db), "spread_db": spread(spread_db), "stated_standard_error_db": spread(stated_db)}


def directions(scenes: int) -> dict[str, dict[str, float]]:
    """Noise of a million rays with and without horizon sampling, without diffraction."""
    settings = RayTracingSettings(diffraction=False, num_rays=250_000, max_rays=1_000_000)
    figures: dict[str, dict[str, float]] = {}
    for scenario, height_m in HEIGHTS_M.items():
        for name, is_on in (("horizon", True), ("even", False)):
            engine = RayTracing(replace(settings, has_horizon_sampling=is_on))
            errors_db = [
                engine.radio_map(scene, tx).meta["standard_error_db"]
                for scene in map(city, range(scenes))
                for tx in transmitters(scene, 1, height_m)
            ]
            figures[f"{scenario}, {name}"] = spread(errors_db)
    return figures


def memory(scenes: int) -> dict[str, float]:
    """Resident memory after some and after many scenes, and the most at any time [MB]."""
    settings = RayTracingSettings(num_rays=10_000, max_rays=40_000)
    resident = {}
    for number in range(1, scenes + 1):
        scene = city(number)
        RayTracing(settings).radio_map(scene, transmitters(scene, 1, 2.5)[0])
        if number in (20, scenes // 2, scenes):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            resident[f"after_{number}_scenes_mb"] = round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
    resident["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)
    return resident


def irt_figures(sample: Path) -> dict[str, dict[str, float]]:
    """RMSE against the IRT maps [dB]: all cells outside, in line of sight, without. Beside them, dominant path."""
    scene = read_radiomapseer_scene(sample, MAP)
    txs = [Transmitter.at_cell(scene.grid, *cell) for cell in read_radiomapseer_transmitters(sample, MAP)[:4]]
    outside = ~scene.buildings
    is_los = [count_wall_runs(scene.buildings, tx.x_m, tx.y_m) == 0 for tx in txs]
    figures = {}
    for simulation, count in (("IRT2", 4), ("IRT4", 1)):
        engines = {f"{name} {simulation.lower()}": PRESETS[name][simulation.lower()] for name in PRESETS}
        for name, engine in {"dominant-path": DominantPath(), **engines}.items():
            errors_db: dict[str, list[Any]] = {"all": [], "los": [], "nlos": []}
            for index, found in enumerate(engine.radio_maps(scene, txs[:count])):
                grey = np.asarray(Image.open(sample / f"gain_thresholded/{simulation}/{MAP}_{index}.png"), np.float64)
                truth_db = RADIOMAPSEER_GREY.to_path_loss_db(grey, thresholded=True)
                error_db = np.minimum(np.nan_to_num(found.path_loss_db, nan=FLOOR_DB), FLOOR_DB) - truth_db
                los = is_los[index]
                for region, cells in (("all", outside), ("los", outside & los), ("nlos", outside & ~los)):
                    errors_db[region].append(error_db[cells])
            figures[f"{simulation}, {name}"] = {
                region: round(float(np.sqrt((np.concatenate(errors) ** 2).mean())), 3)
                for region, errors in errors_db.items()
            }
    return figures


def deep_shadow(cities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Share of cells without a path with more interactions, more edges and rough walls, in dense towns."""
    five = replace(settings_of("fast"), max_depth=5)
    eight = replace(five, max_depth=8)
    variants = {
        "5 interactions": five,
        "8 interactions": eight,
        "8, edges in sight": replace(eight, diffraction_in_sight=True),
        "8, rough walls": replace(eight, diffuse_reflection=True),
    }
    scenes = []
    for name in cities:
        crops = [crop.scene for crop in cut_layouts(city_scene(name), CropSettings()) if crop is not None]
        scenes.append(crops[len(crops) // 2])
    figures = {}
    scenarios: tuple[Scenario, ...] = ("street", "rooftop")
    for scenario in scenarios:
        links = [(scene, draw_transmitters(scene, 2, scenario, 7)) for scene in scenes]
        first = [found for scene, txs in links for found in RayTracing(five).radio_maps(scene, txs)]
        for name, settings in variants.items():
            start = time.process_time()
            maps = [found for scene, txs in links for found in RayTracing(settings).radio_maps(scene, txs)]
            cpu_s = (time.process_time() - start) / len(maps)
            open_cells = [~scene.buildings for scene, txs in links for _ in txs]
            share = [np.isnan(found.path_loss_db)[cells].mean() for found, cells in zip(maps, open_cells, strict=True)]
            added = [
                found.path_loss_db[cells & np.isnan(before.path_loss_db) & ~np.isnan(found.path_loss_db)]
                for found, before, cells in zip(maps, first, open_cells, strict=True)
            ]
            found_db = np.concatenate(added)
            levels = np.quantile(found_db, (0.05, 0.5, 0.95)).tolist() if found_db.size else []
            figures[f"{scenario}, {name}"] = {
                "share_without_path": spread([float(one) for one in share]),
                "added_cells_db": [round(level, 1) for level in levels],
                "standard_error_db": spread([found.meta["standard_error_db"] for found in maps]),
                "cpu_s": round(cpu_s, 2),
            }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SAMPLE, help="folder of the RadioMapSeer sample")
    parser.add_argument("--scenes", type=int, default=6, help="scenes of each figure")
    parser.add_argument("--memory", type=int, default=500, help="scenes of the memory test")
    parser.add_argument("--rate", type=int, default=40, help="scenes of the rate of fast; reference has a tenth")
    parser.add_argument("--only", nargs="*", help="names of figures; the others stay as they were measured")
    arguments = parser.parse_args()
    scenes, few = arguments.scenes, max(arguments.scenes // 3, 1)
    rates = {"fast": arguments.rate, "reference": max(arguments.rate // 10, 2)}
    measures: dict[str, Callable[[], Any]] = {
        "setup_cpu_s": lambda: setup_seconds(max(scenes, 5)),
        "directions": lambda: directions(min(scenes, 4)),
        "time_fast": lambda: cpu_seconds("fast", scenes),
        "time_reference": lambda: cpu_seconds("reference", few),
        "maps_per_hour_fast": lambda: {one: maps_per_hour("fast", one, rates["fast"]) for one in HEIGHTS_M},
        "maps_per_hour_reference": lambda: {
            one: maps_per_hour("reference", one, rates["reference"]) for one in HEIGHTS_M
        },
        "agreement_fast_street": lambda: agreement(settings_of("fast"), "street", min(scenes, 4)),
        "agreement_fast_rooftop": lambda: agreement(settings_of("fast"), "rooftop", min(scenes, 4)),
        "deep_shadow": lambda: deep_shadow(("munich", "florence", "etoile")),
        "memory": lambda: memory(arguments.memory),
        "irt": lambda: irt_figures(arguments.data),
    }
    if unknown := set(arguments.only or ()) - set(measures):
        parser.error(f"--only takes {', '.join(measures)}; not {', '.join(sorted(unknown))}")
    if not arguments.data.is_dir():
        del measures["irt"]
        print(f"skipped: no RadioMapSeer sample in {arguments.data} (give it with --data)")
    result: dict[str, Any] = dict(read("ray_tracing"), protocol=" ".join(__doc__.split("Protocol. ")[1].split()))
    for name, measure in measures.items():
        if arguments.only is None or name in arguments.only:
            result[name] = measure()
            print(name, result[name], flush=True)
            write("ray_tracing", result)


if __name__ == "__main__":
    main()
