"""Which examples come when: a shuffled order whose position can be stored, or some spread over a data set."""

from collections.abc import Iterator

import numpy as np

from radiodiff.data.example import Draw
from radiodiff.errors import InputError

__all__ = ["Position", "ShuffleSampler", "spread"]

Position = tuple[int, int]
"""Where a run is in its data: the epoch, and how many of its examples have been used."""


class ShuffleSampler:
    """Examples in an order that follows from seed and epoch alone, from any position on.

    Iterating gives the rest of an epoch; the next iteration gives the next one. Each epoch is a new draw of every
    example (`radiodiff.data.example.Draw`). A training run that stores the epoch it is in and how many of its examples
    it has used resumes there, however far threads had read ahead.

    Args:
        num_examples: Examples of the data set.
        seed: Seed of the order.
        shuffle: Draw an order; otherwise that of the data set.
        epoch: First epoch.
        start: Examples of the first epoch to leave out; all of them means the next epoch.

    Attributes:
        epoch: The epoch that the next iteration gives.
        start: How many of its examples are left out.

    Raises:
        InputError: There are no examples, or `start` is beyond the last.
    """

    def __init__(
        self, num_examples: int, *, seed: int = 0, shuffle: bool = True, epoch: int = 0, start: int = 0
    ) -> None:
        if not (num_examples > 0 and 0 <= start <= num_examples and epoch >= 0 and seed >= 0):
            raise InputError(
                "A sampler needs examples, a start among them, and an epoch and a seed of at least 0",
                value=f"{num_examples} examples, start={start}, epoch={epoch}, seed={seed}",
                remedy="Check the position that was stored, and that the data set is the same.",
            )
        self.num_examples = num_examples
        self.seed = seed
        self.shuffle = shuffle
        self.epoch, self.start = (epoch + 1, 0) if start == num_examples else (epoch, start)

    def order(self, epoch: int) -> list[Draw]:
        """All draws of an epoch, in their order."""
        order = np.arange(self.num_examples)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        return [(index, epoch) for index in order.tolist()]

    def __iter__(self) -> Iterator[Draw]:
        epoch, start = self.epoch, self.start
        self.epoch, self.start = epoch + 1, 0
        return iter(self.order(epoch)[start:])

    def __len__(self) -> int:
        return self.num_examples - self.start


def spread(num_examples: int, wanted: int) -> list[int]:
    """Numbers of examples spread evenly over a data set, rising: what a validation looks at.

    Args:
        num_examples: Examples of the data set.
        wanted: How many are wanted; all where the data set has no more.

    Raises:
        InputError: A count is not positive.
    """
    if not (num_examples >= 1 and wanted >= 1):
        raise InputError(
            "Examples can be spread over a data set of at least one, and at least one is wanted",
            value=f"{wanted} of {num_examples}",
            remedy="Correct the count.",
        )
    wanted = min(wanted, num_examples)
    # The middle of each of `wanted` equal stretches.
    return [(2 * place + 1) * num_examples // (2 * wanted) for place in range(wanted)]
