"""What it takes to make data sets: time and room of a radio map by engine, and what worker processes add.

Protocol: generated cities of 256 x 256 cells (seed 1) with `--tx-per-map` transmitters, scenario street, in a
temporary folder. Nothing else runs meanwhile. For each engine, `--workers` processes make `--scenes` cities; the time
of a radio map is the processor time of a task, with its layout and files, by its number of transmitters. `overhead` is
the share of the workers' time that is no task: 1 - (sum of all tasks' seconds) / (workers x wall time from the first
task sent to the last one received); the start of the processes, with the first two tasks of each, is told apart. It is
measured again with tasks that are made to take 0.1 s, and there with one worker too, which has a core to itself.
`feeding`: cities of 64 x 64 cells with free space, sent in batches; `main_cpu_s` there is what a city takes of the
process that sends the tasks and records what became of them, the scheduler included. Room: bytes of the radio maps as
PNG, of all files, and of the packed data set, by radio map. What follows for many cores: `python -m
benchmarks.capacity`.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import write
from radiodiff.data.create import SIMULATIONS, CreateSettings, RunOptions, create_data_set, read_manifest
from radiodiff.data.create.cluster import open_workers, run_on_workers
from radiodiff.data.create.manifest import Manifest
from radiodiff.data.create.task import MapTask, WorkPlan
from radiodiff.data.radiomapseer import pack_data_set
from radiodiff.layouts import CitySettings
from radiodiff.propagation import FreeSpace, make_engine
from radiodiff.propagation.base import PropagationModel, Solver
from radiodiff.scene import Scene


@dataclass(frozen=True)
class Timed(PropagationModel):
    """Free space that keeps a core busy for a while."""

    seconds: float
    name = "timed"

    def prepare(self, scene: Scene) -> Solver:  # noqa: D102
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        return FreeSpace().prepare(scene)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=24, help="cities for each engine")
    parser.add_argument("--tasks", type=int, default=300, help="tasks of 0.1 s")
    parser.add_argument("--tx-per-map", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--engines",
        nargs="*",
        default=["dominant-path", "ray-launching:fast", "ray-launching:reference", "ray-tracing:fast"],
        metavar="NAME[:PRESET]",
    )
    options = parser.parse_args()
    result: dict[str, Any] = {"protocol": (__doc__ or "").strip(), "options": vars(options)}
    result["tasks of 0.1 s"] = {
        f"{count} workers": overhead(options.tasks, count) for count in sorted({1, options.workers})
    }
    print(result["tasks of 0.1 s"], flush=True)
    result["feeding"] = feeding(options.tasks, options.tx_per_map, options.workers)
    print(result["feeding"], flush=True)
    for name in options.engines:
        result[name] = generation(name, options.scenes, options.tx_per_map, options.workers)
        print(name, result[name], flush=True)
    write("generation", result)


def overhead(num_tasks: int, workers: int) -> dict[str, float]:
    """Share of the workers' time that is no task, tasks of 0.1 s, the start of the processes left out."""
    settings = CreateSettings(num_tasks, 1, 1, city=CitySettings(rows=64, cols=64), engines={"T": Timed(0.1)})
    return measured(settings, workers)


def feeding(cities: int, tx_per_map: int, workers: int) -> dict[str, float]:
    """What short tasks take of the process that sends them."""
    settings = CreateSettings(
        cities, tx_per_map, 1, city=CitySettings(rows=64, cols=64), engines={"F": FreeSpace()}, scenario="street"
    )
    return measured(settings, workers)


def measured(settings: CreateSettings, workers: int, root: Path | None = None) -> dict[str, float]:
    """Seconds of start, work and wall time of the tasks of some settings."""
    if root is None:
        with tempfile.TemporaryDirectory() as folder:
            return measured(settings, workers, Path(folder) / "set")
    # Begun by a run without time: the folders are there, and no map.
    for _ in create_data_set(root, settings, options=RunOptions(max_hours=1e-12)):
        pass
    plan, manifest = WorkPlan(root.absolute(), settings), Manifest(root)
    begin = time.perf_counter()
    with open_workers(workers, None, plan) as client:
        # Imports and compiled kernels are loaded once by each process.
        list(run_on_workers(plan, [MapTask(i) for i in range(2 * workers)], client, lambda _: True))
        started, started_cpu = time.perf_counter(), time.process_time()
        tasks = [MapTask(i) for i in range(2 * workers, settings.maps)]
        outcomes = []
        for batch in run_on_workers(plan, tasks, client, lambda _: True):
            manifest.append(outcome.record for outcome in batch)
            outcomes += batch
        wall_s, main_cpu_s = time.perf_counter() - started, time.process_time() - started_cpu
    cpu_s = sum(outcome.record["cpu_seconds"] for outcome in outcomes)
    busy_s = sum(sum(outcome.record["seconds"].values()) for outcome in outcomes)
    return {
        "start_s": started - begin,
        "wall_s": wall_s,
        "tasks": len(outcomes),
        "task_s": busy_s / len(outcomes),
        "task_cpu_s": cpu_s / len(outcomes),
        "main_cpu_s": main_cpu_s / len(outcomes),
        "overhead": 1.0 - busy_s / (workers * wall_s),
    }


def generation(name: str, scenes: int, tx_per_map: int, workers: int) -> dict[str, Any]:
    """Seconds and bytes of a radio map of an engine."""
    engine_name, _, preset = name.partition(":")
    simulation = SIMULATIONS[engine_name]
    settings = CreateSettings(
        scenes + 2 * workers,
        tx_per_map,
        1,
        engines={simulation: make_engine(engine_name, preset or None)},
        scenario="street",
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "set"
        result: dict[str, Any] = measured(settings, workers, root)
        for _ in create_data_set(root, settings):
            pass
        records = read_manifest(root)
        num_maps = settings.maps * tx_per_map
        sizes = [path.stat().st_size for path in (root / "gain" / simulation).iterdir()]
        result["png_bytes"] = sum(sizes) / num_maps
        result["tree_bytes"] = sum(record["num_bytes"] for record in records) / num_maps
        result["packed_bytes"] = packed_bytes(root, Path(folder) / "packed") / num_maps
        errors = [e for record in records for e in record["facts"][simulation].get("standard_error_db", [])]
        if errors:
            result["standard_error_db"] = sum(errors) / len(errors)
    result["radio_map_cpu_s"] = result["task_cpu_s"] / tx_per_map
    result["maps_per_hour"] = 3600.0 * workers * (1.0 - result["overhead"]) / result["radio_map_cpu_s"]
    return result


def packed_bytes(root: Path, packed: Path) -> int:
    """Size of the packed data set."""
    for _ in pack_data_set(root, packed):
        pass
    return sum(path.stat().st_size for path in packed.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
