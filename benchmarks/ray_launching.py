"""Ray launching: time, noise, agreement with the ray tracer, and how near it comes to WinProp's IRT maps.

Protocol. Time: CPU time of one process with one thread, so that other work on the machine counts little; cities of
`radiodiff.layouts`, style radiomapseer, 256 x 256 cells of 1 m, 80 transmitters each, or one; kernels compiled before.
Maps per hour: two processes, wall time, start of the processes left out. Noise: RMSE and median of |difference| to the
same map with ten times the rays, outside the buildings, reflected rays alone and with the paths around corners. Ray
tracer: map 419, buildings 200 m high, no ground, concrete 2 m thick, transmitters 1 m above the receivers there;
specular reflections up to depth 5, no paths around corners; cells that both reach. IRT: map 419, transmitters 0 to 3
(IRT4: 0), cells that neither the building PNG nor the outlines count as indoors, path loss limited to the floor of the
thresholded scale. The sample of RadioMapSeer is not part of the repository: give its folder.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measure import spread, write
from radiodiff import RADIOMAPSEER_GREY, CitySettings, DominantPath, Scene, Transmitter, generate_city
from radiodiff.errors import PropagationError
from radiodiff.formats import read_radiomapseer_scene, read_radiomapseer_transmitters
from radiodiff.layouts import STYLES, draw_transmitter_cells
from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.geometry import geometry_channels
from radiodiff.propagation.presets import PRESETS
from radiodiff.propagation.ray_launching import RAY_LAUNCHING_SETTINGS, RayLaunching, RayLaunchingSettings
from radiodiff.propagation.ray_launching.settings import COMBINATIONS, Combination
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings

SAMPLE = Path(__file__).parents[2] / "shared" / "data" / "radiomapseer-sample"
MAP = 419
DEFAULT = RayLaunchingSettings()
REFLECTED = RayLaunchingSettings(combination="none")
FLOOR_DB = float(RADIOMAPSEER_GREY.to_path_loss_db(np.zeros(1), thresholded=True)[0])

Truth = dict[tuple[str, int], NDArray[np.float64]]


def city(seed: int, style: str = "radiomapseer") -> Scene:
    return generate_city(CitySettings(style=style), (6, seed)).without_cars()


def transmitters(scene: Scene, count: int) -> list[Transmitter]:
    return [Transmitter.at_cell(scene.grid, *cell) for cell in draw_transmitter_cells(scene, count, 1)]


def cpu_seconds(settings: RayLaunchingSettings) -> dict[str, Any]:
    """CPU time of the set-up of a scene and of one transmitter."""
    setup, each = [], []
    engine = RayLaunching(settings)
    for number in range(6):
        scene = city(number)
        start = time.process_time()
        solve = engine.prepare(scene)
        setup.append(time.process_time() - start)
        for tx in transmitters(scene, 10):
            start = time.process_time()
            next(solve([tx]))
            each.append(time.process_time() - start)
    # The first scene compiles.
    return {"setup_cpu_s": spread(setup[1:]), "transmitter_cpu_s": spread(each[10:])}


def solve_scenes(settings: RayLaunchingSettings, numbers: Sequence[int], tx_per_scene: int) -> int:
    count = 0
    for number in numbers:
        scene = city(number)
        for _ in RayLaunching(settings).radio_maps(scene, transmitters(scene, tx_per_scene)):
            count += 1
    return count


def maps_per_hour(settings: RayLaunchingSettings, tx_per_scene: int, scenes: int) -> float:
    """Rate of two processes, the drawing of the cities included."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(solve_scenes, [settings] * 2, [[0], [1]], [1, 1]))
        start = time.perf_counter()
        halves = [range(0, scenes, 2), range(1, scenes, 2)]
        count = sum(pool.map(solve_scenes, [settings] * 2, halves, [tx_per_scene] * 2))
        return 3600.0 * count / (time.perf_counter() - start)


