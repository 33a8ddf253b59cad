"""Two processes train the second stage as one does."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import debug_launcher
from accelerate.state import AcceleratorState

from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.training.config import TrainerConfig
from radiodiff.training.diffusion_stage import DiffusionStage
from radiodiff.training.regression_stage import RegressionStage
from radiodiff.training.reports import Listener, StepReport
from radiodiff.training.run import TrainingRun, make_accelerator
from second_stage import diffusion_parts, make_city, regression_parts


@pytest.fixture(autouse=True)
def _no_process_group_yet() -> None:
    # Processes that are forked from this one would take over that it runs alone.
    AcceleratorState._reset_state(reset_partial_state=True)


class Trace(Listener):
    """Losses and norms of gradients of each step."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_step(self, report: StepReport) -> None:
        norms = {f"norm of {name}": value for name, value in report.gradient_norms.items()}
        self.rows.append(dict(report.losses) | norms)


def train(city: str, folder: str, kind: str, batch_size: int) -> None:
    torch.set_num_threads(1)
    source = open_data_set(RadioMapSeerConfig(root=Path(city), part="all", augment=True))
    config = TrainerConfig(
        run_dir=Path(folder),
        cpu=True,
        max_steps=3,
        save_every=3,
        batch_size=batch_size,
        loader_threads=0,
        validation={"num_examples": 3, "num_previews": 0},
    )
    stage: Any
    if kind == "diffusion":
        stage = DiffusionStage(diffusion_parts(source))
    else:
        stage = RegressionStage(regression_parts(source))
    run = TrainingRun(stage, config, make_accelerator(config))
    for part in (run.folder.checkpoints, run.folder.metrics):
        part.mkdir(parents=True, exist_ok=True)
    trace = Trace()
    run.run([trace])
    (Path(folder) / f"trace-{run.engine.accelerator.process_index}.json").write_text(json.dumps(trace.rows))
    (network,) = stage.networks.values()
    torch.save(network.state_dict(), Path(folder) / f"weights-{run.engine.accelerator.process_index}.pt")


@pytest.mark.parametrize("kind", ["diffusion", "regression"])
def test_two_processes_do_what_one_does(tmp_path: Path, kind: str) -> None:
    city = str(make_city(tmp_path / "city", num_maps=2, num_tx=4))
    both, alone = tmp_path / "both", tmp_path / "alone"
    for folder in (both, alone):
        folder.mkdir()
    debug_launcher(train, (city, str(both), kind, 2), num_processes=2)
    train(city, str(alone), kind, 4)
    first, second = (torch.load(both / f"weights-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    # The weights themselves are not compared: AdamW makes a whole step of a gradient that is 0 but for rounding.
    traces = [json.loads((folder / "trace-0.json").read_text()) for folder in (both, alone)]
    for row, expected in zip(*traces, strict=True):
        assert row == pytest.approx(expected, rel=1e-3)
    found, wanted = (json.loads((folder / "metrics" / "step-00000003.json").read_text()) for folder in (both, alone))
    assert found["per_example"].keys() == wanted["per_example"].keys()
    for name, row in wanted["per_example"].items():
        for figure in ("rmse", "loss"):
            assert found["per_example"][name][figure] == pytest.approx(row[figure], rel=2e-3)
