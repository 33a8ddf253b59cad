"""The record of a benchmark set: `bench.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import DataSetError, FormatError
from radiodiff.evaluation.bench.settings import BENCH_NAME
from radiodiff.formats import read_json
from radiodiff.version import __version__

__all__ = ["BENCH_RECORD", "BenchContent", "ScenarioContent", "SimulationContent"]

BENCH_RECORD = "bench.json"

FORMAT_VERSION = 1


@dataclass(frozen=True)
class SimulationContent:
    """One target of a scenario.

    Attributes:
        engine: Name and settings of its engine.
        seconds_per_map: Mean time of the engine for one radio map, where it was made [s]; None where not known.
        share_without_path: Share of the outdoor cells without a path.
        facts: Median over the radio maps of each number that the engine says of a map, such as `standard_error_db`.
    """

    engine: Mapping[str, Any]
    seconds_per_map: float | None
    share_without_path: float
    facts: Mapping[str, float]


@dataclass(frozen=True)
class ScenarioContent:
    """One scenario.

    Attributes:
        num_scenes: Scenes.
        tx_per_scene: Transmitters on each.
        layouts: Names of the crops, in the order of the maps.
        simulations: Targets by folder under `gain`.
        file: Name of the archive; empty where the maps lie in a folder of the scenario's name.
        sha256: Checksum of the archive; empty where there is none.
        num_bytes: Its size.
    """

    num_scenes: int
    tx_per_scene: int
    layouts: tuple[str, ...]
    simulations: Mapping[str, SimulationContent]
    file: str = ""
    sha256: str = ""
    num_bytes: int = 0

    @property
    def num_maps(self) -> int:
        """Scenes with a transmitter; each has a radio map of every target."""
        return self.num_scenes * self.tx_per_scene


@dataclass(frozen=True)
class BenchContent:
    """What a benchmark set holds.

    Attributes:
        part: "test" or "train".
        test_city: City that is in the test part alone.
        validation_city: City of the training part that is for validation.
        frequency_hz: Carrier [Hz].
        licences: Terms of the layouts and whom to credit.
        scenarios: By name.
        radiodiff: Version that made it.
    """

    part: str
    test_city: str
    validation_city: str
    frequency_hz: float
    licences: tuple[str, ...]
    scenarios: Mapping[str, ScenarioContent]
    radiodiff: str = __version__

    def write(self, folder: Path) -> None:
        """Write the record.

        Raises:
            FormatError: The system refuses.
        """
        content = {"format": BENCH_NAME, "format_version": FORMAT_VERSION, **asdict(self)}
        with atomic_write(folder / BENCH_RECORD) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record of a folder.

        Raises:
            DataSetError: There is none, or it is of another version.
            FormatError: It is damaged.
        """
        path = folder / BENCH_RECORD
        if not path.is_file():
            raise DataSetError(
                f"A benchmark set must hold {BENCH_RECORD}",
                value=f"{folder}, which {'does not' if folder.is_dir() else 'is not there'}",
                remedy="Install radiodiff from a wheel that holds the set, or build it (radiodiff dataset bench --out "
                "DIR) and give --data DIR.",
            )
        content = read_json(path)
        if not (isinstance(content, dict) and content.pop("format", None) == BENCH_NAME):
            raise FormatError(f"{BENCH_RECORD} must be of format {BENCH_NAME}", value=path, remedy="Build it again.")
        version = content.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise DataSetError(
                f"This radiodiff reads version {FORMAT_VERSION} of {BENCH_NAME}",
                value=f"{path} of version {version}",
                remedy="Install the radiodiff that the set belongs to, or build the set again.",
            )
        try:
            scenarios = {name: _scenario(values) for name, values in content.pop("scenarios").items()}
            return cls(**content | {"scenarios": scenarios, "licences": tuple(content["licences"])})
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(
                f"{BENCH_RECORD} must hold what radiodiff dataset bench writes",
                value=f"{path} ({type(error).__name__}: {error})",
                remedy="It is damaged: install radiodiff again, or build the set again.",
            ) from error


def _scenario(values: dict[str, Any]) -> ScenarioContent:
    simulations = {name: SimulationContent(**found) for name, found in values["simulations"].items()}
    return ScenarioContent(**values | {"simulations": simulations, "layouts": tuple(values["layouts"])})
