"""Checks of a packed RadioMapSeer data set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.data.inspect.map_checks import GainResult, MapResult, check_gain, digest
from radiodiff.data.radiomapseer.packed import PACKED_RECORD, PackedMaps
from radiodiff.data.radiomapseer.store import gain_count
from radiodiff.data.splits import MANIFEST, Split
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import read_json

__all__ = ["PackedMap", "check_packed_map", "list_packed"]


@dataclass(frozen=True)
class PackedMap:
    """One map of a packed data set: its part, its number, and the simulations that are packed."""

    part: str
    map_id: int
    simulations: tuple[str, ...]


def list_packed(root: Path) -> tuple[list[PackedMap], list[Finding]]:
    """Maps of the parts that can be opened, and what is wrong with the others."""
    try:
        record: Any = read_json(root / PACKED_RECORD)
        simulations = tuple(record["simulations"])
    except (FormatError, KeyError, TypeError) as error:
        return [], [Finding("json-schema", PACKED_RECORD, f"no record of a packed data set ({error})")]
    try:
        split = Split.read(root / MANIFEST)
    except (FormatError, DataSetError) as error:
        return [], [Finding("split", MANIFEST, str(error))]
    maps: list[PackedMap] = []
    findings = []
    for part, ids in split.parts.items():
        file = f"{part}.safetensors"
        try:
            there = PackedMaps(root, part).map_ids()
        except (FormatError, DataSetError) as error:
            findings.append(Finding("damaged", file, str(error)))
            continue
        if set(there) != set(ids):
            findings.append(Finding("split", file, f"{len(there)} maps, {len(ids)} in part {part} of {MANIFEST}"))
        maps += [PackedMap(part, map_id, simulations) for map_id in there]
    return maps, findings


def check_packed_map(root: Path, packed: PackedMap) -> MapResult:
    """Check the radio maps and masks of one map."""
    store = PackedMaps(root, packed.part)
    result = MapResult(packed.map_id)
    checks = ImageChecks(root, store.shape)
    place = f"{packed.part}.safetensors, map {packed.map_id}"
    buildings = store.mask("buildings_complete", packed.map_id)
    if not buildings.any():
        checks.note("zero-image", place, "no buildings")
    result.buildings = digest(buildings)
    cells = store.tx_cells(packed.map_id)
    result.num_tx = len(cells)
    for folder in packed.simulations:
        for tx_id in range(gain_count(folder, len(cells))):
            row, col = (int(i) for i in cells[tx_id])
            grey = store.gain(folder, packed.map_id, tx_id)
            file = f"{place}, {folder} {tx_id}"
            scale = check_gain(checks, file, grey, (col, row))
            result.gains[file] = GainResult(folder, scale, digest(grey))
            result.num_files += 1
    result.findings = checks.findings
    return result
