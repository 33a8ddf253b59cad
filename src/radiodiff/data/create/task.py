"""One task: the files of one map, made from its number and the settings alone."""

import errno
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from radiodiff.data.create.files import files_of_map
from radiodiff.data.create.manifest import file_sha256
from radiodiff.data.create.scenarios import draw_transmitters
from radiodiff.data.create.settings import CreateSettings
from radiodiff.data.map_files import write_antennas, write_layer
from radiodiff.data.missing_layers import write_missing_layers
from radiodiff.errors import DataSetError, FormatError, RadiodiffError
from radiodiff.formats import (
    CAR_PNG_SAMPLE_OFFSET,
    PNG_SAMPLE_OFFSET,
    read_radio_map,
    write_heights_json,
    write_radio_map,
    write_roof_heights_png,
)
from radiodiff.interrupts import is_interrupt
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Scene, Transmitter
from radiodiff.version import __version__

__all__ = ["MapTask", "Outcome", "WorkPlan", "describe_map", "draw_map", "make_map", "make_maps", "other_version"]

PACKAGES = ("numpy", "numba", "scipy", "shapely", "rasterio", "sionna-rt", "mitsuba", "drjit")
"""Packages whose version may change a map."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

TIMES = ("seconds",)
"""Facts of a solution that differ from run to run: in the manifest, not in the files."""


@dataclass(frozen=True)
class MapTask:
    """A map to make.

    Attributes:
        map_id: Its number.
        name: Name of its layout, or None for a generated city.
        scene: Its layout, or None for a generated city.
    """

    map_id: int
    name: str | None = None
    scene: Scene | None = None


@dataclass(frozen=True)
class WorkPlan:
    """What all tasks of a data set share.

    Attributes:
        root: The folder.
        settings: The settings, without layouts: a task carries its own.
        radiodiff: Version of the package that plans the work.
    """

    root: Path
    settings: CreateSettings
    radiodiff: str = __version__


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes:
        map_id: Number of the map.
        record: Its line of the manifest; one with an error where the map could not be made.
        refusal: What ends the whole run: the system refuses to write.
    """

    map_id: int
    record: dict[str, Any]
    refusal: RadiodiffError | None = None


class _RefusedError(Exception):
    """The system refused to write a file."""


def make_maps(plan: WorkPlan, tasks: Sequence[MapTask]) -> list[Outcome]:
    """Outcomes of some tasks, up to one that the system refuses.

    Args:
        plan: What they share.
        tasks: The maps.

    Raises:
        DataSetError: This process has another version of radiodiff than the one that planned the work.
    """
    if plan.radiodiff != __version__:
        raise other_version(plan.radiodiff, {"a worker": __version__})
    outcomes: list[Outcome] = []
    for task in tasks:
        outcomes.append(make_map(plan, task))
        if outcomes[-1].refusal is not None:
            break
    return outcomes


def make_map(plan: WorkPlan, task: MapTask) -> Outcome:
    """Write all files of a map.

    An engine or a layout that fails leaves no file of the map, and an outcome with the error.
    """
    settings, root, map_id = plan.settings, plan.root, task.map_id
    record = _beginning(settings, task)
    clock = _Clock()
    cpu_s = time.process_time()
    try:
        source, facts = _write_map(plan, task, clock)
        with _writing():
            sums = {name: file_sha256(root / name) for name in files_of_map(settings, map_id)}
            num_bytes = sum((root / name).stat().st_size for name in sums)
        clock.stop("files")
    except _RefusedError as error:
        return Outcome(map_id, record, _refusal(root, error.__cause__))
    except Exception as error:
        # Whatever an engine meets in one city of thousands: the others go on, and the end of the run tells of it.
        if is_interrupt(error):
            raise
        for name in files_of_map(settings, map_id):
            (root / name).unlink(missing_ok=True)
        text = f"{type(error).__name__}: {error}"
        return Outcome(map_id, record | {"error": text, "traceback": traceback.format_exc()})
    record |= {"source": task.name or source, "num_tx": settings.tx_per_map, "seconds": clock.seconds}
    record |= {"cpu_seconds": round(time.process_time() - cpu_s, 6), "facts": facts, "num_bytes": num_bytes}
    record |= {"sha256": sums, "versions": _versions()}
    return Outcome(map_id, record)


def draw_map(settings: CreateSettings, task: MapTask) -> tuple[Scene, list[Transmitter]]:
    """City and transmitters of one map.

    Raises:
        LayoutError: No city of these settings, or not this layout, has room for the transmitters.
    """
    from radiodiff.layouts import generate_city

    seed = (settings.seed, task.map_id)
    scene = generate_city(settings.city, seed) if task.scene is None else task.scene
    txs = draw_transmitters(scene, settings.tx_per_map, settings.scenario, seed, frequency_hz=settings.frequency_hz)
    return scene, txs


