"""The images that edges are made of: found in a folder, and dealt to the parts of a split."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError, InputError

__all__ = ["Parts", "Sources", "deal_parts", "find_images", "map_and_tx"]

NAMES = (re.compile(r"(?P<map>\d+)_(?P<tx>\d+)"), re.compile(r"B(?P<map>\d+)_Ant\d+_f\d+_S(?P<tx>\d+)"))
"""Names of radio maps without suffix: `<map>_<tx>` of RadioMapSeer, `B<building>_Ant#_f#_S<tx>` of ICASSP 2025."""

RADIO_MAP_FOLDERS = ("gain", "Outputs")
"""Where RadioMapSeer and ICASSP 2025 have their radio maps."""


@dataclass(frozen=True)
class Sources:
    """What a folder holds.

    Attributes:
        root: The folder.
        images: Paths of its PNG files below it, with forward slashes, sorted.
        others: Number of its other files.
    """

    root: Path
    images: tuple[str, ...]
    others: int


@dataclass(frozen=True)
class Parts:
    """Which part each image belongs to.

    Attributes:
        by: "map" (all images of a map are in one part), or "file".
        part_of: Part by image.
        split: Map numbers by part, for `by="map"`; else None.
    """

    by: str
    part_of: dict[str, str]
    split: Split | None


def find_images(root: str | Path, out: str | Path | None = None) -> Sources:
    """The PNG files of a folder and its subfolders, links to folders included.

    Args:
        root: The folder. Of a data set folder, only the radio maps are taken: those of `gain/` or `Outputs/`.
        out: Where edges will be written: it must not be read as a source.

    Raises:
        DataSetError: The folder is not there or without PNG files, or it holds `out`, or lies in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataSetError(
            "Edges are made of the images of a folder",
            value=f"{root}, which is {'a file' if root.exists() else 'not there'}",
            remedy="Give the folder, for example gain/DPM of RadioMapSeer.",
        )
    root = next((root / name for name in RADIO_MAP_FOLDERS if (root / name).is_dir()), root)
    written = None if out is None else Path(out).resolve()
    if written is not None:
        _check_apart(written, root.resolve(), out)
    images, others = [], 0
    for folder, folders, names in os.walk(root, onerror=_refuse, followlinks=True):
        real = Path(folder).resolve()
        if written is not None:
            _check_apart(written, real, out)
        if real in {above.resolve() for above in Path(folder).absolute().parents}:
            # A link to a folder above has no end.
            folders.clear()
            continue
        folders.sort()
        for name in names:
            if name.lower().endswith(".png") and not name.startswith(TEMPORARY_PREFIX):
                images.append((Path(folder) / name).relative_to(root).as_posix())
            else:
                others += 1
    if not images:
        raise DataSetError(
            "A folder of images must hold at least one PNG file",
            value=f"{root} with {others} other files",
            remedy="Give the folder that holds the radio maps, at any depth.",
        )
    return Sources(root, tuple(sorted(images)), others)


def map_and_tx(image: str) -> tuple[int, int] | None:
    """Numbers of map (or building) and transmitter by the name of an image, or None where it has none."""
    stem = image.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    found = next((match for pattern in NAMES if (match := pattern.fullmatch(stem))), None)
    return None if found is None else (int(found["map"]), int(found["tx"]))


def deal_parts(images: Sequence[str], train_share: float, rest: str, seed: int) -> Parts:
    """Deal images to `train` and the part named by `rest`, each getting at least one map (or file).

    Where names say which map an image belongs to, whole maps are dealt: images of one map look alike.

    Args:
        images: The images.
        train_share: Share of maps (files) in `train`.
        rest: Name of the other part.
        seed: Seed of the draw.

    Raises:
        DataSetError: Some names have a map number and others not, or there is only one map (file).
        InputError: The share does not lie between 0 and 1.
    """
    if not 0.0 < train_share < 1.0:
        raise InputError(
            "The share of the train part must lie between 0 and 1", value=train_share, remedy="Give for example 0.8."
        )
    numbers = [map_and_tx(image) for image in images]
    unnumbered = [image for image, number in zip(images, numbers, strict=True) if number is None]
    if 0 < len(unnumbered) < len(images):
        raise DataSetError(
            "The names of all images to be split must be <map>_<tx>.png (or those of ICASSP 2025), or of none",
            value=f"{len(unnumbered)} of {len(images)} that are not, such as {unnumbered[0]}",
            remedy="Split one kind of images at a time: give its folder, such as gain/DPM.",
        )
    groups: list[int | str] = list(images) if unnumbered else [number[0] for number in numbers if number is not None]
    units = list(dict.fromkeys(groups))
    if len(units) < 2:
        raise DataSetError(
            "A split needs at least two maps (or files, where their names say no map)",
            value=f"{len(units)} in {len(images)} images",
            remedy="Give more images, or keep the structure without a split.",
        )
    order = np.random.default_rng(seed).permutation(len(units))
    count = min(max(round(train_share * len(units)), 1), len(units) - 1)
    train = {units[i] for i in order[:count]}
    part_of = {image: "train" if unit in train else rest for image, unit in zip(images, groups, strict=True)}
    if unnumbered:
        return Parts("file", part_of, None)
    maps = sorted(int(unit) for unit in units)
    numbers_of = {
        "train": tuple(number for number in maps if number in train),
        rest: tuple(number for number in maps if number not in train),
    }
    return Parts("map", part_of, Split(f"edges, {train_share:g} train, seed {seed}", numbers_of))


def _check_apart(written: Path, read: Path, out: object) -> None:
    if written == read or read in written.parents or written in read.parents:
        raise DataSetError(
            "The folder of edges must lie apart from the images, or their edges would be read as images",
            value=f"{out} beside or within {read}",
            remedy="Use another folder.",
        )


def _refuse(error: OSError) -> None:
    raise DataSetError(
        "All folders of images must be readable", value=error, remedy="Check the rights of the folder."
    ) from error
