"""Describe a folder in RadioMapSeer's layout, as images or packed."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radiodiff.data.create import RECORD as GENERATED_RECORD
from radiodiff.data.inspect.description import Description, FolderCount
from radiodiff.data.inspect.layout import Layout
from radiodiff.data.inspect.level_draw import LevelDraw, read_grey
from radiodiff.data.inspect.packed_checks import list_packed
from radiodiff.data.inspect.radiomapseer_files import RadioMapSeerFiles, list_radiomapseer
from radiodiff.data.inspect.split_fits import split_fits
from radiodiff.data.radiomapseer.fake import FAKE_RECORD
from radiodiff.data.radiomapseer.packed import PACKED_RECORD, PackedMaps
from radiodiff.data.radiomapseer.store import gain_count
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import read_json, read_radiomapseer_transmitters
from radiodiff.formats.radiomapseer_heights import HEIGHTS

__all__ = ["describe_packed", "describe_radiomapseer", "read_record"]


def describe_radiomapseer(root: Path, layout: Layout, draw: LevelDraw) -> Description:
    """Describe images in folders.

    Raises:
        DataSetError: There is no map.
        FormatError: The record or the manifest is damaged.
    """
    files = list_radiomapseer(root)
    if not files.map_ids:
        raise DataSetError(
            "A RadioMapSeer folder must hold maps", value=f"{root} without any", remedy="Download or make it again."
        )
    histograms = [
        draw.levels(f"gain/{folder}", _paths(root / "gain" / folder, maps), read_grey)
        for folder, maps in files.gains.items()
    ]
    for name, layers in _layer_groups(files).items():
        paths = [root / "png" / layer / f"{map_id}.png" for layer in layers for map_id in sorted(files.images[layer])]
        histograms.append(draw.levels(f"png/{name}", paths, read_grey))
    record = {"generated": GENERATED_RECORD, "fake": FAKE_RECORD}.get(layout)
    if layout == "generated" and not (root / "dataset.csv").is_file():
        draw.notes.append("dataset.csv is not there: the run that makes the data set has not ended.")
    return Description(
        root=str(root),
        layout=layout,
        maps=len(files.map_ids),
        map_ids=(files.map_ids[0], files.map_ids[-1]),
        folders=_folders(files),
        transmitters=_transmitters(files, draw),
        shapes=dict(draw.shapes),
        histograms=tuple(histograms),
        splits=split_fits(root, files.map_ids),
        settings={} if record is None else read_record(root / record),
        notes=tuple(draw.notes),
    )


def describe_packed(root: Path, draw: LevelDraw) -> Description:
    """Describe packed parts.

    Raises:
        DataSetError: A part is missing or damaged.
        FormatError: The record is damaged.
    """
    settings = read_record(root / PACKED_RECORD)
    maps, faults = list_packed(root)
    if faults:
        raise DataSetError(
            "A packed data set must be whole",
            value=f"{root}: {faults[0].file}, {faults[0].reason}",
            remedy="Run radiodiff dataset pack again: it completes what was interrupted.",
        )
    store = PackedMaps(root, "all")
    num_tx = {packed.map_id: len(store.tx_cells(packed.map_id)) for packed in maps}
    folders, histograms = [], []
    for folder in settings["simulations"]:
        pairs = [(map_id, tx) for map_id, count in num_tx.items() for tx in range(gain_count(folder, count))]
        folders.append(FolderCount(f"gain/{folder}", len(pairs), len(num_tx)))
        histograms.append(draw.levels(f"gain/{folder}", pairs, lambda pair, folder=folder: store.gain(folder, *pair)))  # type: ignore[misc]
    layers = [*settings["layers"], *([HEIGHTS] if store.has_heights() else [])]
    folders += [FolderCount(f"png/{layer}", len(num_tx), len(num_tx)) for layer in layers]
    ids = sorted(num_tx)
    return Description(
        root=str(root),
        layout="packed",
        maps=len(ids),
        map_ids=(ids[0], ids[-1]) if ids else None,
        folders=tuple(folders),
        transmitters=dict(sorted(Counter(num_tx.values()).items())),
        shapes=dict(draw.shapes),
        histograms=tuple(histograms),
        splits=split_fits(root, ids),
        settings=settings,
        notes=tuple(draw.notes),
    )


def read_record(path: Path) -> dict[str, Any]:
    """Settings on record.

    Raises:
        FormatError: The file is damaged.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise FormatError(
            f"{path.name} must hold the settings of a data set",
            value=path,
            remedy="It is damaged or of another program: take it away, or make the data set again.",
        )
    return content


def _paths(folder: Path, maps: Mapping[int, list[int]]) -> list[Path]:
    return [folder / f"{map_id}_{tx_id}.png" for map_id, tx_ids in maps.items() for tx_id in tx_ids]


def _layer_groups(files: RadioMapSeerFiles) -> dict[str, list[str]]:
    """Layers by name; the many draws of missing buildings as one."""
    groups: dict[str, list[str]] = {}
    for layer in files.images:
        kind = layer.split("/")[0].rstrip("0123456789")
        groups.setdefault(f"{kind}*" if "/" in layer else layer, []).append(layer)
    return groups


def _folders(files: RadioMapSeerFiles) -> tuple[FolderCount, ...]:
    found = [FolderCount("antenna", len(files.antennas), len(files.antennas))]
    pairs = {f"gain/{folder}": maps for folder, maps in files.gains.items()} | {"png/antennas": files.antenna_images}
    found += [FolderCount(name, sum(map(len, maps.values())), len(maps)) for name, maps in pairs.items() if maps]
    found += [FolderCount(f"png/{layer}", len(ids), len(ids)) for layer, ids in files.images.items()]
    found += [FolderCount(f"polygon/{layer}", len(ids), len(ids)) for layer, ids in files.polygons.items()]
    found += [FolderCount(folder, len(ids), len(ids)) for folder, ids in files.heights.items()]
    return tuple(found)


def _transmitters(files: RadioMapSeerFiles, draw: LevelDraw) -> dict[int, int]:
    """Number of maps by their number of transmitters."""
    counts: Counter[int] = Counter()
    damaged = 0
    for map_id in files.antennas:
        try:
            # The count does not depend on the rows; without them each map's image would be opened.
            counts[len(read_radiomapseer_transmitters(files.root / f"antenna/{map_id}.json"))] += 1
        except FormatError:
            damaged += 1
    if damaged:
        draw.notes.append(f"{damaged} antenna files cannot be read: run radiodiff dataset validate.")
    return dict(sorted(counts.items()))
