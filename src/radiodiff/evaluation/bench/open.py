"""Open the benchmark set that comes with the package, or one that was built."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import radiodiff
from radiodiff.config import checked
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.packed import PACKED_RECORD
from radiodiff.errors import InputError
from radiodiff.evaluation.bench.archive import unpack_archive
from radiodiff.evaluation.bench.content import BenchContent
from radiodiff.evaluation.examples import EvaluationExamples

__all__ = ["Bench", "BenchCase", "open_bench"]

ALL_SCENARIOS = "all"

CACHE = "radiodiff"
"""Folder below that of the user's caches."""


@dataclass(frozen=True)
class BenchCase:
    """One target of a scenario.

    Attributes:
        scenario: The scenario.
        simulation: The target, folder under `gain`.
        root: Its packed data set.
    """

    scenario: str
    simulation: str
    root: Path

    @property
    def name(self) -> str:
        """For tables and folders."""
        return f"{self.scenario}-{self.simulation}"

    def examples(self, **settings: Any) -> EvaluationExamples:
        """The maps, for `Evaluation`; conditions show buildings, transmitter and heights.

        Args:
            settings: Further keys of `RadioMapSeerConfig`, such as `geometry`.

        Raises:
            ConfigError: A setting is not allowed.
            DataSetError: The data set is damaged.
            FormatError: A file is damaged.
        """
        usual = {"part": "test", "simulation": self.simulation, "heights": True, "cars_channel": "absent"}
        config = checked(RadioMapSeerConfig, {"root": self.root} | usual | settings)
        source = RadioMapSeer(config)
        return EvaluationExamples(source, config, range(len(source)))


@dataclass(frozen=True)
class Bench:
    """A benchmark set.

    Attributes:
        folder: Where its record is.
        content: What it holds.
        cache: Where archives are unpacked.
    """

    folder: Path
    content: BenchContent
    cache: Path

    def cases(self, scenario: str = ALL_SCENARIOS, simulations: tuple[str, ...] = ()) -> Iterator[BenchCase]:
        """Targets of a scenario, or of all; what is needed is unpacked.

        Args:
            scenario: Name of a scenario, or "all".
            simulations: Targets that are wanted; empty takes all.

        Raises:
            InputError: There is no such scenario, or no scenario has such a target.
            DataSetError: An archive is not there, or another one than the record says.
            FormatError: The cache cannot be written.
        """
        known = self.content.scenarios
        if scenario not in (*known, ALL_SCENARIOS):
            raise InputError(
                f"A scenario of the benchmark set must be one of {', '.join((*known, ALL_SCENARIOS))}",
                value=repr(scenario),
                remedy="Correct it.",
            )
        chosen = list(known) if scenario == ALL_SCENARIOS else [scenario]
        there = {name for one in chosen for name in known[one].simulations}
        if absent := sorted(set(simulations) - there):
            raise InputError(
                f"Targets of scenario {scenario} are {', '.join(sorted(there))}",
                value=", ".join(absent),
                remedy="Correct them, or leave them out for all.",
            )
        for name in chosen:
            wanted = [one for one in known[name].simulations if not simulations or one in simulations]
            root = self._unpacked(name) if wanted else self.folder
            for simulation in wanted:
                yield BenchCase(name, simulation, root)

    def _unpacked(self, scenario: str) -> Path:
        """The packed data set of a scenario."""
        found = self.content.scenarios[scenario]
        if not found.file:
            raise InputError(
                "A benchmark set to evaluate on must be a test part, with archives",
                value=f"{self.folder}, part {self.content.part}",
                remedy=f"Evaluate on its maps as on any data set: --data {self.folder / scenario}.",
            )
        root = self.cache / f"bench-{found.sha256[:16]}" / scenario
        if not (root / PACKED_RECORD).is_file():
            unpack_archive(self.folder / found.file, root, found.sha256)
        return root


def open_bench(folder: Path | None = None, cache: Path | None = None) -> Bench:
    """The benchmark set of a folder.

    Args:
        folder: Folder that `radiodiff dataset bench` made; None takes the set that comes with the package.
        cache: Where archives are unpacked; None takes the user's folder for caches (`XDG_CACHE_HOME`).

    Raises:
        DataSetError: There is none, or it is of another version.
        FormatError: Its record is damaged.
    """
    folder = Path(radiodiff.__file__).parent / "bench_data" if folder is None else folder
    content = BenchContent.read(folder)
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / CACHE
    return Bench(folder, content, usual if cache is None else cache)
