"""Which files a map has, and which maps lack one."""

import os
from collections.abc import Iterable
from pathlib import Path

from radiodiff.data.create.settings import CreateSettings
from radiodiff.data.missing_layers import missing_layers
from radiodiff.data.work_folder import is_whole

__all__ = ["files_of_map", "folders", "map_numbers", "maps_without_files"]


def folders(settings: CreateSettings) -> dict[str, tuple[str, ...]]:
    """File names that a map has in each folder, its number left open as {map}."""
    layers = ("buildings_complete", "cars") if settings.cars else ("buildings_complete",)
    if settings.has_heights:
        layers = (*layers, "heights")
    per_map = {"antenna": ".json"}
    if settings.has_heights:
        per_map["antenna_heights"] = ".json"
    layers = (*layers, *missing_layers(settings.missing_variants))
    per_map |= {f"polygon/{layer}": ".json" for layer in layers} | {f"png/{layer}": ".png" for layer in layers}
    per_tx = {"png/antennas": ".png"} | {f"gain/{simulation}": ".png" for simulation in settings.simulations}
    return {folder: ("{map}" + suffix,) for folder, suffix in per_map.items()} | {
        folder: tuple(f"{{map}}_{tx}{suffix}" for tx in range(settings.tx_per_map)) for folder, suffix in per_tx.items()
    }


def files_of_map(settings: CreateSettings, map_id: int) -> list[str]:
    """Paths of the files of a map in the folder of its data set."""
    return [f"{folder}/{name.format(map=map_id)}" for folder, names in folders(settings).items() for name in names]


def maps_without_files(root: Path, settings: CreateSettings, map_ids: Iterable[int]) -> set[int]:
    """Those of some maps of which a file is not there, or was cut short."""
    wanted = tuple(map_ids)
    missing: set[int] = set()
    for folder, names in folders(settings).items():
        with os.scandir(root / folder) as entries:
            there = {entry.name for entry in entries if is_whole(entry.path)}
        missing |= {i for i in wanted if any(name.format(map=i) not in there for name in names)}
    return missing


def map_numbers(root: Path) -> list[int]:
    """Numbers of the maps that have a transmitter file or a radio map."""
    names = [path.stem for pattern in ("antenna/*.json", "gain/*/*.png") for path in root.glob(pattern)]
    numbers = {name.split("_")[0] for name in names}
    return sorted(int(number) for number in numbers if number.isdecimal())
