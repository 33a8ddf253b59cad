"""Noise and times of rows: each from its own generator."""

from typing import get_args

import pytest
import torch

from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig, PredictionType
from radiodiff.diffusion.noise import draw_generators, initial_noise, normal_noise, seed_of, training_times
from radiodiff.diffusion.objective import example_losses
from radiodiff.diffusion.preconditioning import preconditioned
from radiodiff.diffusion.process import noisy_latents
from radiodiff.diffusion.scheduler import DecoupledScheduler


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_a_row_follows_from_its_generator_alone(kind: str) -> None:
    together = initial_noise(kind, generators(1, 2, 3), (2, 3, 5), "cpu")  # type: ignore[arg-type]
    alone = initial_noise(kind, generators(2), (2, 3, 5), "cpu")  # type: ignore[arg-type]
    assert together.shape == (3, 2, 3, 5)
    assert together.dtype == torch.float32
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])


def test_both_laws() -> None:
    normal = initial_noise("normal", generators(4), (100_000,), "cpu")
    assert torch.equal(normal, normal_noise(generators(4), (100_000,), "cpu"))
    assert normal.mean().item() == pytest.approx(0, abs=0.02)
    assert normal.var().item() == pytest.approx(1, rel=0.02)
    assert normal.abs().max() > 3
    uniform = initial_noise("uniform", generators(4), (100_000,), "cpu")
    assert -1 <= uniform.min() < -0.999
    assert 0.999 < uniform.max() <= 1
    assert uniform.var().item() == pytest.approx(1 / 3, rel=0.02)


def test_training_times_are_uniform_above_the_smallest() -> None:
    times = training_times(generators(*range(4_000)), DiffusionConfig(time_min=0.2), "cpu")
    assert times.shape == (4_000,)
    assert 0.2 < times.min() < 0.205
    assert 0.995 < times.max() <= 1
    assert times.mean().item() == pytest.approx(0.6, abs=0.02)
    assert times.var().item() == pytest.approx(0.8**2 / 12, rel=0.06)
    assert torch.equal(times[7:9], training_times(generators(7, 8), DiffusionConfig(time_min=0.2), "cpu"))


def test_a_draw_does_not_depend_on_the_number_of_draws() -> None:
    few, many = (draw_generators(torch.Generator().manual_seed(5), number) for number in (2, 5))
    assert torch.equal(normal_noise(few, (4,), "cpu"), normal_noise(many, (4,), "cpu")[:2])
    assert len(normal_noise(many, (1,), "cpu").unique()) == 5


def test_other_draws_of_a_map_are_other_draws() -> None:
    generator = torch.Generator().manual_seed(5)
    first, second = (normal_noise(draw_generators(generator, 2), (4,), "cpu") for _ in range(2))
    assert not torch.equal(first, second)


def test_a_share_of_the_times_is_one_and_the_others_stay_uniform() -> None:
    times = training_times(generators(*range(4_000)), DiffusionConfig(time_min=0.2, start_share=0.25), "cpu")
    assert (times == 1.0).float().mean().item() == pytest.approx(0.25, abs=0.025)
    others = times[times < 1.0].double()
    assert others.min() > 0.2
    assert others.mean().item() == pytest.approx(0.6, abs=0.015)
    assert others.var().item() == pytest.approx(0.8**2 / 12, rel=0.05)
    assert (training_times(generators(*range(50)), DiffusionConfig(start_share=1.0), "cpu") == 1.0).all()


@pytest.mark.parametrize("prediction_type", get_args(PredictionType))
def test_the_share_is_at_the_time_that_sampling_starts_at(prediction_type: PredictionType) -> None:
    """There something is learnt: at t = 1 the noise itself is known, and "pred_noise" would have no gradient."""
    config = DiffusionConfig(prediction_type=prediction_type, start_share=1.0)
    scheduler = DecoupledScheduler(prediction_type=prediction_type)
    scheduler.set_timesteps(1)
    t = training_times(generators(*range(4)), config, "cpu")
    assert t.tolist() == scheduler.timesteps.tolist() * 4
    clean, noise = (normal_noise(generators(*range(k, k + 4)), (3, 8, 8), "cpu") for k in (10, 20))
    raw = torch.zeros(4, 3 * config.num_heads, 8, 8, requires_grad=True)
    output = preconditioned(raw, noisy_latents(clean, noise, t), t, prediction_type, config.preconditioning)
    example_losses(output, clean, noise, t, config, DiffusionLossConfig()).loss.mean().backward()
    assert raw.grad is not None
    assert raw.grad[:, :3].abs().min() > 0


def test_a_seed_follows_from_all_numbers_and_their_places() -> None:
    given = [(), (0,), (0, 0), (7, 3), (7, 3, 0), (7, 3, 0, 0), (3, 7), (7 + 2**32, 3), (7, 1, 3), (7, 1 + 3 * 2**32)]
    assert len({seed_of(*numbers) for numbers in given}) == len(given)
    assert all(0 <= seed_of(*numbers) < 2**63 for numbers in given)
    assert seed_of(7, 3) == seed_of(7, 3)


def test_a_generator_of_torch_keeps_the_lowest_32_bits_of_its_seed() -> None:
    """What the docstring of `seed_of` says of equal pairs rests on it."""
    first, second, third = generators(5, 5 + 2**32, 5 + 2**31)
    assert torch.equal(torch.rand(4, generator=first), torch.rand(4, generator=second))
    assert not torch.equal(torch.rand(4, generator=first), torch.rand(4, generator=third))
