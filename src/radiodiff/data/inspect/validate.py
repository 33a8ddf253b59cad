"""Validate a data set folder: every file, and how they fit together."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from warnings import catch_warnings, simplefilter

from radiodiff.data.create import RECORD as GENERATED_RECORD
from radiodiff.data.create import check_count
from radiodiff.data.icassp.arrange import ARRANGED_FOLDERS
from radiodiff.data.inspect.arranged_checks import check_arranged, find_arranged_leaks, list_arranged
from radiodiff.data.inspect.edge_checks import check_edge_pair, list_edges
from radiodiff.data.inspect.findings import Finding, ValidationReport
from radiodiff.data.inspect.icassp_checks import check_sample, duplicate_outputs, list_icassp
from radiodiff.data.inspect.layout import LAYOUTS, Layout, recognise
from radiodiff.data.inspect.map_checks import MapFiles, MapResult, check_map
from radiodiff.data.inspect.packed_checks import check_packed_map, list_packed
from radiodiff.data.inspect.radiomapseer_files import RadioMapSeerFiles, list_radiomapseer
from radiodiff.data.inspect.set_checks import (
    check_duplicates,
    check_index,
    check_names,
    check_pairs,
    check_scale,
    find_leaks,
)
from radiodiff.data.splits import MANIFEST, NAMED_SPLITS, Split, find_split
from radiodiff.data.worker_pool import run_tasks
from radiodiff.errors import DataSetError, FormatError, InputError
from radiodiff.formats import image_size, read_json

__all__ = ["Validation", "common_shape", "validate_data_set"]

Item = TypeVar("Item")
Result = TypeVar("Result")

Validation = Generator[tuple[int, int], None, ValidationReport]
"""Yields (done, wanted) and returns the report."""

SHAPE_SAMPLES = 64
"""Images whose size is looked at to tell which size the data set has."""


def validate_data_set(root: str | Path, *, split: str | None = None, workers: int = 1) -> Validation:
    """Look at every file of a data set.

    Args:
        root: The folder.
        split: Name of a split, or path of a manifest, to check against the maps; None takes the manifest of the folder
            where there is one. Numbers in a split of an arrangement are those of buildings.
        workers: Processes; 1 works in this one.

    Yields:
        (done, wanted), in files; in maps, samples or pairs where the layout has such.

    Returns:
        The report: `radiodiff.cli.dataset.validate` shows how to take it from the generator.

    Raises:
        DataSetError: The folder holds no data set that is known, or there is no such named split.
        InputError: `workers` is not positive, or a split has no meaning for the folder.
    """
    check_count("workers", workers, 1)
    root = Path(root)
    layout = recognise(root)
    if split is not None:
        _check_option(root, layout, split)
    if layout == "arranged":
        return (yield from _validate_arranged(root, split, workers))
    if layout == "icassp":
        return (yield from _validate_icassp(root, workers))
    if layout == "edges":
        return (yield from _validate_edges(root, workers))
    if layout == "packed":
        return (yield from _validate_packed(root, split, workers))
    return (yield from _validate_radiomapseer(root, layout, split, workers))


def _check_option(root: Path, layout: Layout, split: str) -> None:
    """Check that there can be such a split, and that the layout has a use for it."""
    is_manifest = split.endswith(".json")
    if layout in ("icassp", "edges") or (layout == "arranged" and not is_manifest):
        raise InputError(
            "A split can be checked for RadioMapSeer's layout, packed sets, and squares of ICASSP 2025 (a manifest of "
            "building numbers)",
            value=f"{split!r} for {root}, {LAYOUTS[layout]}",
            remedy="Leave it out: what the folder has itself is checked anyway.",
        )
    if not is_manifest and split not in NAMED_SPLITS:
        find_split(root, split)


def common_shape(paths: Iterable[Path]) -> tuple[int, int] | None:
    """The size (rows, cols) that most of some images have; None where none can be read."""
    paths = list(paths)
    shapes: Counter[tuple[int, int]] = Counter()
    for path in paths[:: max(len(paths) // SHAPE_SAMPLES, 1)]:
        try:
            shapes[image_size(path)] += 1
        except FormatError:
            continue
    return max(shapes, key=lambda shape: shapes[shape], default=None)


def _validate_radiomapseer(root: Path, layout: Layout, split: str | None, workers: int) -> Validation:
    files = list_radiomapseer(root)
    shape = common_shape(_image_paths(files))
    if not files.map_ids or shape is None:
        raise DataSetError(
            "A RadioMapSeer folder must hold maps",
            value=f"{root} without an antenna file, a gain or an image of buildings that can be read",
            remedy="Give the folder that holds antenna/, gain/ and png/, or download the data set again.",
        )
    yield 0, files.num_files
    results: list[MapResult] = []
    done = 0
    task = partial(check_map, root, shape)
    for result in run_tasks(task, [_of_map(files, map_id) for map_id in files.map_ids], workers):
        results.append(result)
        done += result.num_files
        yield done, files.num_files
    results.sort(key=lambda result: result.map_id)
    num_tx = {result.map_id: result.num_tx for result in results if result.num_tx is not None}
    scale, findings = check_scale(results)
    findings += [finding for result in results for finding in result.findings]
    findings += check_names(files)
    findings += check_pairs(files, num_tx)
    findings += check_duplicates(results)
    findings += check_index(files, num_tx, rows=shape[0], is_ours=layout in ("generated", "fake"))
    findings += _check_record(root, layout)
    buildings = {result.map_id: result.buildings for result in results if result.buildings is not None}
    if split is not None or (root / MANIFEST).is_file():
        findings += _check_split(root, split, files.map_ids, partial(find_leaks, buildings=buildings))
    return ValidationReport(str(root), layout, done, scale, tuple(findings))


def _validate_packed(root: Path, split: str | None, workers: int) -> Validation:
    maps, findings = list_packed(root)
    results = yield from _collected(partial(check_packed_map, root), maps, workers)
    results.sort(key=lambda result: result.map_id)
    scale, other_scale = check_scale(results)
    findings += other_scale
    findings += [finding for result in results for finding in result.findings]
    findings += check_duplicates(results)
    if maps:
        buildings = {result.map_id: result.buildings for result in results if result.buildings is not None}
        if split is None:
            # `list_packed` has compared its maps with the parts.
            findings += find_leaks(find_split(root, None), buildings)
        else:
            findings += _check_split(root, split, buildings, partial(find_leaks, buildings=buildings))
    return ValidationReport(str(root), "packed", sum(r.num_files for r in results), scale, tuple(findings))


def _validate_icassp(root: Path, workers: int) -> Validation:
    samples, findings = list_icassp(root)
    results = yield from _collected(partial(check_sample, root), samples, workers)
    # Samples share tables: one finding for each.
    findings += dict.fromkeys(finding for result in results for finding in result.findings)
    findings += duplicate_outputs(results, lambda sample: str(sample.output_path(Path())))
    return ValidationReport(str(root), "icassp", sum(r.num_files for r in results), "db", tuple(findings))


def _validate_arranged(root: Path, split: str | None, workers: int) -> Validation:
    items, findings = list_arranged(root)
    results = yield from _collected(partial(check_arranged, root), items, workers)
    findings += [finding for result in results for finding in result.findings]
    findings += duplicate_outputs(results, lambda sample: f"{ARRANGED_FOLDERS['path_loss_db']}/{sample.name}.png")
    if split is not None or (root / MANIFEST).is_file():
        buildings = {item.sample.building for item in items}
        findings += _check_split(root, split, buildings, partial(find_arranged_leaks, results=results))
    return ValidationReport(str(root), "arranged", sum(r.num_files for r in results), "db", tuple(findings))


def _validate_edges(root: Path, workers: int) -> Validation:
    pairs, findings = list_edges(root)
    results = yield from _collected(partial(check_edge_pair, root), pairs, workers)
    findings += [finding for result in results for finding in result.findings]
    return ValidationReport(str(root), "edges", sum(r.num_files for r in results), None, tuple(findings))


def _collected(
    task: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Generator[tuple[int, int], None, list[Result]]:
    """Results of a task for every item; yields (done, wanted)."""
    results: list[Result] = []
    yield 0, len(items)
    for result in run_tasks(task, items, workers):
        results.append(result)
        yield len(results), len(items)
    return results


def _image_paths(files: RadioMapSeerFiles) -> Iterator[Path]:
    for layer, ids in files.images.items():
        if layer == "buildings_complete":
            yield from (files.root / "png" / layer / f"{map_id}.png" for map_id in sorted(ids))
    for folder, maps in files.gains.items():
        yield from (files.root / "gain" / folder / f"{map_id}_{txs[0]}.png" for map_id, txs in maps.items())


def _of_map(files: RadioMapSeerFiles, map_id: int) -> MapFiles:
    return MapFiles(
        map_id,
        map_id in files.antennas,
        {folder: maps[map_id] for folder, maps in files.gains.items() if map_id in maps},
        files.antenna_images.get(map_id, []),
        tuple(layer for layer, ids in files.images.items() if map_id in ids),
        tuple(layer for layer, ids in files.polygons.items() if map_id in ids),
        tuple(folder for folder, ids in files.heights.items() if map_id in ids),
    )


def _check_record(root: Path, layout: Layout) -> Iterator[Finding]:
    """Check what `radiodiff dataset create` leaves beside the maps."""
    if layout != "generated":
        return
    try:
        if not isinstance(read_json(root / GENERATED_RECORD), dict):
            yield Finding("json-schema", GENERATED_RECORD, "no settings of a data set")
    except FormatError as error:
        yield Finding("json-schema", GENERATED_RECORD, str(error))
    if not (root / "dataset.csv").is_file():
        yield Finding("unfinished", "dataset.csv", "not there: it is written when all maps are done")


def _check_split(
    root: Path, wanted: str | None, map_ids: Iterable[int], leaks_of: Callable[[Split], Iterable[Finding]]
) -> Iterator[Finding]:
    """Check the split that is asked for, or the manifest of the folder."""
    file = wanted or MANIFEST
    try:
        with catch_warnings():
            # The shared maps of a published split become findings below.
            simplefilter("ignore")
            split = find_split(root, wanted)
        split.check_maps(map_ids, root)
    except (FormatError, DataSetError) as error:
        yield Finding("split", file, str(error))
        return
    for (one, other), ids in split.shared_maps().items():
        yield Finding("split", file, f"{len(ids)} maps are in {one} and in {other}")
    yield from leaks_of(split)
