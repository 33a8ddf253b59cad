"""Losses of discriminator and generator against figures by hand."""

import math

import pytest
import torch

from radiodiff.losses.autoencoder_loss import AutoencoderLoss
from radiodiff.losses.config import AdversarialConfig, AutoencoderLossConfig

REAL, FAKE = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 1.0])


def loss_of(**values: object) -> AutoencoderLoss:
    return AutoencoderLoss(AutoencoderLossConfig(adversarial=AdversarialConfig(**values)), 1)


def test_hinge_by_hand() -> None:
    # Real: 0 and 0.5; reconstructions: 0 and 2.
    assert loss_of(kind="hinge").discriminator(REAL, FAKE).item() == pytest.approx(0.5 * (0.25 + 1.0))


def test_vanilla_by_hand() -> None:
    real = (math.log1p(math.exp(-2.0)) + math.log1p(math.exp(-0.5))) / 2
    fake = (math.log1p(math.exp(-3.0)) + math.log1p(math.exp(1.0))) / 2
    assert loss_of(kind="vanilla").discriminator(REAL, FAKE).item() == pytest.approx(0.5 * (real + fake))


def test_an_undecided_discriminator_costs_one_and_log_two() -> None:
    zeros = torch.zeros(2, 1, 3, 3)
    assert loss_of(kind="hinge").discriminator(zeros, zeros).item() == 1.0
    assert loss_of(kind="vanilla").discriminator(zeros, zeros).item() == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("kind", ["hinge", "vanilla"])
def test_the_generator_wants_high_logits(kind: str) -> None:
    assert loss_of(kind=kind).generator(FAKE).item() == 1.0


def test_the_adaptive_weight_is_the_ratio_of_lengths() -> None:
    first = torch.tensor([3.0, 4.0]).requires_grad_()
    found = loss_of().adaptive_weight(first, torch.tensor([[0.6], [0.8]]))
    assert found.item() == pytest.approx(5.0 / (1.0 + 1e-4))
    assert not found.requires_grad


def test_the_adaptive_weight_is_bounded() -> None:
    long, zero = torch.full((4,), 1e3), torch.zeros(4)
    assert loss_of().adaptive_weight(long, zero).item() == 1e4
    assert loss_of(max_adaptive=7.0).adaptive_weight(long, zero).item() == 7.0
    assert loss_of().adaptive_weight(torch.full((4,), 1e-3), zero).item() == pytest.approx(2e-3 / 1e-4)
    assert loss_of().adaptive_weight(zero, long).item() == 0.0


def test_half_precision_logits_and_gradients_do_not_overflow() -> None:
    half = torch.full((64, 64), 1e3, dtype=torch.float16)
    # The squared length is 4.1e9; float16 ends at 65504.
    assert loss_of().adaptive_weight(half, half).item() == pytest.approx(1.0, rel=1e-4)
    assert loss_of().discriminator(-half, half).item() == pytest.approx(1001.0)
    assert loss_of().generator(half).dtype == torch.float32
