"""Latents from noise, step by step, for any network."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from radiodiff.diffusion.process import estimate_from, estimate_of_clean
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.errors import InputError

__all__ = ["Correct", "Denoise", "SamplingStep", "resume_latents", "sample_latents", "split_denoise"]

Denoise = Callable[[Tensor, Tensor], Tensor]
"""Predictions (B, heads * C, h, w) of noisy latents (B, C, h, w) at the times (B,), float32."""

Correct = Callable[[Tensor, Tensor], Tensor]
"""Better clean latents (B, C, h, w) from estimated ones at the times (B,), such as agree with measurements."""


@dataclass(frozen=True, eq=False)
class SamplingStep:
    """A step that was made, and all that it takes to go on from it.

    Attributes:
        index: Its number, from 0.
        num_inference_steps: Steps in all.
        t: Time that it began at.
        next_t: Time that it led to; 0 after the last.
        noisy: (B, C, h, w), latents at `t`.
        clean: (B, C, h, w), estimate of the clean latents, after any correction.
        latents: (B, C, h, w), latents at `next_t`; the result after the last step.
        generator_states: State of each row's generator after the step; empty where there are none.
    """

    index: int
    num_inference_steps: int
    t: float
    next_t: float
    noisy: Tensor
    clean: Tensor
    latents: Tensor
    generator_states: tuple[Tensor, ...]

    @property
    def is_last(self) -> bool:
        """Whether its latents are the result."""
        return self.index == self.num_inference_steps - 1


def sample_latents(
    denoise: Denoise,
    noise: Tensor,
    scheduler: DecoupledScheduler,
    num_inference_steps: int,
    generators: Sequence[torch.Generator] | None = None,
    *,
    correct: Correct | None = None,
) -> Iterator[SamplingStep]:
    """Sample, one step for each evaluation of the network; the last step's `latents` are the result.

    A row depends on its noise and its generator alone. No global random numbers are used, gradients are off, and the
    scheduler is left as it is. The latents keep the type of the noise: give float32 also to a network of half
    precision, and let `denoise` convert.

    Args:
        denoise: The network with its condition.
        noise: (B, C, h, w), noise as of `initial_noise`.
        scheduler: What the network predicts, and how to sample.
        num_inference_steps: Steps.
        generators: A generator for each row, on the CPU. Deterministic sampling and a single step need none.
        correct: Changes the estimate of the clean latents of each step; the noise that is left is then what agrees with
            it.

    Raises:
        InputError: The number of steps is not allowed, the shapes do not fit, or the generators are not one for each
            row. It is raised by the call itself where it can be known, else by the step.
    """
    own = _with_steps(scheduler, num_inference_steps)
    own.check_generators(generators, noise)
    return _steps(_Sampler(denoise, own, correct), noise * own.init_noise_sigma, 0, generators)


def resume_latents(
    denoise: Denoise, step: SamplingStep, scheduler: DecoupledScheduler, *, correct: Correct | None = None
) -> Iterator[SamplingStep]:
    """Go on after a stored step; what follows is what would have followed, bitwise.

    Scenes that differ a little share their first steps: sample the first with `split_denoise`, and go on from its last
    shared step with the condition of each other one.

    Args:
        denoise: The network with its condition.
        step: The step to go on from.
        scheduler: As for the step itself.
        correct: As in `sample_latents`.
    """
    own = _with_steps(scheduler, step.num_inference_steps)
    generators = [torch.Generator() for _ in step.generator_states]
    for generator, state in zip(generators, step.generator_states, strict=True):
        generator.set_state(state)
    return _steps(_Sampler(denoise, own, correct), step.latents, step.index + 1, generators or None)


def split_denoise(first: Denoise, second: Denoise, split_time: float) -> Denoise:
    """One network while `t > split_time`, another one from there on: for a change of the condition on the way.

    Args:
        first: Used at large times, which decide of the coarse map.
        second: Used at the other times.
        split_time: In [0, 1]. At 1, `second` does everything.

    Raises:
        InputError: The time is not in [0, 1].
    """
    if not 0 <= split_time <= 1:
        raise InputError("split_time must be in [0, 1]", value=split_time, remedy="1 is noise, 0 the clean latents.")

    def denoise(noisy: Tensor, t: Tensor) -> Tensor:
        return (first if float(t[0]) > split_time else second)(noisy, t)

    return denoise


@dataclass(frozen=True)
class _Sampler:
    """What stays the same from step to step."""

    denoise: Denoise
    scheduler: DecoupledScheduler
    correct: Correct | None


@torch.no_grad()
def _steps(
    sampler: _Sampler, noisy: Tensor, first: int, generators: Sequence[torch.Generator] | None
) -> Iterator[SamplingStep]:
    scheduler = sampler.scheduler
    times = [*scheduler.timesteps.tolist(), 0.0]
    for index in range(first, len(times) - 1):
        t = scheduler.times_of(index, noisy)
        estimate = estimate_from(sampler.denoise(noisy, t), noisy, t, scheduler.prediction_type)
        if sampler.correct is not None:
            estimate = estimate_of_clean(sampler.correct(estimate.clean, t), noisy, t)
        latents = scheduler.previous_latents(estimate, noisy, index, generators)
        states = tuple(generator.get_state() for generator in generators or ())
        clean = estimate.clean.to(noisy.dtype)
        yield SamplingStep(
            index, len(times) - 1, times[index], times[index + 1], noisy, clean, latents, generator_states=states
        )
        noisy = latents


def _with_steps(scheduler: DecoupledScheduler, num_inference_steps: int) -> DecoupledScheduler:
    """A scheduler of its own, for several samplings may go on at once."""
    own = copy.copy(scheduler)
    own.set_timesteps(num_inference_steps)
    return own
