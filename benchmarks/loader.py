"""How fast examples come from the disk.

Protocol: generated cities (256 x 256 cells, seed 1) in a temporary folder, packed, with geometry channels.
An epoch of batches of 32 with three channels, shuffled, counts as one run; the first epoch is the warm-up (files come
into the page cache, worker processes start), the median and quartiles of the others are reported. Memory is that of the
worker processes without mapped files (RssAnon), after the first tenth, the half and all of an epoch. `validate` runs
once on fake RadioMapSeer folders. Nothing else runs meanwhile.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import spread, write
from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.inspect import validate_data_set
from radiodiff.data.loader import ShuffleSampler, make_loader
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig, fill_geometry, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.propagation import GEOMETRY_CHANNELS

BATCH = 32
INPUT_ONLY = ("los_mask", "log_distance_gain_db", "obstructed_length_m")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=40, help="cities of the data set")
    parser.add_argument("--tx-per-map", type=int, default=80, help="transmitters on each")
    parser.add_argument("--epochs", type=int, default=5, help="measured epochs")
    parser.add_argument("--fake-files", type=int, default=10_000, help="gain images to validate")
    options = parser.parse_args()
    result: dict[str, Any] = {"protocol": (__doc__ or "").strip(), "options": vars(options), "batch": BATCH}
    with tempfile.TemporaryDirectory() as folder:
        root, packed = Path(folder) / "data", Path(folder) / "packed"
        run("create", create_data_set(root, CreateSettings(options.maps, options.tx_per_map, 1), workers=2))
        result["pack_s"] = run("pack", pack_data_set(root, packed))
        result["geometry_fill_s"] = run("geometry", fill_geometry(root, packed, workers=2))
        result["maps"] = options.maps * options.tx_per_map
        for name, settings in {
            "packed": {"root": packed},
            "packed, augmented": {"root": packed, "augment": True},
            "packed, 3 geometry channels": {"root": packed, "geometry": INPUT_ONLY},
            "PNG tree": {"root": root},
        }.items():
            dataset = RadioMapSeer(RadioMapSeerConfig(**settings))
            result[name] = {f"{workers} workers": epochs(dataset, workers, options.epochs) for workers in (0, 1, 2)}
            print(name, {k: round(v["examples_per_s"]["median"]) for k, v in result[name].items()})
        result["geometry_cache"] = geometry_rate(packed, options.epochs)
        print("geometry", result["geometry_cache"])
        fake = Path(folder) / "fake"
        tx = 20
        # DPM, IRT2, carsDPM, carsIRT2: four images for each transmitter, and two of IRT4 for each map.
        maps = -(-options.fake_files // (4 * tx + 4))
        run("fake", write_fake_radiomapseer(fake, FakeRadioMapSeerSettings(maps, tx, 1, missing_layers=False)))
        result["validate"] = {
            "gain_files": sum(1 for _ in fake.glob("gain/*/*.png")),
            "png_files": sum(1 for _ in fake.rglob("*.png")),
            "workers": 2,
            "seconds": run("validate", validation(fake)),
        }
        print(result["validate"])
    write("loader", result)


def run(title: str, steps: Iterator[object]) -> float:
    """Seconds of a run."""
    start = time.perf_counter()
    for _ in steps:
        pass
    taken = time.perf_counter() - start
    print(f"{title}: {taken:.1f} s", flush=True)
    return taken


def epochs(dataset: RadioMapSeer, workers: int, runs: int) -> dict[str, Any]:
    """Examples per second, and the memory of the workers over the last epoch."""
    loader = make_loader(dataset, BATCH, sampler=ShuffleSampler(len(dataset), seed=1), workers=workers)
    rates, memory = [], {}
    marks = {max(len(loader) // 10, 1): "tenth", len(loader) // 2: "half", len(loader): "end"}
    for epoch in range(runs + 1):
        start, count, number = time.perf_counter(), 0, 0
        for number, batch in enumerate(loader, 1):
            count += len(batch)
            if epoch == runs and number in marks:
                memory[marks[number]] = worker_memory_mb()
        if epoch > 0:
            rates.append(count / (time.perf_counter() - start))
    return {"examples": len(dataset), "examples_per_s": spread(rates), "worker_memory_mb": memory}


def geometry_rate(packed: Path, runs: int) -> dict[str, Any]:
    """Reads per second of all six channels and of three, in one process, in random order."""
    dataset = RadioMapSeer(RadioMapSeerConfig(root=packed, simulation="DPM"))
    keys = [(example // 80, example % 80) for example in np.random.default_rng(1).permutation(len(dataset))]
    keys = [(dataset.split.ids("train")[number], tx) for number, tx in keys][:800]
    rates: dict[str, Any] = {}
    for names in (GEOMETRY_CHANNELS, INPUT_ONLY):
        taken = []
        for _ in range(runs + 1):
            start = time.perf_counter()
            for map_id, tx_id in keys:
                dataset.geometry.channels("buildings_complete", map_id, tx_id, names)
            taken.append(len(keys) / (time.perf_counter() - start))
        rates[f"{len(names)} channels, reads per s"] = spread(taken[1:])
    return rates


def worker_memory_mb() -> list[float]:
    """Memory of the child processes that is their own [MB]."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            status = dict(
                line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
            )
            if "RssAnon" in status and "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(int(status["RssAnon"].split()[0]) / 1024)
    return sorted(found)


def validation(root: Path) -> Iterator[object]:
    """The steps of a validation that must find nothing."""
    yield from validate_data_set(root, workers=2)


if __name__ == "__main__":
    main()
