"""How fast examples come from the disk.

Protocol: generated cities (256 x 256 cells, seed 1) in a temporary folder, packed, with geometry channels.
An epoch of batches of 32 with three channels, shuffled, counts as one run; the first epoch is the warm-up (files come
into the page cache), the median and quartiles of the others are reported. Threads read ahead, the consumer does nothing
with a batch; "processes" is PyTorch's DataLoader with spawned workers on the same data. Memory is that of the process
without mapped files (RssAnon), after the first tenth, the half and all of an epoch. `validate` runs once on a fake
RadioMapSeer folder. Nothing else runs meanwhile.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from benchmarks.measure import spread, write
from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.example import Example
from radiodiff.data.inspect import validate_data_set
from radiodiff.data.loader import Batch, BatchLoader, ShuffleSampler, collate
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig, fill_geometry, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.encoding import Encoding
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
            result[name] = {f"{threads} threads": epochs(dataset, threads, options.epochs) for threads in (0, 1, 2)}
            print(name, {k: round(v["examples_per_s"]["median"]) for k, v in result[name].items()})
        result["packed"]["2 processes"] = process_epochs(RadioMapSeer(RadioMapSeerConfig(root=packed)), options.epochs)
        print("2 processes", result["packed"]["2 processes"])
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


def epochs(dataset: RadioMapSeer, threads: int, runs: int) -> dict[str, Any]:
    """Examples per second, and the memory over the last epoch."""
    loader = BatchLoader(dataset, BATCH, sampler=ShuffleSampler(len(dataset), seed=1), threads=threads)
    rates, memory = [], {}
    marks = {max(len(loader) // 10, 1): "tenth", len(loader) // 2: "half", len(loader): "end"}
    for epoch in range(runs + 1):
        start, count, number = time.perf_counter(), 0, 0
        for number, batch in enumerate(loader, 1):
            count += len(batch)
            if epoch == runs and number in marks:
                memory[marks[number]] = own_memory_mb()
        if epoch > 0:
            rates.append(count / (time.perf_counter() - start))
    return {"examples": len(dataset), "examples_per_s": spread(rates), "memory_mb": memory}


@dataclass(frozen=True)
class Collate:
    """`collate` as worker processes take it."""

    encoding: Encoding
    scale: str

    def __call__(self, examples: list[Example]) -> Batch:  # noqa: D102
        return collate(examples, self.encoding, self.scale)


def process_epochs(dataset: RadioMapSeer, runs: int) -> dict[str, Any]:
    """Examples per second through two worker processes."""
    loader = DataLoader(
        dataset,
        BATCH,
        sampler=ShuffleSampler(len(dataset), seed=1),
        num_workers=2,
        collate_fn=Collate(dataset.encoding, dataset.scale),
        persistent_workers=True,
        multiprocessing_context="spawn",
    )
    rates = []
    for epoch in range(runs + 1):
        start = time.perf_counter()
        count = sum(len(batch) for batch in loader)
        if epoch > 0:
            rates.append(count / (time.perf_counter() - start))
    return {"examples": len(dataset), "examples_per_s": spread(rates)}


def geometry_rate(packed: Path, runs: int) -> dict[str, Any]:
    """Reads per second of all channels and of three, in one process, in random order."""
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


def own_memory_mb() -> float:
    """Memory of this process without mapped files [MB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


def validation(root: Path) -> Iterator[object]:
    """The steps of a validation that must find nothing."""
    yield from validate_data_set(root, workers=2)


if __name__ == "__main__":
    main()
