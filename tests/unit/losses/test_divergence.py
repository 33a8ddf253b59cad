"""The divergence from the standard normal distribution against torch.distributions."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from radiodiff.losses.autoencoder_loss import AutoencoderLoss
from radiodiff.losses.config import AutoencoderLossConfig
from radiodiff.losses.divergence import standard_normal_divergence


def posterior(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn((2, 3, 4, 5), generator=generator, dtype=torch.float64) for _ in range(2))


def test_it_is_that_of_torch_distributions() -> None:
    mean, logvar = posterior()
    expected = kl_divergence(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(standard_normal_divergence(mean, logvar), expected)


def test_it_is_zero_for_the_standard_normal_alone() -> None:
    zeros = torch.zeros(1, 1, 2, 2)
    assert standard_normal_divergence(zeros, zeros).abs().max() == 0.0
    assert standard_normal_divergence(zeros + 0.01, zeros).min() > 0.0
    # 0.5 (exp(s) - 1 - s) = s^2 / 4 for small s; the plain sum loses it in float32.
    assert standard_normal_divergence(zeros, zeros + 1e-3)[0, 0, 0, 0].item() == pytest.approx(2.5e-7, rel=0.1)


@pytest.mark.parametrize(("reduction", "divisor"), [("sum", 2), ("mean", 2 * 3 * 4 * 5)])
def test_it_is_reduced_as_the_settings_say(reduction: str, divisor: int) -> None:
    mean, logvar = posterior(1)
    loss = AutoencoderLoss(AutoencoderLossConfig(reduction=reduction), 1)
    expected = kl_divergence(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum() / divisor
    torch.testing.assert_close(loss.divergence(mean, logvar), expected)


def test_half_precision_is_added_up_in_float32() -> None:
    mean = torch.full((1, 3, 64, 64), 3.0, dtype=torch.float16)
    found = AutoencoderLoss(AutoencoderLossConfig(), 1).divergence(mean, torch.zeros_like(mean))
    # 0.5 * 9 * 12288: in float16 it would be close to the largest number, 65504.
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(55_296)
