"""Checks of a folder in the layout of the ICASSP 2025 data set."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.icassp.free_space_loss import pixel_distance_m
from radiodiff.data.icassp.layout import TASKS, SampleId, list_images
from radiodiff.data.icassp.reader import FARTHEST_OUTSIDE_PX, IcasspReader
from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.data.inspect.map_checks import digest
from radiodiff.errors import FormatError

__all__ = ["SampleResult", "check_path_loss", "check_sample", "duplicate_outputs", "foreign_files", "list_icassp"]

PATH_LOSS_RANGE_DB = (13, 160)

MOST_METRES_OFF = 1.5
"""The distance channel holds whole metres, rounded or cut off."""

MOST_PIXELS_OFF = 0.02


@dataclass
class SampleResult:
    """What the checks of a sample found.

    Attributes:
        sample: The sample.
        num_files: Images read.
        findings: What was found.
        output: Digest of the path loss, or None.
        walls: Digest of the walls, of an arrangement with walls; else None.
    """

    sample: SampleId
    num_files: int = 0
    findings: list[Finding] = field(default_factory=list)
    output: bytes | None = None
    walls: bytes | None = None


def list_icassp(root: Path) -> tuple[list[SampleId], list[Finding]]:
    """Samples of which there is an input or an output, and what is wrong with names and pairs."""
    found: dict[str, set[SampleId]] = {"Inputs": set(), "Outputs": set()}
    findings: list[Finding] = []
    for task in TASKS:
        for kind, samples in found.items():
            there, others = list_images(root / kind / f"Task_{task}_ICASSP", task)
            samples |= there
            findings += foreign_files(root, others)
    for sample in sorted(found["Inputs"] ^ found["Outputs"]):
        lonely, absent = sample.input_path(root), sample.output_path(root)
        if sample in found["Outputs"]:
            lonely, absent = absent, lonely
        file = str(absent.relative_to(root))
        findings.append(Finding("missing-pair", file, f"not there; {lonely.relative_to(root)} is"))
    return sorted(found["Inputs"] | found["Outputs"]), findings


def foreign_files(root: Path, others: Iterable[Path]) -> Iterator[Finding]:
    """Files that are not named as radio maps are; what a killed run left is not reported."""
    for path in others:
        if not path.name.startswith(TEMPORARY_PREFIX):
            yield Finding("foreign-file", str(path.relative_to(root)), "not named like B1_Ant1_f1_S0.png")


def check_sample(root: Path, sample: SampleId) -> SampleResult:
    """Check the images of a sample and what the tables say of it."""
    result = SampleResult(sample)
    checks = ImageChecks(root, None)
    input_file, output_file = (str(path(root).relative_to(root)) for path in (sample.input_path, sample.output_path))
    inputs = checks.rgb(input_file) if (root / input_file).is_file() else None
    output = checks.grey(output_file) if (root / output_file).is_file() else None
    if output is not None:
        check_path_loss(checks, output_file, output)
        result.output = digest(output)
    if inputs is not None and output is not None and inputs.shape[:2] != output.shape:
        sizes = [f"{image.shape[0]} x {image.shape[1]}" for image in (inputs, output)]
        checks.note("image-size", input_file, f"{sizes[0]}, its output {sizes[1]}")
    elif inputs is not None:
        _check_tables(checks, input_file, sample, inputs[..., 2])
    result.num_files, result.findings = checks.num_files, checks.findings
    return result


def check_path_loss(checks: ImageChecks, file: str, output: NDArray[np.uint8]) -> None:
    """Check that an image of the path loss is not empty and in the range of the data set."""
    low, high = PATH_LOSS_RANGE_DB
    if not output.any():
        checks.note("zero-image", file, "0 everywhere")
    elif output.min() < low or output.max() > high:
        checks.note("value-range", file, f"path loss {output.min()} to {output.max()} dB instead of {low} to {high}")


def _check_tables(checks: ImageChecks, file: str, sample: SampleId, distance_m: NDArray[np.uint8]) -> None:
    """Check pattern and position of a sample, and the position against the distance channel."""
    reader = IcasspReader(checks.root)
    try:
        reader.pattern(sample)
    except FormatError as error:
        checks.note("pattern", str(sample.pattern_path(checks.root).relative_to(checks.root)), str(error))
    table = str(sample.positions_path(checks.root).relative_to(checks.root))
    try:
        row, col, _ = reader.transmitter(sample)
    except FormatError as error:
        checks.note("positions", table, str(error))
        return
    rows, cols = distance_m.shape
    beside = max(-row, row - rows + 1, -col, col - cols + 1)
    agrees = _agrees(distance_m, row, col)
    if not agrees and _agrees(distance_m, col, row):
        checks.note(
            "tx-transposed", file, f"distances count from row {col:g}, column {row:g}, {table} says the reverse"
        )
    elif beside > FARTHEST_OUTSIDE_PX:
        checks.note("positions", table, f"{sample.name} at row {row:g}, column {col:g} of {rows} x {cols} pixels")
    elif not agrees:
        checks.note("distance", file, f"not the distances from row {row:g}, column {col:g}, as {table} says")
    elif beside > 0:
        checks.note("tx-off-map", table, f"{sample.name} at row {row:g}, column {col:g} of {rows} x {cols} pixels")


def _agrees(distance_m: NDArray[np.uint8], row: float, col: float) -> bool:
    """Whether the distance channel counts from a position; one level is 1 m, 255 the most."""
    expected_m = np.minimum(pixel_distance_m(distance_m.shape, (row, col)), 255.0)
    return float((np.abs(distance_m - expected_m) > MOST_METRES_OFF).mean()) <= MOST_PIXELS_OFF


def duplicate_outputs(results: list[SampleResult], file_of: Callable[[SampleId], str]) -> Iterator[Finding]:
    """Radio maps of one task that are the same image twice; `file_of` gives the file of each."""
    seen: dict[tuple[int, bytes], SampleId] = {}
    for result in sorted(results, key=lambda result: result.sample):
        if result.output is None:
            continue
        earlier = seen.setdefault((result.sample.task, result.output), result.sample)
        if earlier != result.sample:
            yield Finding("duplicate-gain", file_of(result.sample), f"same pixels as {file_of(earlier)}")
