"""Small stand-ins for the RadioMapSeer download: every file that it has, on generated cities.

```
fake.json, split.json                   settings, and a split from three maps on; the download has no such files
dataset.csv
antenna/<map>.json
gain/{DPM,IRT2,carsDPM,carsIRT2}/<map>_<tx>.png     all transmitters
gain/{IRT4,carsIRT4}/<map>_<tx>.png                 transmitters 0 and 1
png/{buildings_complete,cars,roads}/<map>.png, png/antennas/<map>_<tx>.png
png/buildings_{missing,removed}{1..4}/{1..6}/<map>.png
polygon/{buildings_complete,buildings_and_cars,cars,roads}/<map>.json
```

DPM is the dominant path engine. IRT2 and IRT4 are no ray tracing: they only look like it where readers could stumble,
with a plateau of five pixels at the transmitter, ripples, and streets that no ray reaches. For tests and trials, never
for figures.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.create import check_count
from radiodiff.data.map_files import write_antennas, write_index, write_layer
from radiodiff.data.radiomapseer.store import FAKE_RECORD, gain_count
from radiodiff.data.splits import MANIFEST, PARTS, proportional_split
from radiodiff.data.work_folder import begin_folder, check_new_folder
from radiodiff.errors import InputError
from radiodiff.formats import (
    CAR_PNG_SAMPLE_OFFSET,
    PNG_SAMPLE_OFFSET,
    write_grey_png,
    write_mask_png,
    write_radiomapseer_polygons,
)
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.layouts import CitySettings
from radiodiff.propagation import DominantPath
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Footprint, Scene, Transmitter, rasterize

if TYPE_CHECKING:
    from radiodiff.scene import Grid

__all__ = ["FAKE_RECORD", "MISSING_LAYERS", "FakeRadioMapSeerSettings", "write_fake_radiomapseer"]

SIMULATIONS = ("DPM", "IRT2", "IRT4")

MISSING_LAYERS = tuple(
    f"buildings_{kind}{count}/{variant}"
    for kind in ("missing", "removed")
    for count in range(1, 5)
    for variant in range(1, 7)
)
"""Building layers without 1 to 4 of the buildings, in six draws each."""

UNREACHED_DB = {"IRT2": 35.0, "IRT4": 50.0}
"""Loss above that of a line of sight at which no ray arrives [dB]."""

RIPPLE_DB = 1.0
RIPPLE_M = 9.0
PLATEAU_LOSS_DB = 2.0
"""Loss of the plateau above the least loss of DPM; 247 instead of 255 on the thresholded scale in RadioMapSeer [dB]."""

EDGE_DB = 0.8
"""What every other cell loses more than the plateau: two grey levels, so that five pixels hold the maximum [dB]."""

CLEAR_ROAD_M = 3.0


@dataclass(frozen=True)
class FakeRadioMapSeerSettings:
    """What a fake data set holds.

    Attributes:
        maps: Number of maps.
        tx_per_map: Transmitters on each; 80 in RadioMapSeer.
        seed: Seed; a map depends on it and on its own number alone.
        size: Rows and columns of a map, in cells of 1 m; 256 in RadioMapSeer.
        simulations: Which of DPM, IRT2 and IRT4.
        cars: Write cars, and gains with them, too.
        missing_layers: Write the 48 layers of buildings with some left out.
        first_map_id: Number of the first map.
        thresholded: Write gains on the thresholded scale; RadioMapSeer has the raw one.

    Raises:
        InputError: A count is not positive, a number negative, or a simulation unknown or none.
        LayoutError: The size is too small for a city.
    """

    maps: int
    tx_per_map: int
    seed: int
    size: int = 256
    simulations: tuple[str, ...] = SIMULATIONS
    cars: bool = True
    missing_layers: bool = True
    first_map_id: int = 0
    thresholded: bool = False

    def __post_init__(self) -> None:
        for name, least in (("maps", 1), ("tx_per_map", 1), ("seed", 0), ("first_map_id", 0)):
            check_count(f"FakeRadioMapSeerSettings.{name}", getattr(self, name), least)
        object.__setattr__(self, "simulations", tuple(self.simulations))
        unknown = set(self.simulations) - set(SIMULATIONS)
        if unknown or not self.simulations:
            raise InputError(
                f"FakeRadioMapSeerSettings.simulations must be some of {', '.join(SIMULATIONS)}",
                value=", ".join(sorted(unknown)) or "none",
                remedy="Name them without the prefix 'cars'.",
            )
        _ = self.city

    @property
    def city(self) -> CitySettings:
        """Settings of the cities."""
        return CitySettings(rows=self.size, cols=self.size)

    @property
    def map_ids(self) -> range:
        """Numbers of the maps."""
        return range(self.first_map_id, self.first_map_id + self.maps)

    @property
    def gain_folders(self) -> tuple[str, ...]:
        """Folders under `gain/`."""
        prefixes = ("", "cars") if self.cars else ("",)
        return tuple(f"{prefix}{simulation}" for prefix in prefixes for simulation in self.simulations)


def write_fake_radiomapseer(root: str | Path, settings: FakeRadioMapSeerSettings) -> Iterator[tuple[int, int]]:
    """Write a fake data set.

    Args:
        root: The folder, empty or absent.
        settings: What to write.

    Yields:
        (maps done, maps wanted), first (0, maps).

    Raises:
        DataSetError: The folder holds something, or cannot be made.
        FormatError: A file cannot be written.
        LayoutError: A city has no room for the transmitters.
    """
    root = Path(root)
    check_new_folder(root)
    _make_folders(root, settings)
    yield 0, settings.maps
    for done, map_id in enumerate(settings.map_ids, 1):
        _write_map(root, settings, map_id)
        yield done, settings.maps
    counts = {folder: gain_count(folder, settings.tx_per_map) for folder in settings.gain_folders}
    if settings.maps >= len(PARTS):
        # Not in the download either; the named splits are of its 701 maps.
        proportional_split("fake", settings.map_ids).write(root / MANIFEST)
    write_index(root, settings.map_ids, counts, rows=settings.size)


def _make_folders(root: Path, settings: FakeRadioMapSeerSettings) -> None:
    layers = ["buildings_complete", "roads", *(["buildings_and_cars", "cars"] if settings.cars else [])]
    images = [layer for layer in layers if layer != "buildings_and_cars"]
    names = ["antenna", "png/antennas", *(f"gain/{name}" for name in settings.gain_folders)]
    names += [f"polygon/{layer}" for layer in layers]
    names += [f"png/{layer}" for layer in (*images, *(MISSING_LAYERS if settings.missing_layers else ()))]
    begin_folder(root, FAKE_RECORD, {"format": "radiodiff-fake-radiomapseer", **asdict(settings)}, names)


def _write_map(root: Path, settings: FakeRadioMapSeerSettings, map_id: int) -> None:
    """Write all files of one map."""
    from radiodiff.layouts import draw_transmitter_cells, generate_city

    seed = (settings.seed, map_id)
    scene = generate_city(settings.city, seed)
    cells = draw_transmitter_cells(scene, settings.tx_per_map, seed)
    write_antennas(root, map_id, cells, scene.grid)
    _write_layers(root, settings, map_id, scene)
    scenes = {"": scene.without_cars()} | ({"cars": scene} if settings.cars else {})
    txs = [Transmitter.at_cell(scene.grid, *cell) for cell in cells]
    for prefix, variant in scenes.items():
        for tx_id, radio_map in enumerate(DominantPath().radio_maps(variant, txs)):
            for simulation in settings.simulations:
                if tx_id >= gain_count(simulation, settings.tx_per_map):
                    continue
                path_loss_db = radio_map.path_loss_db if simulation == "DPM" else _irt(radio_map, simulation)
                grey = RADIOMAPSEER_GREY.to_grey(path_loss_db, thresholded=settings.thresholded)
                # No header: the download has none, and readers must not come to rely on one.
                write_grey_png(root / f"gain/{prefix}{simulation}/{map_id}_{tx_id}.png", grey)


def _write_layers(root: Path, settings: FakeRadioMapSeerSettings, map_id: int, scene: Scene) -> None:
    grid, buildings, cars = scene.grid, scene.footprints or (), scene.car_footprints or ()
    complete = write_layer(root, f"buildings_complete/{map_id}", grid, buildings, PNG_SAMPLE_OFFSET)
    _write_roads(root, map_id, scene)
    if settings.cars:
        write_layer(root, f"cars/{map_id}", grid, cars, CAR_PNG_SAMPLE_OFFSET)
        write_radiomapseer_polygons(root / f"polygon/buildings_and_cars/{map_id}.json", (*buildings, *cars), grid)
    if settings.missing_layers:
        _write_missing(root, grid, (settings.seed, map_id), complete, buildings)


def _write_roads(root: Path, map_id: int, scene: Scene) -> None:
    """Write as roads what lies some metres off the buildings."""
    from scipy.ndimage import distance_transform_edt

    from radiodiff.scene.trace import trace_footprints

    roads = distance_transform_edt(~scene.buildings) * scene.grid.cell_size_m > CLEAR_ROAD_M
    write_mask_png(root / f"png/roads/{map_id}.png", roads)
    write_radiomapseer_polygons(root / f"polygon/roads/{map_id}.json", trace_footprints(scene.grid, roads), scene.grid)


def _write_missing(
    root: Path,
    grid: "Grid",
    seed: tuple[int, int],
    complete: NDArray[np.bool_],
    buildings: tuple[Footprint, ...],
) -> None:
    """Write the layers in which 1 to 4 buildings are left out of the image."""
    random = np.random.default_rng(seed)
    for layer in MISSING_LAYERS:
        count = int(layer.split("/")[0][-1])
        # A small map may have few buildings; one stays.
        chosen = random.permutation(len(buildings))[: min(count, len(buildings) - 1)]
        left_out = rasterize(grid, [buildings[i].polygon for i in chosen], sample_offset=PNG_SAMPLE_OFFSET)
        write_mask_png(root / f"png/{layer}/{seed[1]}.png", complete & ~left_out)


def _irt(radio_map: RadioMap, simulation: str) -> NDArray[np.float32]:
    """Path loss (rows, cols) [dB] that has the features of ray tracing, made of a dominant path map."""
    assert radio_map.tx is not None
    row, col = radio_map.tx.cell(radio_map.grid)
    dominant_db = radio_map.path_loss_db
    distance_m = radio_map.tx.distance_m(radio_map.grid, minimum_m=1.0).astype(np.float32)
    line_of_sight_db = dominant_db[row, col] + 25.0 * np.log10(distance_m)
    path_loss_db: NDArray[np.float32] = dominant_db + RIPPLE_DB * np.sin(2.0 * np.pi / RIPPLE_M * distance_m)
    path_loss_db[dominant_db - line_of_sight_db > UNREACHED_DB[simulation]] = np.nan
    plateau_db = dominant_db[row, col] + PLATEAU_LOSS_DB
    np.maximum(path_loss_db, plateau_db + EDGE_DB, out=path_loss_db)
    # Distances from the centre of the transmitter's cell: 0 there, 1 at its four neighbours.
    path_loss_db[(distance_m < 1.2) & ~np.isnan(dominant_db)] = plateau_db
    return path_loss_db
