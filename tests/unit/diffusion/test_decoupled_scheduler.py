"""The scheduler: the contract of diffusers, its times, its steps and its errors."""

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from diffusers import SchedulerMixin
from torch import Tensor

from ideal_denoiser import FiniteSet, IdealDenoiser
from radiodiff.diffusion.config import PredictionType
from radiodiff.diffusion.process import HEADS, estimate_from, noisy_latents, reverse_moments
from radiodiff.diffusion.sampling import sample_latents
from radiodiff.diffusion.scheduler import DecoupledScheduler, DecoupledSchedulerOutput
from radiodiff.errors import ConfigError, InputError

TYPES = get_args(PredictionType)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def with_steps(num_inference_steps: int, **settings: Any) -> DecoupledScheduler:
    scheduler = DecoupledScheduler(**settings)
    scheduler.set_timesteps(num_inference_steps)
    return scheduler


@pytest.mark.parametrize(
    ("num_inference_steps", "expected"), [(1, [1.0]), (2, [1.0, 0.5]), (5, [1.0, 0.8, 0.6, 0.4, 0.2])]
)
def test_times(num_inference_steps: int, expected: list[float]) -> None:
    for kind in ("pred_KC", "pred_x0", "pred_v"):
        scheduler = with_steps(num_inference_steps, prediction_type=kind)
        assert scheduler.timesteps.tolist() == pytest.approx(expected, rel=1e-6)
        assert scheduler.timesteps.dtype == torch.float32
        assert scheduler.init_noise_sigma == 1.0
    scheduler = with_steps(num_inference_steps, prediction_type="pred_noise")
    assert scheduler.timesteps.tolist() == pytest.approx([0.99 * time for time in expected], rel=1e-6)
    assert scheduler.init_noise_sigma == pytest.approx(0.99**0.5)


def test_times_can_be_closer_at_the_end() -> None:
    scheduler = with_steps(4, time_power=2.0)
    assert scheduler.timesteps.tolist() == [1.0, 0.5625, 0.25, 0.0625]
    # (1 / 100)^2 is the smallest time.
    assert scheduler.max_inference_steps == 100
    scheduler.set_timesteps(100)
    assert scheduler.timesteps[-1].item() == pytest.approx(1e-4)
    for index, t in enumerate(scheduler.timesteps[-3:], 97):
        found = scheduler.step(drawn(1, 2, 4, 4), t, drawn(1, 1, 4, 4), generator=generators(1))
        assert torch.equal(found.prev_sample, found.pred_original_sample) == (index == 99)


def test_times_can_be_set_again() -> None:
    scheduler = with_steps(5)
    scheduler.set_timesteps(2)
    assert scheduler.timesteps.tolist() == [1.0, 0.5]
    assert scheduler.num_inference_steps == 2


@pytest.mark.parametrize(("time_min", "kind", "most"), [(1e-4, "pred_KC", 10_000), (1e-3, "pred_noise", 990)])
def test_the_last_time_is_one_that_was_trained_on(time_min: float, kind: PredictionType, most: int) -> None:
    scheduler = DecoupledScheduler(kind, time_min=time_min)
    scheduler.set_timesteps(most)
    assert scheduler.timesteps[-1].item() == pytest.approx(time_min)
    with pytest.raises(InputError, match=f"num_inference_steps must be a whole number from 1 to {most}"):
        scheduler.set_timesteps(most + 1)


@pytest.mark.parametrize("number", [0, -3, 2.0, True, "5", float("nan")])
def test_other_numbers_of_steps_are_refused(number: Any) -> None:
    scheduler = DecoupledScheduler()
    with pytest.raises(InputError, match="num_inference_steps must be a whole number from 1 to 10000"):
        scheduler.set_timesteps(number)
    with pytest.raises(InputError, match="num_inference_steps must be a whole number"):
        sample_latents(lambda noisy, t: noisy, drawn(1, 1, 2, 2), scheduler, number)


@pytest.mark.parametrize("is_stochastic", [True, False])
def test_it_is_saved_and_loaded(tmp_path: Path, is_stochastic: bool) -> None:
    scheduler = DecoupledScheduler(
        "pred_v", time_min=1e-3, initial_noise="uniform", is_stochastic=is_stochastic, time_power=2.0
    )
    assert isinstance(scheduler, SchedulerMixin)
    scheduler.save_pretrained(tmp_path)
    loaded = DecoupledScheduler.from_pretrained(tmp_path)
    given = {"prediction_type": "pred_v", "time_min": 1e-3, "initial_noise": "uniform", "is_stochastic": is_stochastic}
    given |= {"time_power": 2.0}
    assert {key: value for key, value in loaded.config.items() if not key.startswith("_")} == given
    sample, output = drawn(2, 1, 4, 4), drawn(2, 1, 4, 4, seed=1)
    results = []
    for each in (scheduler, loaded):
        each.set_timesteps(3)
        results.append(each.step(output, each.timesteps[1], sample, generator=generators(1, 2)).prev_sample)
    assert torch.equal(*results)
    assert not DecoupledScheduler.from_config(scheduler.config, is_stochastic=False).is_stochastic