def noise(num_rays: int, settings: RayLaunchingSettings) -> dict[str, float]:
    squares, magnitudes, stated = [], [], []
    for style in STYLES:
        scene = city(1, style)
        maps = [
            list(RayLaunching(replace(settings, num_rays=rays)).radio_maps(scene, transmitters(scene, 4)))
            for rays in (num_rays, 10 * num_rays)
        ]
        for few, many in zip(*maps, strict=True):
            error_db = (few.path_loss_db - many.path_loss_db).astype(np.float64)
            error_db = error_db[np.isfinite(error_db)]
            squares.append(float(np.sqrt((error_db**2).mean())))
            magnitudes.append(float(np.median(np.abs(error_db))))
            stated.append(float(few.meta["standard_error_db"]))
    return {
        "rmse_db": float(np.sqrt(np.mean(np.square(squares)))),
        "median_abs_db": float(np.median(magnitudes)),
        "stated_standard_error_db": float(np.median(stated)),
    }


def memory(scenes: int) -> dict[str, float]:
    """Resident memory after some and after many scenes [MB]."""
    resident = {}
    for number in range(1, scenes + 1):
        solve_scenes(DEFAULT, [number], 1)
        if number in (50, scenes // 2, scenes):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            resident[f"after_{number}_scenes_mb"] = round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
    return resident


def against_ray_tracer(scene: Scene, txs: Sequence[Transmitter], rays: int) -> list[dict[str, Any]]:
    """Differences to the ray tracer, launched minus traced [dB]: reflections alone, then with the straight path."""
    tracer = RayTracingSettings(
        diffraction=False,
        ground_material=None,
        default_height_m=200.0,
        wall_thickness_m=2.0,
        noise_target_db=1e-3,
        num_rays=rays // 4,
        max_rays=rays,
    )
    results = []
    for index, tx in enumerate(txs):
        found: dict[str, Any] = {"tx": index}
        launched, straight = (
            RayLaunching(replace(REFLECTED, num_rays=100_000, max_depth=depth)).radio_map(scene, tx) for depth in (5, 0)
        )
        powers = [
            np.nan_to_num(10.0 ** (-each.path_loss_db.astype(np.float64) / 10.0)) for each in (launched, straight)
        ]
        # Float32 maps leave a rounding of the straight path.
        reflected = np.where(powers[0] - powers[1] > 1e-5 * powers[1], powers[0] - powers[1], np.nan)
        for name, has_straight, launched_db in (
            ("reflections", False, -10.0 * np.log10(reflected)),
            ("all paths", True, launched.path_loss_db.astype(np.float64)),
        ):
            traced = RayTracing(replace(tracer, line_of_sight=has_straight)).radio_map(scene, tx)
            error_db = launched_db - traced.path_loss_db
            both = np.isfinite(error_db)
            regions = {"all": both} | {f"below {limit} dB": both & (launched_db < limit) for limit in (130, 120, 110)}
            found[name] = {region: difference(error_db[cells]) for region, cells in regions.items()}
            found[name] |= {
                "ray_tracer_rays": traced.meta["rays"],
                "ray_tracer_standard_error_db": traced.meta["standard_error_db"],
                "cells_launched_alone": int((np.isfinite(launched_db) & ~both).sum()),
                "cells_traced_alone": int((np.isfinite(traced.path_loss_db) & ~both).sum()),
            }
        results.append(found)
    return results


def difference(error_db: NDArray[np.float64]) -> dict[str, float]:
    return {
        "cells": int(error_db.size),
        "median_db": float(np.median(error_db)),
        "median_abs_db": float(np.median(np.abs(error_db))),
        "rmse_db": float(np.sqrt((error_db**2).mean())),
    }


class IrtMaps:
    """Map 419 and its IRT maps."""

    def __init__(self, sample: Path) -> None:
        self.scene = read_radiomapseer_scene(sample, MAP)
        png = np.asarray(Image.open(sample / f"png/buildings_complete/{MAP}.png")) > 0
        self.outside = ~(self.scene.buildings | png)
        cells = read_radiomapseer_transmitters(sample, MAP)
        self.txs = [Transmitter.at_cell(self.scene.grid, *cell) for cell in cells[:4]]
        self.truth: Truth = {}
        for simulation, count in (("IRT2", 4), ("IRT4", 1)):
            for index in range(count):
                grey = np.asarray(Image.open(sample / f"gain_thresholded/{simulation}/{MAP}_{index}.png"), np.float64)
                self.truth[simulation, index] = RADIOMAPSEER_GREY.to_path_loss_db(grey, thresholded=True)
        self.is_los = [geometry_channels(self.scene, tx)[0] > 0.0 for tx in self.txs]

    def errors_db(
        self, engine: PropagationModel, simulation: str, indices: Sequence[int]
    ) -> list[NDArray[np.floating[Any]]]:
        """Difference of the engine's maps to the truth, the engine's limited to the floor, (rows, cols) [dB]."""
        maps = engine.radio_maps(self.scene, [self.txs[index] for index in indices])
        return [
            np.minimum(np.nan_to_num(found.path_loss_db, nan=FLOOR_DB), FLOOR_DB) - self.truth[simulation, index]
            for found, index in zip(maps, indices, strict=True)
        ]

    def rmse_db(self, engine: PropagationModel, simulation: str, indices: Sequence[int]) -> dict[str, list[float]]:
        """RMSE of each transmitter: all cells outside, in line of sight, and without."""
        found: dict[str, list[float]] = {"all": [], "los": [], "nlos": [], "median_abs": []}
        for index, error_db in zip(indices, self.errors_db(engine, simulation, indices), strict=True):
            los = self.outside & self.is_los[index]
            for name, region in (("all", self.outside), ("los", los), ("nlos", self.outside & ~los)):
                found[name].append(round(float(np.sqrt((error_db[region] ** 2).mean())), 3))
            found["median_abs"].append(round(float(np.median(np.abs(error_db[self.outside]))), 3))
        return found

    def fitted(
        self,
        start: RayLaunchingSettings,
        simulation: str,
        indices: Sequence[int],
        region: NDArray[np.bool_] | None = None,
    ) -> tuple[RayLaunchingSettings, list[float]]:
        """Exponents, reflection loss and corner law of least RMSE, by the simplex search of Nelder and Mead."""
        from scipy.optimize import minimize

        region = self.outside if region is None else region & self.outside

        def rmse_db(values: NDArray[np.float64]) -> float:
            errors = self.errors_db(RayLaunching(varied(start, values)), simulation, indices)
            return float(np.sqrt(np.mean([(error_db[region] ** 2).mean() for error_db in errors])))

        law = start.corner_law
        first = np.array(
            [
                start.distance_exponent,
                start.reflection_loss_db or 0.0,
                law.nlos_exponent,
                law.corner_offset_db,
                law.corner_max_db - law.corner_offset_db,
                law.corner_saturation_deg,
            ]
        )
        simplex = np.vstack([first, first + np.diag([0.1, 4.0, 0.3, 2.0, 4.0, 10.0])])
        found = minimize(rmse_db, first, method="Nelder-Mead", options={"maxfev": 150, "initial_simplex": simplex})
        return varied(start, found.x), [round(float(value), 3) for value in found.x]


def varied(start: RayLaunchingSettings, values: NDArray[np.float64]) -> RayLaunchingSettings:
    exponent, loss_db, nlos_exponent, offset_db, rise_db, saturation_deg = (float(value) for value in values)
    law = replace(
        start.corner_law,
        nlos_exponent=max(nlos_exponent, 0.1),
        corner_offset_db=max(offset_db, 0.0),
        corner_max_db=max(offset_db, 0.0) + max(rise_db, 0.0),
        corner_saturation_deg=min(max(saturation_deg, 1.0), 120.0),
    )
    loss = None if start.reflection_loss_db is None else max(loss_db, 0.0)
    return replace(start, distance_exponent=max(exponent, 0.1), reflection_loss_db=loss, corner_law=law)


def irt_figures(maps: IrtMaps) -> dict[str, Any]:
    """RMSE of the presets, of other ways to add, and of the dominant path engine."""
    engines: dict[str, dict[str, PropagationModel]] = {}
    for simulation in ("IRT2", "IRT4"):
        preset = RAY_LAUNCHING_SETTINGS[simulation.lower()]
        engines[simulation] = {
            "preset": RayLaunching(preset),
            "preset, concrete": RayLaunching(replace(preset, reflection_loss_db=None)),
            "preset, power-sum": RayLaunching(replace(preset, combination="power-sum")),
            "preset, strongest": RayLaunching(replace(preset, combination="strongest")),
            "preset, none": RayLaunching(replace(preset, combination="none")),
            "preset, reflections left out": RayLaunching(replace(preset, max_depth=0)),
            "fast": RayLaunching(RAY_LAUNCHING_SETTINGS["fast"]),
            "dominant path": DominantPath(),
            "dominant path, preset": PRESETS["dominant-path"][simulation.lower()],
        }
    figures: dict[str, Any] = {}
    for simulation, candidates in engines.items():
        indices = [index for name, index in maps.truth if name == simulation]
        for name, engine in candidates.items():
            figures[f"{simulation}, {name}"] = maps.rmse_db(engine, simulation, indices)
            print(f"{simulation}, {name}:", figures[f"{simulation}, {name}"])
    return figures


def fit(maps: IrtMaps, combinations: Sequence[Combination] = COMBINATIONS[:3]) -> dict[str, Any]:
    """Constants fitted to some maps, and their RMSE on others."""
    found: dict[str, Any] = {}
    for combination in combinations:
        start = replace(RAY_LAUNCHING_SETTINGS["irt2"], num_rays=4_000, combination=combination)
        for left_out in (0, 1, 2, 3, None):
            indices = [index for index in range(4) if index != left_out]
            settings, values = maps.fitted(start, "IRT2", indices)
            tested = range(4) if left_out is None else [left_out]
            entry = {"fitted_on": indices, "constants": values, "tested_on": list(tested)}
            entry |= maps.rmse_db(RayLaunching(replace(settings, num_rays=20_000)), "IRT2", tested)
            found.setdefault(f"IRT2, {combination}", []).append(entry)
            print(combination, entry, flush=True)
    rows = np.arange(maps.scene.grid.rows)[:, None]
    half = np.broadcast_to(rows < maps.scene.grid.rows // 2, maps.outside.shape)
    start = replace(RAY_LAUNCHING_SETTINGS["irt4"], num_rays=4_000)
    for name, region in (("upper half", half), ("lower half", ~half), ("all", np.ones_like(half))):
        settings, values = maps.fitted(start, "IRT4", [0], region)
        (error_db,) = maps.errors_db(RayLaunching(settings), "IRT4", [0])
        other = maps.outside & (region if name == "all" else ~region)
        rmse_db = float(np.sqrt((error_db[other] ** 2).mean()))
        nlos_db = float(np.sqrt((error_db[other & ~maps.is_los[0]] ** 2).mean()))
        entry = {"fitted_on": name, "constants": values, "rest_rmse_db": rmse_db, "rest_nlos_rmse_db": nlos_db}
        found.setdefault("IRT4", []).append(entry)
        print("IRT4", entry, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SAMPLE, help="folder of the RadioMapSeer sample")
    parser.add_argument("--fit", action="store_true", help="fit the constants of the presets anew (some minutes)")
    parser.add_argument("--rays", type=int, default=32_000_000, help="rays of the ray tracer")
    parser.add_argument("--scenes", type=int, default=500, help="scenes of the memory test; 0 leaves it out")
    parser.add_argument("--rate", type=int, default=40, help="scenes of the rates; 0 leaves them out")
    arguments = parser.parse_args()
    named = {"default": DEFAULT} | {name: RAY_LAUNCHING_SETTINGS[name] for name in ("fast", "reference")}
    result: dict[str, Any] = {"protocol": " ".join(__doc__.split("Protocol. ")[1].split())}

    def add(name: str, figures: Callable[[], Any]) -> None:
        result[name] = figures()
        print(name, result[name], flush=True)

    add("time", lambda: {name: cpu_seconds(settings) for name, settings in named.items()})
    if arguments.rate:
        for tx_per_scene, scenes in ((80, arguments.rate), (1, 10 * arguments.rate)):
            add(
                f"maps_per_hour_{tx_per_scene}_tx_per_scene",
                lambda each=tx_per_scene, scenes=scenes: {  # type: ignore[misc]
                    name: maps_per_hour(named[name], each, scenes) for name in ("default", "fast")
                },
            )
    add(
        "noise",
        lambda: {
            f"{rays} rays, {name}": noise(rays, settings)
            for rays in (5_000, 20_000)
            for name, settings in (("reflected", REFLECTED), ("all", DEFAULT))
        },
    )
    if arguments.scenes:
        add("memory", lambda: memory(arguments.scenes))
    if arguments.data.is_dir():
        maps = IrtMaps(arguments.data)
        try:
            add("against_ray_tracer", lambda: against_ray_tracer(maps.scene, maps.txs[:2], arguments.rays))
        except PropagationError as error:
            print(f"ray tracer left out: {error}")
        result["irt"] = irt_figures(maps)
        if arguments.fit:
            result["irt_fit"] = fit(maps)
    else:
        print(f"skipped: no RadioMapSeer sample in {arguments.data} (give it with --data)")
    write("ray_launching", result)


if __name__ == "__main__":
    main()
