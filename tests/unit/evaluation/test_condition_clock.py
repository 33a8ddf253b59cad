"""The time of a model's geometry channels is a part of its time."""

from pathlib import Path
from typing import Any

import pytest

from evaluation_cases import examples_of
from radiodiff.evaluation.condition_clock import MOST_MAPS, ConditionClock
from radiodiff.pipeline.condition import SceneEncoder
from radiodiff.pipeline.record import PipelineRecord
from tiny_pipelines import tiny_encoding


def record(names: tuple[str, ...], **changes: Any) -> PipelineRecord:
    data = {"kind": "radiomapseer"} | changes.pop("data", {})
    return PipelineRecord("regression", tiny_encoding(names), "raw", data, **changes)


SEEN = ("buildings", "transmitter", "los_mask")


def test_the_first_batch_and_most_maps_take_no_time(cities: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = examples_of(cities)
    clock = ConditionClock.of(record(SEEN), examples)
    assert clock is not None
    made = []
    monkeypatch.setattr(SceneEncoder, "condition", lambda *_: made.append(1))
    first, *others = examples.batches(3)
    clock.take(first, counts=False)
    assert (len(made), clock.num_maps, clock.seconds) == (1, 0, 0.0)
    for _ in range(8):
        for batch in others:
            clock.take(batch, counts=True)
    assert (len(made), clock.num_maps) == (1 + MOST_MAPS, MOST_MAPS)
    assert clock.seconds > 0.0


@pytest.mark.parametrize(
    "model",
    [
        record(("buildings", "transmitter")),
        record((*SEEN, "measured_path_loss_db", "measurement_mask")),
        record((*SEEN, "k2"), data={"k2": "folder"}),
        record(SEEN, is_resampled=True),
    ],
)
def test_conditions_without_geometry_or_with_more_have_none(cities: Path, model: PipelineRecord) -> None:
    assert ConditionClock.of(model, examples_of(cities)) is None


def test_a_curvature_of_dominant_paths_takes_time(cities: Path) -> None:
    assert ConditionClock.of(record(("buildings", "k2"), data={"k2": "dominant-path"}), examples_of(cities)) is not None
    assert ConditionClock.of(record(SEEN), examples_of(cities, size=16)) is None
