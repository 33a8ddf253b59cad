"""What the network minimises: weighted errors of its predictions."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.diffusion.process import HEADS, per_row, split_heads, targets_of

__all__ = ["ExampleLosses", "example_losses", "head_weight", "weighted_losses"]


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
    return weighted_losses(output, (clean, noise), t, (config, loss_config))


def weighted_losses(
    output: Tensor,
    pair: tuple[Tensor, Tensor],
    t: Tensor,
    settings: tuple[DiffusionConfig, DiffusionLossConfig],
    weights: Tensor | None = None,
) -> ExampleLosses:
    """`example_losses` with means by weights of the latent cells; 0 for an example whose weights are all 0.

    Args:
        output: (B, heads * C, h, w), predictions of the network.
        pair: x_0 and eps, each (B, C, h, w).
        t: (B,), times in [time_min, 1].
        settings: The process and the weights of the parts.
        weights: (B, 1, h, w) in [0, 1], how much a latent cell counts; None: all alike.

    Raises:
        InputError: The shapes do not fit.
    """
    (clean, noise), (config, loss_config) = pair, settings
    wide = torch.promote_types(torch.promote_types(output.dtype, clean.dtype), torch.float32)
    targets = targets_of(clean.to(wide), noise.to(wide), config.prediction_type)
    times = per_row(t, targets)[:, 0, 0, 0]
    names = HEADS[config.prediction_type]
    predictions = split_heads(output.to(wide), clean, config.prediction_type)
    total = torch.zeros(clean.shape[0], dtype=wide, device=clean.device)
    terms: dict[str, Tensor] = {}
    for name, prediction, target in zip(names, predictions, targets.chunk(len(names), dim=1), strict=True):
        difference = prediction - target
        mse, l1 = (_means(values, weights) for values in _errors(difference, weights))
        weight = head_weight(name, times, config, loss_config)
        total = total + weight * (loss_config.mse_weight * mse + loss_config.l1_weight * l1) / len(names)
        terms |= {f"{name}_mse": mse.detach(), f"{name}_l1": l1.detach()}
    return ExampleLosses(total, terms)


def _errors(difference: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """Squared and absolute errors; what has no weight may be anything."""
    if weights is not None:
        difference = torch.where(weights > 0, difference, 0.0)
    return difference.square(), difference.abs()


def _means(values: Tensor, weights: Tensor | None) -> Tensor:
    """Mean (B,) over channels and cells of values (B, C, h, w)."""
    if weights is None:
        return values.flatten(1).mean(dim=1)
    share = weights.to(values.dtype).flatten(1).mean(dim=1)
    mean = (values * weights).flatten(1).mean(dim=1)
    return torch.where(share > 0, mean / share.clamp(min=torch.finfo(share.dtype).tiny), 0.0)


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
