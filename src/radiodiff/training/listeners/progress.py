"""A bar on the terminal."""

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from radiodiff.training.reports import Listener, StepReport, ValidationReport

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

__all__ = ["ProgressListener"]

REFRESH_SECONDS = 0.2

BAR_WIDTH = 12

VALIDATED = ("loss", "nll", "rmse", "rmse_db", "outdoor/rmse_db")
"""Metrics of a validation that are printed, as far as it has them; all are in the log."""

SMOOTHING = 0.98
"""Share of the old value in the speed shown: about the last fifty steps."""


class ProgressListener(Listener):
    """Draws steps, speed, time left and the chosen losses, with messages above; without a terminal, messages alone.

    Args:
        shown: Names of losses to show, as far as the run has them.
        console: Where to draw; None takes stderr.
    """

    def __init__(
        self, shown: Sequence[str] = ("total", "l1", "discriminator"), console: "Console | None" = None
    ) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._shown = tuple(shown)
        self._console = console or Console(stderr=True)
        self._is_on = self._console.is_terminal
        self._progress = Progress(
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            # Last: a narrow terminal cuts it first.
            TextColumn("{task.description}", markup=False),
            console=self._console,
            disable=not self._is_on,
        )
        self._task: TaskID | None = None
        self._seconds_per_example = 0.0
        self._drawn = -REFRESH_SECONDS

    def on_step(self, report: StepReport) -> None:
        """Move the bar."""
        if report.note:
            self.on_message(f"step {report.step}: {report.note}")
        if not self._is_on:
            return
        seconds = sum(report.seconds.values()) / max(report.num_examples, 1)
        share = SMOOTHING if self._task is not None else 0.0
        self._seconds_per_example = share * self._seconds_per_example + (1.0 - share) * seconds
        if self._task is None:
            self._task = self._progress.add_task("", total=report.max_steps, completed=report.step)
            self._progress.start()
        now = monotonic()
        if now - self._drawn >= REFRESH_SECONDS or report.step == report.max_steps:
            self._drawn = now
            self._progress.update(self._task, completed=report.step, description=self._description(report))

    def on_validation(self, report: ValidationReport) -> None:
        """Print the metrics."""
        chosen = {
            name: value
            for name, value in report.metrics.items()
            # What stands before may say with how many steps maps were drawn.
            if name in VALIDATED or (name.startswith("steps_") and name.partition("/")[2] in VALIDATED)
        }
        metrics = ", ".join(f"{name} {value:.4g}" for name, value in (chosen or report.metrics).items())
        best = " (best so far)" if report.is_best else ""
        self.on_message(f"step {report.step}: validation on {report.num_examples} examples: {metrics}{best}")

    def on_message(self, text: str) -> None:
        """Print a message above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=not self._is_on)

    def close(self) -> None:
        """Leave the bar as it is and give the terminal back."""
        self._progress.stop()

    def _description(self, report: StepReport) -> str:
        parts = [f"{name} {report.losses[name]:.4g}" for name in self._shown if name in report.losses]
        if self._seconds_per_example > 0:
            parts.append(f"{1.0 / self._seconds_per_example:.3g} examples/s")
        if report.num_skipped:
            parts.append(f"{report.num_skipped} skipped")
        return ", ".join(parts)
