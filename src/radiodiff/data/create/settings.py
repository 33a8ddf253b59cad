"""What a generated data set holds."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from radiodiff.data.create.scenarios import RX_HEIGHT_M, Scenario, check_scenario
from radiodiff.data.missing_layers import MOST_VARIANTS
from radiodiff.errors import InputError, LayoutError
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.layouts import CitySettings
from radiodiff.propagation import DominantPath, PropagationModel, RayLaunching
from radiodiff.scene import Grid, Transmitter
from radiodiff.version import __version__

if TYPE_CHECKING:
    from radiodiff.formats.layout_folder import Layout

__all__ = ["MISSING_KEY", "RECORD", "SIMULATIONS", "CreateSettings", "check_count", "check_variants"]

FORMAT_VERSION = 1

RECORD = "dataset.json"

MISSING_KEY = "missing_variants"
"""Of the record; not there where it would be 0."""

SIMULATIONS = {"dominant-path": "DPM", "ray-launching": "RL", "ray-tracing": "RT"}
"""Folder under `gain` for the maps of an engine."""

FOLDER_NAME = re.compile(r"[A-Za-z0-9-]+")

DEFAULT_FREQUENCY_HZ = 5.9e9

CELL_SIZE_M = 1.0
"""What nothing in RadioMapSeer's files tells [m]."""


