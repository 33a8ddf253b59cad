import json
import os
import signal
from pathlib import Path

import pytest
import torch

from radiodiff.errors import CheckpointError, ConfigError, DataSetError, TrainingError
from radiodiff.training import checkpoint
from radiodiff.training.config import EmaConfig, GuardConfig, OptimizerConfig, TrainerConfig
from radiodiff.training.reports import Listener, StepReport, ValidationReport
from radiodiff.training.run import Outcome, TrainingRun, make_accelerator
from toy_stage import NoiseSource, ToyStage


class Recorder(Listener):
    """Keeps what it is told, and may act on a step."""

    def __init__(self, at: int = 0, action: object = None) -> None:
        self.steps: list[StepReport] = []
        self.validations: list[ValidationReport] = []
        self.messages: list[str] = []
        self.is_closed = False
        self._at, self._action = at, action

    def on_step(self, report: StepReport) -> None:
        self.steps.append(report)
        if report.step == self._at and callable(self._action):
            self._action()

    def on_validation(self, report: ValidationReport) -> None:
        self.validations.append(report)

    def on_message(self, text: str) -> None:
        self.messages.append(text)

    def close(self) -> None:
        self.is_closed = True


def prepared(folder: Path, stage: ToyStage | None = None, resume: str | None = None, **settings: object) -> TrainingRun:
    config = TrainerConfig(run_dir=folder, **{"max_steps": 12, "cpu": True, "save_every": 4} | settings)
    run = TrainingRun(stage or ToyStage(), config, make_accelerator(config), resume)
    for part in (run.folder.checkpoints, run.folder.metrics, run.folder.samples):
        part.mkdir(parents=True, exist_ok=True)
    return run


def result(folder: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(folder / "net" / "weights.pt", weights_only=True)
    return loaded


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_leaves_checkpoints_metrics_and_a_model(tmp_path: Path) -> None:
    recorder = Recorder()
    outcome = prepared(tmp_path).run([recorder])
    assert outcome == Outcome(12, "all steps are done", tmp_path / "net", None)
    assert [report.step for report in recorder.validations] == [4, 8, 12]
    assert recorder.is_closed
    for report in recorder.validations:
        written = json.loads((tmp_path / "metrics" / f"step-{report.step:08d}.json").read_text())
        assert written["metrics"] == dict(report.metrics)
        assert written["num_examples"] == 24
        mean = sum(row["rmse"] for row in written["per_example"].values()) / 24
        assert report.metrics["rmse"] == pytest.approx(mean)
    best = min(recorder.validations, key=lambda report: report.metrics["rmse"])
    assert best.is_best
    assert json.loads((tmp_path / "checkpoints" / "best.json").read_text())["step"] == best.step


@pytest.mark.parametrize("which", ["latest", "1"])
def test_an_interrupted_run_goes_on_as_if_nothing_happened(tmp_path: Path, which: str) -> None:
    prepared(tmp_path / "whole").run()
    recorder = Recorder(6, lambda: os.kill(os.getpid(), signal.SIGTERM))
    # The signal comes while step 6 is reported: the run ends after the next one.
    outcome = prepared(tmp_path / "parts").run([recorder])
    assert (outcome.step, outcome.model, outcome.signal) == (7, None, signal.SIGTERM)
    run = prepared(tmp_path / "parts", resume=which)
    assert run.resume_step == (7 if which == "latest" else 4)
    assert run.run().step == 12
    assert same(result(tmp_path / "whole"), result(tmp_path / "parts"))


def test_a_time_budget_ends_with_checkpoint_validation_and_model(tmp_path: Path) -> None:
    recorder = Recorder()
    outcome = prepared(tmp_path, max_steps=1_000_000, save_every=1_000_000, max_minutes=0.3 / 60).run([recorder])
    assert 0 < outcome.step < 1_000_000
    assert outcome.reason == "the time budget is used up"
    assert outcome.model == tmp_path / "net"
    assert [report.step for report in recorder.validations] == [outcome.step]
    assert (tmp_path / "checkpoints" / f"step-{outcome.step:08d}").is_dir()


class Vanishing(NoiseSource):
    """Loses its files after some reads."""

    reads = 0

    def __getitem__(self, index: object) -> object:
        self.reads += 1
        if self.reads > 15:
            raise DataSetError("A file must be there", value="map3.png", remedy="Restore it.")
        return super().__getitem__(index)  # type: ignore[arg-type]


def test_data_that_vanish_leave_the_state_of_the_last_step(tmp_path: Path) -> None:
    recorder = Recorder()
    stage = ToyStage(Vanishing())
    stage.validation_source = NoiseSource()
    with pytest.raises(DataSetError, match=r"map3\.png"):
        prepared(tmp_path / "parts", stage, loader_threads=0).run([recorder])
    assert recorder.is_closed
    assert recorder.steps[-1].step == 6
    run = prepared(tmp_path / "parts", resume="latest")
    assert run.resume_step == 6
    run.run()
    prepared(tmp_path / "whole").run()
    assert same(result(tmp_path / "whole"), result(tmp_path / "parts"))


def test_a_full_disk_stops_the_run_and_keeps_the_earlier_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = checkpoint.save_file

    def full(tensors: object, file: Path) -> None:
        if any(tmp_path.glob("checkpoints/step-00000004")):
            raise OSError(28, "No space left on device")
        write(tensors, file)

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(CheckpointError, match="No space left"):
        prepared(tmp_path).run()
    monkeypatch.undo()
    assert prepared(tmp_path, resume="latest").resume_step == 4


@pytest.mark.parametrize("average", [EmaConfig(), None])
def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path, average: EmaConfig | None) -> None:
    stage = ToyStage()

    def spoil() -> None:
        with torch.no_grad():
            stage.networks["net"][0].weight.fill_(float("nan"))

    recorder = Recorder(3, spoil)
    prepared(tmp_path, stage, save_every=4, max_steps=20, ema=average).run([recorder])
    # At step 4 the weights are not finite: the only checkpoint is that of step 0, to which the guard goes back.
    assert any("back to the weights of step-00000000" in report.note for report in recorder.steps)
    assert not recorder.steps[-1].is_skipped
    assert all(torch.isfinite(value).all() for value in result(tmp_path).values())


