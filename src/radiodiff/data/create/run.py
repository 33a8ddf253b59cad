"""A run of `radiodiff dataset create`: what is missing is made, recorded, and listed at the end."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.create.cluster import check_workers, open_workers, run_here, run_on_workers
from radiodiff.data.create.files import folders, map_numbers, maps_without_files
from radiodiff.data.create.manifest import Manifest, file_sha256
from radiodiff.data.create.settings import MISSING_KEY, RECORD, CreateSettings, check_count
from radiodiff.data.create.task import MapTask, Outcome, WorkPlan, describe_map, draw_map
from radiodiff.data.map_files import write_index
from radiodiff.data.splits import MANIFEST as SPLIT
from radiodiff.data.splits import PARTS, Split, proportional_split
from radiodiff.data.work_folder import begin_folder, is_begun
from radiodiff.errors import DataSetError, FormatError, InputError, RadiodiffError

__all__ = ["CreateReport", "RunOptions", "create_data_set"]

FAILURES_IN_A_ROW = 8
"""A run whose first tasks all fail, this many and two for each worker, ends: no other would do better."""

FAILURES_SHOWN = 5

SPLIT_NAME = "generated"

MAPS_TRIED = 3
"""Maps that are tried before a folder is made: one may lack room where the others have it."""


@dataclass(frozen=True)
class RunOptions:
    """How a data set is made; none of it changes the files.

    Attributes:
        workers: Processes; 1 works in this one.
        scheduler: Address of a dask scheduler whose workers do the work in the place of processes here.
        max_hours: Begin no task that would not end within so many hours.
        verify: Compare all files with their checksums first, and make again what differs.

    Raises:
        InputError: `workers` is not positive, or `max_hours` is not above 0.
    """

    workers: int = 1
    scheduler: str | None = None
    max_hours: float | None = None
    verify: bool = False

    def __post_init__(self) -> None:
        check_count("workers", self.workers, 1)
        if self.max_hours is not None and not self.max_hours > 0:
            raise InputError(
                "The hours of a run must be above 0", value=self.max_hours, remedy="Leave them out for no limit."
            )


@dataclass(frozen=True)
class CreateReport:
    """What a run leaves.

    Attributes:
        num_maps: Maps that are whole.
        num_wanted: Maps asked for; there are fewer where time ran out.
        seconds: How long the run took [s].
    """

    num_maps: int
    num_wanted: int
    seconds: float


def create_data_set(
    root: str | Path, settings: CreateSettings, *, workers: int = 1, options: RunOptions | None = None
) -> Generator[tuple[int, int], None, CreateReport]:
    """Write a data set, or what an interrupted run left missing of it.

    Args:
        root: The folder; made where it is not there.
        settings: What to make.
        workers: Processes; 1 works in this one.
        options: How to make it; in the place of `workers`.

    Yields:
        (maps done, maps wanted), first for what was there already, then as maps are done.

    Returns:
        What there is now. Where time ran out, the list of maps and the split hold those that are there.

    Raises:
        DataSetError: The folder holds something else, or a data set with other settings; the disk is full; workers
            cannot be reached or do not fit; or maps could not be made: all others are there then, and the manifest
            says what happened.
        FormatError: A file cannot be written.
        InputError: `workers` is not positive.
        LayoutError: No city of these settings has room for the transmitters.
    """
    options = options or RunOptions(workers)
    start = time.monotonic()
    # Workers may run in another folder.
    plan = WorkPlan(Path(root).absolute(), replace(settings, layouts=()))
    root = Path(root)
    if not _is_begun(root, settings):
        if _has_workers(options, settings.maps):
            check_workers(options.scheduler)
        _try_first_maps(settings, is_local=options.scheduler is None)
    begin_folder(root, RECORD, settings.identity(), folders(settings))
    manifest = Manifest(root)
    # Maps that failed may be wanted no more.
    manifest.forget(settings.maps)
    missing = _missing_maps(root, settings, manifest, verify=options.verify)
    _describe_unrecorded(plan, settings, manifest, missing)
    num_done = settings.maps - len(missing)
    yield num_done, settings.maps
    limit = _TimeLimit(start, options.max_hours)
    tasks = [_task(settings, map_id) for map_id in sorted(missing)]
    failures: list[Outcome] = []
    with _batches(plan, tasks, options, limit) as batches:
        for outcomes in batches:
            manifest.append(outcome.record for outcome in outcomes if outcome.refusal is None)
            failures += [outcome for outcome in outcomes if "error" in outcome.record]
            made = {o.map_id for o in outcomes if o.refusal is None and "error" not in o.record}
            missing -= made
            num_done += len(made)
            yield num_done, settings.maps
            _check(outcomes, failures, has_success=len(missing) < len(tasks), options=options)
    manifest.write()
    _write_lists(root, settings, missing)
    if failures:
        raise _not_all(failures, num_done, settings.maps)
    return CreateReport(num_done, settings.maps, time.monotonic() - start)


class _TimeLimit:
    """Whether work of so many seconds still ends in time."""

    def __init__(self, start: float, max_hours: float | None) -> None:
        self._end = None if max_hours is None else start + 3600.0 * max_hours

    def __call__(self, seconds: float) -> bool:
        return self._end is None or time.monotonic() + seconds <= self._end


def _try_first_maps(settings: CreateSettings, *, is_local: bool) -> None:
    """Draw a map and prepare its engines: settings that the first maps refuse leave no folder behind.

    Args:
        settings: The settings.
        is_local: Engines run on this machine.

    Raises:
        RadiodiffError: All maps that were tried are refused; this is the error of the first.
    """
    refused: RadiodiffError | None = None
    for map_id in range(min(settings.maps, MAPS_TRIED)):
        try:
            scene, _ = draw_map(settings, _task(settings, map_id))
            for engine in settings.engines.values() if is_local else ():
                engine.prepare(scene.without_cars())
            return
        except RadiodiffError as error:
            refused = refused or error
    if refused is not None:
        raise refused


def _task(settings: CreateSettings, map_id: int) -> MapTask:
    if not settings.layouts:
        return MapTask(map_id)
    layout = settings.layouts[map_id % len(settings.layouts)]
    return MapTask(map_id, layout.name, layout.scene)


@contextmanager
def _batches(
    plan: WorkPlan, tasks: list[MapTask], options: RunOptions, limit: _TimeLimit
) -> Iterator[Iterator[list[Outcome]]]:
    """Outcomes of tasks as they are done; what stops half-way leaves no unfinished files."""
    if not _has_workers(options, len(tasks)):
        yield run_here(plan, tasks, limit)
        return
    # Workers of this machine end with the run, perhaps in the middle of a file; those of a scheduler go on.
    is_quiet = options.scheduler is None
    try:
        with open_workers(min(options.workers, len(tasks)), options.scheduler, plan) as client:
            yield run_on_workers(plan, tasks, client, limit)
        is_quiet = True
    finally:
        if is_quiet:
            _remove_unfinished(plan)


def _has_workers(options: RunOptions, num_tasks: int) -> bool:
    """Whether tasks are for other processes than this one."""
    return num_tasks > 0 and (options.scheduler is not None or min(options.workers, num_tasks) > 1)


def _remove_unfinished(plan: WorkPlan) -> None:
    for folder in folders(plan.settings):
        for leftover in (plan.root / folder).glob(f"{TEMPORARY_PREFIX}*"):
            leftover.unlink(missing_ok=True)


def _check(outcomes: list[Outcome], failures: list[Outcome], *, has_success: bool, options: RunOptions) -> None:
    """End the run where the system refuses to write, or where nothing succeeds.

    Raises:
        DataSetError: The disk is full, or the first tasks all failed.
        FormatError: A file cannot be written.
    """
    for outcome in outcomes:
        if outcome.refusal is not None:
            raise outcome.refusal
    if not has_success and len(failures) >= FAILURES_IN_A_ROW + 2 * options.workers:
        raise DataSetError(
            "At least one of the first maps must succeed",
            value=f"{len(failures)} failures, the first {_line(failures[0])}",
            remedy="Correct the settings; the manifest says where each one failed.",
        )


def _is_begun(root: Path, settings: CreateSettings) -> bool:
    """Whether an earlier run began this data set. What is there is looked at only.

    Raises:
        DataSetError: The folder is none, or holds something else, or more maps than wanted.
    """
    # A key that is not there says that there are none, and must not be lost.
    if not is_begun(root, RECORD, {MISSING_KEY: None} | settings.identity()):
        return False
    highest = max(map_numbers(root), default=-1)
    if highest >= settings.maps:
        raise DataSetError(
            "A data set can grow, not shrink",
            value=f"{root} with map {highest}, {settings.maps} maps asked for",
            remedy=f"Ask for at least {highest + 1} maps or use another folder.",
        )
    return True


def _missing_maps(root: Path, settings: CreateSettings, manifest: Manifest, *, verify: bool) -> set[int]:
    """Maps that must be made: a file is not there, or is another than the manifest says."""
    missing = maps_without_files(root, settings, range(settings.maps))
    if verify:
        missing |= {
            record["map"]
            for record in manifest.records()
            if record["map"] not in missing
            and any(file_sha256(root / name) != digest for name, digest in record.get("sha256", {}).items())
        }
    return missing


def _describe_unrecorded(plan: WorkPlan, settings: CreateSettings, manifest: Manifest, missing: set[int]) -> None:
    """Record maps of earlier runs that were killed before they could, or that kept no manifest.

    Those with a damaged radio map become missing.
    """
    described: list[Outcome] = []
    for map_id in range(settings.maps):
        if map_id not in missing and map_id not in manifest:
            try:
                described.append(describe_map(plan, _task(settings, map_id)))
            except FormatError:
                missing.add(map_id)
    manifest.append(outcome.record for outcome in described)


def _write_lists(root: Path, settings: CreateSettings, missing: Iterable[int]) -> None:
    """Write the split and the table of the maps that are there."""
    there = sorted(set(range(settings.maps)) - set(missing))
    parts = _parts(settings, there)
    if parts:
        Split(SPLIT_NAME, parts).write(root / SPLIT)
    elif (root / SPLIT).is_file() and Split.read(root / SPLIT).name == SPLIT_NAME:
        # Of an earlier run, which had more maps.
        (root / SPLIT).unlink()
    counts = dict.fromkeys(settings.simulations, settings.tx_per_map)
    write_index(root, there, counts, rows=settings.grid.rows)


def _parts(settings: CreateSettings, there: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Maps of each part, none where there are too few: layouts that share ground stay together."""
    present = set(there)
    # Dealt as if all were there: a map that comes later moves no other. So few that a part would be empty: dealt anew.
    for dealt in (range(settings.maps), there):
        groups: dict[object, list[int]] = {}
        for map_id in dealt:
            group = settings.layouts[map_id % len(settings.layouts)].group if settings.layouts else map_id
            groups.setdefault(group, []).append(map_id)
        if len(groups) < len(PARTS):
            return {}
        members = list(groups.values())
        split = proportional_split(SPLIT_NAME, range(len(members))).parts
        parts = {
            part: tuple(sorted(i for number in numbers for i in members[number] if i in present))
            for part, numbers in split.items()
        }
        if all(parts.values()):
            return parts
    return {}


def _not_all(failures: list[Outcome], num_done: int, num_wanted: int) -> DataSetError:
    shown = "; ".join(map(_line, failures[:FAILURES_SHOWN]))
    more = f"; and {len(failures) - FAILURES_SHOWN} more" if len(failures) > FAILURES_SHOWN else ""
    return DataSetError(
        "Every map of a data set must be made",
        value=f"{num_done} of {num_wanted}, and {len(failures)} that failed: {shown}{more}",
        remedy="What is done is kept, and manifest.jsonl says where each one failed. The same command tries again.",
    )


def _line(failure: Outcome) -> str:
    seed = ", ".join(map(str, failure.record["seed"]))
    return f"map {failure.map_id} (seed {seed}): {failure.record['error'].rstrip('.')}"
