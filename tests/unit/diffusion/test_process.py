"""The process against its definition, Bayes' rule and numbers worked out by hand."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig, PredictionType
from radiodiff.diffusion.process import (
    HEADS,
    Estimate,
    estimate_from,
    estimate_of_clean,
    noisy_latents,
    reverse_moments,
    split_heads,
    targets_of,
)
from radiodiff.errors import InputError

TYPES = get_args(PredictionType)


def cell(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


def time(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_noisy_latents_by_hand() -> None:
    assert noisy_latents(cell(2.0), cell(-1.0), time(0.25)).item() == 0.75 * 2.0 - 0.5
    # Both ends: the clean latents, and the noise itself.
    assert noisy_latents(cell(2.0), cell(-1.0), time(0.0)).item() == 2.0
    assert noisy_latents(cell(2.0), cell(-1.0), time(1.0)).item() == -1.0


def test_each_row_has_its_own_time() -> None:
    clean, noise, t = drawn(3, 2, 4, 5), drawn(3, 2, 4, 5, seed=1), torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    together = noisy_latents(clean, noise, t)
    for row in range(3):
        torch.testing.assert_close(together[row], (1 - t[row]) * clean[row] + t[row].sqrt() * noise[row])


def test_noisy_latents_are_a_constant_drift_and_a_wiener_process() -> None:
    # dx = C dt + dW with C = -x_0, by 64 small steps: mean and variance at the end.
    clean, num_steps = torch.full((20_000, 1, 1, 1), 3.0, dtype=torch.float64), 64
    x, generator = clean, torch.Generator().manual_seed(3)
    for _ in range(num_steps * 7 // 10):
        increment = torch.randn(x.shape, generator=generator, dtype=x.dtype) * num_steps**-0.5
        x = x - clean / num_steps + increment
    t = (num_steps * 7 // 10) / num_steps
    noisy = noisy_latents(clean, drawn(*clean.shape, seed=4), torch.full((20_000,), t))
    assert noisy.mean().item() == pytest.approx(x.mean().item(), abs=0.03)
    assert noisy.var().item() == pytest.approx(x.var().item(), rel=0.04)


def test_targets_by_hand() -> None:
    clean, noise = cell(2.0), cell(-1.0)
    expected = {"pred_KC": [-2.0, -1.0], "pred_x0": [2.0], "pred_noise": [-1.0], "pred_v": [-3.0]}
    assert {kind: targets_of(clean, noise, kind).flatten().tolist() for kind in TYPES} == expected


@pytest.mark.parametrize(
    # The noise alone says nothing of the clean latents at t = 1.
    ("kind", "value"),
    [(kind, value) for kind in TYPES for value in (1e-4, 0.3, 0.99, 1.0) if (kind, value) != ("pred_noise", 1.0)],
)
def test_estimates_from_true_predictions_are_true(kind: PredictionType, value: float) -> None:
    clean, noise, t = drawn(2, 3, 4, 6), drawn(2, 3, 4, 6, seed=1), torch.full((2,), value, dtype=torch.float64)
    noisy = noisy_latents(clean, noise, t)
    estimate = estimate_from(targets_of(clean, noise, kind), noisy, t, kind)
    torch.testing.assert_close(estimate.clean, clean, rtol=0, atol=1e-10)
    torch.testing.assert_close(estimate.noise, noise, rtol=0, atol=1e-10)


def test_both_heads_enter_the_clean_estimate() -> None:
    # x_t = 1.0, t = 0.25, C = -1.5, eps = 0.4: x_0 = 1 + 1.5 * 0.25 - 0.5 * 0.4.
    estimate = estimate_from(torch.cat([cell(-1.5), cell(0.4)], dim=1), cell(1.0), time(0.25), "pred_KC")
    assert estimate.clean.item() == pytest.approx(1.175, rel=1e-15)
    assert estimate.noise.item() == 0.4


def test_the_other_types_by_hand() -> None:
    # x_t = 1.0, t = 0.25.
    found = {
        kind: estimate_from(cell(0.6), cell(1.0), time(0.25), kind) for kind in ("pred_x0", "pred_noise", "pred_v")
    }
    values = {kind: (estimate.clean.item(), estimate.noise.item()) for kind, estimate in found.items()}
    assert values["pred_x0"] == pytest.approx((0.6, (1 - 0.75 * 0.6) / 0.5))
    assert values["pred_noise"] == pytest.approx(((1 - 0.5 * 0.6) / 0.75, 0.6))
    assert values["pred_v"] == pytest.approx((0.7 / 1.25, 0.7 / 1.25 + 0.6))


def test_velocity_is_never_singular() -> None:
    noisy, output = drawn(1, 1, 4, 4), drawn(1, 1, 4, 4, seed=1)
    for value in torch.linspace(1e-4, 1, 500).tolist():
        # 1 - t + sqrt(t) is at least 1.
        largest = estimate_from(output, noisy, time(value), "pred_v").clean.abs().max()
        assert largest <= noisy.abs().max() + output.abs().max()


def test_a_corrected_estimate_agrees_with_the_noisy_latents() -> None:
    noisy, clean, t = drawn(2, 1, 4, 4), drawn(2, 1, 4, 4, seed=1), torch.tensor([0.2, 1.0], dtype=torch.float64)
    estimate = estimate_of_clean(clean, noisy, t)
    torch.testing.assert_close(noisy_latents(estimate.clean, estimate.noise, t), noisy)
    torch.testing.assert_close(estimate.noise[1], noisy[1])


@pytest.mark.parametrize(("t", "step"), [(1.0, 0.2), (0.6, 0.1), (0.5, 0.4999), (0.01, 0.004)])
def test_the_reverse_step_is_bayes_rule(t: float, step: float) -> None:
    # Prior x_{t-s} ~ N((1 - t + s) x_0, t - s), likelihood x_t ~ N(x_{t-s} + C s, s), for x_0 and x_t at will.
    clean, noisy = drawn(1, 1, 5, 5) * 3, drawn(1, 1, 5, 5, seed=1)
    precision = 1 / (t - step) + 1 / step
    expected = ((1 - t + step) * clean / (t - step) + (noisy + clean * step) / step) / precision
    mean, std = reverse_moments(estimate_of_clean(clean, noisy, time(t)), noisy, time(t), time(step))
    torch.testing.assert_close(mean, expected, rtol=1e-9, atol=1e-9)
    assert std.shape == (1, 1, 1, 1)
    assert std.item() == pytest.approx(precision**-0.5, rel=1e-9)


def test_the_reverse_step_keeps_the_law_of_the_process() -> None:
    # Averaged over x_t, the law of x_{t-s} is that of the forward process.
    t, step, clean = 0.8, 0.3, torch.full((40_000, 1, 1, 1), 2.0, dtype=torch.float64)
    times, steps = torch.full((40_000,), t), torch.full((40_000,), step)
    noisy = noisy_latents(clean, drawn(*clean.shape), times)
    mean, std = reverse_moments(estimate_of_clean(clean, noisy, times), noisy, times, steps)
    sampled = mean + std * drawn(*clean.shape, seed=1)
    assert sampled.mean().item() == pytest.approx((1 - t + step) * 2.0, abs=0.015)
    assert sampled.var().item() == pytest.approx(t - step, rel=0.03)


def test_the_last_reverse_step_lands_on_the_clean_estimate() -> None:
    noisy, t = drawn(2, 1, 4, 4), torch.tensor([0.2, 1.0], dtype=torch.float64)
    estimate = estimate_of_clean(drawn(2, 1, 4, 4, seed=1), noisy, t)
    mean, std = reverse_moments(estimate, noisy, t, t)
    torch.testing.assert_close(mean, estimate.clean)
    assert std.flatten().tolist() == [0.0, 0.0]


def test_the_reverse_step_uses_the_noise_as_predicted() -> None:
    # x_t = 1, t = 0.25, s = 0.1, x_0 = 2, eps = 0.4 which does not agree: 1 + 0.1 * 2 - 0.1 / 0.5 * 0.4.
    mean, _ = reverse_moments(Estimate(cell(2.0), cell(0.4)), cell(1.0), time(0.25), time(0.1))
    assert mean.item() == pytest.approx(1.12, rel=1e-14)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", TYPES)
def test_half_precision_is_computed_in_float32(kind: PredictionType, dtype: torch.dtype) -> None:
    noisy = drawn(2, 1, 4, 4, dtype=torch.float32).to(dtype)
    output = drawn(2, len(HEADS[kind]), 4, 4, seed=1, dtype=torch.float32).to(dtype)
    t = torch.tensor([0.999, 0.37])
    found = estimate_from(output, noisy, t, kind)
    expected = estimate_from(output.float(), noisy.float(), t, kind)
    assert found.clean.dtype == found.noise.dtype == torch.float32
    assert torch.equal(found.clean, expected.clean)
    assert torch.equal(found.noise, expected.noise)
    assert noisy_latents(noisy, noisy, t).dtype == torch.float32
    assert reverse_moments(found, noisy, t, t / 2)[0].dtype == torch.float32


def test_heads_are_those_of_the_settings() -> None:
    assert {kind: DiffusionConfig(prediction_type=kind).num_heads for kind in TYPES} == {
        kind: len(HEADS[kind]) for kind in TYPES
    }


def test_heads_are_split_in_order() -> None:
    output = drawn(2, 6, 4, 4)
    drift, noise = split_heads(output, drawn(2, 3, 4, 4), "pred_KC")
    assert torch.equal(drift, output[:, :3])
    assert torch.equal(noise, output[:, 3:])


def test_noise_alone_says_nothing_at_the_first_time() -> None:
    with pytest.raises(InputError, match="Times of prediction_type 'pred_noise' must be below 1"):
        estimate_from(drawn(2, 1, 4, 4), drawn(2, 1, 4, 4), torch.tensor([0.5, 1.0]), "pred_noise")


def test_an_unknown_prediction_type_is_refused() -> None:
    with pytest.raises(InputError, match=r"prediction_type must be pred_KC, .*'epsilon'"):
        targets_of(drawn(1, 1, 2, 2), drawn(1, 1, 2, 2), "epsilon")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"prediction_type must be pred_KC, .*'epsilon'"):
        estimate_from(drawn(1, 1, 2, 2), drawn(1, 1, 2, 2), time(0.5), "epsilon")  # type: ignore[arg-type]


def test_shapes_that_do_not_fit_are_refused() -> None:
    latents, t = drawn(2, 3, 4, 4), torch.tensor([0.5, 0.5])
    # A batch of 1 and a missing time would be broadcast.
    with pytest.raises(InputError, match="one shape"):
        noisy_latents(latents, drawn(1, 3, 4, 4), t)
    with pytest.raises(InputError, match="one shape"):
        targets_of(latents, drawn(1, 3, 4, 4), "pred_v")
    with pytest.raises(InputError, match=r"times \(B,\)"):
        noisy_latents(latents, latents, torch.tensor(0.5))
    with pytest.raises(InputError, match=r"times \(B,\)"):
        noisy_latents(latents, latents, torch.tensor([0.5]))
    with pytest.raises(InputError, match=r"times \(B,\)"):
        noisy_latents(latents[0], latents[0], torch.tensor([0.5, 0.5, 0.5]))
    with pytest.raises(InputError, match="one shape"):
        estimate_of_clean(drawn(1, 3, 4, 4), latents, t)
    with pytest.raises(InputError, match="one shape"):
        reverse_moments(Estimate(latents[:1], latents[:1]), latents, t, t)


@pytest.mark.parametrize("kind", TYPES)
def test_an_output_with_other_channels_is_refused(kind: PredictionType) -> None:
    wrong = 3 if kind == "pred_KC" else 6
    with pytest.raises(InputError, match=rf"prediction_type '{kind}' must have the shape \(2, {9 - wrong}, 4, 4\)"):
        estimate_from(drawn(2, wrong, 4, 4), drawn(2, 3, 4, 4), torch.tensor([0.5, 0.5]), kind)


def test_latents_without_a_batch_are_refused() -> None:
    with pytest.raises(InputError, match=r"Latents must have the shape \(B, C, h, w\)"):
        split_heads(drawn(3, 4, 4), drawn(3, 4, 4), "pred_x0")
