"""The logs of a run: JSON lines and text."""

import json
import math
from datetime import datetime
from pathlib import Path

import pytest
from step_reports import step_report

from radiodiff.training.listeners import JsonLinesListener, TextLogListener
from radiodiff.training.reports import Listener, ValidationReport

VALIDATION = ValidationReport(
    step=4,
    metrics={"rmse": 0.03125, "psnr": math.inf},
    num_examples=8,
    protocol="part validation, raw scale",
    is_best=True,
)


def run(listener: Listener, first: int, last: int) -> None:
    for step in range(first, last + 1):
        listener.on_step(step_report(step))
        if step == 4:
            listener.on_validation(VALIDATION)
    listener.close()


def json_lines(path: Path) -> list[dict]:
    def refuse(name: str) -> None:
        raise ValueError(name)

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


def text_listener(path: Path, every: int = 2) -> TextLogListener:
    return TextLogListener(path, every, now=lambda: datetime(2026, 1, 31, 20, 41, 7, 123_999))


def test_a_json_line_holds_step_and_every_loss(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    listener = JsonLinesListener(path, 1)
    listener.on_step(step_report(1, {"nll": 2.5, "kl": 1e-9, "adaptive weight": 3.0}))
    # Before close: a line is on the disk at once.
    assert json_lines(path) == [
        {
            "step": 1,
            "nll": 2.5,
            "kl": 1e-9,
            "adaptive weight": 3.0,
            "lr/autoencoder": 5e-6,
            "grad_norm/autoencoder": 2.0,
            "seconds/data": 0.05,
            "seconds/forward": 0.15,
            "examples_per_second": pytest.approx(20.0),
            "epoch": 0,
            "skipped": 0,
        }
    ]
    listener.close()


def test_values_that_are_not_finite_are_null_and_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    listener = JsonLinesListener(path, 100)
    losses = {"nll": math.nan, "kl": 1.0, "total": -math.inf}
    norms = {"autoencoder": math.inf}
    report = step_report(3, losses, gradient_norms=norms, is_skipped=True, num_skipped=1, note="skipped: nll is nan")
    listener.on_step(report)
    listener.close()
    (line,) = json_lines(path)
    assert line["nonfinite"] == ["nll", "total", "grad_norm/autoencoder"]
    assert line["nll"] is line["total"] is line["grad_norm/autoencoder"] is None
    assert (line["kl"], line["is_skipped"], line["skipped"]) == (1.0, True, 1)
    assert line["note"] == "skipped: nll is nan"


def test_a_validation_has_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    listener = JsonLinesListener(path, 1)
    listener.on_validation(VALIDATION)
    listener.close()
    assert json_lines(path) == [
        {
            "step": 4,
            "validation/rmse": 0.03125,
            "validation/psnr": None,
            "validation/num_examples": 8,
            "validation/is_best": True,
            "validation/protocol": "part validation, raw scale",
            "nonfinite": ["validation/psnr"],
        }
    ]


def test_a_run_that_goes_on_has_no_step_twice(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.jsonl", tmp_path / "log.jsonl"
    run(JsonLinesListener(whole, 2), 1, 10)
    run(JsonLinesListener(path, 2), 1, 7)
    with open(path, "a") as file:
        file.write('{"step": 8, "nl')
    run(JsonLinesListener(path, 2, resume_step=4), 5, 10)
    assert json_lines(path) == json_lines(whole)
    assert sorted(tmp_path.iterdir()) == [path, whole]


def test_lines_of_others_stay_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('not JSON\n{"note": "by hand"}\n[3]\n{"step": 9}\n{"step": "x"}\n')
    JsonLinesListener(path, 2, resume_step=4).close()
    assert path.read_text() == 'not JSON\n{"note": "by hand"}\n[3]\n{"step": "x"}\n'


def test_text_lines(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    listener = text_listener(path, every=100)
    losses = {"nll": 1916.70959, "kl": -1.23456789e-7}
    listener.on_step(step_report(1, losses, max_steps=150_000, seconds={}))
    note = "nll is nan: step skipped"
    listener.on_step(step_report(2, {"nll": math.nan}, seconds={}, is_skipped=True, num_skipped=1, note=note))
    listener.on_validation(VALIDATION)
    listener.on_message("two\nlines")
    listener.close()
    stamp = "2026-01-31 20:41:07,123"
    assert path.read_text().splitlines() == [
        f"{stamp} [step] 1/150000: nll: 1916.71, kl: -1.23457e-07, lr/autoencoder: 5e-06, grad_norm/autoencoder: 2, "
        "epoch: 0, skipped: 0",
        f"{stamp} [step] 2/10: nll: nan, lr/autoencoder: 5e-06, grad_norm/autoencoder: 2, epoch: 0, skipped: 1",
        f"{stamp} [guard] 2/10: nll is nan: step skipped",
        f"{stamp} [validation] 4: rmse: 0.03125, psnr: inf",
        f"{stamp} [message] validation of 8 examples, part validation, raw scale, best so far",
        f"{stamp} [message] two lines",
    ]


@pytest.mark.parametrize(("before", "kept"), [("", ""), ("a\n", "a\n"), ("a\nb", "a\nb\n")])
def test_the_text_log_goes_on_at_a_new_line(tmp_path: Path, before: str, kept: str) -> None:
    path = tmp_path / "train.log"
    path.write_text(before)
    listener = text_listener(path)
    listener.on_message("on we go")
    listener.close()
    assert path.read_text() == kept + "2026-01-31 20:41:07,123 [message] on we go\n"