def test_a_changed_copy_keeps_the_other_settings() -> None:
    # Given by position, which diffusers alone would take for defaults.
    changed = DecoupledScheduler.from_config(DecoupledScheduler("pred_noise", 0.2).config, is_stochastic=False)
    assert (changed.config.prediction_type, changed.config.time_min) == ("pred_noise", 0.2)
    assert not changed.is_stochastic
    changed.set_timesteps(2)
    assert changed.timesteps[0].item() == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("prediction_type", "epsilon", "prediction_type must be 'pred_KC', 'pred_x0'"),
        ("initial_noise", "cauchy", "initial_noise must be 'normal' or 'uniform'"),
        ("time_min", 0.0, "time_min must be"),
        ("is_stochastic", "no", "is_stochastic must be true or false"),
        ("time_power", 0.0, "time_power must be a number above 0"),
        ("time_power", float("nan"), "time_power must be a number above 0"),
    ],
)
def test_a_file_with_other_values_is_refused(tmp_path: Path, key: str, value: object, rule: str) -> None:
    DecoupledScheduler().save_pretrained(tmp_path)
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ConfigError, match=rule):
        DecoupledScheduler.from_pretrained(tmp_path)


def test_add_noise_is_the_forward_process() -> None:
    clean, noise, scheduler = drawn(2, 3, 4, 4), drawn(2, 3, 4, 4, seed=1), DecoupledScheduler()
    t = torch.tensor([0.0, 0.7])
    assert torch.equal(scheduler.add_noise(clean, noise, t), noisy_latents(clean, noise, t))
    both = scheduler.add_noise(clean, noise, torch.tensor(0.7))
    assert torch.equal(both[1], scheduler.add_noise(clean, noise, t)[1])
    assert torch.equal(both, scheduler.add_noise(clean, noise, torch.tensor([0.7])))
    assert scheduler.add_noise(clean.bfloat16(), noise.bfloat16(), t).dtype == torch.bfloat16
    assert scheduler.scale_model_input(clean, 0.5) is clean


@pytest.mark.parametrize("t", [torch.tensor([999, 10]), torch.tensor([-0.1, 0.5]), torch.tensor([float("nan"), 0.5])])
def test_numbered_times_are_refused(t: Tensor) -> None:
    with pytest.raises(InputError, match=r"Times must be in \[0, 1\]"):
        DecoupledScheduler().add_noise(drawn(2, 1, 4, 4), drawn(2, 1, 4, 4), t)


@pytest.mark.parametrize("kind", TYPES)
def test_a_stochastic_step(kind: PredictionType) -> None:
    scheduler = with_steps(4, prediction_type=kind)
    sample, output = drawn(2, 2, 4, 4), drawn(2, 2 * len(HEADS[kind]), 4, 4, seed=1)
    t, next_t = (scheduler.timesteps[index].expand(2) for index in (1, 2))
    found = scheduler.step(output, scheduler.timesteps[1], sample, generator=generators(8, 9))
    assert isinstance(found, DecoupledSchedulerOutput)
    estimate = estimate_from(output, sample, t, kind)
    mean, std = reverse_moments(estimate, sample, t, t - next_t)
    noise = torch.stack([torch.randn((2, 4, 4), generator=generator) for generator in generators(8, 9)])
    assert torch.equal(found.prev_sample, mean + std * noise)
    assert torch.equal(found.pred_original_sample, estimate.clean)


@pytest.mark.parametrize("kind", TYPES)
def test_a_deterministic_step(kind: PredictionType) -> None:
    scheduler = with_steps(4, prediction_type=kind, is_stochastic=False)
    sample, output = drawn(2, 2, 4, 4), drawn(2, 2 * len(HEADS[kind]), 4, 4, seed=1)
    found = scheduler.step(output, scheduler.timesteps[1], sample)
    estimate = estimate_from(output, sample, scheduler.timesteps[1].expand(2), kind)
    # x_{t'} = x_0 + C t' + sqrt(t') eps.
    next_t = scheduler.timesteps[2]
    expected = estimate.clean - estimate.clean * next_t + next_t.sqrt() * estimate.noise
    torch.testing.assert_close(found.prev_sample, expected)


@pytest.mark.parametrize("is_stochastic", [True, False])
@pytest.mark.parametrize("num_inference_steps", [1, 2, 7])
def test_the_last_step_is_the_clean_estimate(num_inference_steps: int, is_stochastic: bool) -> None:
    # Heads that contradict each other, and no generators: nothing is drawn.
    scheduler = with_steps(num_inference_steps, is_stochastic=is_stochastic)
    sample, output = drawn(2, 2, 4, 4), drawn(2, 4, 4, 4, seed=1)
    found = scheduler.step(output, scheduler.timesteps[-1], sample)
    assert torch.equal(found.prev_sample, found.pred_original_sample)


