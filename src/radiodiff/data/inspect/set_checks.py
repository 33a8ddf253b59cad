"""Checks across the maps of a RadioMapSeer folder: pairs, scale, duplicates, dataset.csv."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.height_checks import HEIGHT_FOLDERS
from radiodiff.data.inspect.map_checks import MapResult
from radiodiff.data.inspect.radiomapseer_files import RadioMapSeerFiles
from radiodiff.data.radiomapseer.store import gain_count
from radiodiff.data.splits import Split
from radiodiff.formats import read_radiomapseer_transmitters

__all__ = ["check_duplicates", "check_index", "check_names", "check_pairs", "check_scale", "find_leaks"]

INDEX_COLUMNS = ("map", "tx", "col", "row")


def check_names(files: RadioMapSeerFiles) -> Iterator[Finding]:
    """Files with names that the data set does not have, and maps without one of the three files they need."""
    for name in files.foreign:
        yield Finding("foreign-file", name, "no <map> or <map>_<tx> as the others")
    for map_id in files.map_ids:
        needed = {
            "missing-antenna": ("antenna", f"antenna/{map_id}.json"),
            "missing-buildings": ("png/buildings_complete", f"png/buildings_complete/{map_id}.png"),
        }
        folders = files.folders_of(map_id)
        absent = [(kind, file) for kind, (folder, file) in needed.items() if folder not in folders]
        if absent:
            kind, file = absent[0]
            more = f" and {len(folders) - 3} more folders" if len(folders) > 3 else ""
            yield Finding(kind, file, f"not there; map {map_id} is in {', '.join(folders[:3])}{more}")
        else:
            yield from _check_folders(files, map_id)


def _check_folders(files: RadioMapSeerFiles, map_id: int) -> Iterator[Finding]:
    """Folders that a map with transmitters and buildings is missing from."""
    absent = [folder for folder, maps in files.gains.items() if map_id not in maps]
    if len(absent) == len(files.gains):
        yield Finding("missing-gain", f"antenna/{map_id}.json", f"no gain image of map {map_id} in any simulation")
    else:
        for folder in absent:
            yield Finding("missing-gain", f"gain/{folder}/{map_id}_0.png", f"no image of map {map_id} in gain/{folder}")
    for pattern, layers in (("png/{}/{}.png", files.images), ("polygon/{}/{}.json", files.polygons)):
        for layer, ids in layers.items():
            if map_id not in ids:
                yield Finding("missing-layer", pattern.format(layer, map_id), "not there; other maps have it")
    for folder, ids in files.heights.items():
        if map_id not in ids:
            file = f"{folder}/{map_id}{HEIGHT_FOLDERS[folder]}"
            yield Finding("missing-layer", file, "not there; other maps have it")


def check_pairs(files: RadioMapSeerFiles, num_tx: dict[int, int]) -> Iterator[Finding]:
    """Transmitters without images, and images without transmitters.

    Args:
        files: The files.
        num_tx: Transmitters of each map whose antenna file can be read.
    """
    folders = {f"gain/{folder}": ("missing-gain", maps) for folder, maps in files.gains.items()}
    if files.antenna_images:
        folders["png/antennas"] = ("missing-antenna-image", files.antenna_images)
    for folder, (kind, maps) in folders.items():
        for map_id, tx_ids in maps.items():
            if map_id not in num_tx:
                continue
            count = gain_count(folder, num_tx[map_id])
            for tx_id in sorted(set(range(count)) - set(tx_ids)):
                reason = f"antenna/{map_id}.json has {num_tx[map_id]} transmitters"
                yield Finding(kind, f"{folder}/{map_id}_{tx_id}.png", f"not there; {reason}")
            for tx_id in tx_ids:
                if tx_id >= count:
                    has = f"antenna/{map_id}.json has {num_tx[map_id]}"
                    reason = has if tx_id >= num_tx[map_id] else f"IRT4 has transmitters 0 to {count - 1} only"
                    yield Finding("tx-beyond-count", f"{folder}/{map_id}_{tx_id}.png", f"transmitter {tx_id}; {reason}")


def check_scale(results: Iterable[MapResult]) -> tuple[str | None, list[Finding]]:
    """Scale of most radio maps, and those on another one."""
    verdicts = [(file, gain.scale) for result in results for file, gain in result.gains.items()]
    counts = Counter(verdict for _, verdict in verdicts if verdict in ("raw", "thresholded"))
    if not counts:
        return None, []
    scale = max(counts, key=lambda name: counts[name])
    reason = f"{counts[scale]} of {len(verdicts)} are {scale}"
    findings = [
        Finding("scale", file, f"{verdict}; {reason}")
        for file, verdict in verdicts
        if verdict in counts and verdict != scale
    ]
    return scale, findings


def check_duplicates(results: Sequence[MapResult]) -> Iterator[Finding]:
    """Radio maps of one simulation, and buildings, that are the same image twice."""
    seen: dict[tuple[str, str, bytes], str] = {}
    for result in results:
        images = [("duplicate-gain", gain.simulation, file, gain.digest) for file, gain in result.gains.items()]
        if result.buildings is not None:
            file = f"png/buildings_complete/{result.map_id}.png"
            images.append(("duplicate-buildings", "", file, result.buildings))
        for kind, simulation, file, key in images:
            earlier = seen.setdefault((kind, simulation, key), file)
            if earlier != file:
                yield Finding(kind, file, f"same pixels as {earlier}")


def find_leaks(split: Split, buildings: dict[int, bytes]) -> Iterator[Finding]:
    """Buildings that two parts of a split share under different map numbers.

    Args:
        split: The split.
        buildings: Digest of the buildings of each map.
    """
    parts: dict[bytes, dict[str, int]] = defaultdict(dict)
    for part, ids in split.parts.items():
        for map_id in ids:
            if map_id in buildings:
                parts[buildings[map_id]].setdefault(part, map_id)
    for maps in parts.values():
        if len(set(maps.values())) > 1:
            where = ", ".join(f"map {map_id} in {part}" for part, map_id in maps.items())
            file = f"png/buildings_complete/{max(maps.values())}.png"
            yield Finding("leak", file, f"the same buildings: {where} of split {split.name}")


def check_index(files: RadioMapSeerFiles, num_tx: dict[int, int], *, rows: int, is_ours: bool) -> Iterator[Finding]:
    """Check dataset.csv against the antenna files; images that are not there are found by `check_pairs`.

    Args:
        files: The files.
        num_tx: Transmitters of each map whose antenna file can be read.
        rows: Rows of the grid.
        is_ours: Whether radiodiff wrote it: then its columns are known.
    """
    path = files.root / "dataset.csv"
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        yield Finding("index", path.name, f"no CSV: {error}")
        return
    columns = list(table[0]) if table else []
    absent = [name for name in INDEX_COLUMNS if name not in columns]
    if absent:
        if is_ours or not columns:
            yield Finding("index", path.name, f"no column {', '.join(absent)}, or no row")
        return
    cells = {
        map_id: read_radiomapseer_transmitters(files.root / f"antenna/{map_id}.json", rows=rows) for map_id in num_tx
    }
    unlisted = {(map_id, tx_id) for map_id, count in num_tx.items() for tx_id in range(count)}
    for number, line in enumerate(table, 2):
        reason = _line_fault(files, line, cells, unlisted)
        if reason is not None:
            yield Finding("index", path.name, f"line {number}{reason}")
    if unlisted:
        shown = ", ".join(f"{map_id}_{tx_id}" for map_id, tx_id in sorted(unlisted)[:3])
        more = f" and {len(unlisted) - 3} more" if len(unlisted) > 3 else ""
        yield Finding("index", path.name, f"no line for {shown}{more}")


def _line_fault(
    files: RadioMapSeerFiles,
    line: dict[str, str],
    cells: dict[int, list[tuple[int, int]]],
    unlisted: set[tuple[int, int]],
) -> str | None:
    """What is wrong with a line of dataset.csv; its transmitter is taken from the unlisted ones."""
    try:
        map_id, tx_id, col, row = (int(line[name]) for name in INDEX_COLUMNS)
    except (TypeError, ValueError):
        return f" holds no numbers: {dict(line)}"
    unlisted.discard((map_id, tx_id))
    if map_id not in cells and map_id not in files.map_ids:
        return f": map {map_id} is not there"
    if map_id in cells and (tx_id >= len(cells[map_id]) or cells[map_id][tx_id] != (col, row)):
        return f": transmitter {tx_id} of map {map_id} at row {row}, column {col}, not as in antenna/{map_id}.json"
    for column, name in line.items():
        folder = str(column).removeprefix("gain_")
        if folder != column and name and not (folder in files.gains and name == f"gain/{folder}/{map_id}_{tx_id}.png"):
            return f" names {name} in column {column}"
    return None
