"""Two processes on the CPU: they learn what one does, and decide together."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import debug_launcher
from accelerate.state import AcceleratorState

from radiodiff.training.config import GuardConfig, TrainerConfig
from radiodiff.training.reports import Listener, StepReport
from radiodiff.training.run import TrainingRun, make_accelerator
from radiodiff.training.stopping import StopRequest
from toy_stage import NoiseSource, ToyStage


@pytest.fixture(autouse=True)
def _no_process_group_yet() -> None:
    # Processes that are forked from this one would take over that it runs alone.
    AcceleratorState._reset_state(reset_partial_state=True)


class Notes(Listener):
    """What was said of each step."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_step(self, report: StepReport) -> None:
        self.notes.append(report.note)


def start(folder: Path, stage: ToyStage, **settings: Any) -> TrainingRun:
    torch.set_num_threads(1)
    config = TrainerConfig(
        run_dir=folder, cpu=True, **{"max_steps": 6, "save_every": 3, "loader_threads": 0, "batch_size": 2} | settings
    )
    run = TrainingRun(stage, config, make_accelerator(config))
    for part in (run.folder.checkpoints, run.folder.metrics):
        part.mkdir(parents=True, exist_ok=True)
    return run


def train_with_one_validation_map(folder: str) -> None:
    run = start(Path(folder), ToyStage(norm=False, dropout=0.0), validation={"num_examples": 1})
    run.run()
    rank = run.engine.accelerator.process_index
    torch.save(run.engine.stage.networks["net"].state_dict(), Path(folder) / f"weights-{rank}.pt")


def test_processes_have_the_same_weights_though_one_has_nothing_to_validate(tmp_path: Path) -> None:
    debug_launcher(train_with_one_validation_map, (str(tmp_path),), num_processes=2)
    first, second = (torch.load(tmp_path / f"weights-{rank}.pt", weights_only=True) for rank in (0, 1))
    alone = start(tmp_path / "alone", ToyStage(norm=False, dropout=0.0), batch_size=4)
    alone.run()
    for name, value in alone.engine.stage.networks["net"].state_dict().items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value, rtol=0, atol=1e-5)
    assert json.loads((tmp_path / "metrics" / "step-00000003.json").read_text())["num_examples"] == 1


def train_on_broken_data(folder: str) -> None:
    # One example of 24 is broken: it comes to one process, in one step of an epoch of six.
    stage = ToyStage(NoiseSource(broken=frozenset({7})), norm=False)
    stage.validation_source = NoiseSource()
    run = start(Path(folder), stage, max_steps=12, save_every=12, guard=GuardConfig(rollback_after=3))
    listener = Notes()
    run.run([listener])
    rank = run.engine.accelerator.process_index
    found = {"skipped": run.engine.guard.num_skipped, "notes": listener.notes, "updates": run.engine.progress.updates}
    (Path(folder) / f"found-{rank}.json").write_text(json.dumps(found))


def test_all_skip_what_one_could_not_take(tmp_path: Path) -> None:
    debug_launcher(train_on_broken_data, (str(tmp_path),), num_processes=2)
    found = [json.loads((tmp_path / f"found-{rank}.json").read_text()) for rank in (0, 1)]
    assert [result["skipped"] for result in found] == [2, 2]
    assert [result["updates"] for result in found] == [10, 10]
    # The first process says which example, though the other one read it.
    assert sum("map7" in note for note in found[0]["notes"]) == 2


def stop_one(folder: str) -> None:
    run = start(Path(folder), ToyStage(), max_steps=50)
    stop = StopRequest()
    for report in run.engine.train(stop):
        if report.step == 4 and run.engine.accelerator.process_index == 1:
            stop.signal = 15
    (Path(folder) / f"end-{run.engine.accelerator.process_index}.txt").write_text(str(report.step))


def test_all_stop_when_one_is_asked_to(tmp_path: Path) -> None:
    debug_launcher(stop_one, (str(tmp_path),), num_processes=2)
    assert [(tmp_path / f"end-{rank}.txt").read_text() for rank in (0, 1)] == ["5", "5"]
