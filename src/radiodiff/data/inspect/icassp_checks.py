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

MOST_DEGREES = 360.0

PEAK_REACH_PX = 5.0
"""How far from the transmitter the least path loss may lie [pixels of 0.25 m]: antennas bend the pattern, several
pixels share the least value. Of 304 made-up samples with all five antennas at most 2.3."""


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
        _check_tables(checks, sample, inputs[..., 2], output)
    result.num_files, result.findings = checks.num_files, checks.findings
    return result


def check_path_loss(checks: ImageChecks, file: str, output: NDArray[np.uint8]) -> None:
    """Check that an image of the path loss is not of one level and in the range of the data set."""
    low, high = PATH_LOSS_RANGE_DB
    if not output.any():
        checks.note("zero-image", file, "0 everywhere")
    elif output.min() == output.max():
        checks.note("value-range", file, f"path loss {output.min()} dB everywhere")
    elif output.min() < low or output.max() > high:
        checks.note("value-range", file, f"path loss {output.min()} to {output.max()} dB instead of {low} to {high}")


def _check_tables(
    checks: ImageChecks, sample: SampleId, distance_m: NDArray[np.uint8], output: NDArray[np.uint8] | None
) -> None:
    """Check pattern and position of a sample, and the position against the distance channel and the path loss."""
    file = str(sample.input_path(checks.root).relative_to(checks.root))
    reader = IcasspReader(checks.root)
    try:
        reader.pattern(sample)
    except FormatError as error:
        checks.note("pattern", str(sample.pattern_path(checks.root).relative_to(checks.root)), str(error))
    table = str(sample.positions_path(checks.root).relative_to(checks.root))
    try:
        row, col, azimuth_deg = reader.transmitter(sample)
    except FormatError as error:
        checks.note("positions", table, str(error))
        return
    if not abs(azimuth_deg) <= MOST_DEGREES:
        checks.note("positions", table, f"{sample.name} with an azimuth of {azimuth_deg:g} degrees, not in -360..360")
    if output is not None and output.min() < output.max():
        _check_peak(checks, sample, output, (row, col), distance_m)
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


def _check_peak(
    checks: ImageChecks,
    sample: SampleId,
    output: NDArray[np.uint8],
    tx: tuple[float, float],
    distance_m: NDArray[np.uint8],
) -> None:
    """Check that the path loss is least at the transmitter (row, col) of the table, or of the distance channel.

    Where those two differ, the finding about them says it all, as long as the path loss agrees with one.
    """
    strongest = np.argwhere(output == output.min())
    nearest = np.argwhere(distance_m == distance_m.min()).mean(axis=0)
    if _is_near(strongest, tx, output.shape):
        return
    of_table, of_distance = _agrees(distance_m, *tx), _is_near(strongest, tuple(nearest), output.shape)
    if of_distance and not of_table:
        return
    file, table = (
        str(path.relative_to(checks.root))
        for path in (sample.output_path(checks.root), sample.positions_path(checks.root))
    )
    row, col = tx
    last_row, last_col = (n - 1 for n in output.shape)
    mirrored = [(last_row - row, col), (row, last_col - col), (last_row - row, last_col - col)]
    kind = "gain-peak"
    if any(_is_near(strongest, place, output.shape) for place in mirrored):
        kind = "tx-mirrored"
    elif _is_near(strongest, (col, row), output.shape):
        kind = "tx-transposed"
    where = f"least path loss at row {strongest[0, 0]}, column {strongest[0, 1]}"
    says = f"{table} and the distance channel say" if of_table else f"{table} says"
    checks.note(kind, file, f"{where}; {says} row {row:g}, column {col:g}")


def _is_near(strongest: NDArray[np.intp], place: tuple[float, ...], shape: tuple[int, ...]) -> bool:
    """Whether one of the pixels (n, 2) lies at a place, or at the pixel of the map nearest to it."""
    inside = np.clip(place, 0, np.array(shape) - 1)
    return bool((np.hypot(*(strongest - inside).T) <= PEAK_REACH_PX).any())


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
