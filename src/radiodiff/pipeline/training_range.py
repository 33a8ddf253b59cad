"""What the maps of a training were like: `training_range.json` beside a model."""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from radiodiff.errors import CheckpointError, InputError, RadiodiffWarning
from radiodiff.pipeline.component import read_json
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.scene import Scene, Transmitter

if TYPE_CHECKING:
    from radiodiff.data.radiomapseer.store import MapStore

__all__ = ["RANGE_FILE", "TrainingRange"]

RANGE_FILE = "training_range.json"

Range = tuple[float, float]
"""Least and largest value."""

FULL_LAYER = "buildings_complete"

FAR = {
    "cell_size_m": 1.001,
    "frequency_hz": 1.001,
    "tx_height_m": 1.001,
    "map_side_cells": 2.0,
    "coverage": 1.25,
    "roof_height_m": 1.25,
}
"""Factor beyond the ends of a range from which on a value is far from it: lengths and carriers change the law, of the
other things maps vary, and larger maps are cut into windows."""

SENTENCES = {
    "cell_size_m": "The model was trained on cells of {known} m, the scene has cells of {found} m",
    "frequency_hz": "The model was trained for a carrier of {known} GHz, the transmitter has {found} GHz",
    "tx_height_m": "The model was trained for transmitters at {known} m, the transmitter stands at {found} m",
    "map_side_cells": "The model was trained on maps of {known} cells along an edge, the scene has {found}",
    "coverage": "The model was trained on maps with {known} % of their cells in buildings, the scene has {found} %",
    "roof_height_m": "The model was trained on maps with the highest roof at {known} m, the scene has it at {found} m",
}

CONSEQUENCES = {
    "cell_size_m": ", which it takes for as large. Resample the scene.",
    "frequency_hz": ": the map is that of {known} GHz.",
    "tx_height_m": ": the map is that of one at {known} m.",
}
"""What follows where it knows a single value."""

UNITS = {"frequency_hz": 1e9, "coverage": 0.01}
"""What a sentence counts in, where it is not the unit of the value."""


@dataclass(frozen=True)
class TrainingRange:
    """Least and largest values in the maps of a training, each None where nobody knows.

    Attributes:
        cell_size_m: Edges of cells [m].
        map_side_cells: Rows and columns of maps.
        coverage: Shares of cells in buildings.
        tx_height_m: Heights of transmitters above ground [m].
        roof_height_m: Heights of the highest roofs of maps [m].
        frequency_hz: Carriers [Hz].

    Raises:
        InputError: A range is not two finite numbers, the smaller one first and not negative.
    """

    cell_size_m: Range | None = None
    map_side_cells: Range | None = None
    coverage: Range | None = None
    tx_height_m: Range | None = None
    roof_height_m: Range | None = None
    frequency_hz: Range | None = None

    def __post_init__(self) -> None:
        for name, given in self.known.items():
            ends = tuple(float(end) for end in given)
            if len(ends) != 2 or not 0.0 <= ends[0] <= ends[1] < np.inf:
                raise InputError(
                    f"TrainingRange.{name} must be the least and the largest value, finite and at least 0",
                    value=given,
                    remedy="None stands for what nobody knows.",
                )
            object.__setattr__(self, name, ends)

    @classmethod
    def of_record(cls, record: PipelineRecord) -> Self:
        """What the record of a model knows of it."""
        known = {name: getattr(record, name) for name in ("cell_size_m", "frequency_hz", "tx_height_m")}
        return cls(**{name: None if value is None else (value, value) for name, value in known.items()})

    @classmethod
    def measured(cls, sets: Iterable[tuple["MapStore", Sequence[int]]]) -> Self:
        """The ranges of data sets.

        Args:
            sets: Data sets and the numbers of their maps.
        """
        values: dict[str, list[float]] = {name: [] for name in FAR}
        for store, map_ids in sets:
            values["map_side_cells"] += store.shape
            values["cell_size_m"].append(store.cell_size_m)
            values["frequency_hz"].append(store.frequency_hz)
            for map_id in map_ids:
                values["coverage"].append(float(store.mask(FULL_LAYER, map_id).mean()))
                values["tx_height_m"] += store.tx_heights_m(map_id).tolist()
                if store.has_heights():
                    values["roof_height_m"].append(float(store.roof_heights_m(map_id).max()))
        return cls(**{name: (min(found), max(found)) if found else None for name, found in values.items()})

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The range in the folder of a model, or None where there is none.

        Raises:
            CheckpointError: The file is damaged.
        """
        if not (folder / RANGE_FILE).is_file():
            return None
        content = read_json(folder / RANGE_FILE)
        try:
            return cls(**{name: None if ends is None else tuple(ends) for name, ends in content.items()})
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f"{RANGE_FILE} of a model must hold {', '.join(FAR)}, each with two numbers or null",
                value=f"{folder / RANGE_FILE} ({error})",
                remedy="It was changed or cut short: copy the model again.",
            ) from error

    def write(self, folder: Path) -> None:
        """Write it into the folder of a model."""
        (folder / RANGE_FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def warn_of_far(self, requests: Iterable[tuple[Scene, Transmitter]], stacklevel: int) -> None:
        """Warn of scenes and transmitters that are far from it, of each quantity once."""
        known, told = self.known, set()
        before = None
        for scene, tx in requests:
            # Many transmitters may stand on one scene.
            values = [*(() if scene is before else _values_of_scene(scene)), *_values_of_tx(tx)]
            before = scene
            for name, value in values:
                if name in known and name not in told and _is_far(value, known[name], FAR[name]):
                    told.add(name)
                    text = _sentence(name, known[name], value)
                    warnings.warn(text, RadiodiffWarning, stacklevel=stacklevel + 1)

    @property
    def known(self) -> Mapping[str, Range]:
        """The ranges that are known, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: ends for name, ends in found.items() if ends is not None}


def _values_of_tx(tx: Transmitter) -> Iterator[tuple[str, float]]:
    """What is compared of a transmitter."""
    yield "frequency_hz", tx.frequency_hz
    yield "tx_height_m", tx.height_m


def _values_of_scene(scene: Scene) -> Iterator[tuple[str, float]]:
    """What is compared of a scene."""
    yield "cell_size_m", scene.grid.cell_size_m
    yield "map_side_cells", min(scene.grid.shape)
    yield "map_side_cells", max(scene.grid.shape)
    yield "coverage", scene.coverage
    known = scene.roof_height_m[np.isfinite(scene.roof_height_m)]
    if (known > 0).any():
        yield "roof_height_m", float(known.max())


def _is_far(value: float, known: Range, factor: float) -> bool:
    return not known[0] / factor <= value <= known[1] * factor


def _sentence(name: str, ends: Range, value: float) -> str:
    *known, found = (f"{number / UNITS.get(name, 1.0):.4g}" for number in (*ends, value))
    is_single = known[0] == known[1]
    consequence = CONSEQUENCES.get(name, ".") if is_single else ": what it says there was never checked."
    return (SENTENCES[name] + consequence).format(known=known[0] if is_single else " to ".join(known), found=found)
