"""Checks of a packed RadioMapSeer data set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.array_file import ArrayFile
from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.height_checks import MapHeights
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.data.inspect.layer_checks import check_cars, check_geometry, check_transmitters
from radiodiff.data.inspect.map_checks import GainResult, MapResult, check_gain, check_scale_is_known, digest
from radiodiff.data.radiomapseer.packed import PACKED_RECORD, PackedMaps
from radiodiff.data.radiomapseer.packed_scenes import ROOF_HEIGHTS, TX_HEIGHTS
from radiodiff.data.radiomapseer.store import gain_count
from radiodiff.data.splits import MANIFEST, Split
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import read_json

__all__ = ["PackedMap", "check_packed_map", "list_packed"]

BUILDINGS = "buildings_complete"


@dataclass(frozen=True)
class PackedMap:
    """One map of a packed data set.

    Attributes:
        part: Its part of the split.
        index: Its place in the arrays of the part.
        map_id: Its number.
        layers: Masks that are packed.
        simulations: Simulations that are packed.
    """

    part: str
    index: int
    map_id: int
    layers: tuple[str, ...]
    simulations: tuple[str, ...]


def list_packed(root: Path) -> tuple[list[PackedMap], list[Finding]]:
    """Maps of the parts that can be opened, and what is wrong with the others."""
    try:
        record: Any = read_json(root / PACKED_RECORD)
        simulations, layers = tuple(map(str, record["simulations"])), tuple(map(str, record["layers"]))
        scale = record["stored_scale"]
    except (FormatError, KeyError, TypeError) as error:
        return [], [Finding("json-schema", PACKED_RECORD, f"no record of a packed data set ({error})")]
    layers = tuple(dict.fromkeys((BUILDINGS, *layers)))
    try:
        split = Split.read(root / MANIFEST)
    except (FormatError, DataSetError) as error:
        return [], [Finding("split", MANIFEST, str(error))]
    maps: list[PackedMap] = []
    findings = []
    for part, ids in split.parts.items():
        file = f"{part}.safetensors"
        faults, there = _part_faults(root, part, scale, layers, simulations)
        findings += [Finding("damaged", file, fault) for fault in faults]
        if faults:
            continue
        if set(there) != set(ids):
            findings.append(Finding("split", file, f"{len(there)} maps, {len(ids)} in part {part} of {MANIFEST}"))
        maps += [PackedMap(part, index, map_id, layers, simulations) for index, map_id in enumerate(there)]
    return maps, findings


def _part_faults(
    root: Path, part: str, scale: Any, layers: tuple[str, ...], simulations: tuple[str, ...]
) -> tuple[list[str], tuple[int, ...]]:
    """Why the arrays of a part cannot be looked at, and its maps."""
    try:
        there = PackedMaps(root, part, scale).map_ids()
        file = ArrayFile(root / f"{part}.safetensors")
        return list(_array_faults(file, layers, simulations)), there
    except (FormatError, DataSetError) as error:
        return [str(error)], ()
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return [f"its metadata are not those of a packed data set ({error!r})"], ()


def _array_faults(file: ArrayFile, layers: tuple[str, ...], simulations: tuple[str, ...]) -> Iterator[str]:
    """Arrays that are missing or do not fit together."""
    starts_of = {"tx_cells": "tx_starts", "corner_cells": "corner_starts"}
    starts_of |= {f"gain/{name}": f"gain_starts/{name}" for name in simulations}
    masks = [f"mask/{layer}" for layer in layers]
    absent = [name for name in (*starts_of, *starts_of.values(), *masks) if name not in file.names]
    if absent:
        yield f"no {', '.join(absent)}"
        return
    ids: NDArray[Any] = file["map_ids", :]
    if ids.ndim != 1 or len(np.unique(ids)) != ids.size:
        yield "map_ids holds a map twice, or is no list"
        return
    rows_cols = file.shape(masks[0])[1:]
    for name in masks:
        if file.shape(name) != (len(ids), *rows_cols) or len(rows_cols) != 2:
            yield f"{name} of shape {file.shape(name)} for {len(ids)} maps of {rows_cols} cells"
    for name, starts_name in starts_of.items():
        wanted = (2,) if name in ("tx_cells", "corner_cells") else rows_cols
        if file.shape(name)[1:] != wanted:
            yield f"{name} of shape {file.shape(name)}, its parts are not {wanted}"
        starts: NDArray[Any] = file[starts_name, :]
        ends = [0, file.shape(name)[0]]
        if starts.shape != (len(ids) + 1,) or [starts[0], starts[-1]] != ends or (np.diff(starts) < 0).any():
            yield f"{starts_name} does not rise from 0 to the {ends[1]} of {name} in {len(ids)} steps"
    num_outlines = file.shape("outline_ends")[0] if "outline_ends" in file.names else 0
    optional = {
        ROOF_HEIGHTS: (len(ids), *rows_cols),
        TX_HEIGHTS: (file.shape("tx_cells")[0],),
        "outline_starts": (len(ids) + 1,),
        "outline_heights_m": (num_outlines,),
    }
    for name, shape in optional.items():
        if name in file.names and file.shape(name) != shape:
            yield f"{name} of shape {file.shape(name)} instead of {shape}"


def check_packed_map(root: Path, packed: PackedMap) -> MapResult:
    """Check the transmitters, masks, corners, radio maps and geometry channels of one map."""
    file = ArrayFile(root / f"{packed.part}.safetensors")
    result = MapResult(packed.map_id)
    rows, cols = file.shape(f"mask/{BUILDINGS}")[1:]
    checks = ImageChecks(root, (rows, cols))
    place = f"{packed.part}.safetensors, map {packed.map_id}"
    masks = {layer: _check_mask(checks, file, packed, layer) for layer in packed.layers}
    buildings = masks[BUILDINGS]
    result.buildings = digest(buildings)
    if "cars" in masks:
        check_cars(checks, f"{place}, cars", masks["cars"], buildings)
    cells = [(int(col), int(row)) for row, col in _of_map(file, packed, "tx_cells", "tx_starts")]
    result.num_tx = len(cells)
    heights = _heights(file, packed)
    check_transmitters(checks, place, cells, buildings, heights)
    _check_corners(checks, place, _of_map(file, packed, "corner_cells", "corner_starts"), buildings)
    for folder in packed.simulations:
        start, end = (int(at) for at in file[f"gain_starts/{folder}", packed.index : packed.index + 2])
        wanted = gain_count(folder, len(cells))
        if end - start != wanted:
            checks.note("missing-gain", f"{place}, {folder}", f"{end - start} radio maps for {wanted} transmitters")
        for tx_id in range(end - start):
            grey = file[f"gain/{folder}", start + tx_id]
            name = f"{place}, {folder} {tx_id}"
            cell = cells[tx_id] if tx_id < len(cells) else None
            is_on_map = cell is not None and 0 <= cell[0] < cols and 0 <= cell[1] < rows
            on_roof = cell is not None and is_on_map and heights.is_above(tx_id, cell[1], cell[0])
            verdict = check_gain(checks, name, grey, cell if is_on_map else None, simulation=folder, is_on_roof=on_roof)
            if grey.any():
                result.gains[name] = GainResult(folder, verdict, digest(grey))
            result.num_files += 1
    check_scale_is_known(checks, result.gains)
    check_geometry(checks, packed.map_id)
    result.findings = checks.findings
    return result


def _heights(file: ArrayFile, packed: PackedMap) -> MapHeights:
    if not {ROOF_HEIGHTS, TX_HEIGHTS} <= set(file.names):
        return MapHeights()
    txs_m = _of_map(file, packed, TX_HEIGHTS, "tx_starts")
    return MapHeights(file[ROOF_HEIGHTS, packed.index], tuple(txs_m.tolist()))


def _of_map(file: ArrayFile, packed: PackedMap, name: str, starts: str) -> NDArray[np.int64]:
    start, end = (int(at) for at in file[starts, packed.index : packed.index + 2])
    found: NDArray[np.int64] = file[name, start:end]
    return found


def _check_mask(checks: ImageChecks, file: ArrayFile, packed: PackedMap, layer: str) -> NDArray[np.bool_]:
    place = f"{packed.part}.safetensors, map {packed.map_id}, {layer}"
    levels: NDArray[np.uint8] = file[f"mask/{layer}", packed.index]
    if levels.max() > 1:
        checks.note("not-binary", place, f"level {levels.max()}, a packed mask has 0 and 1")
    elif not levels.any():
        checks.note("zero-image" if layer == BUILDINGS else "empty-layer", place, "0 everywhere")
    return levels > 0


def _check_corners(checks: ImageChecks, place: str, corners: NDArray[np.int64], buildings: NDArray[np.bool_]) -> None:
    """Check that corners (n, 2), as cells (row, col), are on the map and outdoors."""
    is_on_map = ((corners >= 0) & (corners < buildings.shape)).all(axis=1)
    if not is_on_map.all():
        row, col = corners[~is_on_map][0]
        checks.note("corner-cells", place, f"{(~is_on_map).sum()} corners off the map, one at row {row}, column {col}")
    indoors = corners[is_on_map][buildings[tuple(corners[is_on_map].T)]]
    if len(indoors):
        row, col = indoors[0]
        checks.note("corner-cells", place, f"{len(indoors)} corners inside buildings, one at row {row}, column {col}")
