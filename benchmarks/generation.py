"""What it takes to make data sets: time and room of a radio map by engine, and what worker processes add.

Protocol: generated cities of 256 x 256 cells (seed 1) with `--tx-per-map` transmitters, scenario street, in a
temporary folder. Nothing else runs meanwhile. For each engine, `--workers` processes make `--scenes` cities; the time
of a radio map is the processor time of a task, with its layout and files, by its number of transmitters. `overhead`
is the share of the workers' time that is no task: 1 - (sum of all tasks' seconds) / (workers x wall time from the
first task sent to the last one received); the start of the processes, with the first two tasks of each, is told
apart. It is measured again with tasks that are made to take 0.1 s, and there with one worker too, which has a core to
itself. Room: bytes of the radio maps as PNG, of all files, and of the packed data set, by radio map. `of_a_day` is
what follows for 1, 64 and 1,000 cores: 86,400 s x cores x (1 - overhead) / processor seconds of a radio map.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import write
from radiodiff.data.create import SIMULATIONS, CreateSettings, RunOptions, create_data_set, read_manifest
from radiodiff.data.create.cluster import open_workers, run_on_workers
from radiodiff.data.create.task import MapTask, WorkPlan
from radiodiff.data.radiomapseer import pack_data_set
from radiodiff.layouts import CitySettings
from radiodiff.propagation import FreeSpace, make_engine
from radiodiff.propagation.base import PropagationModel, Solver
from radiodiff.scene import Scene

CORES = (1, 64, 1000)
DAY_S = 86_400.0


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
        default=["dominant-path", "ray-launching:fast", "ray-tracing:fast"],
        metavar="NAME[:PRESET]",
    )
    options = parser.parse_args()
    result: dict[str, Any] = {"protocol": (__doc__ or "").strip(), "options": vars(options)}
    result["tasks of 0.1 s"] = {
        f"{count} workers": overhead(options.tasks, count) for count in sorted({1, options.workers})
    }
    print(result["tasks of 0.1 s"], flush=True)
    for name in options.engines:
        result[name] = generation(name, options.scenes, options.tx_per_map, options.workers)
        print(name, result[name], flush=True)
    write("generation", result)


def overhead(num_tasks: int, workers: int) -> dict[str, float]:
    """Share of the workers' time that is no task, tasks of 0.1 s, the start of the processes left out."""
    settings = CreateSettings(num_tasks, 1, 1, city=CitySettings(rows=64, cols=64), engines={"T": Timed(0.1)})
    return measured(settings, workers)


def measured(settings: CreateSettings, workers: int, root: Path | None = None) -> dict[str, float]:
    """Seconds of start, work and wall time of the tasks of some settings."""
    if root is None:
        with tempfile.TemporaryDirectory() as folder:
            return measured(settings, workers, Path(folder) / "set")
    # Begun by a run without time: the folders are there, and no map.
    for _ in create_data_set(root, settings, options=RunOptions(max_hours=1e-12)):
        pass
    plan = WorkPlan(root.absolute(), settings)
    begin = time.perf_counter()
    with open_workers(workers, None, plan) as client:
        # Imports and compiled kernels are loaded once by each process.
        list(run_on_workers(plan, [MapTask(i) for i in range(2 * workers)], client, lambda _: True))
        started = time.perf_counter()
        tasks = [MapTask(i) for i in range(2 * workers, settings.maps)]
        outcomes = [o for batch in run_on_workers(plan, tasks, client, lambda _: True) for o in batch]
        wall_s = time.perf_counter() - started
    cpu_s = sum(outcome.record["cpu_seconds"] for outcome in outcomes)
    busy_s = sum(sum(outcome.record["seconds"].values()) for outcome in outcomes)
    return {
        "start_s": started - begin,
        "wall_s": wall_s,
        "tasks": len(outcomes),
        "task_s": busy_s / len(outcomes),
        "task_cpu_s": cpu_s / len(outcomes),
        "overhead": 1.0 - busy_s / (workers * wall_s),
    }


def generation(name: str, scenes: int, tx_per_map: int, workers: int) -> dict[str, Any]:
    """Seconds and bytes of a radio map of an engine, and what follows for many cores."""
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
    result["of_a_day"] = {f"{cores} cores": dict(of_a_day(cores, result)) for cores in CORES}
    return result


def packed_bytes(root: Path, packed: Path) -> int:
    """Size of the packed data set."""
    for _ in pack_data_set(root, packed):
        pass
    return sum(path.stat().st_size for path in packed.rglob("*") if path.is_file())


def of_a_day(cores: int, result: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Radio maps of a day, and the room they take [GB]."""
    maps = DAY_S * cores * (1.0 - result["overhead"]) / result["radio_map_cpu_s"]
    yield "radio_maps", maps
    yield "png_gb", maps * result["tree_bytes"] / 1e9
    yield "packed_gb", maps * result["packed_bytes"] / 1e9


if __name__ == "__main__":
    main()
