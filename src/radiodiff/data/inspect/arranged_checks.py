"""Checks of an arrangement: the squares that `radiodiff dataset arrange-icassp` makes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.icassp.arrange import (
    ARRANGED_FOLDERS,
    ARRANGED_MASKS,
    ARRANGED_RECORD,
    STATISTICS_FILE,
    read_arranged_record,
)
from radiodiff.data.icassp.arranged_manifest import MANIFEST_FILE, ArrangedMap, read_manifest
from radiodiff.data.icassp.layout import SampleId, list_images
from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.icassp_checks import SampleResult, check_path_loss, foreign_files
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.data.inspect.map_checks import check_antenna_image, digest
from radiodiff.data.splits import MANIFEST, Split
from radiodiff.errors import FormatError
from radiodiff.formats import read_json

__all__ = ["IMAGE_FOLDERS", "ArrangedItem", "check_arranged", "find_arranged_leaks", "list_arranged"]

IMAGE_FOLDERS = (*ARRANGED_FOLDERS.values(), *ARRANGED_MASKS)
"""Folders that have one image of each radio map."""

IMAGE = ARRANGED_FOLDERS["path_loss_db"]

WALLS = ("reflectance_db", "transmittance_db")


@dataclass(frozen=True)
class ArrangedItem:
    """A radio map of an arrangement.

    Attributes:
        sample: Its numbers.
        line: Its line of the manifest; None where there is no manifest.
        folders: Folders that hold an image of it.
        size: Rows and columns that images must have; None takes any.
    """

    sample: SampleId
    line: ArrangedMap | None
    folders: tuple[str, ...]
    size: int | None


def list_arranged(root: Path) -> tuple[list[ArrangedItem], list[Finding]]:
    """Radio maps of which there is an image or a line, and what is wrong with names, tables and the record."""
    findings: list[Finding] = []
    settings = None
    try:
        settings = read_arranged_record(root)
    except FormatError as error:
        findings.append(Finding("json-schema", ARRANGED_RECORD, str(error)))
    lines = _read_lines(root, findings)
    findings += _check_ends(root)
    task = 3 if settings is None else settings.task
    found: dict[str, set[SampleId]] = {}
    for folder in IMAGE_FOLDERS:
        found[folder], others = list_images(root / folder, task)
        findings += foreign_files(root, others)
    listed = {SampleId(task, line.building, line.antenna, line.band, line.sample) for line in (lines or {}).values()}
    everything = listed.union(*found.values())
    for folder, there in found.items():
        for sample in sorted(everything - there if lines is None else listed - there):
            reason = "not there; it is in other folders" if lines is None else f"not there; it is in {MANIFEST_FILE}"
            findings.append(Finding("missing-layer", f"{folder}/{sample.name}.png", reason))
        if lines is not None:
            for sample in sorted(there - listed):
                findings.append(Finding("index", f"{folder}/{sample.name}.png", f"not in {MANIFEST_FILE}"))
    size = None if settings is None else settings.size
    return [
        ArrangedItem(
            sample, (lines or {}).get(sample.name), tuple(f for f in IMAGE_FOLDERS if sample in found[f]), size
        )
        for sample in sorted(everything)
    ], findings


def _read_lines(root: Path, findings: list[Finding]) -> dict[str, ArrangedMap] | None:
    """Lines of the manifest by name; None, and a finding, where it cannot be read."""
    path = root / MANIFEST_FILE
    if not path.is_file():
        findings.append(Finding("unfinished", MANIFEST_FILE, "not there: it is written when all radio maps are done"))
        return None
    try:
        return {line.name: line for line in read_manifest(path)}
    except FormatError as error:
        findings.append(Finding("index", MANIFEST_FILE, str(error)))
        return None


def _check_ends(root: Path) -> Iterator[Finding]:
    """The split and the statistics, which are written last too."""
    for name in (MANIFEST, STATISTICS_FILE):
        if not (root / name).is_file():
            yield Finding("unfinished", name, "not there: it is written when all radio maps are done")
    if (root / STATISTICS_FILE).is_file():
        try:
            read_json(root / STATISTICS_FILE)
        except FormatError as error:
            yield Finding("json-schema", STATISTICS_FILE, str(error))


def check_arranged(root: Path, item: ArrangedItem) -> SampleResult:
    """Check the images of a radio map, and what the manifest says of them."""
    checks = ImageChecks(root, None if item.size is None else (item.size, item.size))
    result = SampleResult(item.sample)
    images: dict[str, NDArray[np.uint8] | None] = {}
    for folder in item.folders:
        file = f"{folder}/{item.sample.name}.png"
        if folder in ARRANGED_MASKS:
            _check_mask(checks, folder, file, item.line)
        else:
            images[folder] = checks.grey(file)
    path_loss = images.get(IMAGE)
    if path_loss is not None:
        check_path_loss(checks, f"{IMAGE}/{item.sample.name}.png", path_loss)
        result.output = digest(path_loss)
    walls = [images.get(ARRANGED_FOLDERS[name]) for name in WALLS]
    # Squares without walls look alike wherever they are.
    if all(image is not None and image.any() for image in walls):
        result.walls = digest(np.stack([image for image in walls if image is not None]))
    result.num_files, result.findings = checks.num_files, checks.findings
    return result


def _check_mask(checks: ImageChecks, folder: str, file: str, line: ArrangedMap | None) -> None:
    """Check the image of the transmitter, or that of the part of the square that lies on the map."""
    mask = checks.mask(file, empty="zero-image" if folder == "mask" else None)
    if mask is None or line is None:
        return
    if folder == "antenna":
        check_antenna_image(checks, file, mask, (line.tx_row, line.tx_col), MANIFEST_FILE)
        return
    on_map = np.zeros_like(mask)
    rows, cols = (
        slice(max(-start, 0), max(length - start, 0))
        for start, length in ((line.crop_row, line.map_rows), (line.crop_col, line.map_cols))
    )
    on_map[rows, cols] = True
    if mask.any() and not np.array_equal(mask, on_map):
        reason = f"not the part of a map of {line.map_rows} x {line.map_cols} that {MANIFEST_FILE} says"
        checks.note("index", file, reason)


def find_arranged_leaks(split: Split, results: Iterable[SampleResult]) -> Iterator[Finding]:
    """Walls that two parts of a split share, under different numbers of buildings."""
    part_of = {building: part for part, ids in split.parts.items() for building in ids}
    seen: dict[bytes, SampleId] = {}
    for result in sorted(results, key=lambda result: result.sample):
        part = part_of.get(result.sample.building)
        if result.walls is None or part is None:
            continue
        earlier = seen.setdefault(result.walls, result.sample)
        if part_of[earlier.building] != part:
            file = f"{ARRANGED_FOLDERS['reflectance_db']}/{result.sample.name}.png"
            where = f"{earlier.name} in {part_of[earlier.building]}, {result.sample.name} in {part}"
            yield Finding("leak", file, f"the same walls: {where} of split {split.name}")
