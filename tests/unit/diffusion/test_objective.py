"""The losses against numbers worked out by hand."""

from math import exp, sqrt
from typing import get_args

import pytest
import torch
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig, PredictionType
from radiodiff.diffusion.objective import example_losses, head_weight
from radiodiff.diffusion.process import HEADS, targets_of
from radiodiff.errors import InputError

TYPES = get_args(PredictionType)

# Two examples of two cells, x_0 and eps.
CLEAN = torch.tensor([[2.0, 0.0], [1.0, 1.0]]).reshape(2, 1, 1, 2)
NOISE = torch.tensor([[-1.0, 1.0], [0.5, 0.0]]).reshape(2, 1, 1, 2)
TIMES = torch.tensor([0.25, 1.0])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def two_heads() -> Tensor:
    """C = -x_0 + (1, -3) and -x_0 + (0, 2); eps + (2, 0) and eps + (-1, -1)."""
    drift = -CLEAN + torch.tensor([[1.0, -3.0], [0.0, 2.0]]).reshape(2, 1, 1, 2)
    noise = NOISE + torch.tensor([[2.0, 0.0], [-1.0, -1.0]]).reshape(2, 1, 1, 2)
    return torch.cat([drift, noise], dim=1)


def test_two_heads_by_hand() -> None:
    losses = example_losses(two_heads(), CLEAN, NOISE, TIMES, DiffusionConfig(), DiffusionLossConfig())
    terms = {name: values.tolist() for name, values in losses.terms.items()}
    assert terms == {
        "drift_mse": [5.0, 2.0],
        "drift_l1": [2.0, 1.0],
        "noise_mse": [2.0, 1.0],
        "noise_l1": [1.0, 1.0],
    }
    assert losses.loss.tolist() == [(5 + 2 + 2 + 1) / 2, (2 + 1 + 1 + 1) / 2]


@pytest.mark.parametrize(
    ("mse_weight", "l1_weight", "expected"), [(1, 0, [3.5, 1.5]), (0, 1, [1.5, 1.0]), (0.5, 3, [6.25, 3.75])]
)
def test_weights_of_both_errors(mse_weight: float, l1_weight: float, expected: list[float]) -> None:
    weights = DiffusionLossConfig(mse_weight=mse_weight, l1_weight=l1_weight)
    assert example_losses(two_heads(), CLEAN, NOISE, TIMES, DiffusionConfig(), weights).loss.tolist() == expected


def test_exponential_weights_by_hand() -> None:
    weights = DiffusionLossConfig(weighting="exponential")
    losses = example_losses(two_heads(), CLEAN, NOISE, TIMES, DiffusionConfig(), weights)
    # w1 = 2 exp(1 - t), w2 = exp(sqrt t).
    expected = [(2 * exp(0.75) * 7 + exp(0.5) * 3) / 2, (2 * exp(0.0) * 3 + exp(1.0) * 2) / 2]
    assert losses.loss.tolist() == pytest.approx(expected, rel=1e-6)


def test_rational_weights_by_hand() -> None:
    config = DiffusionConfig(time_min=1e-3)
    losses = example_losses(two_heads(), CLEAN, NOISE, TIMES, config, DiffusionLossConfig(weighting="rational"))
    # t^2 - t + 1 is 0.8125 at 0.25, and 1 at 1.
    expected = [(0.8125 / 0.25 * 7 + 0.8125 / 0.751 * 3) / 2, (1.0 * 3 + 1000.0 * 2) / 2]
    assert losses.loss.tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("weighting", ["none", "exponential", "rational"])
def test_true_predictions_cost_nothing(kind: PredictionType, weighting: str) -> None:
    clean, noise, t = drawn(3, 2, 4, 4), drawn(3, 2, 4, 4, seed=1), torch.tensor([1e-4, 0.5, 1.0])
    config, weights = DiffusionConfig(prediction_type=kind), DiffusionLossConfig(weighting=weighting)
    losses = example_losses(targets_of(clean, noise, kind), clean, noise, t, config, weights)
    assert losses.loss.tolist() == [0, 0, 0]
    assert list(losses.terms) == [f"{head}_{name}" for head in HEADS[kind] for name in ("mse", "l1")]


