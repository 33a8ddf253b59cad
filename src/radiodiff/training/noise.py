"""Random numbers of a step that depend on its examples alone."""

from collections.abc import Sequence

import torch
from torch import Tensor

from radiodiff.data.example import Draw
from radiodiff.diffusion.noise import normal_noise, seed_of

__all__ = ["example_generators", "example_noise", "seed_of"]


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
    generators = [torch.Generator().manual_seed(seed_of(seed, number, draw)) for number, draw in draws]
    return normal_noise(generators, shape, device)


def example_generators(draws: Sequence[Draw], seed: int, stream: int) -> list[torch.Generator]:
    """A generator for each example, on the CPU; it follows from the seed, the stream, its number and its draw.

    Args:
        draws: Number and draw of each example.
        seed: Seed of the run.
        stream: Number of what the random numbers are for: other streams have other numbers.
    """
    return [torch.Generator().manual_seed(seed_of(seed, stream, number, draw)) for number, draw in draws]