def test_a_run_can_go_on_with_another_learning_rate(tmp_path: Path) -> None:
    prepared(tmp_path).run([Recorder()])
    recorder = Recorder()
    stage = ToyStage(optimizer=OptimizerConfig(learning_rate=3e-5))
    prepared(tmp_path, stage, resume="latest", max_steps=24).run([recorder])
    assert recorder.steps[0].step == 13
    assert recorder.steps[0].learning_rates["net"] == pytest.approx(3e-5 * 0.5**0.95)


def test_a_run_that_is_done_only_exports(tmp_path: Path) -> None:
    prepared(tmp_path).run()
    before = result(tmp_path)
    recorder = Recorder()
    outcome = prepared(tmp_path, resume="latest").run([recorder])
    assert outcome.step == 12
    assert recorder.steps == []
    assert same(before, result(tmp_path))


def test_a_run_that_goes_back_leaves_the_other_branch_behind(tmp_path: Path) -> None:
    prepared(tmp_path, keep_last=5).run()
    recorder = Recorder()
    stage = ToyStage(change_loss=lambda step, loss: loss * float("nan") if 5 <= step <= 6 else loss)
    # The guard goes back to the checkpoint of step 4, not to one that was written beyond it before.
    prepared(tmp_path, stage, resume="1", keep_last=5, guard=GuardConfig(rollback_after=2)).run([recorder])
    assert any("after-step-00000004" in message for message in recorder.messages)
    assert "back to the weights of step-00000004" in recorder.steps[1].note
    assert sorted(path.name for path in (tmp_path / "checkpoints").glob("step-*"))[-1] == "step-00000012"


def test_a_signal_during_the_last_step_ends_a_finished_run(tmp_path: Path) -> None:
    recorder = Recorder(11, lambda: os.kill(os.getpid(), signal.SIGTERM))
    outcome = prepared(tmp_path).run([recorder])
    assert outcome == Outcome(12, "all steps are done", tmp_path / "net", None)


def test_data_that_cannot_be_read_come_out_before_a_run_begins(tmp_path: Path) -> None:
    source = Vanishing()
    source.reads = 99
    with pytest.raises(DataSetError, match=r"map3\.png"):
        prepared(tmp_path, ToyStage(source))
    with pytest.raises(DataSetError, match="at least one batch"):
        prepared(tmp_path, batch_size=640)


def test_a_milestone_waits_for_a_good_step(tmp_path: Path) -> None:
    recorder = Recorder()
    stage = ToyStage(change_loss=lambda step, loss: loss * float("nan") if 4 <= step <= 5 else loss)
    outcome = prepared(tmp_path, stage).run([recorder])
    assert [report.step for report in recorder.validations] == [6, 8, 12]
    assert outcome.num_skipped == 2


def test_a_run_that_ends_in_skipped_steps_is_looked_at_first(tmp_path: Path) -> None:
    # Only the loss is bad: the weights are those of step 10, and good.
    bad_loss = ToyStage(change_loss=lambda step, loss: loss * float("nan") if step > 10 else loss)
    outcome = prepared(tmp_path / "loss", bad_loss).run()
    assert (outcome.step, outcome.num_skipped, outcome.model) == (12, 2, tmp_path / "loss" / "net")
    bad_weights = ToyStage()

    def spoil() -> None:
        with torch.no_grad():
            bad_weights.networks["net"][0].weight.fill_(float("nan"))

    with pytest.raises(TrainingError, match=r"its last 2 steps were skipped.*Go on from a checkpoint"):
        prepared(tmp_path / "weights", bad_weights, ema=None).run([Recorder(10, spoil)])
    assert not (tmp_path / "weights" / "net").exists()


def test_a_checkpoint_from_which_no_step_is_good_is_left_for_an_older_one(tmp_path: Path) -> None:
    stage = ToyStage(norm=False)
    recorder = Recorder()

    def blow_up(step: int, loss: torch.Tensor) -> torch.Tensor:
        # What step 4 left behind is finite, and every step from it is not.
        weight = stage.networks["net"][0].weight
        if step == 4:
            with torch.no_grad():
                weight.fill_(1e30)
            return weight.sum() * 0.0
        return loss

    stage.change_loss = blow_up
    prepared(tmp_path, stage, max_steps=20, ema=None, guard=GuardConfig(rollback_after=2)).run([recorder])
    notes = [report.note for report in recorder.steps if "back to" in report.note]
    assert ["step-00000004" in notes[0], "step-00000000" in notes[1]] == [True, True]
    assert any("step 4: no validation" in message for message in recorder.messages)
    assert not recorder.steps[-1].is_skipped


@pytest.mark.parametrize("tf32", [True, False])
def test_arithmetic_is_chosen_before_the_first_map_is_encoded(tmp_path: Path, tf32: bool) -> None:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        make_accelerator(TrainerConfig(run_dir=tmp_path, cpu=True, tf32=tf32))
        assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (tf32, tf32)
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def test_more_steps_than_wanted_are_refused(tmp_path: Path) -> None:
    prepared(tmp_path).run()
    with pytest.raises(ConfigError, match="must not lie behind the checkpoint"):
        prepared(tmp_path, resume="latest", max_steps=4)
