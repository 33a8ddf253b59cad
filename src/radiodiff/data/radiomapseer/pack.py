"""Pack a data set in RadioMapSeer's layout: the files of `radiodiff.data.radiomapseer.packed`."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.data.array_file import ArrayFile, ArrayLayout, map_arrays
from radiodiff.data.radiomapseer.geometry_cache import GEOMETRY_FOLDER, GeometryCache
from radiodiff.data.radiomapseer.packed import PACKED_FORMAT, PACKED_RECORD
from radiodiff.data.radiomapseer.packed_scenes import outline_arrays, roofs_array, tx_height_arrays
from radiodiff.data.radiomapseer.store import COMPLETE, PngTree, gain_count
from radiodiff.data.splits import MANIFEST, Split, find_split
from radiodiff.data.work_folder import begin_folder, is_begun
from radiodiff.encoding import Scale
from radiodiff.errors import DataSetError, FormatError, InputError
from radiodiff.formats import read_json
from radiodiff.formats.radiomapseer_heights import HEIGHTS

__all__ = ["PackSettings", "fill_geometry", "pack_data_set"]

BUILDINGS = "buildings_"
"""How the layers begin that geometry channels can be computed of."""


@dataclass(frozen=True)
class PackSettings:
    """What is packed.

    Attributes:
        split: Name of a split, path of a manifest, or None as in `find_split`.
        simulations: Folders under `gain/`; empty takes all that are there.
        layers: Folders under `png/`, such as `buildings_missing1/2`, or patterns of them, such as `buildings_missing*`;
            empty takes the complete buildings, and the cars where they are there.
        stored_scale: Scale of the gain images.

    Raises:
        InputError: There is no such scale.
    """

    split: str | None = None
    simulations: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    stored_scale: Scale = "raw"

    def __post_init__(self) -> None:
        if self.stored_scale not in get_args(Scale):
            raise InputError(
                f"PackSettings.stored_scale must be {' or '.join(get_args(Scale))}",
                value=repr(self.stored_scale),
                remedy="The download is raw.",
            )


def pack_data_set(root: Path, out: Path, settings: PackSettings = PackSettings()) -> Iterator[tuple[int, int]]:
    """Write a packed data set, or what an interrupted run left missing of it.

    Each part is one file, written under another name and moved into place when it is whole. A part that is damaged, or
    whose sources have changed since, is packed again.

    Args:
        root: The PNG tree.
        out: The folder for the packed files; made where it is not there.
        settings: What is packed.

    Yields:
        (maps done, maps wanted).

    Raises:
        DataSetError: The tree is none or lacks maps of the split; a file in it has another size or is empty; the
            folder holds something else, or a data set packed with other settings.
        FormatError: A file is absent or damaged, or cannot be written.
    """
    tree = PngTree(root, settings.stored_scale)
    split = find_split(root, settings.split, tree.map_ids())
    split.check_maps(tree.map_ids(), root)
    simulations = settings.simulations or _there(root / "gain")
    layers = tuple(dict.fromkeys((COMPLETE, *_layers(root, settings.layers))))
    for folder in (*(f"gain/{name}" for name in simulations), *(f"png/{name}" for name in layers)):
        if ".." in folder or not (root / folder).is_dir():
            raise DataSetError(
                f"A data set must have the folder {folder} to pack it",
                value=root,
                remedy=f"There are: {', '.join(_there(root / folder.split('/')[0]))}.",
            )
    identity = {
        **PACKED_FORMAT,
        "split": split.name,
        "split_sha256": hashlib.sha256(json.dumps(split.parts).encode()).hexdigest(),
        "stored_scale": settings.stored_scale,
        "simulations": list(simulations),
        "layers": list(layers),
    }
    is_begun(out, PACKED_RECORD, identity)
    begin_folder(out, PACKED_RECORD, identity)
    split.write(out / MANIFEST)
    wanted = sum(len(ids) for ids in split.parts.values())
    done = 0
    yield done, wanted
    for part, ids in split.parts.items():
        target = out / f"{part}.safetensors"
        source = _source_digest(tree, ids, simulations, layers)
        if _is_packed(target, source):
            done += len(ids)
            yield done, wanted
            continue
        with atomic_write(target) as temporary:
            for _ in _pack_part(tree, temporary, ids, identity | {"part": part, "source_sha256": source}):
                done += 1
                yield done, wanted


def _is_packed(path: Path, source: str) -> bool:
    """Whether a part is there, whole, and made of these sources; else it is packed again."""
    try:
        return ArrayFile(path).metadata.get("source_sha256") == source
    except FormatError:
        return False


def _source_digest(tree: PngTree, ids: tuple[int, ...], simulations: Sequence[str], layers: Sequence[str]) -> str:
    """What identifies the files of a part: transmitters and buildings by content, images by their names and sizes."""
    wanted = set(ids)
    content: list[object] = [tree.digest("buildings_complete", map_id) for map_id in ids]
    reduced = [layer for layer in _with_roofs(tree, layers) if layer != COMPLETE]
    content += [tree.digest(layer, map_id) for layer in reduced for map_id in ids]
    images = [*layers, HEIGHTS] if tree.has_heights() else layers
    for folder in (*(f"gain/{name}" for name in simulations), *(f"png/{name}" for name in images)):
        with os.scandir(tree.root / folder) as entries:
            sizes = [(entry.name, entry.stat().st_size) for entry in entries if _map_of(entry.name) in wanted]
            content.append([folder, sorted(sizes)])
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _with_roofs(tree: PngTree, layers: Sequence[str]) -> list[str]:
    """Layers of buildings whose heights are known."""
    return [layer for layer in layers if layer.startswith(BUILDINGS) and tree.has_heights(layer)]


def _map_of(name: str) -> int | None:
    """Number of the map that an image belongs to, `<map>.png` or `<map>_<tx>.png`."""
    number = name.removesuffix(".png").split("_")[0]
    return int(number) if number.isdecimal() else None


def _layers(root: Path, wanted: tuple[str, ...]) -> list[str]:
    """Layers by their names and patterns; a pattern that fits none stays as it is."""
    if not wanted:
        return ["cars"] if (root / "png/cars").is_dir() else []
    there = [
        *_there(root / "png"),
        *(f"{name}/{one}" for name in _there(root / "png") for one in _there(root / "png" / name)),
    ]
    with_images = [name for name in there if any((root / "png" / name).glob("*.png"))]
    found = [[one for one in with_images if fnmatchcase(one, name)] if "*" in name else [name] for name in wanted]
    return [one for name, ones in zip(wanted, found, strict=True) for one in ones or [name]]


def _there(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


def _pack_part(tree: PngTree, path: Path, ids: tuple[int, ...], identity: dict[str, Any]) -> Iterator[int]:
    """Fill the file of one part, map by map."""
    tx_cells = [tree.tx_cells(map_id) for map_id in ids]
    corners = [tree.corner_cells(map_id) for map_id in ids]
    counts = {name: [gain_count(name, len(cells)) for cells in tx_cells] for name in identity["simulations"]}
    fixed: dict[str, Any] = {
        "map_ids": np.array(ids),
        "tx_cells": np.concatenate(tx_cells),
        "tx_starts": _starts([len(cells) for cells in tx_cells]),
        "corner_cells": np.concatenate(corners),
        "corner_starts": _starts([len(cells) for cells in corners]),
        **{f"gain_starts/{name}": _starts(numbers) for name, numbers in counts.items()},
        **outline_arrays(tree, ids),
        **tx_height_arrays(tree, ids),
    }
    layouts = {name: ArrayLayout(array.shape, array.dtype.name) for name, array in fixed.items()}
    layouts |= {f"mask/{layer}": ArrayLayout((len(ids), *tree.shape)) for layer in identity["layers"]}
    layouts |= {f"gain/{name}": ArrayLayout((sum(numbers), *tree.shape)) for name, numbers in counts.items()}
    with_roofs = _with_roofs(tree, identity["layers"])
    layouts |= {roofs_array(layer): ArrayLayout((len(ids), *tree.shape)) for layer in with_roofs}
    digests = {
        layer: {str(map_id): tree.digest(layer, map_id) for map_id in ids}
        for layer in identity["layers"]
        if layer.startswith(BUILDINGS)
    }
    facts = {"digests": digests, "frequency_hz": tree.frequency_hz, "cell_size_m": tree.cell_size_m}
    metadata = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in (identity | facts).items()
    }
    arrays = map_arrays(path, layouts, metadata)
    for name, values in fixed.items():
        arrays[name][...] = values
    for index, map_id in enumerate(ids):
        for layer in identity["layers"]:
            arrays[f"mask/{layer}"][index] = tree.mask(layer, map_id)
        for layer in with_roofs:
            arrays[roofs_array(layer)][index] = tree.roof_heights_m(map_id, layer)
        for name, numbers in counts.items():
            start = int(fixed[f"gain_starts/{name}"][index])
            for tx_id in range(numbers[index]):
                arrays[f"gain/{name}"][start + tx_id] = tree.gain(name, map_id, tx_id)
        yield map_id
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()


def _starts(counts: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def fill_geometry(root: Path, out: Path, *, workers: int = 1) -> Iterator[tuple[int, int]]:
    """Compute the geometry channels of a packed data set, for all its building layers.

    Args:
        root: The PNG tree that it was packed from.
        out: The packed data set; the channels come into its folder `geometry`.
        workers: Processes.

    Yields:
        (maps done, maps wanted), over all layers.

    Raises:
        DataSetError: There is no such tree.
        FormatError: Outlines are absent or damaged, the packed data set is none, or a file cannot be written.
    """
    record = read_json(out / PACKED_RECORD)
    if not (isinstance(record, dict) and {"layers", "simulations", "stored_scale"} <= set(record)):
        raise FormatError(
            f"{PACKED_RECORD} must hold the settings of a packed data set",
            value=out / PACKED_RECORD,
            remedy="Pack the data set again into another folder.",
        )
    tree = PngTree(root, record["stored_scale"])
    layers = [layer for layer in record["layers"] if layer.startswith(BUILDINGS)]
    ids = Split.read(out / MANIFEST).ids("all")
    most_tx = max(len(tree.tx_cells(map_id)) for map_id in ids)
    cache = GeometryCache(out / GEOMETRY_FOLDER, tree, max(gain_count(name, most_tx) for name in record["simulations"]))
    for layer in layers:
        for leftover in (out / GEOMETRY_FOLDER / layer).glob(f"{TEMPORARY_PREFIX}*"):
            leftover.unlink(missing_ok=True)
    for number, layer in enumerate(layers):
        for done, wanted in cache.fill(ids, layer, workers=workers):
            yield number * wanted + done, len(layers) * wanted
