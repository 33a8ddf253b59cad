"""The log of a run for people."""

from collections.abc import Callable, Mapping
from datetime import datetime
from os import SEEK_END
from pathlib import Path

from radiodiff.training.listeners.logged_steps import LoggedSteps
from radiodiff.training.reports import Listener, StepReport, ValidationReport

__all__ = ["TextLogListener"]


class TextLogListener(Listener):
    """Writes `2026-01-31 20:41:07,123 [step] 35000/150000: nll: 1916.71, ...` and lines alike.

    The words in brackets are step, guard, validation and message; `LoggedSteps` says which steps are logged. A run that
    goes on appends: the lines of steps that are done again stay above.

    Args:
        path: The file.
        every: Steps between two lines.
        now: The clock.
    """

    def __init__(self, path: Path, every: int, *, now: Callable[[], datetime] = datetime.now) -> None:
        self._steps = LoggedSteps(every)
        self._now = now
        is_cut_short = _is_cut_short(path)
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115  closed by close()
        if is_cut_short:
            self._file.write("\n")

    def on_step(self, report: StepReport) -> None:
        """Write the step where it is logged."""
        logged = self._steps.add(report)
        if logged is not None:
            self._write("step", f"{report.step}/{report.max_steps}: {_numbers(logged.values)}")
        if report.note:
            self._write("guard", f"{report.step}/{report.max_steps}: {report.note}")

    def on_validation(self, report: ValidationReport) -> None:
        """Write the metrics."""
        self._write("validation", f"{report.step}: {_numbers(report.metrics)}")
        best = ", best so far" if report.is_best else ""
        self._write("message", f"validation of {report.num_examples} examples, {report.protocol}{best}")

    def on_message(self, text: str) -> None:
        """Write the message."""
        self._write("message", text)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, kind: str, text: str) -> None:
        now = self._now()
        stamp = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03d}"
        self._file.write(f"{stamp} [{kind}] {' '.join(text.split())}\n")
        self._file.flush()


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name}: {value:.6g}" for name, value in values.items())


def _is_cut_short(path: Path) -> bool:
    """Whether the last line of a file has no end."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    with open(path, "rb") as file:
        file.seek(-1, SEEK_END)
        return file.read() != b"\n"
