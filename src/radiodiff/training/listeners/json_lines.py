"""The log of a run for programs: one JSON object per line."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radiodiff.atomic_file import atomic_write
from radiodiff.training.listeners.logged_steps import LoggedSteps
from radiodiff.training.reports import Listener, StepReport, ValidationReport

__all__ = ["JsonLinesListener"]


class JsonLinesListener(Listener):
    """Writes an object for each logged step (`LoggedSteps` says which, and with which means) and each validation.

    A step has `step` and its values by name; `is_skipped` and `note` where the guard acted. A validation has `step`,
    `validation/<metric>`, `validation/num_examples`, `validation/is_best` and `validation/protocol`. JSON has no
    numbers that are not finite: they are null, and `nonfinite` lists their names. Each line reaches the file at once.

    Args:
        path: The file.
        every: Steps between two lines.
        resume_step: Step that the run goes on from; lines beyond it, and one cut short, are removed. 0 for a new run.
    """

    def __init__(self, path: Path, every: int, *, resume_step: int = 0) -> None:
        _remove_beyond(path, resume_step)
        self._steps = LoggedSteps(every)
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115  closed by close()

    def on_step(self, report: StepReport) -> None:
        """Write the step where it is logged."""
        logged = self._steps.add(report)
        if logged is None:
            return
        extra: dict[str, Any] = {"is_skipped": True} if report.is_skipped else {}
        if report.note:
            extra["note"] = report.note
        self._write({"step": report.step}, logged.values, extra)

    def on_validation(self, report: ValidationReport) -> None:
        """Write the metrics."""
        metrics = {f"validation/{name}": value for name, value in report.metrics.items()}
        extra = {
            "validation/num_examples": report.num_examples,
            "validation/is_best": report.is_best,
            "validation/protocol": report.protocol,
        }
        self._write({"step": report.step}, metrics, extra)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, start: Mapping[str, Any], values: Mapping[str, float], extra: Mapping[str, Any]) -> None:
        nonfinite = [name for name, value in values.items() if not math.isfinite(value)]
        content = {**start, **values, **dict.fromkeys(nonfinite), **extra}
        if nonfinite:
            content["nonfinite"] = nonfinite
        self._file.write(json.dumps(content, allow_nan=False) + "\n")
        self._file.flush()


def _remove_beyond(path: Path, step: int) -> None:
    """Remove the lines of later steps and one without an end; lines that are not ours stay."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and _step_of(line) <= step]
    if kept != lines:
        with atomic_write(path) as temporary:
            temporary.write_text("".join(kept), encoding="utf-8")


def _step_of(line: str) -> float:
    """Step of a line, or -1 where it tells none."""
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return -1
    return step if isinstance(step, int | float) else -1