def describe_map(plan: WorkPlan, task: MapTask) -> Outcome:
    """The outcome of a map that an earlier run left without one: its time is not known.

    Raises:
        FormatError: A radio map is damaged.
        OSError: A file cannot be read.
    """
    settings, root = plan.settings, plan.root
    names = files_of_map(settings, task.map_id)
    facts: dict[str, Any] = {}
    for simulation in settings.simulations:
        paths = [root / f"gain/{simulation}/{task.map_id}_{tx}.png" for tx in range(settings.tx_per_map)]
        facts[simulation] = _by_fact([read_radio_map(path, thresholded=False).meta for path in paths])
    record = _beginning(settings, task) | {"source": task.name, "num_tx": settings.tx_per_map}
    record |= {"seconds": None, "cpu_seconds": None}
    record |= {"facts": facts, "num_bytes": sum((root / name).stat().st_size for name in names)}
    return Outcome(task.map_id, record | {"sha256": {name: file_sha256(root / name) for name in names}})


def other_version(wanted: str, found: dict[str, str | None]) -> DataSetError:
    """The error for workers of another version."""
    named = ", ".join(f"{worker}: {text or 'none'}" for worker, text in sorted(found.items()))
    return DataSetError(
        f"All workers must have radiodiff {wanted}, as this process",
        value=named,
        remedy=f"Install it where the workers run (pip install radiodiff=={wanted}), and start them again.",
    )


def _beginning(settings: CreateSettings, task: MapTask) -> dict[str, Any]:
    return {"map": task.map_id, "seed": [settings.seed, task.map_id]}


def _write_map(plan: WorkPlan, task: MapTask, clock: "_Clock") -> tuple[str, dict[str, Any]]:
    """Write the files of a map; returns where its scene came from, and facts by simulation."""
    settings, root, map_id = plan.settings, plan.root, task.map_id
    scene, txs = draw_map(settings, task)
    grid = scene.grid
    clock.stop("layout")
    with _writing():
        write_layer(root, f"buildings_complete/{map_id}", grid, scene.footprints or (), PNG_SAMPLE_OFFSET)
        if settings.cars:
            write_layer(root, f"cars/{map_id}", grid, scene.car_footprints or (), CAR_PNG_SAMPLE_OFFSET)
        if settings.has_heights:
            _write_heights(root, map_id, scene, txs)
        write_missing_layers(root, map_id, grid, (settings.seed, map_id), settings.missing_variants)
    clock.stop("files")
    variants = {"": scene.without_cars()} | ({"cars": scene} if settings.cars else {})
    facts: dict[str, Any] = {}
    for prefix, variant in variants.items():
        for name, engine in settings.engines.items():
            simulation = f"{prefix}{name}"
            found: list[dict[str, Any]] = []
            for index, radio_map in enumerate(engine.radio_maps(variant, txs)):
                clock.stop(simulation)
                found.append(radio_map.meta)
                with _writing():
                    write_radio_map(_without_times(radio_map), root / f"gain/{simulation}/{map_id}_{index}.png")
                clock.stop("files")
            facts[simulation] = _by_fact(found)
    # Last of all: a map whose transmitters are on the disk is there for readers.
    with _writing():
        write_antennas(root, map_id, [tx.cell(grid)[::-1] for tx in txs], grid)
    return scene.source, facts


def _write_heights(root: Path, map_id: int, scene: Scene, txs: list[Transmitter]) -> None:
    heights_m = [footprint.height_m or 0.0 for footprint in scene.footprints or ()]
    write_heights_json(root / f"polygon/heights/{map_id}.json", heights_m)
    write_roof_heights_png(root / f"png/heights/{map_id}.png", scene.roof_height_m)
    write_heights_json(root / f"antenna_heights/{map_id}.json", [tx.height_m for tx in txs])


class _Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def stop(self, step: str) -> None:
        """End a part of a step, and begin the next one."""
        now = time.perf_counter()
        self.seconds[step] = round(self.seconds.get(step, 0.0) + now - self._since, 6)
        self._since = now


def _by_fact(facts: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Facts of several radio maps, a list over the transmitters for each."""
    names = sorted({name for one in facts for name in one})
    return {name: [one.get(name) for one in facts] for name in names}


def _without_times(radio_map: RadioMap) -> RadioMap:
    """A radio map whose file is the same whenever it is made."""
    kept = {name: fact for name, fact in radio_map.meta.items() if name not in TIMES}
    return replace(radio_map, meta=kept) if len(kept) < len(radio_map.meta) else radio_map


@contextmanager
def _writing() -> Iterator[None]:
    """Tell errors of the disk, which meet every map, from those of a map."""
    try:
        yield
    except (FormatError, OSError) as error:
        raise _RefusedError from error


def _refusal(root: Path, error: BaseException | None) -> RadiodiffError:
    """The error that ends the run."""
    reason = error if isinstance(error, OSError) else getattr(error, "__cause__", None)
    if isinstance(reason, OSError) and reason.errno in DISK_FULL:
        value = error.value if isinstance(error, RadiodiffError) else f"{root} ({reason})"
        return DataSetError(
            "The files of a data set must be writable, with free space on the disk",
            value=value,
            remedy="Make room and run the same command again: what is done is kept.",
        )
    if isinstance(error, RadiodiffError):
        return error
    return DataSetError(
        "The files of a data set must be writable", value=f"{root} ({error})", remedy="Check the rights of the folder."
    )


@cache
def _versions() -> dict[str, str]:
    found = {"radiodiff": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