def test_it_can_return_a_tuple() -> None:
    scheduler = with_steps(3)
    sample, output = drawn(1, 1, 4, 4), drawn(1, 2, 4, 4, seed=1)
    # One generator will do for one row.
    found = scheduler.step(output, 1.0, sample, generator=generators(3)[0])
    latents, clean = scheduler.step(output, 1.0, sample, generator=generators(3), return_dict=False)
    assert torch.equal(found[0], latents)
    assert torch.equal(found["pred_original_sample"], clean)


def test_a_loop_of_steps_is_what_the_sampler_does() -> None:
    denoise, noise = IdealDenoiser(FiniteSet(drawn(4, 2, 4, 4, seed=3)), "pred_noise"), drawn(2, 2, 4, 4)
    scheduler = with_steps(6, prediction_type="pred_noise")
    latents, own = noise * scheduler.init_noise_sigma, generators(5, 6)
    for t in scheduler.timesteps:
        output = denoise(scheduler.scale_model_input(latents, t), t.expand(2))
        latents = scheduler.step(output, t, latents, generator=own).prev_sample
    *_, last = sample_latents(denoise, noise, scheduler, 6, generators(5, 6))
    assert torch.equal(last.latents, latents)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_stochastic", [True, False])
def test_half_precision_is_rounded_once(kind: PredictionType, dtype: torch.dtype, is_stochastic: bool) -> None:
    scheduler = with_steps(5, prediction_type=kind, is_stochastic=is_stochastic)
    sample, output = drawn(2, 1, 4, 4).to(dtype), drawn(2, len(HEADS[kind]), 4, 4, seed=1).to(dtype)
    for t in (scheduler.timesteps[1], scheduler.timesteps[-1]):
        found = scheduler.step(output, t, sample, generator=generators(1, 2))
        exact = scheduler.step(output.float(), t, sample.float(), generator=generators(1, 2))
        assert found.prev_sample.dtype == found.pred_original_sample.dtype == dtype
        assert torch.equal(found.prev_sample, exact.prev_sample.to(dtype))
        assert torch.equal(found.pred_original_sample, exact.pred_original_sample.to(dtype))


def test_global_random_numbers_are_left_alone() -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002  the state to leave alone
    scheduler = with_steps(3)
    scheduler.step(drawn(1, 2, 4, 4), 1.0, drawn(1, 1, 4, 4), generator=generators(3))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert random.getstate() == states[2]


def test_a_step_before_the_times_is_refused() -> None:
    scheduler = DecoupledScheduler()
    with pytest.raises(InputError, match="set_timesteps must come first"):
        scheduler.step(drawn(1, 2, 4, 4), 1.0, drawn(1, 1, 4, 4), generator=generators(1))
    with pytest.raises(InputError, match="set_timesteps must come first"):
        scheduler.times_of(0, drawn(1, 1, 4, 4))


@pytest.mark.parametrize("t", [0.9, 0.0, 999, float("nan"), torch.tensor(0.79)])
def test_a_time_that_is_none_of_the_steps_is_refused(t: Tensor | float) -> None:
    with pytest.raises(InputError, match="A timestep must be one of those of set_timesteps"):
        with_steps(5).step(drawn(1, 2, 4, 4), t, drawn(1, 1, 4, 4), generator=generators(1))


@pytest.mark.parametrize("index", [-1, 5])
def test_a_step_that_there_is_not_is_refused(index: int) -> None:
    with pytest.raises(InputError, match="A step must be from 0 to 4"):
        with_steps(5).times_of(index, drawn(1, 1, 4, 4))


def test_each_row_needs_a_generator() -> None:
    scheduler = with_steps(5)
    output, sample = drawn(2, 2, 4, 4), drawn(2, 1, 4, 4)
    for given in (generators(1), generators(1, 2, 3), generators(1)[0]):
        # The last step draws nothing, and still refuses.
        for t in (1.0, 0.2):
            with pytest.raises(InputError, match="There must be 2 generators, one for each row"):
                scheduler.step(output, t, sample, generator=given)
    with pytest.raises(InputError, match="A stochastic step needs a generator for each row"):
        scheduler.step(output, 1.0, sample)


def test_generators_must_be_on_the_cpu() -> None:
    elsewhere: Any = [SimpleNamespace(device=torch.device("cuda"))]
    with pytest.raises(InputError, match="Generators must be on the CPU; got cuda"):
        with_steps(5).step(drawn(1, 2, 4, 4), 1.0, drawn(1, 1, 4, 4), generator=elsewhere)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"'pred_KC' must have the shape \(1, 2, 4, 4\)"):
        with_steps(5).step(drawn(1, 1, 4, 4), 1.0, drawn(1, 1, 4, 4), generator=generators(1))
