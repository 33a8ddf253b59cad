"""Two processes on the CPU: they learn what one does, and decide together."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import debug_launcher
from accelerate.state import AcceleratorState

from radiodiff.data.example import Draw, Example
from radiodiff.errors import DataSetError, RadiodiffError
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


class Vanishing(NoiseSource):
    """Loses its files after the first steps, in the second process."""

    reads = 0

    def __getitem__(self, index: int | Draw) -> Example:
        self.reads += 1
        if self.reads > 8 and AcceleratorState().process_index == 1:
            raise DataSetError("A file must be there", value="map3.png", remedy="Restore it.")
        return super().__getitem__(index)


def lose_data_in_one(folder: str) -> None:
    run = start(Path(folder), ToyStage(Vanishing()), max_steps=50, save_every=50)
    try:
        run.run()
    except DataSetError as error:
        rank = run.engine.accelerator.process_index
        (Path(folder) / f"error-{rank}.txt").write_text(str(error))


def test_all_end_where_one_cannot_read_and_the_state_is_saved(tmp_path: Path) -> None:
    debug_launcher(lose_data_in_one, (str(tmp_path),), num_processes=2)
    errors = [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)]
    assert "another process" in errors[0]
    assert "map3.png" in errors[1]
    assert sorted(path.name for path in (tmp_path / "checkpoints").glob("step-*"))[-1] == "step-00000003"


class Killer(Listener):
    """Sends a signal to its own process."""

    def on_step(self, report: StepReport) -> None:
        if report.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)


def kill_one(folder: str) -> None:
    run = start(Path(folder), ToyStage(), max_steps=50)
    # Only the first process has listeners: the signal comes to it alone.
    outcome = run.run([Killer()])
    (Path(folder) / f"end-{run.engine.accelerator.process_index}.txt").write_text(f"{outcome.step} {outcome.signal}")


def test_a_signal_to_one_ends_all_alike(tmp_path: Path) -> None:
    debug_launcher(kill_one, (str(tmp_path),), num_processes=2)
    assert [(tmp_path / f"end-{rank}.txt").read_text() for rank in (0, 1)] == ["5 15", "5 15"]


def fail_in_the_first(folder: str) -> None:
    run = start(Path(folder), ToyStage())
    # Both have made the folder; only one removes it.
    run.engine.accelerator.wait_for_everyone()
    if run.engine.accelerator.is_main_process:
        shutil.rmtree(run.folder.metrics)
    run.engine.accelerator.wait_for_everyone()
    try:
        run.run()
    except RadiodiffError as error:
        rank = run.engine.accelerator.process_index
        (Path(folder) / f"error-{rank}.txt").write_text(type(error).__name__)


def test_what_fails_in_the_first_process_ends_all(tmp_path: Path) -> None:
    debug_launcher(fail_in_the_first, (str(tmp_path),), num_processes=2)
    assert [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)] == ["FormatError", "FormatError"]


def stop_one(folder: str) -> None:
    run = start(Path(folder), ToyStage(), max_steps=50)
    stop = StopRequest()
    for report in run.engine.train(stop):
        if report.step == 4 and run.engine.accelerator.process_index == 1:
            stop.received = 15
    (Path(folder) / f"end-{run.engine.accelerator.process_index}.txt").write_text(str(report.step))


def test_all_stop_when_one_is_asked_to(tmp_path: Path) -> None:
    debug_launcher(stop_one, (str(tmp_path),), num_processes=2)
    assert [(tmp_path / f"end-{rank}.txt").read_text() for rank in (0, 1)] == ["5", "5"]
