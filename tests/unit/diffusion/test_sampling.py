"""Samplers with ideal denoisers: what they return must follow the law that the denoiser knows."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from ideal_denoiser import FiniteSet, Gaussian, IdealDenoiser
from radiodiff.diffusion.config import PredictionType
from radiodiff.diffusion.noise import initial_noise
from radiodiff.diffusion.sampling import Denoise, SamplingStep, resume_latents, sample_latents, split_denoise
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.errors import InputError

TYPES = get_args(PredictionType)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def generators(seeds: Sequence[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def last_of(denoise: Denoise, noise: Tensor, scheduler: DecoupledScheduler, num_steps: int, **more: Any) -> Tensor:
    # Other seeds than those of the noise, or both would be the same numbers.
    rows = generators(range(100, 100 + len(noise)))
    *_, last = sample_latents(denoise, noise, scheduler, num_steps, rows, **more)
    assert last.is_last
    return last.latents


def distances(latents: Tensor, points: Tensor) -> Tensor:
    """Largest difference of each row from each point, (B, K)."""
    return (latents[:, None] - points).abs().amax(dim=(2, 3, 4))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_stochastic", [True, False])
@pytest.mark.parametrize(
    ("start", "num_steps"), [*(("normal", number) for number in (2, 3, 5, 10, 50)), ("uniform", 2), ("uniform", 5)]
)
def test_every_sampler_lands_on_the_data(kind: PredictionType, is_stochastic: bool, start: Any, num_steps: int) -> None:
    # Points so far apart that each path has decided for one of them before its last step, all as far from their mean.
    points = torch.zeros(4, 2, 3, 4, dtype=torch.float64)
    points[0, 0, 0, 0] = points[1, 1, 2, 3] = 1e5
    points[2:] = -points[:2]
    noise = initial_noise(start, generators(range(24)), (2, 3, 4), "cpu").double()
    scheduler = DecoupledScheduler(kind, initial_noise=start, is_stochastic=is_stochastic)
    found = distances(last_of(IdealDenoiser(FiniteSet(points), kind), noise, scheduler, num_steps), points)
    assert found.min(dim=1).values.max() < 1e-6
    # No point is left out.
    assert found.argmin(dim=1).unique().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["pred_KC", "pred_x0", "pred_v"])
@pytest.mark.parametrize("is_stochastic", [True, False])
def test_one_step_is_the_mean_of_the_data(kind: PredictionType, is_stochastic: bool) -> None:
    points = drawn(5, 2, 3, 4)
    scheduler = DecoupledScheduler(kind, is_stochastic=is_stochastic)
    found = last_of(IdealDenoiser(FiniteSet(points), kind), drawn(3, 2, 3, 4, seed=1), scheduler, 1)
    torch.testing.assert_close(found, points.mean(dim=0).expand(3, -1, -1, -1), rtol=0, atol=1e-6)


def test_one_step_of_the_noise_alone_is_close_to_the_mean() -> None:
    # It begins at t = 0.99, where 1 % of the clean latents should have been left in what it is given.
    found = last_of(
        IdealDenoiser(Gaussian(2.0, 0.5), "pred_noise"), drawn(3, 2, 3, 4), DecoupledScheduler("pred_noise"), 1
    )
    torch.testing.assert_close(found, torch.full_like(found, 2.0), rtol=0, atol=0.01)


@pytest.mark.parametrize("num_steps", [1, 2, 3, 5, 10, 50])
@pytest.mark.parametrize("kind", TYPES)
def test_there_are_as_many_evaluations_as_steps(kind: PredictionType, num_steps: int) -> None:
    denoise = IdealDenoiser(Gaussian(), kind)
    last_of(denoise, drawn(2, 1, 2, 2), DecoupledScheduler(kind), num_steps)
    assert denoise.num_calls == num_steps


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_stochastic", [True, False])
def test_a_normal_law_is_reproduced(kind: PredictionType, is_stochastic: bool) -> None:
    # Each of 12,288 cells is a draw; the mean of them is known to 0.0045, their standard deviation to 0.6 %.
    denoise, noise = IdealDenoiser(Gaussian(2.0, 0.5), kind), drawn(3, 1, 64, 64)
    num_steps = 800 if is_stochastic else 200
    found = last_of(denoise, noise, DecoupledScheduler(kind, is_stochastic=is_stochastic), num_steps).double()
    # A first time of 0.99 shifts the mean by 0.5 * 1 % of it.
    assert found.mean().item() == pytest.approx(2.0, abs=0.025 if kind == "pred_noise" else 0.012)
    assert found.std().item() == pytest.approx(0.5, rel=0.02)
    # Normal: skewness 0, kurtosis 3.
    standard = (found - found.mean()) / found.std()
    assert standard.pow(3).mean().item() == pytest.approx(0, abs=0.05)
    assert standard.pow(4).mean().item() == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("time_power", [1.0, 2.0])
@pytest.mark.parametrize("is_stochastic", [True, False])
@pytest.mark.parametrize("num_steps", [1, 2, 5, 20])
def test_moments_of_few_steps_are_exact(num_steps: int, is_stochastic: bool, time_power: float) -> None:
    # With a normal law each step is affine: its mean and variance follow from the formulas of the steps alone.
    mean, variance = 0.0, 1.0
    times = [(1 - index / num_steps) ** time_power for index in range(num_steps)] + [0.0]
    for t, next_t in pairwise(times):
        gain = (1 - t) * 0.25 / ((1 - t) ** 2 * 0.25 + t)
        offset = 2.0 - gain * (1 - t) * 2.0
        # x_0 = offset + gain x, eps = (x - (1 - t) x_0) / sqrt(t): each step is slope x + constant + noise.
        of_noise = (next_t / t) if is_stochastic else (next_t / t) ** 0.5
        slope = (1 - next_t) * gain + of_noise * (1 - (1 - t) * gain)
        constant = (1 - next_t) * offset - of_noise * (1 - t) * offset
        added = (t - next_t) * next_t / t if is_stochastic else 0.0
        mean, variance = slope * mean + constant, slope**2 * variance + added
    scheduler = DecoupledScheduler("pred_x0", is_stochastic=is_stochastic, time_power=time_power)
    found = last_of(IdealDenoiser(Gaussian(2.0, 0.5), "pred_x0"), drawn(3, 1, 64, 64), scheduler, num_steps)
    assert found.mean().item() == pytest.approx(mean, abs=0.01)
    assert found.std().item() == pytest.approx(variance**0.5, rel=0.015, abs=1e-6)


@pytest.mark.parametrize("is_stochastic", [True, False])
def test_every_time_has_its_law(is_stochastic: bool) -> None:
    denoise, noise = IdealDenoiser(Gaussian(2.0, 0.5), "pred_KC"), drawn(3, 1, 64, 64)
    steps = sample_latents(
        denoise, noise, DecoupledScheduler(is_stochastic=is_stochastic), 400, generators(range(100, 103))
    )
    for step in islice(steps, 79, 399, 80):
        mean, variance = (1 - step.next_t) * 2.0, (1 - step.next_t) ** 2 * 0.25 + step.next_t
        assert step.latents.mean().item() == pytest.approx(mean, abs=0.03), step.next_t
        assert step.latents.std().item() == pytest.approx(variance**0.5, rel=0.025), step.next_t


@pytest.mark.parametrize("is_stochastic", [True, False])
def test_points_are_reached_as_often_as_they_should(is_stochastic: bool) -> None:
    points, weights = torch.tensor([-1.5, 0.0, 1.5]).reshape(3, 1, 1, 1), torch.tensor([0.5, 0.2, 0.3])
    denoise = IdealDenoiser(FiniteSet(points, weights), "pred_v")
    found = last_of(denoise, drawn(3_000, 1, 1, 1), DecoupledScheduler("pred_v", is_stochastic=is_stochastic), 60)
    shares = distances(found, points).argmin(dim=1).bincount() / 3_000
    # Three standard deviations of a share are 2.7 %.
    assert shares.tolist() == pytest.approx([0.5, 0.2, 0.3], abs=0.03)


@pytest.mark.parametrize("is_stochastic", [True, False])
def test_more_steps_are_closer_to_the_law(is_stochastic: bool) -> None:
    denoise, noise = IdealDenoiser(Gaussian(0.0, 1.0), "pred_KC"), drawn(3, 1, 64, 64)
    scheduler = DecoupledScheduler(is_stochastic=is_stochastic)
    errors = [abs(last_of(denoise, noise, scheduler, number).std().item() - 1) for number in (1, 2, 5, 20, 80)]
    assert errors[0] == pytest.approx(1)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.04


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_stochastic", [True, False])
def test_a_row_does_not_depend_on_the_batch(kind: PredictionType, is_stochastic: bool) -> None:
    # Odd sizes: the ends of rows fall inside the registers of vectorised loops.
    denoise, noise = IdealDenoiser(Gaussian(1.0, 0.7), kind), drawn(5, 3, 5, 7)
    scheduler = DecoupledScheduler(kind, is_stochastic=is_stochastic)
    *_, together = sample_latents(denoise, noise, scheduler, 4, generators(range(5)))
    for row in range(5):
        *_, alone = sample_latents(denoise, noise[row : row + 1], scheduler, 4, generators([row]))
        assert torch.equal(alone.latents[0], together.latents[row])


def test_rows_differ_by_their_generators() -> None:
    noise = drawn(1, 1, 4, 4).expand(2, -1, -1, -1)
    *_, last = sample_latents(IdealDenoiser(Gaussian(), "pred_KC"), noise, DecoupledScheduler(), 4, generators([1, 2]))
    assert not torch.equal(last.latents[0], last.latents[1])


def test_global_random_numbers_are_left_alone() -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002  the state to leave alone
    first = last_of(IdealDenoiser(Gaussian(), "pred_KC"), drawn(2, 1, 4, 4), DecoupledScheduler(), 4)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert random.getstate() == states[2]
    torch.rand(1)
    assert torch.equal(first, last_of(IdealDenoiser(Gaussian(), "pred_KC"), drawn(2, 1, 4, 4), DecoupledScheduler(), 4))


def test_the_steps_tell_what_happened() -> None:
    noise, scheduler = drawn(2, 1, 4, 4), DecoupledScheduler()
    steps = list(sample_latents(IdealDenoiser(Gaussian(), "pred_KC"), noise, scheduler, 4, generators([1, 2])))
    assert [step.index for step in steps] == [0, 1, 2, 3]
    assert [(step.t, step.next_t) for step in steps] == [(1.0, 0.75), (0.75, 0.5), (0.5, 0.25), (0.25, 0.0)]
    assert [step.is_last for step in steps] == [False, False, False, True]
    assert torch.equal(steps[0].noisy, noise)
    for step, following in pairwise(steps):
        assert torch.equal(step.latents, following.noisy)
    assert torch.equal(steps[-1].latents, steps[-1].clean)
    # The scheduler is left as it was, so that samplings can take turns.
    assert scheduler.num_inference_steps is None


def test_samplings_can_take_turns() -> None:
    denoise, noise, scheduler = IdealDenoiser(Gaussian(), "pred_KC"), drawn(2, 1, 4, 4), DecoupledScheduler()
    first, second = (sample_latents(denoise, noise, scheduler, number, generators([1, 2])) for number in (3, 5))
    mixed = [[next(first), next(second)] for _ in range(3)]
    expected = list(sample_latents(denoise, noise, scheduler, 3, generators([1, 2])))
    assert all(torch.equal(found.latents, step.latents) for (found, _), step in zip(mixed, expected, strict=True))


def test_no_gradients_are_kept_and_none_are_turned_off_outside() -> None:
    factor = torch.ones(1, requires_grad=True)
    steps = sample_latents(lambda noisy, t: noisy * factor, drawn(1, 1, 4, 4), DecoupledScheduler("pred_x0"), 2, None)
    with pytest.raises(InputError, match="needs a generator"):
        next(steps)
    for step in sample_latents(
        lambda noisy, t: noisy * factor, drawn(1, 1, 4, 4), DecoupledScheduler("pred_x0"), 2, generators([1])
    ):
        assert not step.latents.requires_grad
        assert torch.is_grad_enabled()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_latents_keep_their_type(dtype: torch.dtype) -> None:
    asked: list[tuple[torch.dtype, torch.dtype]] = []

    def denoise(noisy: Tensor, t: Tensor) -> Tensor:
        asked.append((noisy.dtype, t.dtype))
        return IdealDenoiser(Gaussian(), "pred_v")(noisy, t)

    assert last_of(denoise, drawn(2, 1, 4, 4).to(dtype), DecoupledScheduler("pred_v"), 3).dtype == dtype
    # Times are never rounded to half precision.
    assert asked == [(dtype, torch.float32)] * 3


@pytest.mark.parametrize("is_stochastic", [True, False])
@pytest.mark.parametrize("kind", TYPES)
def test_a_shared_prefix_is_used_again(kind: PredictionType, is_stochastic: bool) -> None:
    before, after, other = (IdealDenoiser(Gaussian(mean, 0.5), kind) for mean in (0.0, 1.0, -1.0))
    noise, scheduler = drawn(3, 1, 4, 4), DecoupledScheduler(kind, is_stochastic=is_stochastic)

    def whole(second: Denoise) -> list[SamplingStep]:
        denoise = split_denoise(before, second, 0.5)
        return list(sample_latents(denoise, noise, scheduler, 8, generators([1, 2, 3])))

    stored = [step for step in whole(after) if step.t > 0.5][-1]
    before.num_calls = other.num_calls = 0
    resumed = list(resume_latents(other, stored, scheduler))
    assert (before.num_calls, other.num_calls) == (0, len(resumed))
    expected = whole(other)
    assert [step.index for step in resumed] == [step.index for step in expected[stored.index + 1 :]]
    for found, step in zip(resumed, expected[stored.index + 1 :], strict=True):
        assert torch.equal(found.latents, step.latents)
        assert torch.equal(found.clean, step.clean)
    # The other condition has made a difference.
    assert not torch.equal(resumed[-1].latents, whole(after)[-1].latents)


def test_one_stored_row_serves_many_scenes() -> None:
    denoise, scheduler = IdealDenoiser(Gaussian(), "pred_KC"), DecoupledScheduler()
    stored = next(sample_latents(denoise, drawn(1, 1, 4, 4), scheduler, 3, generators([7])))
    many = replace(stored, latents=stored.latents.repeat(2, 1, 1, 1), generator_states=stored.generator_states * 2)
    *_, last = resume_latents(denoise, many, scheduler)
    *_, alone = resume_latents(denoise, stored, scheduler)
    assert torch.equal(last.latents[0], alone.latents[0])
    assert torch.equal(last.latents[1], alone.latents[0])


def test_nothing_follows_the_last_step() -> None:
    denoise, scheduler = IdealDenoiser(Gaussian(), "pred_KC"), DecoupledScheduler()
    *_, last = sample_latents(denoise, drawn(1, 1, 4, 4), scheduler, 3, generators([7]))
    assert list(resume_latents(denoise, last, scheduler)) == []


@pytest.mark.parametrize(
    ("split_time", "expected"),
    [(1.0, "BBBB"), (0.99, "ABBB"), (0.75, "ABBB"), (0.6, "AABB"), (0.25, "AAAB"), (0.0, "AAAA")],
)
def test_the_condition_changes_at_its_time(split_time: float, expected: str) -> None:
    asked = ""

    def named(name: str) -> Denoise:
        def denoise(noisy: Tensor, t: Tensor) -> Tensor:
            nonlocal asked
            asked += name
            return noisy

        return denoise

    last_of(split_denoise(named("A"), named("B"), split_time), drawn(2, 1, 2, 2), DecoupledScheduler("pred_x0"), 4)
    assert asked == expected


@pytest.mark.parametrize("split_time", [-0.1, 1.1, 500, float("nan")])
def test_a_split_outside_the_times_is_refused(split_time: float) -> None:
    denoise = IdealDenoiser(Gaussian(), "pred_KC")
    with pytest.raises(InputError, match=r"split_time must be in \[0, 1\]"):
        split_denoise(denoise, denoise, split_time)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_stochastic", [True, False])
def test_a_correction_that_changes_nothing_changes_nothing(kind: PredictionType, is_stochastic: bool) -> None:
    denoise, noise = IdealDenoiser(Gaussian(1.0, 0.5), kind), drawn(2, 1, 4, 4, dtype=torch.float64)
    scheduler = DecoupledScheduler(kind, is_stochastic=is_stochastic)
    corrected = last_of(denoise, noise, scheduler, 5, correct=lambda clean, t: clean)
    torch.testing.assert_close(corrected, last_of(denoise, noise, scheduler, 5), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_stochastic", [True, False])
@pytest.mark.parametrize("num_steps", [1, 5])
def test_a_correction_is_followed(kind: PredictionType, is_stochastic: bool, num_steps: int) -> None:
    # Three of four cells are known. The fourth is tied to them by the law, and follows in later steps.
    points = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2) * 8.0])

    def correct(clean: Tensor, t: Tensor) -> Tensor:
        assert t.shape == (200,)
        return torch.cat([torch.full_like(clean[..., :3], 8.0), clean[..., 3:]], dim=-1)

    scheduler = DecoupledScheduler(kind, is_stochastic=is_stochastic)
    noise, denoise = drawn(200, 1, 1, 4), IdealDenoiser(FiniteSet(points.reshape(2, 1, 1, 4)), kind)
    found = last_of(denoise, noise, scheduler, num_steps, correct=correct)
    assert (found[..., :3] == 8.0).all()
    if num_steps > 1:
        free = last_of(denoise, noise, scheduler, num_steps)
        assert 0.4 < (free[..., 3] > 4).float().mean() < 0.6
        assert (found[..., 3] > 4).float().mean() > 0.9


def test_the_noise_is_recomputed_to_agree_with_a_correction() -> None:
    # x_1 = 2, x_0 corrected to 6, so eps = 2 and x_0.5 = 3 + sqrt(0.5) * 2.
    scheduler = DecoupledScheduler("pred_noise", is_stochastic=False)
    noise = torch.full((1, 1, 1, 1), 2.0)
    step = next(
        sample_latents(
            lambda noisy, t: noisy * 0, noise, scheduler, 2, correct=lambda clean, t: torch.full_like(clean, 6.0)
        )
    )
    eps = (2 * 0.99**0.5 - 0.01 * 6) / 0.99**0.5
    assert step.latents.item() == pytest.approx(0.505 * 6 + 0.495**0.5 * eps, rel=1e-5)


def test_a_correction_of_another_shape_is_refused() -> None:
    steps = sample_latents(
        lambda noisy, t: noisy, drawn(2, 1, 4, 4), DecoupledScheduler("pred_x0"), 1, correct=lambda clean, t: clean[:1]
    )
    with pytest.raises(InputError, match="one shape"):
        next(steps)


def test_generators_are_checked_by_the_call_itself() -> None:
    with pytest.raises(InputError, match="There must be 2 generators"):
        sample_latents(lambda noisy, t: noisy, drawn(2, 1, 4, 4), DecoupledScheduler("pred_x0"), 1, generators([1]))
