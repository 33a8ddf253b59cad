"""Which steps are logged, and with which values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from radiodiff.training.reports import StepReport

__all__ = ["LoggedStep", "LoggedSteps"]


@dataclass(frozen=True)
class LoggedStep:
    """What is logged of a step, and of those since the one logged before.

    Attributes:
        report: The step.
        values: By name: losses as the run names them, `lr/<network>`, `grad_norm/<network>`, `seconds/<part>`,
            `examples_per_second`, `epoch` and `skipped`, the number of steps skipped in the run.
    """

    report: StepReport
    values: Mapping[str, float]


@dataclass
class Means:
    """Running means by name; a name counts the steps that have it."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, float], prefix: str = "") -> None:
        """Count the values of a step."""
        for name, value in values.items():
            key = prefix + name
            self.sums[key] = self.sums.get(key, 0.0) + value
            self.counts[key] = self.counts.get(key, 0) + 1

    def take(self) -> dict[str, float]:
        """The means so far, which start anew."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


@dataclass
class LoggedSteps:
    """Gathers steps and gives those that are logged: the first, every n-th, the last, and what the guard notes.

    Losses, gradient norms and times are means over the steps since the last logged one; learning rates and counts are
    those of the step itself. Skipped steps enter no mean of losses and norms. A step that is logged because it was
    skipped has its own losses and norms instead, and leaves the means to the next one.

    Attributes:
        every: Steps between two logged ones.
    """

    every: int
    _losses: Means = field(default_factory=Means)
    _norms: Means = field(default_factory=Means)
    _seconds: Means = field(default_factory=Means)
    _num_examples: int = 0
    _total_seconds: float = 0.0

    def add(self, report: StepReport) -> LoggedStep | None:
        """The step as it is logged, or None where it is not."""
        self._seconds.add(report.seconds, "seconds/")
        self._num_examples += report.num_examples
        self._total_seconds += sum(report.seconds.values())
        if not report.is_skipped:
            self._losses.add(report.losses)
            self._norms.add(report.gradient_norms, "grad_norm/")
        is_regular = report.step == 1 or report.step % self.every == 0 or report.step == report.max_steps
        if not (is_regular or report.is_skipped or report.note):
            return None
        losses, norms = self._losses, self._norms
        if report.is_skipped:
            losses, norms = Means(), Means()
            losses.add(report.losses)
            norms.add(report.gradient_norms, "grad_norm/")
        rate = {"examples_per_second": self._num_examples / self._total_seconds} if self._total_seconds > 0 else {}
        self._num_examples, self._total_seconds = 0, 0.0
        return LoggedStep(
            report,
            {
                **losses.take(),
                **{f"lr/{name}": value for name, value in report.learning_rates.items()},
                **norms.take(),
                **self._seconds.take(),
                **rate,
                "epoch": report.epoch,
                "skipped": report.num_skipped,
            },
        )
