"""Scenes that are far from those of a training are warned of, others not."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import box

from radiodiff.errors import CheckpointError, InputError, RadiodiffWarning
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.training_range import TrainingRange
from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from tiny_pipelines import tiny_regression

HOUSE = Footprint(box(10.0, 10.0, 26.0, 26.0), 20.0)
SCENE = Scene.from_footprints(Grid(32, 32), [HOUSE])
TX = Transmitter.at_cell(SCENE.grid, 2, 2)
KNOWN = TrainingRange(
    cell_size_m=(1.0, 2.0),
    map_side_cells=(32, 64),
    coverage=(0.2, 0.5),
    tx_height_m=(1.5, 30.0),
    roof_height_m=(10.0, 40.0),
    frequency_hz=(3.5e9, 5.9e9),
)


def warned(known: TrainingRange, scene: Scene, tx: Transmitter) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        known.warn_of_far([(scene, tx), (scene, tx)], stacklevel=1)
    assert all(warning.category is RadiodiffWarning for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def test_what_is_inside_is_not_warned_of() -> None:
    assert warned(KNOWN, SCENE, TX) == []
    assert warned(TrainingRange(), SCENE, TX) == []
    # Sizes and densities vary: a little beyond is near.
    assert warned(KNOWN, Scene.from_footprints(Grid(36, 100), [HOUSE, Footprint(box(0, 0, 40, 36), 9.0)]), TX) == []


@pytest.mark.parametrize(
    ("scene", "tx", "text"),
    [
        (replace(SCENE, grid=Grid(32, 32, 4.0), footprints=None), TX, "cells of 1 to 2 m, the scene has cells of 4 m"),
        (SCENE, replace(TX, frequency_hz=28e9), "a carrier of 3.5 to 5.9 GHz, the transmitter has 28 GHz"),
        (SCENE, replace(TX, height_m=60.0), "transmitters at 1.5 to 30 m, the transmitter stands at 60 m"),
        (
            Scene.from_footprints(Grid(32, 150), [replace(HOUSE, polygon=box(10, 0, 60, 32))]),
            TX,
            "maps of 32 to 64 cells along an edge, the scene has 150",
        ),
        (
            Scene.from_footprints(Grid(32, 32), [replace(HOUSE, polygon=box(10, 10, 14, 14))]),
            TX,
            "maps with 20 to 50 % of their cells in buildings, the scene has 1.562 %",
        ),
        (
            Scene.from_footprints(Grid(32, 32), [replace(HOUSE, height_m=90.0)]),
            TX,
            "maps with the highest roof at 10 to 40 m, the scene has it at 90 m",
        ),
    ],
)
def test_each_quantity_is_warned_of_once_with_its_range(scene: Scene, tx: Transmitter, text: str) -> None:
    (message,) = warned(KNOWN, scene, tx)
    assert text in message
    assert message.endswith("what it says there was never checked.")


def test_what_a_record_knows() -> None:
    record = tiny_regression(frequency_hz=5.9e9).record
    assert TrainingRange.of_record(record) == TrainingRange(cell_size_m=(1.0, 1.0), frequency_hz=(5.9e9, 5.9e9))


class TwoMaps:
    """As much of a data set as is measured."""

    shape = (64, 48)
    frequency_hz = 3.5e9
    cell_size_m = 1.0

    def __init__(self, *, heights: bool) -> None:
        self.has_heights = lambda: heights

    def mask(self, layer: str, map_id: int) -> np.ndarray:
        assert layer == "buildings_complete"
        mask = np.zeros(self.shape, dtype=bool)
        mask[: 16 * map_id] = True
        return mask

    def tx_heights_m(self, map_id: int) -> np.ndarray:
        return np.array([1.5, 10.0 * map_id])

    def roof_heights_m(self, map_id: int) -> np.ndarray:
        return np.array([[0, 7 * map_id]], dtype=np.uint8)


def test_ranges_of_data_sets() -> None:
    sets: Any = [(TwoMaps(heights=True), (1, 2)), (TwoMaps(heights=False), (3,))]
    assert TrainingRange.measured(sets) == TrainingRange(
        cell_size_m=(1.0, 1.0),
        map_side_cells=(48, 64),
        coverage=(0.25, 0.75),
        tx_height_m=(1.5, 30.0),
        roof_height_m=(7.0, 14.0),
        frequency_hz=(3.5e9, 3.5e9),
    )
    assert TrainingRange.measured(sets[1:]).roof_height_m is None


def test_it_is_kept_beside_the_model(tmp_path: Path) -> None:
    pipeline = tiny_regression()
    pipeline.training_range = KNOWN
    pipeline.save_pretrained(tmp_path / "model")
    found = load_pipeline(tmp_path / "model")
    assert found.training_range == KNOWN
    with pytest.warns(RadiodiffWarning, match="transmitters at 1.5 to 30 m") as caught:
        found(SCENE, replace(TX, height_m=60.0))
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("content", [{"coverage": [0.5, 0.1]}, {"coverage": 3}, {"weather": [0, 1]}, {"coverage": [1]}])
def test_a_damaged_file_is_named(tmp_path: Path, content: dict[str, Any]) -> None:
    (tmp_path / "training_range.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"training_range\.json of a model must hold .*copy the model again"):
        TrainingRange.read(tmp_path)


def test_ranges_have_two_ends() -> None:
    with pytest.raises(InputError, match=r"TrainingRange\.tx_height_m must be the least and the largest value"):
        TrainingRange(tx_height_m=(3.0, float("inf")))
