"""Random streams: one seed, and an independent stream for each thing drawn from it."""

import operator
from collections.abc import Sequence

import numpy as np

from radiodiff.errors import LayoutError

__all__ = ["Seed", "random_stream"]

Seed = int | Sequence[int]
"""A whole number of at least 0, or several (a data set seed and a map number, for example)."""

PURPOSES = ("style", "buildings", "cars", "transmitters", "roofs", "sites", "missing")


def random_stream(seed: Seed, purpose: str, attempt: int = 0) -> np.random.Generator:
    """A generator that depends on its arguments only, so that asking for cars never moves a building.

    Raises:
        LayoutError: The seed is not a whole number of at least 0, nor a sequence of them.
    """
    try:
        words = [operator.index(word) for word in (seed if isinstance(seed, Sequence) else (seed,))]
    except TypeError:
        words = []
    if not words or min(words) < 0:
        raise LayoutError(
            "A seed must be a whole number of at least 0, or a sequence of them",
            value=repr(seed),
            remedy="Use for example 7, or (7, 12) for map 12 of data set 7.",
        )
    # SeedSequence pads with zeros: without the count, 7 and (7, 0) would be the same seed.
    sequence = np.random.SeedSequence([len(words), *words], spawn_key=(PURPOSES.index(purpose), attempt))
    return np.random.default_rng(sequence)