@pytest.mark.parametrize("kind", TYPES)
def test_an_error_of_one_costs_its_weight(kind: PredictionType) -> None:
    clean, noise, t = drawn(2, 3, 4, 4), drawn(2, 3, 4, 4, seed=1), torch.tensor([0.25, 0.81], dtype=torch.float64)
    config = DiffusionConfig(prediction_type=kind)
    output = targets_of(clean, noise, kind) + 1
    of_drift = [2 * exp(1 - value) for value in t.tolist()]
    of_noise = [exp(sqrt(value)) for value in t.tolist()]
    mean = [(first + second) / 2 for first, second in zip(of_drift, of_noise, strict=True)]
    expected = {"pred_KC": mean, "pred_x0": of_drift, "pred_noise": of_noise, "pred_v": mean}[kind]
    weights = DiffusionLossConfig(l1_weight=0, weighting="exponential")
    assert example_losses(output, clean, noise, t, config, weights).loss.tolist() == pytest.approx(expected, rel=1e-12)
    plain = DiffusionLossConfig()
    assert example_losses(output, clean, noise, t, config, plain).loss.tolist() == pytest.approx([2, 2], rel=1e-12)


def test_the_weight_of_the_velocity_is_the_mean_of_both() -> None:
    config, weights = DiffusionConfig(prediction_type="pred_v"), DiffusionLossConfig(weighting="rational")
    t = torch.tensor([0.5], dtype=torch.float64)
    assert head_weight("velocity", t, config, weights).item() == pytest.approx((0.75 / 0.5 + 0.75 / 0.5001) / 2)


def test_an_example_does_not_depend_on_the_others() -> None:
    weights, config = DiffusionLossConfig(weighting="exponential"), DiffusionConfig()
    together = example_losses(two_heads(), CLEAN, NOISE, TIMES, config, weights).loss
    for row in range(2):
        one = slice(row, row + 1)
        alone = example_losses(two_heads()[one], CLEAN[one], NOISE[one], TIMES[one], config, weights).loss
        assert torch.equal(together[one], alone)


def test_half_precision_is_computed_in_float32() -> None:
    # 300^2 is beyond float16.
    output = torch.full((1, 1, 4, 4), 300.0, dtype=torch.float16)
    zeros = torch.zeros(1, 1, 4, 4, dtype=torch.float16)
    config = DiffusionConfig(prediction_type="pred_x0")
    losses = example_losses(output, zeros, zeros, torch.ones(1), config, DiffusionLossConfig(l1_weight=0))
    assert losses.loss.dtype == torch.float32
    assert losses.loss.item() == losses.terms["clean_mse"].item() == 90_000


def test_gradients_flow_to_the_output_alone() -> None:
    output = two_heads().requires_grad_()
    losses = example_losses(output, CLEAN, NOISE, TIMES, DiffusionConfig(), DiffusionLossConfig(l1_weight=0))
    losses.loss.mean().backward()
    # d/d eps of the mean over 2 examples, 2 heads, 2 cells: 2 * error / 8, the error of the first cell being 2.
    assert output.grad is not None
    assert output.grad[0, 1, 0].tolist() == [0.5, 0.0]
    assert not any(term.requires_grad for term in losses.terms.values())


def test_shapes_that_do_not_fit_are_refused() -> None:
    config, weights = DiffusionConfig(), DiffusionLossConfig()
    with pytest.raises(InputError, match="must have the shape"):
        example_losses(two_heads()[:, :1], CLEAN, NOISE, TIMES, config, weights)
    with pytest.raises(InputError, match="one shape"):
        example_losses(two_heads(), CLEAN, NOISE[:1], TIMES, config, weights)
    for times in (torch.tensor(0.5), TIMES[:1], TIMES[:, None]):
        with pytest.raises(InputError, match=r"times \(B,\)"):
            example_losses(two_heads(), CLEAN, NOISE, times, config, weights)
