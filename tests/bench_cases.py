"""A benchmark set of a few small maps, from engines that take no time."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from shapely import box

from radiodiff.evaluation.bench import BenchReport, BenchSettings, build_bench
from radiodiff.formats.layout_folder import Layout
from radiodiff.propagation import DominantPath, FreeSpace
from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(64, 64)
CITIES = ("munich", "munich", "florence", "etoile")


@dataclass(frozen=True)
class Traced(PropagationModel):
    """Stands for a ray tracer: free space with holes, and a noise that it knows."""

    name = "traced"
    reaches_everywhere = False

    def prepare(self, scene: Scene) -> Solver:
        def solve(txs: Sequence[Transmitter]) -> Iterator[Solution]:
            for tx in txs:
                path_loss_db = FreeSpace().radio_map(scene, tx).path_loss_db.astype(np.float64)
                path_loss_db[::9, ::7] = np.nan
                yield Solution(path_loss_db, {"standard_error_db": 0.5})

        return solve


ENGINES = {
    "street": {"DPM": DominantPath(), "RL": Traced(), "RT": Traced()},
    "rooftop": {"DPM": DominantPath(), "RT": Traced()},
}


def small_bench(**changes: Any) -> BenchSettings:
    """Settings: two scenes of Munich for the test part, with two transmitters each."""
    return BenchSettings(**({"layouts": layouts(), "engines": ENGINES, "tx_per_scene": 2} | changes))


def layouts(cities: Sequence[str] = CITIES) -> tuple[Layout, ...]:
    """A crop of each city, of two houses with heights."""
    found = []
    for index, city in enumerate(cities):
        houses = (Footprint(box(6 + index, 8, 26, 30), 12.0), Footprint(box(36, 20 + index, 56, 50), 21.5))
        name = f"{city}_{index}"
        scene = Scene.from_footprints(GRID, houses, source=f"layout {name}")
        found.append(Layout(name, city, scene, 0, 0, "nobody, none", group=name, is_disjoint=True))
    return tuple(found)


def result_of(steps: Generator[tuple[int, int], None, BenchReport]) -> BenchReport:
    """What a build returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            report: BenchReport = end.value
            return report


def finished(out: Path, settings: BenchSettings) -> BenchReport:
    """Build a part, and check what it says of its progress."""
    seen = []

    def watched() -> Generator[tuple[int, int], None, BenchReport]:
        steps = build_bench(out, settings)
        while True:
            try:
                seen.append(next(steps))
            except StopIteration as end:
                report: BenchReport = end.value
                return report
            yield seen[-1]

    report = result_of(watched())
    wanted = 2 * settings.num_scenes
    assert seen[-1] == (wanted, wanted)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    return report
