"""Build a part of the benchmark set: data sets of both scenarios, archives of the test part, record and card.

```
street/, rooftop/       data sets of radiodiff dataset create, with the split of the benchmark set
street.tar.xz, ...      the same packed, in one file each; of the test part alone
bench.json              what the set holds, checksums, settings, measured noise and times
README.md               the card
```

What an interrupted run left is completed by the same settings.
"""

import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.data.create import MANIFEST as MAKING
from radiodiff.data.create import RunOptions, Scenario, create_data_set, read_manifest
from radiodiff.data.create.settings import engine_settings
from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.radiomapseer.store import PngTree
from radiodiff.data.splits import MANIFEST, Split
from radiodiff.errors import DataSetError, FormatError
from radiodiff.evaluation.bench.archive import pack_archive
from radiodiff.evaluation.bench.card import card_text
from radiodiff.evaluation.bench.content import BenchContent, ScenarioContent, SimulationContent
from radiodiff.evaluation.bench.settings import BENCH_NAME, BenchSettings

__all__ = ["BenchReport", "build_bench"]

CARD = "README.md"

LEAST_HOURS = 1e-12
"""Left to the last scenario where the others took all the time: it lists what is there."""

Steps = Generator[tuple[int, int], None, "BenchReport"]


@dataclass(frozen=True)
class BenchReport:
    """What a build leaves.

    Attributes:
        content: What the set holds.
        num_missing: Scenes of each scenario that are wanted and not there, over all: time ran out.
    """

    content: BenchContent
    num_missing: int


def build_bench(out: Path, settings: BenchSettings, options: RunOptions | None = None) -> Steps:
    """Write a part of the benchmark set, or what an interrupted run left missing of it.

    Args:
        out: The folder; made where it is not there.
        settings: What it holds.
        options: How maps are made. Where time runs out, the set holds those that are there; scenarios share it.

    Yields:
        (scenes done, scenes wanted), over both scenarios.

    Returns:
        What there is now.

    Raises:
        RadiodiffError: What `radiodiff.data.create.create_data_set` and `radiodiff.data.radiomapseer.pack_data_set`
            raise. Maps that could not be made are told of at the end: the set then holds the others.
        DataSetError: Time ran out before there was a map of each scenario and part.
        FormatError: A file cannot be written.
    """
    created = {scenario: settings.create_settings(scenario) for scenario in settings.engines}
    wanted = settings.num_scenes * len(created)
    done, start = 0, time.monotonic()
    failures: list[DataSetError] = []
    lacking: list[str] = []
    for number, (scenario, one) in enumerate(created.items()):
        share = _share(options, time.monotonic() - start, len(created) - number)
        try:
            yield from _moved(create_data_set(out / scenario, one, options=share), done, wanted)
        except DataSetError as error:
            if not _has_failed_maps(out / scenario):
                raise
            failures.append(error)
        parts = settings.parts(_there(out / scenario))
        done += sum(map(len, parts.values()))
        if all(parts.values()):
            Split(BENCH_NAME, parts).write(out / scenario / MANIFEST)
        else:
            lacking.append(f"no {' and no '.join(part for part, ids in parts.items() if not ids)} map of {scenario}")
    if lacking:
        raise failures[0] if failures else _too_early(lacking)
    found: dict[str, ScenarioContent] = {scenario: _scenario(out, scenario, settings) for scenario in created}
    content = BenchContent(
        part=settings.part,
        test_city=settings.test_city,
        validation_city=settings.validation_city,
        frequency_hz=settings.frequency_hz,
        licences=tuple(sorted({layout.licence for layout in settings.chosen})),
        scenarios=found,
    )
    with atomic_write(out / CARD) as temporary:
        temporary.write_text(card_text(content), encoding="utf-8")
    # Last of all: a set with a record is whole.
    content.write(out)
    if failures:
        raise failures[0]
    return BenchReport(content, wanted - done)


