"""Evaluations of traced maps: cells without a true value count in no figure; engines know heights and carrier."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from evaluation_cases import StandIn, examples_of, truth
from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer import pack_data_set
from radiodiff.data.splits import Split
from radiodiff.errors import TransmitterError
from radiodiff.evaluation.engine_predictor import EnginePredictor
from radiodiff.evaluation.evaluate import Evaluation, EvaluationReport
from radiodiff.propagation import DominantPath, FreeSpace
from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.scene import Grid, Scene, Transmitter
from radiomapseer_examples import TX_HEIGHTS_M, add_heights, add_traced


@dataclass(frozen=True)
class Recorder(PropagationModel):
    """Free space with a hole in the first row, and what it was asked for."""

    name = "recorder"
    reaches_everywhere = False
    asked: tuple[list[Transmitter], ...] = ([],)

    def prepare(self, scene: Scene) -> Solver:
        def solve(txs: Sequence[Transmitter]) -> Iterator[Solution]:
            for tx in txs:
                self.asked[0].append(tx)
                path_loss_db = FreeSpace().radio_map(scene, tx).path_loss_db.astype(np.float64)
                path_loss_db[0] = np.nan
                yield Solution(path_loss_db, {})

        return solve


@pytest.fixture
def traced(cities: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(cities, tmp_path / "traced"))
    add_heights(root)
    add_traced(root)
    return root


def report_of(root: Path, levels: object, **settings: object) -> EvaluationReport:
    evaluation = Evaluation(examples_of(root, **settings), [StandIn("one", levels)])  # type: ignore[arg-type]
    list(evaluation.run(3))
    return evaluation.report()


def holes(root: Path) -> int:
    """Cells of level 0 outside the buildings, over all maps."""
    examples = examples_of(root, simulation="RT")
    batch = next(examples.batches(100))
    return int(without_value(batch).sum())


def without_value(batch: Batch) -> np.ndarray:
    """Cells (B, rows, cols) outside the buildings that have level 0 in the files."""
    assert batch.mask is not None
    return ((truth(batch) == 0) | ~batch.mask[:, 0].numpy()) & (batch.condition[:, 0].numpy() < 0)


def test_what_no_ray_has_found_is_no_error(traced: Path) -> None:
    filled = dict(zip(range(8), truth(next(examples_of(traced).batches(8))), strict=True))
    numbers = iter(range(8))

    def fuller(batch: Batch) -> np.ndarray:
        """The traced maps, with the dominant path where they have no value in the open."""
        whole = np.stack([filled[next(numbers)] for _ in range(len(batch))])
        return np.where(without_value(batch), whole, truth(batch))

    report = report_of(traced, fuller, simulation="RT")
    figures = report.predictors[0].means
    assert figures["rmse"].value == 0.0
    assert figures["outdoor/rmse_db"].value == 0.0
    assert figures["ssim"].value == pytest.approx(1.0)
    assert figures["sharpness_ratio"].value == pytest.approx(1.0)
    assert report.num_unknown == holes(traced) > 0
    assert f"{holes(traced)} cells outside buildings" in report.protocol["unknown"]
    full = report_of(traced, truth)
    assert report.num_cells["outdoor"] + holes(traced) == full.num_cells["outdoor"]
    assert full.num_unknown is None
    assert "unknown" not in full.protocol


def test_an_error_where_there_is_a_value_counts(traced: Path) -> None:
    report = report_of(traced, lambda batch: np.clip(truth(batch) + 0.1, 0, 1), simulation="RT")
    assert report.predictors[0].means["outdoor/rmse"].value > 0.05


def test_levels_below_the_threshold_are_values(traced: Path) -> None:
    evaluation = Evaluation(examples_of(traced, simulation="RT"), [StandIn("one", truth)], scale="thresholded")
    list(evaluation.run())
    assert evaluation.report().num_unknown == holes(traced)


def test_engines_get_heights_and_carrier_of_the_data_set(traced: Path, tmp_path: Path) -> None:
    (traced / "dataset.json").write_text(json.dumps({"frequency_hz": 3.5e9, "cell_size_m": 2.0}))
    Split("all", {"all": (0, 1, 2, 3)}).write(traced / "split.json")
    for _ in pack_data_set(traced, tmp_path / "packed"):
        pass
    for root in (traced, tmp_path / "packed"):
        examples = examples_of(root, simulation="RT")
        engine = Recorder(asked=([],))
        predictor = EnginePredictor(engine, examples)
        batches = [predictor.predict(batch) for batch in examples.batches(5)]
        assert sum(map(len, batches)) == 8
        assert {tx.frequency_hz for tx in engine.asked[0]} == {3.5e9}
        grid = Grid(*examples.source.store.shape, 2.0)
        assert [tx.cell(grid) for tx in engine.asked[0]] == [tuple(examples.source[i].tx) for i in range(8)]
        assert [tx.height_m for tx in engine.asked[0]] == [*TX_HEIGHTS_M[:2]] * 4
        facts = predictor.facts()
        outdoors = [(~examples.source.store.scene("buildings_complete", i).buildings[0]).sum() for i in range(4)]
        assert facts["cells_without_path"] == 2 * sum(outdoors)
        assert (facts["device"], predictor.num_maps) == ("cpu", 3)
        assert facts["seconds_per_map"] == predictor.seconds / 3


def test_engines_have_no_time_before_the_second_batch(cities: Path) -> None:
    examples = examples_of(cities)
    predictor = EnginePredictor(FreeSpace(), examples, "mine")
    predictor.predict(next(examples.batches(8)))
    assert predictor.label == "mine"
    assert "seconds_per_map" not in predictor.facts()
    assert "cells_without_path" not in predictor.facts()


def test_transmitters_above_roofs_are_predicted(traced: Path) -> None:
    scene = examples_of(traced).source.store.scene("buildings_complete", 0)
    row, col = np.argwhere(scene.buildings)[0].tolist()
    (traced / "antenna/0.json").write_text(json.dumps([[col, scene.grid.rows - 1 - row]]))
    (traced / "antenna_heights/0.json").write_text("[60.0]")
    examples = examples_of(traced)
    predicted = EnginePredictor(DominantPath(), examples).predict(next(examples.batches(1)))
    assert predicted[0].max() > 0
    (traced / "antenna_heights/0.json").write_text("[5.0]")
    with pytest.raises(TransmitterError, match="above a roof"):
        EnginePredictor(DominantPath(), examples).predict(next(examples.batches(1)))
