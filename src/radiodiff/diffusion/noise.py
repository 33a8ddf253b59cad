"""Random numbers of draws: each draw of each map has a generator of its own."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from radiodiff.diffusion.config import InitialNoise

__all__ = ["draw_generators", "initial_noise", "normal_noise", "seed_of", "training_times"]


def seed_of(*parts: int) -> int:
    """One seed of several numbers, each at least 0; in [0, 2^63)."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def draw_generators(generator: torch.Generator, num_draws: int) -> list[torch.Generator]:
    """Generators of the draws of one map, on the CPU.

    Draw i follows from the state of the map's generator and i alone: neither from the number of draws nor from the
    other maps of a batch. The map's generator moves on by one number.

    Args:
        generator: Generator of the map.
        num_draws: Draws of it.
    """
    start = int(torch.randint(2**63 - 1, (1,), generator=generator, device=generator.device).item())
    return [torch.Generator().manual_seed(seed_of(start, draw)) for draw in range(num_draws)]


def normal_noise(generators: Sequence[torch.Generator], shape: Sequence[int], device: torch.device | str) -> Tensor:
    """Standard normal noise (B, *shape), float32: the next numbers of each generator, the same on every device.

    Args:
        generators: A generator for each row, on the CPU.
        shape: Shape of the noise of one.
        device: Where the noise is wanted.
    """
    return initial_noise("normal", generators, shape, device)


def initial_noise(
    kind: InitialNoise, generators: Sequence[torch.Generator], shape: Sequence[int], device: torch.device | str
) -> Tensor:
    """Noise (B, *shape) that sampling starts from, float32: the next numbers of each generator.

    Args:
        kind: "normal" or "uniform", which is U(-1, 1).
        generators: A generator for each row, on the CPU.
        shape: Shape of the noise of one.
        device: Where the noise is wanted.
    """
    noise = torch.empty(len(generators), *shape)
    for row, generator in zip(noise, generators, strict=True):
        if kind == "uniform":
            row.uniform_(-1.0, 1.0, generator=generator)
        else:
            row.normal_(generator=generator)
    return noise.to(device)


def training_times(
    generators: Sequence[torch.Generator], time_min: float, device: torch.device | str, *, start_share: float = 0.0
) -> Tensor:
    """Times (B,), float32, uniform in (time_min, 1] but for a share of ones: the next number of each generator.

    Args:
        generators: A generator for each row, on the CPU.
        time_min: Smallest time.
        device: Where the times are wanted.
        start_share: Probability of the time 1, in [0, 1].
    """
    uniform = torch.cat([torch.rand(1, generator=generator) for generator in generators])
    if start_share > 0:
        uniform = ((uniform - start_share) / max(1.0 - start_share, torch.finfo(uniform.dtype).eps)).clamp(min=0.0)
    return (1.0 - (1.0 - time_min) * uniform).to(device)
