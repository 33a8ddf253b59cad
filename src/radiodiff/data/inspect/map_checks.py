"""Checks of all files of one RadioMapSeer map."""

from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.create import RECORD
from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.gain_checks import Verdict, check_peak, grey_verdict
from radiodiff.data.inspect.height_checks import check_heights
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.data.inspect.layer_checks import check_car_outlines, check_cars, check_geometry, check_transmitters
from radiodiff.data.radiomapseer.config import TRACED_SIMULATIONS
from radiodiff.data.radiomapseer.store import USUAL_FREQUENCY_HZ
from radiodiff.errors import FormatError, RadiodiffError
from radiodiff.formats import read_json, read_radiomapseer_polygons, read_radiomapseer_transmitters
from radiodiff.formats.radiomapseer import read_cell_size_m
from radiodiff.formats.radiomapseer_json import read_polygons_json
from radiodiff.propagation.dominant_path.law import DominantPathLaw
from radiodiff.scene import Grid

__all__ = [
    "GainResult",
    "MapFiles",
    "MapResult",
    "check_antenna_image",
    "check_gain",
    "check_map",
    "check_scale_is_known",
    "digest",
]

LEAST_PEAK = 150
"""Grey at the transmitter is 240 to 255 on both scales; below this the image is dimmed or of other values."""

MOST_MASK_LEVELS = 2


@dataclass(frozen=True)
class MapFiles:
    """The files of one map.

    Attributes:
        map_id: Number of the map.
        has_antennas: Whether there is an antenna file.
        gains: Transmitters with an image, by folder under `gain`.
        antenna_images: Transmitters with an image in `png/antennas`.
        images: Layers under `png`.
        polygons: Layers under `polygon`.
        heights: Folders of heights.
    """

    map_id: int
    has_antennas: bool
    gains: dict[str, list[int]]
    antenna_images: list[int]
    images: tuple[str, ...]
    polygons: tuple[str, ...]
    heights: tuple[str, ...] = ()


@dataclass(frozen=True)
class GainResult:
    """What the checks of a radio map say of it.

    Attributes:
        simulation: Folder under `gain`.
        scale: Its scale.
        digest: Digest of its pixels.
    """

    simulation: str
    scale: Verdict
    digest: bytes


@dataclass
class MapResult:
    """What the checks of a map found, and what is compared with other maps.

    Attributes:
        map_id: Number of the map.
        num_files: Files read.
        num_tx: Transmitters of the antenna file, None where it cannot be read.
        findings: What was found.
        gains: What is compared of every radio map that could be read, by file.
        buildings: Digest of the image of the buildings, or None.
    """

    map_id: int
    num_files: int = 0
    num_tx: int | None = None
    findings: list[Finding] = field(default_factory=list)
    gains: dict[str, GainResult] = field(default_factory=dict)
    buildings: bytes | None = None


def digest(pixels: NDArray[Any]) -> bytes:
    """A few bytes that are equal for equal images, and for no others by chance."""
    return blake2b(pixels.tobytes(), digest_size=16).digest()


def check_map(root: Path, shape: tuple[int, int], files: MapFiles) -> MapResult:
    """Check every file of a map.

    Args:
        root: Folder of the data set.
        shape: (rows, cols) of most images of the data set.
        files: Which files the map has.
    """
    result = MapResult(files.map_id)
    checks = ImageChecks(root, shape)
    cells = _antennas(checks, files)
    buildings = _layers(checks, files, result)
    heights = check_heights(checks, files.map_id, files.heights, None if cells is None else len(cells))
    if cells is not None:
        result.num_tx = len(cells)
        check_transmitters(checks, f"antenna/{files.map_id}.json", cells, buildings, heights)
    _antenna_images(checks, files, cells or [])
    for folder, tx_ids in files.gains.items():
        for tx_id in tx_ids:
            file = f"gain/{folder}/{files.map_id}_{tx_id}.png"
            grey = checks.grey(file)
            if grey is None:
                continue
            cell = cells[tx_id] if cells is not None and tx_id < len(cells) else None
            is_on_map = cell is not None and 0 <= cell[0] < shape[1] and 0 <= cell[1] < shape[0]
            on_roof = cell is not None and is_on_map and heights.is_above(tx_id, cell[1], cell[0])
            verdict = check_gain(checks, file, grey, cell if is_on_map else None, simulation=folder, is_on_roof=on_roof)
            if grey.any():
                result.gains[file] = GainResult(folder, verdict, digest(grey))
    if not _has_other_law(root):
        check_scale_is_known(checks, result.gains)
    check_geometry(checks, files.map_id)
    result.findings, result.num_files = checks.findings, checks.num_files
    return result


