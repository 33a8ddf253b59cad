"""The fixed skips: numbers by hand, and what they leave to the network."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from ideal_denoiser import Gaussian, IdealDenoiser
from radiodiff.diffusion.config import Preconditioning, PredictionType
from radiodiff.diffusion.preconditioning import preconditioned
from radiodiff.diffusion.process import HEADS, estimate_from
from radiodiff.errors import InputError

TYPES = get_args(PredictionType)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def ideal_share(t: float, prediction_type: PredictionType, kind: Preconditioning) -> Tensor:
    """What the network must give, (heads, cells), so that the predictions are ideal for normal latents."""
    num_heads, noisy = len(HEADS[prediction_type]), drawn(1, 1, 64, 64) * (1 - t + t * t) ** 0.5
    times = torch.tensor([t], dtype=torch.float64)
    skip = preconditioned(torch.zeros(1, num_heads, 64, 64).double(), noisy, times, prediction_type, kind)
    factor = preconditioned(torch.ones(1, num_heads, 64, 64).double(), noisy, times, prediction_type, kind) - skip
    return ((IdealDenoiser(Gaussian(), prediction_type)(noisy, times) - skip) / factor)[0].flatten(1)


def test_by_hand() -> None:
    # t = 0.75, so that sqrt(t^2 + 1) = 1.25 and sqrt(1 - t) = 0.5; x_t = 2, both F = 1.
    t, noisy, ones = torch.tensor([0.75], dtype=torch.float64), torch.full((1, 1, 1, 1), 2.0).double(), torch.ones
    root = 0.75**0.5
    expected = {
        ("pred_KC", "corrected"): [-0.25 * 2 + 0.6, root * 2 + 0.4],
        ("pred_KC", "published"): [0.25 * 2 + 0.6, root * 2 + 0.4],
        ("pred_KC", "none"): [1.0, 1.0],
        ("pred_x0", "corrected"): [0.25 * 2 + 0.6],
        ("pred_noise", "corrected"): [root * 2 + 0.4],
        ("pred_v", "corrected"): [(root - 0.25) * 2 + (0.8125**0.5) / 1.25],
    }
    for (prediction_type, kind), values in expected.items():
        raw = ones(1, len(HEADS[prediction_type]), 1, 1, dtype=torch.float64)
        found = preconditioned(raw, noisy, t, prediction_type, kind)
        assert found.flatten().tolist() == pytest.approx(values, rel=1e-14), (prediction_type, kind)


@pytest.mark.parametrize("prediction_type", TYPES)
def test_it_leaves_numbers_of_the_order_of_one(prediction_type: PredictionType) -> None:
    for t in (1e-4, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999):
        share = ideal_share(t, prediction_type, "corrected")
        assert share.square().mean(dim=1).sqrt().max() < 1.6, t


def test_the_published_sign_leaves_a_pole() -> None:
    # -(1 - t) x_t is the right answer at small times; with the other sign the network must undo twice that.
    t = 1e-3
    share = ideal_share(t, "pred_KC", "published")[0]
    assert share.square().mean().sqrt().item() == pytest.approx(2 / t, rel=0.05)


@pytest.mark.parametrize("prediction_type", ["pred_KC", "pred_noise"])
def test_the_noise_is_exact_at_the_first_time(prediction_type: PredictionType) -> None:
    noisy, raw = drawn(2, 3, 4, 4), drawn(2, 3 * len(HEADS[prediction_type]), 4, 4, seed=1)
    found = preconditioned(raw, noisy, torch.ones(2), prediction_type, "corrected")
    assert torch.equal(found[:, -3:], noisy)


@pytest.mark.parametrize("prediction_type", ["pred_KC", "pred_x0", "pred_v"])
def test_the_clean_estimate_is_the_networks_alone_at_the_first_time(prediction_type: PredictionType) -> None:
    raw = drawn(2, 3 * len(HEADS[prediction_type]), 4, 4)
    sign = 1.0 if prediction_type == "pred_x0" else -1.0
    for seed in (1, 2):
        noisy = drawn(2, 3, 4, 4, seed=seed)
        output = preconditioned(raw, noisy, torch.ones(2), prediction_type, "corrected")
        clean = estimate_from(output, noisy, torch.ones(2), prediction_type).clean
        torch.testing.assert_close(clean, sign * raw[:, :3] / 2**0.5)


def test_each_row_has_its_own_time() -> None:
    raw, noisy, t = drawn(3, 2, 4, 4), drawn(3, 1, 4, 4, seed=1), torch.tensor([0.1, 0.5, 1.0])
    together = preconditioned(raw, noisy, t, "pred_KC", "corrected")
    rows = [preconditioned(raw[i : i + 1], noisy[i : i + 1], t[i : i + 1], "pred_KC", "corrected") for i in range(3)]
    assert torch.equal(together, torch.cat(rows))


@pytest.mark.parametrize("kind", ["corrected", "none"])
def test_latents_of_full_precision_give_predictions_of_full_precision(kind: Preconditioning) -> None:
    raw, noisy, t = drawn(1, 1, 4, 4).bfloat16(), drawn(1, 1, 4, 4, seed=1).float(), torch.tensor([0.99])
    found = preconditioned(raw, noisy, t, "pred_noise", kind)
    assert found.dtype == torch.float32
    assert torch.equal(found, preconditioned(raw.float(), noisy, t, "pred_noise", kind))
    half = preconditioned(raw, noisy.bfloat16(), t, "pred_noise", kind)
    assert half.dtype == torch.bfloat16
    rounded = preconditioned(raw.float(), noisy.bfloat16().float(), t, "pred_noise", kind)
    assert torch.equal(half, rounded.bfloat16())


def test_gradients_reach_the_network() -> None:
    raw = drawn(2, 2, 4, 4).requires_grad_()
    t = torch.tensor([1.0, 0.3])
    preconditioned(raw, drawn(2, 1, 4, 4, seed=1), t, "pred_KC", "corrected").sum().backward()
    assert raw.grad is not None
    assert raw.grad.isfinite().all()
    # At t = 1 the noise is known, and its head learns nothing.
    assert raw.grad[0, 1].abs().max() == 0
    assert raw.grad[0, 0].abs().min() > 0


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="must have the shape"):
        preconditioned(drawn(2, 3, 4, 4), drawn(2, 3, 4, 4), torch.ones(2), "pred_KC", "none")
    with pytest.raises(InputError, match=r"times \(B,\)"):
        preconditioned(drawn(2, 3, 4, 4), drawn(2, 3, 4, 4), torch.ones(1), "pred_x0", "corrected")
