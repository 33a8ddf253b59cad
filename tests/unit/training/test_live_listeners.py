"""What is drawn while a run goes: the bar, and TensorBoard."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from step_reports import step_report
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from radiodiff.training.listeners import ProgressListener, TensorBoardListener
from radiodiff.training.reports import ValidationReport


def drawn(steps: int, **changes: object) -> str:
    stream = io.StringIO()
    listener = ProgressListener(console=Console(file=stream, force_terminal=True, width=200, color_system=None))
    for step in range(1, steps + 1):
        listener.on_step(step_report(step, {"total": 5.25, "l1": 0.0312, "kl": 9.0}, **changes))
    listener.on_message("[bold] checkpoint")
    listener.on_validation(
        ValidationReport(step=steps, metrics={"rmse": 0.02}, num_examples=8, protocol="", is_best=True)
    )
    listener.close()
    return stream.getvalue()


def test_the_bar_shows_losses_speed_and_skipped_steps() -> None:
    text = drawn(10, num_skipped=3, note="")
    assert "10/10" in text
    assert "total 5.25, l1 0.0312, 20 examples/s, 3 skipped" in text
    assert "kl" not in text
    assert "[bold] checkpoint" in text
    assert "step 10: validation on 8 examples: rmse 0.02 (best so far)" in text


def test_of_a_validation_with_many_metrics_the_main_ones_are_printed() -> None:
    names = ("loss", "mse", "rmse_db", "outdoor/rmse_db", "steps_5/outdoor/rmse_db", "steps_5/ssim", "channel/rmse_db")
    stream = io.StringIO()
    listener = ProgressListener(console=Console(file=stream, width=300))
    listener.on_validation(ValidationReport(step=1, metrics=dict.fromkeys(names, 2.0), num_examples=8, protocol=""))
    wanted = "loss 2, rmse_db 2, outdoor/rmse_db 2, steps_5/outdoor/rmse_db 2"
    assert stream.getvalue() == f"step 1: validation on 8 examples: {wanted}\n"


def test_the_bar_begins_at_the_first_step_of_a_run_that_goes_on() -> None:
    stream = io.StringIO()
    listener = ProgressListener(console=Console(file=stream, force_terminal=True, width=200, color_system=None))
    listener.on_step(step_report(9, note="rolled back"))
    listener.close()
    assert "9/10" in stream.getvalue()
    assert "step 9: rolled back" in stream.getvalue()


def test_without_a_terminal_messages_are_printed_and_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    listener = ProgressListener()
    listener.on_step(step_report(1, note="skipped"))
    listener.on_message("saved")
    listener.on_validation(ValidationReport(step=1, metrics={}, num_examples=1, protocol=""))
    listener.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["step 1: skipped", "saved", "step 1: validation on 1 examples: "]


def events(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder)).Reload()


def test_tensorboard_has_scalars_text_and_pictures(tmp_path: Path) -> None:
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    Image.fromarray(pixels).save(tmp_path / "preview.png")
    listener = TensorBoardListener(tmp_path / "tb", 2)
    for step in range(1, 5):
        listener.on_step(step_report(step, note="odd" if step == 3 else ""))
    report = ValidationReport(
        step=4, metrics={"rmse": 0.5}, num_examples=2, protocol="", preview=tmp_path / "preview.png"
    )
    listener.on_validation(report)
    listener.on_message("done")
    listener.close()
    found = events(tmp_path / "tb")
    points = [(point.step, point.value) for point in found.Scalars("train/nll")]
    assert points == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    assert found.Scalars("lr/autoencoder")[0].value == pytest.approx(5e-6)
    assert [(point.step, point.value) for point in found.Scalars("validation/rmse")] == [(4, 0.5)]
    (image,) = found.Images("validation/preview")
    assert image.step == 4
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.encoded_image_string))), pixels)
    assert [note.step for note in found.Tensors("messages/text_summary")] == [3, 4]


def test_a_run_that_goes_on_hides_the_later_points(tmp_path: Path) -> None:
    for resume_step, first, last, offset in ((0, 1, 8, 0.0), (4, 5, 6, 100.0)):
        listener = TensorBoardListener(tmp_path, 1, resume_step=resume_step)
        for step in range(first, last + 1):
            listener.on_step(step_report(step, {"nll": step + offset}))
        listener.close()
    points = [(point.step, point.value) for point in events(tmp_path).Scalars("train/nll")]
    assert points == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, 105.0), (6, 106.0)]


def test_tensorboard_takes_values_that_are_not_finite(tmp_path: Path) -> None:
    listener = TensorBoardListener(tmp_path, 1)
    listener.on_step(step_report(1, {"nll": math.nan}, is_skipped=True, num_skipped=1))
    listener.close()
    assert math.isnan(events(tmp_path).Scalars("train/nll")[0].value)