def _share(options: RunOptions | None, seconds: float, count: int) -> RunOptions | None:
    """Options of the next of so many scenarios, which share the time that is left after some seconds."""
    if options is None or options.max_hours is None:
        return options
    left_hours = max(options.max_hours - seconds / 3600.0, LEAST_HOURS)
    return replace(options, max_hours=left_hours / count)


def _there(root: Path) -> tuple[int, ...]:
    """Maps of a data set that has perhaps just been begun."""
    return PngTree(root).map_ids() if any(root.glob("antenna/*.json")) else ()


def _too_early(lacking: list[str]) -> DataSetError:
    return DataSetError(
        "A benchmark set must hold maps of each scenario and part",
        value=f"{', '.join(lacking)} in the time given",
        remedy="Run the same command again, with more time: what is done is kept.",
    )


def _has_failed_maps(root: Path) -> bool:
    """Whether a run told of maps that could not be made, after all others were."""
    is_ended = (root / "dataset.csv").is_file() and (root / MAKING).is_file()
    return is_ended and any("error" in record for record in read_manifest(root))


def _moved(steps: Iterator[tuple[int, int]], before: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Steps of one scenario among those of all."""
    for done, _ in steps:
        yield before + done, wanted


def _scenario(out: Path, scenario: Scenario, settings: BenchSettings) -> ScenarioContent:
    """What a scenario holds; its archive is written where it is a test part."""
    root = out / scenario
    there = PngTree(root).map_ids()
    records = [record for record in read_manifest(root) if record["map"] in there and "error" not in record]
    num_outdoors = {map_id: int((~_buildings(root, map_id)).sum()) for map_id in there}
    crops = settings.chosen
    archive: dict[str, Any] = {}
    if settings.part == "test":
        path = out / f"{scenario}.tar.xz"
        archive = {"file": path.name, "sha256": _archived(root, path), "num_bytes": path.stat().st_size}
    return ScenarioContent(
        num_scenes=len(there),
        tx_per_scene=settings.num_tx,
        layouts=tuple(crops[map_id % len(crops)].name for map_id in there),
        simulations={
            name: _simulation(name, engine_settings(engine), records, num_outdoors)
            for name, engine in settings.engines[scenario].items()
        },
        **archive,
    )


def _buildings(root: Path, map_id: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Indoor cells by the rule of the radio maps."""
    return PngTree(root).scene("buildings_complete", map_id).buildings


def _simulation(
    name: str, engine: dict[str, Any], records: list[dict[str, Any]], num_outdoors: dict[int, int]
) -> SimulationContent:
    """What the manifest says of a target."""
    seconds = [record["seconds"][name] / record["num_tx"] for record in records if record["seconds"] is not None]
    facts = [(record["map"], record["facts"].get(name, {})) for record in records]
    without = sum(sum(filter(None, fact.get("num_cells_without_path", ()))) for _, fact in facts)
    cells = sum(num_outdoors[record["map"]] * record["num_tx"] for record in records)
    values: dict[str, list[float]] = {}
    for _, fact in facts:
        for key, found in fact.items():
            values.setdefault(key, []).extend(value for value in found if type(value) in (int, float))
    return SimulationContent(
        engine=engine,
        seconds_per_map=fmean(seconds) if seconds else None,
        share_without_path=without / cells if cells else 0.0,
        facts={key: median(found) for key, found in sorted(values.items()) if found},
    )


def _archived(root: Path, path: Path) -> str:
    """Pack a data set into an archive; returns its checksum."""
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=path.parent) as temporary:
            packed = Path(temporary) / "packed"
            _exhaust(pack_data_set(root, packed, PackSettings()))
            return pack_archive(packed, path)
    except OSError as error:
        raise FormatError(
            "The folder of a benchmark set must be writable, with free space on the disk",
            value=f"{path.parent} ({error.strerror or error})",
            remedy="Check its rights and make room.",
        ) from error


def _exhaust(steps: Iterator[object]) -> None:
    for _ in steps:
        pass
