"""Errors of a reconstruction, cell by cell, and what the autoencoder minimises of them."""

from typing import Literal

import torch
from torch import Tensor

from radiodiff.errors import InputError

__all__ = ["check_same_shape", "full_precision", "negative_log_likelihood", "pointwise_error", "reduced"]


def full_precision(values: Tensor) -> Tensor:
    """Half precision becomes float32; float32 and float64 stay: losses add up many small numbers."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def check_same_shape(prediction: Tensor, target: Tensor) -> None:
    """Refuse two batches that would be broadcast.

    Raises:
        InputError: They are not two arrays (B, C, rows, cols) of one shape.
    """
    if not (prediction.ndim == 4 and prediction.shape == target.shape):
        raise InputError(
            "A reconstruction and its target must have one shape (B, C, rows, cols)",
            value=f"{tuple(prediction.shape)} and {tuple(target.shape)}",
            remedy="Set out_channels of the network to the channels of the target.",
        )


def pointwise_error(prediction: Tensor, target: Tensor, *, l1_weight: float, mse_weight: float) -> Tensor:
    """Absolute and squared error of each cell, weighted and added.

    Args:
        prediction: (B, C, rows, cols).
        target: (B, C, rows, cols).
        l1_weight: Weight of the absolute error.
        mse_weight: Weight of the squared error.

    Returns:
        (B, C, rows, cols).
    """
    difference = prediction - target
    return l1_weight * difference.abs() + mse_weight * difference.square()


def negative_log_likelihood(error: Tensor, log_variance: Tensor) -> Tensor:
    """`error / exp(log_variance) + log_variance` of each cell.

    Its mean is least where the logarithm of the variance is that of the mean error.

    Args:
        error: (B, C, rows, cols), not negative.
        log_variance: Scalar.

    Returns:
        (B, C, rows, cols).

    Source: Rombach et al. (2022), "High-Resolution Image Synthesis with Latent Diffusion Models", first stage.
    """
    return error * torch.exp(-log_variance) + log_variance


def reduced(values: Tensor, reduction: Literal["sum", "mean"], mask: Tensor | None = None) -> Tensor:
    """One number of values (B, ...): their sum or mean over all but the batch, averaged over the batch.

    Args:
        values: The values.
        reduction: Sum or mean.
        mask: bool, of a shape that is broadcast to theirs: those that count. Where none of an entry of the batch does,
            sum and mean of it are 0.
    """
    if mask is None:
        return values.mean() if reduction == "mean" else values.sum() / values.shape[0]
    counting = mask.expand_as(values).flatten(1)
    totals = torch.where(counting, values.flatten(1), 0.0).sum(dim=1)
    return (totals / counting.sum(dim=1).clamp(min=1) if reduction == "mean" else totals).mean()
