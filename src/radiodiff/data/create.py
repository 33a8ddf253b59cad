"""Make a data set of generated cities and dominant path maps in RadioMapSeer's layout on disk.

```
dataset.json                            settings: what makes two runs the same data set
split.json                              train, validation and test maps, 70/15/15; from three maps on
dataset.csv                             one row per radio map, written last
antenna/<map>.json                      transmitters
polygon/{buildings_complete,cars}/<map>.json
png/{buildings_complete,cars}/<map>.png
png/antennas/<map>_<tx>.png
gain/{DPM,carsDPM}/<map>_<tx>.png       raw grey
```

Every file is written under another name and moved into place, so a file that is there is whole (one of 0 bytes, which
a power cut can leave, counts as absent). A map is done when all its files are there; what is missing is made again,
from seeds that depend on the data set's seed and the map's number alone. The result therefore does not depend on the
number of workers nor on interruptions. One run at a time may work on a folder.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from radiodiff.data.map_files import write_antennas, write_index, write_layer
from radiodiff.data.splits import MANIFEST, PARTS, proportional_split
from radiodiff.data.work_folder import begin_folder, is_begun, is_whole
from radiodiff.data.worker_pool import run_tasks
from radiodiff.errors import DataSetError, InputError
from radiodiff.formats import CAR_PNG_SAMPLE_OFFSET, PNG_SAMPLE_OFFSET, write_radio_map
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.layouts import CitySettings
from radiodiff.propagation import DominantPath
from radiodiff.scene import Scene, Transmitter
from radiodiff.version import __version__

__all__ = ["CreateSettings", "check_count", "create_data_set"]

FORMAT_VERSION = 1

RECORD = "dataset.json"


@dataclass(frozen=True)
class CreateSettings:
    """What a generated data set holds.

    Attributes:
        maps: Number of maps.
        tx_per_map: Transmitters on each.
        seed: Seed of the data set; map i depends on it and on i alone.
        cars: Write cars, and gains with them, too.
        city: Size and style of the cities.
        engine: Engine and law.

    Raises:
        InputError: A count is not positive, the seed is negative, or cars are wanted of cities without any.
    """

    maps: int
    tx_per_map: int
    seed: int
    cars: bool = False
    city: CitySettings = field(default_factory=CitySettings)
    engine: DominantPath = field(default_factory=DominantPath)

    def __post_init__(self) -> None:
        for name, least in (("maps", 1), ("tx_per_map", 1), ("seed", 0)):
            check_count(f"CreateSettings.{name}", getattr(self, name), least)
        if self.cars and not self.city.cars_per_hectare > 0:
            raise InputError(
                "A data set with cars needs cities with cars",
                value=f"cars_per_hectare={self.city.cars_per_hectare}",
                remedy="Raise CitySettings.cars_per_hectare or leave the cars out.",
            )

    @property
    def simulations(self) -> tuple[str, ...]:
        """Folders under `gain/`."""
        return ("DPM", "carsDPM") if self.cars else ("DPM",)

    def identity(self) -> dict[str, Any]:
        """What two runs must share to add to the same folder; the number of maps may grow."""
        return {
            "format": "radiodiff-generated",
            "format_version": FORMAT_VERSION,
            "radiodiff": __version__,
            "tx_per_map": self.tx_per_map,
            "seed": self.seed,
            "cars": self.cars,
            "city": json.loads(json.dumps(asdict(self.city))),
            "engine": {"name": self.engine.name, "law": asdict(self.engine.law)},
            "grey": {**asdict(RADIOMAPSEER_GREY), "scale": "raw"},
        }


def create_data_set(root: str | Path, settings: CreateSettings, *, workers: int = 1) -> Iterator[tuple[int, int]]:
    """Write a data set, or what an interrupted run left missing of it.

    Args:
        root: The folder; made where it is not there.
        settings: What to make.
        workers: Processes; 1 works in this one.

    Yields:
        (maps done, maps wanted), first for what was there already, then after every map.

    Raises:
        DataSetError: The folder holds something else, or a data set with other settings.
        FormatError: A file cannot be written.
        InputError: `workers` is not positive.
        LayoutError: No city of these settings has room for the transmitters.
    """
    check_count("workers", workers, 1)
    root = Path(root)
    if not _is_begun(root, settings):
        # Settings that no city meets leave no folder behind.
        _draw_map(settings, 0)
    begin_folder(root, RECORD, settings.identity(), _folders(settings))
    missing = _missing_maps(root, settings)
    done = settings.maps - len(missing)
    yield done, settings.maps
    for _ in run_tasks(partial(_make_map, root, settings), missing, workers):
        done += 1
        yield done, settings.maps
    counts = dict.fromkeys(settings.simulations, settings.tx_per_map)
    if settings.maps >= len(PARTS):
        proportional_split("generated", range(settings.maps)).write(root / MANIFEST)
    write_index(root, range(settings.maps), counts, rows=settings.city.rows)


def _draw_map(settings: CreateSettings, map_id: int) -> tuple[Scene, list[tuple[int, int]]]:
    """City and transmitter cells of one map."""
    from radiodiff.layouts import draw_transmitter_cells, generate_city

    seed = (settings.seed, map_id)
    scene = generate_city(settings.city, seed)
    return scene, draw_transmitter_cells(scene, settings.tx_per_map, seed)


def _make_map(root: Path, settings: CreateSettings, map_id: int) -> int:
    """Write all files of one map."""
    scene, cells = _draw_map(settings, map_id)
    grid = scene.grid
    write_antennas(root, map_id, cells, grid)
    write_layer(root, f"buildings_complete/{map_id}", grid, scene.footprints or (), PNG_SAMPLE_OFFSET)
    scenes = {"DPM": scene.without_cars()}
    if settings.cars:
        write_layer(root, f"cars/{map_id}", grid, scene.car_footprints or (), CAR_PNG_SAMPLE_OFFSET)
        scenes["carsDPM"] = scene
    txs = [Transmitter.at_cell(grid, col, row) for col, row in cells]
    for simulation, variant in scenes.items():
        for index, radio_map in enumerate(settings.engine.radio_maps(variant, txs)):
            write_radio_map(radio_map, root / f"gain/{simulation}/{map_id}_{index}.png")
    return map_id


def _folders(settings: CreateSettings) -> dict[str, tuple[str, ...]]:
    """File names that a map has in each folder, its number left open as {map}."""
    layers = ("buildings_complete", "cars") if settings.cars else ("buildings_complete",)
    per_map = {"antenna": ".json"}
    per_map |= {f"polygon/{layer}": ".json" for layer in layers} | {f"png/{layer}": ".png" for layer in layers}
    per_tx = {"png/antennas": ".png"} | {f"gain/{simulation}": ".png" for simulation in settings.simulations}
    return {folder: ("{map}" + suffix,) for folder, suffix in per_map.items()} | {
        folder: tuple(f"{{map}}_{tx}{suffix}" for tx in range(settings.tx_per_map)) for folder, suffix in per_tx.items()
    }


def _is_begun(root: Path, settings: CreateSettings) -> bool:
    """Whether an earlier run began this data set. What is there is looked at only.

    Raises:
        DataSetError: The folder is none, or holds something else, or more maps than wanted.
    """
    if not is_begun(root, RECORD, settings.identity()):
        return False
    # A map's antenna file is its first.
    numbers = [int(path.stem) for path in root.glob("antenna/*.json") if path.stem.isdecimal()]
    if max(numbers, default=-1) >= settings.maps:
        raise DataSetError(
            "A data set can grow, not shrink",
            value=f"{root} with map {max(numbers)}, {settings.maps} maps asked for",
            remedy=f"Ask for at least {max(numbers) + 1} maps or use another folder.",
        )
    return True


def _missing_maps(root: Path, settings: CreateSettings) -> list[int]:
    """Maps of which a file is not there."""
    wanted = range(settings.maps)
    missing: set[int] = set()
    for folder, names in _folders(settings).items():
        with os.scandir(root / folder) as entries:
            there = {entry.name for entry in entries if is_whole(entry.path)}
        missing |= {i for i in wanted if any(name.format(map=i) not in there for name in names)}
    return sorted(missing)


def check_count(name: str, count: object, least: int) -> None:
    """Check that a setting is a whole number of at least `least`.

    Raises:
        InputError: It is not.
    """
    if not (isinstance(count, int) and not isinstance(count, bool) and count >= least):
        raise InputError(
            f"{name} must be a whole number of at least {least}",
            value=repr(count),
            remedy=f"Give for example {max(least, 1)}.",
        )
