"""Initial weights that follow from a seed and leave the global random state as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["seeded_weights"]


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Make networks in this block: on the CPU, with weights that follow from the seed alone.

    Args:
        seed: Seed of the weights.
    """
    # torch.manual_seed would seed the generators of all GPUs, too, and fork_rng would have to copy them.
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        yield
