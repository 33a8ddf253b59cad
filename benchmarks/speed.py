"""Speed of the dominant path engine: set-up, transmitters, compilation, growth, memory, data sets.

Protocol: wall time on one core unless it says two workers; 2 warm-up runs, then the median and quartiles of 9 runs (of
each transmitter once, where there are 80); cities of `radiodiff.layouts` with the seeds named beside each figure.
Compilation is timed in a fresh process with an empty cache. Memory is the resident set of the process.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import seconds, spread, write
from radiodiff import CitySettings, DominantPath, Scene, Transmitter, generate_city, read_scene
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.layouts import draw_transmitter_cells
from radiodiff.propagation import GeometrySolver
from radiodiff.propagation.dominant_path.corner_graph import CornerGraph

FIGURE = Path(__file__).parents[1] / "docs" / "images" / "growth.png"
DENSE, DENSE_SEED = CitySettings(style="houses"), (7, 0)
MUNICH = Path(__file__).parents[1] / "examples" / "data" / "munich.geojson"

COLD = """
import time; start = time.perf_counter()
from radiodiff import CitySettings, DominantPath, Transmitter, generate_city
from radiodiff.layouts import draw_transmitter_cells
scene = generate_city(CitySettings(), 1)
tx = Transmitter.at_cell(scene.grid, *draw_transmitter_cells(scene, 1, 1)[0])
ready = time.perf_counter()
DominantPath().radio_map(scene, tx)
print(ready - start, time.perf_counter() - ready)
"""


def transmitters(scene: Scene, count: int, seed: int = 1) -> list[Transmitter]:
    return [Transmitter.at_cell(scene.grid, *cell) for cell in draw_transmitter_cells(scene, count, seed)]


def timed_scene(scene: Scene, count: int = 80, *, with_cars: bool = True) -> dict[str, Any]:
    """Set-up and one transmitter of a scene, without and with its cars."""
    result: dict[str, Any] = {
        "cells": list(scene.grid.shape),
        "coverage": round(scene.coverage, 3),
        "corners": CornerGraph.of_scene(scene).num_corners,
    }
    variants = {"without cars": scene.without_cars()} | ({"with cars": scene} if with_cars else {})
    for name, variant in variants.items():
        txs = transmitters(scene, count)
        solve = DominantPath().prepare(variant)
        for _ in solve(txs[:2]):
            pass
        taken = []
        for tx in txs:
            start = time.perf_counter()
            next(solve([tx]))
            taken.append(time.perf_counter() - start)
        result[name] = {
            "setup_s": seconds(lambda variant=variant: DominantPath().prepare(variant)),
            "transmitter_s": spread(taken),
        }
    return result


def compilation() -> dict[str, float]:
    """First map ever (kernels compiled) and first map of a later process (kernels read from disk)."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        runs = [
            subprocess.run([sys.executable, "-c", COLD], env=environment, check=True, capture_output=True, text=True)
            for _ in range(4)
        ]
    first, *later = [float(run.stdout.split()[1]) for run in runs]
    return {"first_process_s": first, "later_processes_s": sorted(later)[1]}


def start() -> dict[str, Any]:
    """Whole processes: `radiodiff --help`, and one map of the Munich example."""
    command = [sys.executable, "-m", "radiodiff"]
    with tempfile.TemporaryDirectory() as folder:
        simulate = [*command, "simulate", "--buildings", str(MUNICH), "--tx", "155,100", "--out", f"{folder}/map.npz"]
        return {
            "help_s": seconds(lambda: subprocess.run([*command, "--help"], check=True, capture_output=True)),
            "simulate_s": seconds(lambda: subprocess.run(simulate, check=True, capture_output=True)),
        }


def memory(scenes: int) -> dict[str, float]:
    """Resident memory after some and after many scenes [MB]."""
    resident = {}
    for number in range(1, scenes + 1):
        scene = generate_city(CitySettings(), (99, number))
        solve = DominantPath().prepare(scene)
        next(solve(transmitters(scene, 1)))
        if number in (100, scenes // 2, scenes):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            resident[f"after_{number}_scenes_mb"] = round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
    return resident


def data_set(maps: int, *, cars: bool) -> dict[str, float]:
    """Rate of `create_data_set` with two workers, start of the workers included."""
    settings = CreateSettings(maps, tx_per_map=80, seed=5, cars=cars)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for _ in create_data_set(Path(folder) / "set", settings, workers=2):
            pass
        taken = time.perf_counter() - start
    count = maps * 80 * len(settings.simulations)
    return {"radio_maps": count, "seconds": taken, "radio_maps_per_s": count / taken}


def growth() -> dict[str, list[dict[str, Any]]]:
    """Time against the number of corners at 256 x 256 cells, and against the side at one style."""
    by_corners = [
        timed_scene(generate_city(CitySettings(style=style, coverage=coverage), (7, seed)), 20)
        for style, coverage in (("slabs", (0.1, 0.2)), ("radiomapseer", None), ("houses", None), ("old_town", None))
        for seed in range(2)
    ]
    by_side = [
        timed_scene(generate_city(CitySettings(rows=side, cols=side, style="radiomapseer"), (7, side)), 20)
        for side in (128, 256, 512, 1024)
    ]
    return {
        "corners": sorted(by_corners, key=lambda entry: entry["corners"]),
        "side": by_side,
    }


def draw(result: dict[str, list[dict[str, Any]]]) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    from radiodiff.viz import save_figure

    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    panels = zip(figure.subplots(1, 2), ("corners", "side"), strict=True)
    for axes, name in panels:
        entries = result[name]
        x = [entry["corners"] if name == "corners" else entry["cells"][0] for entry in entries]
        for what, label in (("setup_s", "scene set-up"), ("transmitter_s", "one transmitter")):
            axes.loglog(x, [1e3 * entry["without cars"][what]["median"] for entry in entries], "o-", label=label)
        axes.set_xlabel("corners, 256 x 256 cells" if name == "corners" else "rows and columns, cells of 1 m")
        axes.set_ylabel("time on one core [ms]")
        axes.set_xticks([50, 100, 200, 300] if name == "corners" else x)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.margins(0.12)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    for entry in result["side"]:
        point = (entry["cells"][0], 1e3 * entry["without cars"]["setup_s"]["median"])
        axes.annotate(f"{entry['corners']} corners", point, xytext=(0, 7), textcoords="offset points", ha="center")
    save_figure(figure, FIGURE, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=48, help="maps of the data set that is timed (701: RadioMapSeer's)")
    parser.add_argument("--scenes", type=int, default=1000, help="scenes of the memory test")
    arguments = parser.parse_args()
    dense = generate_city(DENSE, DENSE_SEED)
    geometry = GeometrySolver(dense.without_cars())
    tx = transmitters(dense, 1)[0]
    result: dict[str, Any] = {"protocol": " ".join(__doc__.split("Protocol: ")[1].split())}
    steps = {
        "dense": lambda: timed_scene(dense),
        "munich": lambda: timed_scene(read_scene(MUNICH).scene, with_cars=False),
        "geometry_channels_s": lambda: seconds(lambda: geometry.channels(tx)),
        "compilation": compilation,
        "data_set": lambda: data_set(arguments.maps, cars=False),
        "data_set_with_cars": lambda: data_set(12, cars=True),
        "start": start,
        "growth": growth,
        "memory": lambda: memory(arguments.scenes),
    }
    for name, step in steps.items():
        result[name] = step()
        if name != "growth":
            print(name, result[name], flush=True)
    draw(result["growth"])
    write("speed", result)


if __name__ == "__main__":
    main()
