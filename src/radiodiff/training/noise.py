"""Random numbers of a step that depend on its examples alone."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from radiodiff.data.example import Draw

__all__ = ["example_noise", "seed_of"]


def seed_of(*parts: int) -> int:
    """One seed of several numbers, each at least 0; in [0, 2^63)."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def example_noise(draws: Sequence[Draw], shape: Sequence[int], seed: int, device: torch.device) -> Tensor:
    """Standard normal noise (B, *shape), float32.

    The noise of an example follows from the seed, its number and its draw: it is the same in every batch, in every
    process and on every device.

    Args:
        draws: Number and draw of each example.
        shape: Shape of the noise of one.
        seed: Seed of the run.
        device: Where the noise is wanted.
    """
    noise = torch.empty(len(draws), *shape)
    generator = torch.Generator()
    for row, (number, draw) in zip(noise, draws, strict=True):
        generator.manual_seed(seed_of(seed, number, draw))
        row.normal_(generator=generator)
    return noise.to(device)
