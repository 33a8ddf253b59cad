"""Reports of made-up steps."""

from collections.abc import Mapping
from typing import Any

from radiodiff.training.reports import StepReport


def step_report(step: int, losses: Mapping[str, float] | None = None, **changes: Any) -> StepReport:
    """A step of 4 examples that took 0.2 s; its losses are `{"nll": step}` unless given."""
    values: dict[str, Any] = {
        "max_steps": 10,
        "epoch": 0,
        "learning_rates": {"autoencoder": 5e-6},
        "gradient_norms": {"autoencoder": 2.0},
        "seconds": {"data": 0.05, "forward": 0.15},
        "num_examples": 4,
    }
    return StepReport(step=step, losses={"nll": float(step)} if losses is None else losses, **(values | changes))
