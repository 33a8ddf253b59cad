"""What a training run tells its listeners."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Listener", "StepReport", "ValidationReport"]


@dataclass(frozen=True)
class StepReport:
    """One step.

    Attributes:
        step: Number of the step, from 1.
        max_steps: Steps of the whole run.
        epoch: Epoch of the data it ended in, from 0.
        losses: Every loss and weight by name, means over passes and processes.
        learning_rates: Learning rate by network.
        gradient_norms: Norm of the gradients before clipping, by network.
        seconds: Time of each part of the step by name: data, forward, backward, guard, optimizer [s].
        num_examples: Examples of the step, of all processes.
        is_skipped: Whether the guard kept the step from the weights.
        num_skipped: Steps skipped in the run so far.
        note: What the guard did, in a sentence; empty where nothing happened.
    """

    step: int
    max_steps: int
    epoch: int
    losses: Mapping[str, float]
    learning_rates: Mapping[str, float]
    gradient_norms: Mapping[str, float]
    seconds: Mapping[str, float]
    num_examples: int
    is_skipped: bool = False
    num_skipped: int = 0
    note: str = ""


@dataclass(frozen=True)
class ValidationReport:
    """One validation.

    Attributes:
        step: Step after which it was done.
        metrics: Mean over the maps, by name.
        num_examples: Maps.
        protocol: How it was measured: part, scale, averaging, cells.
        per_example: Metrics of each map, by name of the example.
        preview: Picture of truth, prediction and difference, or None.
        checkpoint: The checkpoint that goes with it.
        is_best: Whether no earlier one was better.
    """

    step: int
    metrics: Mapping[str, float]
    num_examples: int
    protocol: str
    per_example: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    preview: Path | None = None
    checkpoint: Path | None = None
    is_best: bool = False


class Listener:
    """Something that follows a run; does nothing by itself. Only the first process has listeners."""

    def on_step(self, report: StepReport) -> None:
        """A step is done."""

    def on_validation(self, report: ValidationReport) -> None:
        """A validation is done and its checkpoint written."""

    def on_message(self, text: str) -> None:
        """Something happened that a person should read."""

    def close(self) -> None:
        """The run has ended, well or not."""
