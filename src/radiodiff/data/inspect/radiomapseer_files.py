"""Which files a RadioMapSeer folder has, by name."""

import os
import re
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.inspect.height_checks import HEIGHT_FOLDERS
from radiodiff.formats.radiomapseer_heights import HEIGHTS

__all__ = ["RadioMapSeerFiles", "list_radiomapseer"]

NUMBER = r"(0|[1-9]\d*)"
MAP_NAME = re.compile(NUMBER)
PAIR_NAME = re.compile(f"{NUMBER}_{NUMBER}")


@dataclass(frozen=True)
class RadioMapSeerFiles:
    """File names of a folder in RadioMapSeer's layout.

    Attributes:
        root: The folder.
        antennas: Maps with a file in `antenna`.
        gains: Transmitters of each map, by folder under `gain`.
        antenna_images: Transmitters of each map in `png/antennas`.
        images: Maps with an image, by layer under `png`, such as "cars" or "buildings_missing2/5".
        polygons: Maps with outlines, by layer under `polygon`.
        heights: Maps with heights, by folder: of `HEIGHT_FOLDERS` those that are there.
        foreign: Other files in these folders.
    """

    root: Path
    antennas: frozenset[int]
    gains: dict[str, dict[int, list[int]]]
    antenna_images: dict[int, list[int]]
    images: dict[str, frozenset[int]]
    polygons: dict[str, frozenset[int]]
    heights: dict[str, frozenset[int]]
    foreign: tuple[str, ...]

    @property
    def map_ids(self) -> list[int]:
        """Maps of which there is any file, in order."""
        folders = (*self.gains.values(), self.antenna_images, *self.images.values(), *self.polygons.values())
        folders = (*folders, *self.heights.values())
        return sorted(self.antennas.union(*folders))

    def folders_of(self, map_id: int) -> list[str]:
        """Folders that hold a file of a map."""
        folders: dict[str, Container[int]] = {"antenna": self.antennas, "png/antennas": self.antenna_images}
        folders |= {f"gain/{name}": maps for name, maps in self.gains.items()}
        folders |= {f"png/{layer}": ids for layer, ids in self.images.items()}
        folders |= {f"polygon/{layer}": ids for layer, ids in self.polygons.items()} | self.heights
        return [name for name, ids in folders.items() if map_id in ids]

    @property
    def num_files(self) -> int:
        """Number of files."""
        pairs = sum(len(txs) for folder in (*self.gains.values(), self.antenna_images) for txs in folder.values())
        maps = sum(len(ids) for ids in (*self.images.values(), *self.polygons.values(), *self.heights.values()))
        return len(self.antennas) + pairs + maps


def list_radiomapseer(root: Path) -> RadioMapSeerFiles:
    """List a folder. What radiodiff itself keeps beside the data (records, caches) is left out."""
    foreign: list[str] = []
    gains = {path.name: _pairs(path, root, foreign) for path in sorted((root / "gain").glob("*")) if path.is_dir()}
    images = {layer: _maps(root / "png" / layer, ".png", root, foreign) for layer in _layers(root / "png")}
    polygons = {layer: _maps(root / "polygon" / layer, ".json", root, foreign) for layer in _layers(root / "polygon")}
    heights = {
        folder: _maps(root / folder, suffix, root, foreign)
        for folder, suffix in HEIGHT_FOLDERS.items()
        if (root / folder).is_dir()
    }
    return RadioMapSeerFiles(
        root,
        _maps(root / "antenna", ".json", root, foreign),
        gains,
        _pairs(root / "png/antennas", root, foreign),
        images,
        polygons,
        heights,
        tuple(foreign),
    )


def _layers(folder: Path) -> list[str]:
    """Folders that hold files, one or two levels deep."""
    layers = []
    for path in sorted(folder.glob("*")):
        if path.is_dir() and path.name not in ("antennas", HEIGHTS):
            variants = [f"{path.name}/{variant.name}" for variant in sorted(path.glob("*/"))]
            layers += variants or [path.name]
    return layers


def _names(folder: Path, suffix: str, pattern: re.Pattern[str], root: Path, foreign: list[str]) -> list[re.Match[str]]:
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY_PREFIX):
                continue
            stem, ending = os.path.splitext(entry.name)
            match = pattern.fullmatch(stem) if ending == suffix else None
            if match is None:
                foreign.append(str(Path(entry.path).relative_to(root)))
            else:
                found.append(match)
    return found


def _maps(folder: Path, suffix: str, root: Path, foreign: list[str]) -> frozenset[int]:
    return frozenset(int(match[1]) for match in _names(folder, suffix, MAP_NAME, root, foreign))


def _pairs(folder: Path, root: Path, foreign: list[str]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for match in _names(folder, ".png", PAIR_NAME, root, foreign):
        found[int(match[1])].append(int(match[2]))
    return {map_id: sorted(found[map_id]) for map_id in sorted(found)}