@dataclass(frozen=True)
class CreateSettings:
    """What a generated data set holds.

    Attributes:
        maps: Number of maps.
        tx_per_map: Transmitters on each.
        seed: Seed of the data set; map i depends on it and on i alone.
        cars: Write cars, and gains with them, too; for generated cities and the dominant path engine.
        city: Size and style of the cities.
        engines: Engine of each simulation, by its folder under `gain`: "DPM", "RL", "RT". All solve the same scenes.
        scenario: Where the transmitters stand.
        layouts: Scenes to take in the place of generated cities: map i stands on the one of number i, counted round.
        frequency_hz: Carrier [Hz].
        missing_variants: Draws of each of the layers with 1 to 4 buildings left out of the picture, 0 to 6; the radio
            maps are those of all buildings.

    Raises:
        InputError: A count is out of its range, the seed is negative, there is no engine, a simulation is no folder
            name, or cars are wanted of scenes or engines without them.
        LayoutError: The scenario is unknown, layouts differ in size or have no cells of 1 m, or one has no heights
            where the scenario needs them.
        PropagationError: The constants of an engine do not hold at the carrier.
    """

    maps: int
    tx_per_map: int
    seed: int
    cars: bool = False
    city: CitySettings = field(default_factory=CitySettings)
    engines: Mapping[str, PropagationModel] = field(default_factory=lambda: {"DPM": DominantPath()})
    scenario: Scenario = "radiomapseer"
    layouts: tuple["Layout", ...] = ()
    frequency_hz: float = DEFAULT_FREQUENCY_HZ
    missing_variants: int = 0

    def __post_init__(self) -> None:
        for name, least in (("maps", 1), ("tx_per_map", 1), ("seed", 0)):
            check_count(f"CreateSettings.{name}", getattr(self, name), least)
        check_variants("CreateSettings.missing_variants", self.missing_variants)
        check_scenario(self.scenario)
        object.__setattr__(self, "engines", dict(self.engines))
        object.__setattr__(self, "layouts", tuple(self.layouts))
        # The rules of a carrier.
        Transmitter(0.0, 0.0, frequency_hz=self.frequency_hz)
        for engine in self.engines.values():
            engine.check_carrier(self.frequency_hz)
        self._check_engines()
        self._check_cars()
        self._check_layouts()

    @property
    def grid(self) -> Grid:
        """The grid of every map."""
        return self.layouts[0].scene.grid if self.layouts else self.city.grid

    @property
    def simulations(self) -> tuple[str, ...]:
        """Folders under `gain/`."""
        names = tuple(self.engines)
        return (*names, *(f"cars{name}" for name in names)) if self.cars else names

    @property
    def has_heights(self) -> bool:
        """Whether heights of buildings and transmitters are written."""
        return self.scenario != "radiomapseer"

    def identity(self) -> dict[str, Any]:
        """What two runs must share to add to the same folder; the number of maps may grow."""
        record: dict[str, Any] = {
            "format": "radiodiff-generated",
            "format_version": FORMAT_VERSION,
            "radiodiff": __version__,
            "tx_per_map": self.tx_per_map,
            "seed": self.seed,
            "cars": self.cars,
        }
        if self.layouts:
            record["layouts"] = [layout.name for layout in self.layouts]
            record["licences"] = sorted({layout.licence for layout in self.layouts})
            record["layouts_sha256"] = self._layouts_digest()
            if self.grid.cell_size_m != Grid.cell_size_m:
                record["cell_size_m"] = self.grid.cell_size_m
        else:
            record["city"] = _plain(asdict(self.city))
        if self._is_plain:
            record["engine"] = engine_settings(self.engines["DPM"])
        else:
            record["scenario"] = self.scenario
            record["frequency_hz"] = self.frequency_hz
            record["rx_height_m"] = RX_HEIGHT_M
            record["engines"] = {name: engine_settings(engine) for name, engine in self.engines.items()}
        record["grey"] = {**asdict(RADIOMAPSEER_GREY), "scale": "raw"}
        if self.missing_variants:
            # Data sets without keep the record of earlier versions; last, as where the layers are added later.
            record[MISSING_KEY] = self.missing_variants
        return record

    @property
    def _is_plain(self) -> bool:
        """Whether the record of the data set is that of the data sets of dominant path maps on generated cities."""
        is_dominant_path = list(self.engines) == ["DPM"] and isinstance(self.engines["DPM"], DominantPath)
        is_usual = self.scenario == "radiomapseer" and self.frequency_hz == DEFAULT_FREQUENCY_HZ
        return is_dominant_path and is_usual and not self.layouts

    def _layouts_digest(self) -> str:
        content = hashlib.sha256()
        for layout in self.layouts:
            scene = layout.scene
            content.update(scene.buildings.tobytes())
            for footprint in scene.footprints or ():
                content.update(footprint.polygon.wkb)
                content.update(repr(footprint.height_m).encode())
        return content.hexdigest()

    def _check_engines(self) -> None:
        if not self.engines:
            raise InputError("A data set needs an engine", value="none", remedy="The default is the dominant path.")
        for name in self.engines:
            if not FOLDER_NAME.fullmatch(name) or name.startswith("cars"):
                raise InputError(
                    "The name of a simulation must be letters, digits and -, and not begin with 'cars'",
                    value=repr(name),
                    remedy=f"Usual are {', '.join(SIMULATIONS.values())}.",
                )
        launched = [name for name, engine in self.engines.items() if isinstance(engine, RayLaunching)]
        if launched and self.scenario == "rooftop":
            raise InputError(
                "Transmitters above roofs need an engine of three dimensions",
                value=f"ray launching ({', '.join(launched)}) with the scenario rooftop",
                remedy="Use ray-tracing, or the scenario street.",
            )

    def _check_cars(self) -> None:
        if not self.cars:
            return
        if not self.city.cars_per_hectare > 0 or self.layouts:
            raise InputError(
                "A data set with cars needs cities with cars",
                value="layouts without cars" if self.layouts else f"cars_per_hectare={self.city.cars_per_hectare}",
                remedy="Raise CitySettings.cars_per_hectare or leave the cars out.",
            )
        others = [name for name, engine in self.engines.items() if not isinstance(engine, DominantPath)]
        if others:
            raise InputError(
                "Data sets with cars are made by the dominant path engine",
                value=f"cars with {', '.join(others)}",
                remedy="Leave the cars out (--cars), or make these simulations in a data set of their own.",
            )

    def _check_layouts(self) -> None:
        for layout in self.layouts:
            if layout.scene.grid != self.grid:
                raise LayoutError(
                    f"All layouts of a data set must have the grid of the first, {self.grid}",
                    value=f"{layout.name} with {layout.scene.grid}",
                    remedy="Extract them with one size and cell size.",
                )
            if layout.scene.grid.cell_size_m != CELL_SIZE_M:
                raise LayoutError(
                    f"Layouts of a data set must have cells of {CELL_SIZE_M:g} m: its readers take them for that",
                    value=f"{layout.name} with cells of {layout.scene.grid.cell_size_m:g} m",
                    remedy="Extract them with radiodiff layouts extract --cell-size 1.",
                )
            footprints = layout.scene.footprints
            if self.has_heights and (footprints is None or any(f.height_m is None for f in footprints)):
                raise LayoutError(
                    f"The buildings of the scenario {self.scenario} must be outlines with heights",
                    value=layout.name,
                    remedy="Take layouts with heights.",
                )


def engine_settings(engine: PropagationModel) -> dict[str, Any]:
    """Name and settings of an engine, JSON types only."""
    return {"name": engine.name, **_plain(asdict(engine))}  # type: ignore[call-overload]


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they come back from the disk: tuples are lists."""
    content: dict[str, Any] = json.loads(json.dumps(settings))
    return content


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


def check_variants(name: str, variants: object, least: int = 0) -> None:
    """Check a number of draws of each layer with missing buildings.

    Raises:
        InputError: It is no whole number from `least` to 6.
    """
    check_count(name, variants, least)
    if isinstance(variants, int) and variants > MOST_VARIANTS:
        raise InputError(
            f"{name} must be at most {MOST_VARIANTS}, as many as RadioMapSeer has", value=variants, remedy="Give 2."
        )
