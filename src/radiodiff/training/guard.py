"""What happens when a loss or a gradient is not finite."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from radiodiff.errors import TrainingError
from radiodiff.training.config import GuardConfig

__all__ = ["Guard", "Verdict"]


class Verdict(Enum):
    """What to do with a step."""

    TAKE = "take"
    SKIP = "skip"
    ROLL_BACK = "roll back"


@dataclass
class Guard:
    """Counts steps that were not finite. Every process comes to the same verdict, since all see the same values.

    Attributes:
        config: Limits.
        num_skipped: Steps skipped in the run.
        in_a_row: Steps skipped since the last one taken.
    """

    config: GuardConfig
    num_skipped: int = 0
    in_a_row: int = 0

    def judge(self, values: Iterable[float]) -> Verdict:
        """The verdict on a step with these losses and gradient norms.

        Raises:
            TrainingError: Too many steps were skipped.
        """
        if all(math.isfinite(value) for value in values):
            self.in_a_row = 0
            return Verdict.TAKE
        self.num_skipped += 1
        self.in_a_row += 1
        if self.num_skipped >= self.config.abort_after:
            raise TrainingError(
                f"A run may skip fewer than {self.config.abort_after} steps whose loss or gradient is not finite",
                value=f"{self.num_skipped} skipped",
                remedy="Read train.log; lower the learning rate or use fp32, then go on with --resume RUN.",
            )
        if self.in_a_row >= self.config.rollback_after:
            self.in_a_row = 0
            return Verdict.ROLL_BACK
        return Verdict.SKIP
