"""Random numbers of a step that depend on its examples alone."""

from collections.abc import Sequence
from enum import IntEnum

import torch
from torch import Tensor

from radiodiff.data.example import Draw
from radiodiff.diffusion.noise import normal_noise, seed_of

__all__ = ["Stream", "example_generators", "example_noise", "seed_of"]


class Stream(IntEnum):
    """What random numbers of a run are for; each has numbers of its own."""

    POSTERIOR = 1
    TIME = 2
    NOISE = 3
    VALIDATION_NOISE = 4
    VALIDATION_DRAW = 5
    LAYERS = 6


def example_noise(
    draws: Sequence[Draw], shape: Sequence[int], seed: int, device: torch.device, stream: Stream = Stream.POSTERIOR
) -> Tensor:
    """Standard normal noise (B, *shape), float32.

    The noise of an example follows from the seed, the stream, its number and its draw: it is the same in every batch,
    in every process and on every device.

    Args:
        draws: Number and draw of each example.
        shape: Shape of the noise of one.
        seed: Seed of the run.
        device: Where the noise is wanted.
        stream: What it is for.
    """
    return normal_noise(example_generators(draws, seed, stream), shape, device)


def example_generators(draws: Sequence[Draw], seed: int, stream: Stream) -> list[torch.Generator]:
    """A generator for each example, on the CPU; it follows from the seed, the stream, its number and its draw.

    Args:
        draws: Number and draw of each example.
        seed: Seed of the run.
        stream: What the random numbers are for.
    """
    return [torch.Generator().manual_seed(seed_of(seed, stream, number, draw)) for number, draw in draws]
