"""How alike the structure of two maps is, without a trained network: gradients at several scales, and spectra."""

import torch
from torch import Tensor
from torch.nn import functional

from radiodiff.errors import InputError
from radiodiff.losses.reconstruction import check_same_shape, full_precision

__all__ = ["MIN_SIZE", "gradient_difference", "spectral_difference", "structure_difference"]

NUM_SCALES = 3
MIN_SIZE = 2**NUM_SCALES
"""Rows and columns below which the coarsest scale would have no gradient."""

AMPLITUDE_FLOOR = 0.1
SPECTRUM_WEIGHT = 0.1


def gradient_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the finite differences along rows and columns.

    Args:
        prediction: (B, C, rows, cols), two rows and columns at least.
        target: (B, C, rows, cols).

    Returns:
        (B,).
    """
    difference = prediction - target
    return sum((difference.diff(dim=axis).abs().mean(dim=(1, 2, 3)) for axis in (2, 3)), start=torch.zeros(()))


def spectral_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of log amplitudes."""
    first, second = (_log_amplitude(values) for values in (prediction, target))
    return (first - second).abs().mean(dim=(1, 2, 3))


def structure_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """How different two maps look."""
    check_same_shape(prediction, target)
    if not min(prediction.shape[2:]) >= MIN_SIZE:
        raise InputError(
            f"Maps must have {MIN_SIZE} rows and columns at least to compare their structure",
            value=f"{prediction.shape[2]} x {prediction.shape[3]}",
            remedy="Train on larger windows, or leave the perceptual term out.",
        )
    with torch.autocast(prediction.device.type, enabled=False):
        prediction, target = full_precision(prediction), full_precision(target)
        total = SPECTRUM_WEIGHT * spectral_difference(prediction, target)
        for scale in range(NUM_SCALES):
            size = 2**scale
            pooled = [functional.avg_pool2d(values, size) for values in (prediction, target)]
            total = total + gradient_difference(*pooled) / NUM_SCALES
        return total


def _log_amplitude(values: Tensor) -> Tensor:
    windows = [torch.hann_window(n, periodic=False, dtype=values.dtype, device=values.device) for n in values.shape[2:]]
    window = windows[0][:, None] * windows[1]
    window = window / window.square().mean().sqrt()
    spectrum = torch.view_as_real(torch.fft.rfft2(values * window, norm="ortho"))
    return 0.5 * (spectrum.square().sum(dim=-1) + AMPLITUDE_FLOOR**2).log()
