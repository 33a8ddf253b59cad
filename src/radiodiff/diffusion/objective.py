"""What the network minimises: weighted errors of its predictions."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.diffusion.process import HEADS, per_row, split_heads, targets_of

__all__ = ["ExampleLosses", "example_losses", "head_weight"]


@dataclass(frozen=True, eq=False)
class ExampleLosses:
    """Losses of each example.

    Attributes:
        loss: (B,), to minimise.
        terms: (B,) each, to read, detached: "<head>_mse" and "<head>_l1" of each of the `HEADS`, means over the latent
            cells without any weight.
    """

    loss: Tensor
    terms: Mapping[str, Tensor]


def example_losses(
    output: Tensor,
    clean: Tensor,
    noise: Tensor,
    t: Tensor,
    config: DiffusionConfig,
    loss_config: DiffusionLossConfig,
) -> ExampleLosses:
    """`w(t) (mse_weight MSE + l1_weight L1)` of each head, averaged over the heads, for each example.

    It is `[w1 (MSE + L1)(C, -x_0) + w2 (MSE + L1)(eps, eps)] / 2` for "pred_KC", and one such term for the others.
    Computed in float32 at least, also under autocast.

    Args:
        output: (B, heads * C, h, w), predictions of the network.
        clean: (B, C, h, w), x_0.
        noise: (B, C, h, w), eps.
        t: (B,), times in [time_min, 1].
        config: The process.
        loss_config: Weights.

    Raises:
        InputError: The shapes do not fit.
    """
    wide = torch.promote_types(torch.promote_types(output.dtype, clean.dtype), torch.float32)
    targets = targets_of(clean.to(wide), noise.to(wide), config.prediction_type)
    times = per_row(t, targets)[:, 0, 0, 0]
    names = HEADS[config.prediction_type]
    predictions = split_heads(output.to(wide), clean, config.prediction_type)
    total = torch.zeros(clean.shape[0], dtype=wide, device=clean.device)
    terms: dict[str, Tensor] = {}
    for name, prediction, target in zip(names, predictions, targets.chunk(len(names), dim=1), strict=True):
        difference = (prediction - target).flatten(1)
        mse, l1 = difference.square().mean(dim=1), difference.abs().mean(dim=1)
        weight = head_weight(name, times, config, loss_config)
        total = total + weight * (loss_config.mse_weight * mse + loss_config.l1_weight * l1) / len(names)
        terms |= {f"{name}_mse": mse.detach(), f"{name}_l1": l1.detach()}
    return ExampleLosses(total, terms)


def head_weight(head: str, t: Tensor, config: DiffusionConfig, loss_config: DiffusionLossConfig) -> Tensor:
    """Weight (B,) of a head by time.

    The drift and x_0 have w1, the noise w2. The velocity is the noise plus the drift and has the mean of both.

    Args:
        head: One of `HEADS`.
        t: (B,), times in [time_min, 1].
        config: The process.
        loss_config: Weights.
    """
    if loss_config.weighting == "none":
        return torch.ones_like(t)
    if loss_config.weighting == "exponential":
        of_drift, of_noise = 2.0 * torch.exp(1.0 - t), torch.exp(t.sqrt())
    else:
        polynomial = t.square() - t + 1.0
        of_drift, of_noise = polynomial / t, polynomial / (1.0 - t + config.time_min)
    if head == "velocity":
        return (of_drift + of_noise) / 2.0
    return of_noise if head == "noise" else of_drift