def check_gain(
    checks: ImageChecks,
    file: str,
    grey: NDArray[np.uint8],
    cell: tuple[int, int] | None,
    *,
    simulation: str,
    is_on_roof: bool = False,
) -> Verdict:
    """Check the pixels of a radio map.

    Args:
        checks: Where findings go.
        file: The image, for findings.
        grey: (rows, cols) stored levels.
        cell: (col, row) of the transmitter; None where it is not known, then its place is not checked.
        simulation: Folder under `gain`, such as "carsDPM".
        is_on_roof: Whether the transmitter stands above a roof: the map then has no value at its place, and no line of
            sight around it.

    Returns:
        Its scale.
    """
    peak = int(grey.max())
    if peak == 0:
        checks.note("zero-image", file, "0 everywhere")
        return "unclear"
    if peak < LEAST_PEAK and not is_on_roof:
        checks.note("value-range", file, f"strongest level {peak}, others reach 240 to 255")
        return "unclear"
    levels = np.unique(grey)
    if len(levels) <= MOST_MASK_LEVELS:
        shown = " and ".join(map(str, levels))
        checks.note("value-range", file, f"levels {shown} only: a mask, no signal strengths")
        return "unclear"
    if cell is None or is_on_roof:
        return "unclear"
    col, row = cell
    verdict = grey_verdict(grey, row, col)
    if verdict == "inverted":
        checks.note("inverted", file, f"level {grey[row, col]} at the transmitter, dark where the signal is strong")
        return verdict
    found = check_peak(grey, row, col, is_dominant_path=simulation.endswith("DPM"))
    if found is not None:
        checks.note(found[0], file, found[1])
        return "unclear"
    if simulation in TRACED_SIMULATIONS and verdict in ("unclear", "unknown"):
        # Their line of sight is that of free space and ground, and no profile here.
        return "unclear"
    if verdict in ("unclear", "unknown"):
        checks.note("scale-unclear", file, "neither a raw nor a thresholded line of sight around the transmitter")
    return verdict


def check_scale_is_known(checks: ImageChecks, gains: dict[str, GainResult]) -> None:
    """Note where most radio maps of a map, of those with a line of sight, have levels of no known scale."""
    seen = [file for file, gain in gains.items() if gain.scale != "unclear"]
    unknown = [file for file in seen if gains[file].scale == "unknown"]
    if 2 * len(unknown) > len(seen):
        of = f"{len(unknown)} of {len(seen)} radio maps of the map with a line of sight"
        checks.note("scale-unknown", unknown[0], f"levels of neither scale, in {of}")


def _has_other_law(root: Path) -> bool:
    """Whether the record of a generated data set names cells or a line of sight that the profile is not made for."""
    if not (root / RECORD).is_file():
        return False
    try:
        record: Any = read_json(root / RECORD)
        if record.get("frequency_hz", USUAL_FREQUENCY_HZ) != USUAL_FREQUENCY_HZ:
            return True
        law, cell_size_m = record["engine"]["law"], record["city"]["cell_size_m"]
        line_of_sight = law["reference_loss_db"], law["los_exponent"]
    except (FormatError, KeyError, TypeError, AttributeError):
        return False
    usual = DominantPathLaw()
    return bool((*line_of_sight, cell_size_m) != (usual.reference_loss_db, usual.los_exponent, 1.0))


def _antennas(checks: ImageChecks, files: MapFiles) -> list[tuple[int, int]] | None:
    """Cells (col, row), or None."""
    if not files.has_antennas or checks.shape is None:
        return None
    read = partial(read_radiomapseer_transmitters, rows=checks.shape[0])
    found: list[tuple[int, int]] | None = checks.json(f"antenna/{files.map_id}.json", read)
    return found


def _layers(checks: ImageChecks, files: MapFiles, result: MapResult) -> NDArray[np.bool_] | None:
    """Check masks and outlines; returns the mask of the complete buildings, or None."""
    masks = {}
    for layer in files.images:
        empty = "zero-image" if layer == "buildings_complete" else "empty-layer"
        masks[layer] = checks.mask(f"png/{layer}/{files.map_id}.png", empty=empty)
    buildings = masks.get("buildings_complete")
    if buildings is not None:
        result.buildings = digest(buildings)
    cars = masks.get("cars")
    is_car_layer = cars is not None and check_cars(checks, f"png/cars/{files.map_id}.png", cars, buildings)
    for layer in files.polygons:
        file = f"polygon/{layer}/{files.map_id}.json"
        outlines = checks.json(file, partial(read_polygons_json, grid=_grid(checks)))
        is_shown = buildings is not None and bool(buildings.any())
        if outlines is not None and layer == "buildings_complete" and is_shown and _knows_cells(checks.root):
            try:
                read_radiomapseer_polygons(checks.root / file)
            except RadiodiffError as error:
                checks.note("outlines", file, str(error))
        elif outlines is not None and layer == "cars" and cars is not None and is_car_layer:
            check_car_outlines(checks, f"png/cars/{files.map_id}.png", cars, outlines.footprints, file)
    return buildings


def _knows_cells(root: Path) -> bool:
    """Whether the record of a data set says how large its cells are; damage is told of once, not for each map."""
    try:
        read_cell_size_m(root)
    except FormatError:
        return False
    return True


def _grid(checks: ImageChecks) -> Grid:
    assert checks.shape is not None
    return Grid(*checks.shape)


def _antenna_images(checks: ImageChecks, files: MapFiles, cells: list[tuple[int, int]]) -> None:
    for tx_id in files.antenna_images:
        file = f"png/antennas/{files.map_id}_{tx_id}.png"
        mask = checks.mask(file)
        if mask is not None and tx_id < len(cells):
            col, row = cells[tx_id]
            check_antenna_image(checks, file, mask, (row, col), "antenna file")


def check_antenna_image(
    checks: ImageChecks, file: str, mask: NDArray[np.bool_], cell: tuple[int, int], source: str
) -> None:
    """Check that a mask shows one pixel, at a cell (row, col) that a source says."""
    shown = np.argwhere(mask)
    if len(shown) != 1:
        checks.note("antenna-image", file, f"{len(shown)} pixels instead of one")
    elif tuple(shown[0]) != cell:
        at = f"row {shown[0][0]}, column {shown[0][1]}"
        checks.note("antenna-image", file, f"pixel at {at}, {source} says row {cell[0]}, column {cell[1]}")
