"""What the benchmark set is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from radiodiff.data.create import CreateSettings, Scenario
from radiodiff.errors import DataSetError
from radiodiff.formats.layout_folder import Layout
from radiodiff.propagation import PropagationModel, make_engine

__all__ = ["BENCH_NAME", "BenchPart", "BenchSettings", "Engines", "usual_engines"]

BENCH_NAME = "radiodiff-bench"

BenchPart = Literal["test", "train"]

Engines = Mapping[Scenario, Mapping[str, PropagationModel]]
"""Engine of each target, by its folder under `gain`, for each scenario."""

SEEDS: Mapping[str, int] = {"test": 2026, "train": 2027}
"""Transmitters of the two parts are drawn apart."""

USUAL_MISSING: Mapping[str, int] = {"test": 0, "train": 2}

USUAL_TX: Mapping[str, int] = {"test": 5, "train": 16}
"""Transmitters on each scene: 180 maps of the 18 crops of Munich that share no ground, in two scenarios."""


def usual_engines(preset: str = "reference") -> Engines:
    """The engines of the published set.

    Args:
        preset: That of the ray tracer, and of the ray launcher.

    Raises:
        PropagationError: There is no such preset.
    """
    dominant_path = make_engine("dominant-path")
    launched, traced = make_engine("ray-launching", preset), make_engine("ray-tracing", preset)
    return {
        "street": {"DPM": dominant_path, "RL": launched, "RT": traced},
        "rooftop": {"DPM": dominant_path, "RT": traced},
    }


@dataclass(frozen=True)
class BenchSettings:
    """What a part of the benchmark set holds.

    Attributes:
        layouts: Crops of real cities with heights; of one grid.
        part: "test" takes crops of the test city that share no ground; "train" takes all crops of the other cities.
        engines: Engine of each target for each scenario.
        test_city: City whose crops are in the test part alone.
        validation_city: City of the training part whose crops are for validation.
        tx_per_scene: Transmitters on each scene; None takes 5 for tests and 16 for training.
        scenes: Scenes of each scenario: crops are taken round in turn, with other transmitters each time. None takes
            each crop once.
        frequency_hz: Carrier [Hz].
        missing_variants: Draws of each of the layers with 1 to 4 buildings left out of the picture; None takes 0 for
            tests and 2 for training.

    Raises:
        DataSetError: There is no layout for the part, or for its validation; fewer crops are wanted than one.
    """

    layouts: tuple[Layout, ...]
    part: BenchPart = "test"
    engines: Engines = field(default_factory=usual_engines)
    test_city: str = "munich"
    validation_city: str = "etoile"
    tx_per_scene: int | None = None
    scenes: int | None = None
    frequency_hz: float = 5.9e9
    missing_variants: int | None = None

    def __post_init__(self) -> None:
        wanted = {self.test_city} if self.part == "test" else {self.validation_city}
        cities = {layout.city for layout in self.chosen}
        is_split = self.part == "test" or len(cities) > 1
        if not (wanted <= cities and is_split and self.test_city != self.validation_city):
            raise DataSetError(
                "A part of the benchmark set needs crops of its cities: the test city for the test part; for the "
                "training part the validation city, another one, and no test city",
                value=f"part {self.part}, test city {self.test_city}, validation city {self.validation_city}, crops of "
                f"{', '.join(sorted({layout.city for layout in self.layouts})) or 'no city'}",
                remedy="Take layouts of all cities (radiodiff layouts extract), or name other cities.",
            )

    @property
    def chosen(self) -> tuple[Layout, ...]:
        """Crops of the part; those of the training part take turns between the cities, so that few show all."""
        if self.part == "test":
            return tuple(one for one in self.layouts if one.city == self.test_city and one.is_disjoint)
        by_city: dict[str, list[Layout]] = {}
        for layout in self.layouts:
            if layout.city != self.test_city:
                by_city.setdefault(layout.city, []).append(layout)
        # Place of a crop in its city, as a share: larger cities are met more often, but none comes last.
        places = [
            ((i + 0.5) / len(crops), city, crop) for city, crops in by_city.items() for i, crop in enumerate(crops)
        ]
        return tuple(crop for _, _, crop in sorted(places, key=lambda place: place[:2]))

    @property
    def num_scenes(self) -> int:
        """Scenes of each scenario."""
        return self.scenes or len(self.chosen)

    @property
    def num_tx(self) -> int:
        """Transmitters on each scene."""
        return USUAL_TX[self.part] if self.tx_per_scene is None else self.tx_per_scene

    def create_settings(self, scenario: Scenario) -> CreateSettings:
        """Settings of the data set of a scenario.

        Raises:
            InputError: A count is not positive.
            LayoutError: Layouts differ in size, or one has no heights.
        """
        return CreateSettings(
            maps=self.num_scenes,
            tx_per_map=self.num_tx,
            seed=SEEDS[self.part],
            engines=self.engines[scenario],
            scenario=scenario,
            layouts=self.chosen,
            frequency_hz=self.frequency_hz,
            missing_variants=USUAL_MISSING[self.part] if self.missing_variants is None else self.missing_variants,
        )

    def parts(self, there: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """The maps that are there by part, which follows from their city."""
        if self.part == "test":
            return {"test": tuple(there)}
        crops = self.chosen
        cities = {map_id: crops[map_id % len(crops)].city for map_id in there}
        validation = tuple(map_id for map_id in there if cities[map_id] == self.validation_city)
        train = tuple(map_id for map_id in there if cities[map_id] != self.validation_city)
        return {"train": train, "validation": validation}
