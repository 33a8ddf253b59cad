"""Random numbers of draws: each draw of each map has a generator of its own."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig, InitialNoise

__all__ = ["draw_generators", "initial_noise", "normal_noise", "seed_of", "training_times"]


def seed_of(*parts: int) -> int:
    """One seed of several numbers; in [0, 2^63).

    Other numbers, and more or fewer of them, have other seeds. Generators of torch on the CPU keep the lowest 32 bits
    of a seed: of n of them some n^2 / 2^33 pairs are expected to be the same, one of 100,000 and a hundred of a
    million.

    Args:
        parts: Numbers in [0, 2^64).
    """
    # A sequence of seeds takes words of 32 bits, and zeros at its end for none.
    words = [word for part in parts for word in (part & 0xFFFFFFFF, part >> 32)]
    return int(np.random.SeedSequence([len(parts), *words]).generate_state(1, np.uint64)[0] >> np.uint64(1))


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
    generators: Sequence[torch.Generator], config: DiffusionConfig, device: torch.device | str
) -> Tensor:
    """Times (B,), float32, of training examples: the next number of each generator.

    They are uniform in (time_min, 1], but for the share `start_share` that is at `start_time`.

    Args:
        generators: A generator for each row, on the CPU.
        config: The process.
        device: Where the times are wanted.
    """
    share = config.start_share
    number = torch.cat([torch.rand(1, generator=generator) for generator in generators])
    uniform = (number - share) / max(1.0 - share, torch.finfo(number.dtype).eps)
    times = torch.where(number < share, config.start_time, 1.0 - (1.0 - config.time_min) * uniform)
    return times.to(device)
