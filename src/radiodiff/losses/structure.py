"""How alike the structure of two maps is, without a trained network: gradients at several scales, and spectra.

Radio maps have few textures and many borders: what an average of possible maps gets wrong is the width of shadow
borders and the detail along streets. The gradients see where borders are, at the scale of a cell and coarser; the
spectrum sees how much detail there is at each frequency, wherever it is, and so what a blur takes away.
"""

import torch
from torch import Tensor
from torch.nn import functional

from radiodiff.errors import InputError
from radiodiff.losses.config import SMALLEST_MAPS
from radiodiff.losses.reconstruction import check_same_shape, full_precision

__all__ = ["MIN_SIZE", "gradient_difference", "spectral_difference", "structure_difference"]

NUM_SCALES = 3
"""Cells, means of 2 x 2 and means of 4 x 4."""

MIN_SIZE = SMALLEST_MAPS["structure"]
"""Rows and columns below which the coarsest scale would have no gradient."""

AMPLITUDE_FLOOR = 0.1
"""Amplitudes well below it count as equal. It is that of white noise of 0.1, a twentieth of the range of a map. A lower
one lets the logarithm of the faintest amplitudes rule the gradient: at 0.0025, the noise of 256 grey levels, it is
about a hundred times that of the absolute error."""

SPECTRUM_WEIGHT = 0.2
"""With it, the spectrum's gradient is about as long as that of the absolute error, that of the gradients twice as
long, on maps of RadioMapSeer blurred by half a cell to four cells or with noise of 0.005 to 0.05."""


def gradient_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the steps from cell to cell along rows, plus that along columns.

    Args:
        prediction: (B, C, rows, cols), two rows and columns at least.
        target: (B, C, rows, cols).

    Returns:
        (B,); 0 where the maps differ by a constant alone.
    """
    difference = prediction - target
    along_rows, along_cols = (difference.diff(dim=axis).abs().mean(dim=(1, 2, 3)) for axis in (2, 3))
    return along_rows + along_cols


def spectral_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the logarithms of the amplitudes of all frequencies.

    The maps are tapered by a Hann window: a map does not go on at its other side, and the jump there would put
    amplitudes on all frequencies that hide those of the content. What the taper hides near the rim, the gradients see.

    Args:
        prediction: (B, C, rows, cols).
        target: (B, C, rows, cols).

    Returns:
        (B,); 0 where the amplitudes are equal, whatever the phases.
    """
    first, second = (_log_amplitude(values) for values in (prediction, target))
    return (first - second).abs().mean(dim=(1, 2, 3))


def structure_difference(prediction: Tensor, target: Tensor) -> Tensor:
    """How different two maps look: the mean of `gradient_difference` over the scales, plus 0.2 `spectral_difference`.

    Args:
        prediction: (B, C, rows, cols) in [-1, 1], 8 rows and columns at least. Rows and columns that do not fill a
            coarse cell are left out at that scale.
        target: (B, C, rows, cols) in [-1, 1].

    Returns:
        (B,), float32 for half precision; 0 for equal maps.

    Raises:
        InputError: The shapes differ, or the maps are too small.
    """
    check_same_shape(prediction, target)
    if not min(prediction.shape[2:]) >= MIN_SIZE:
        raise InputError(
            f"Maps must have {MIN_SIZE} rows and columns at least to compare their structure",
            value=f"{prediction.shape[2]} x {prediction.shape[3]}",
            remedy="Train on larger windows, or set loss.perceptual to null.",
        )
    with torch.autocast(prediction.device.type, enabled=False):
        prediction, target = full_precision(prediction), full_precision(target)
        total = SPECTRUM_WEIGHT * spectral_difference(prediction, target)
        for scale in range(NUM_SCALES):
            pooled = (functional.avg_pool2d(values, 2**scale) for values in (prediction, target))
            total = total + gradient_difference(*pooled) / NUM_SCALES
        return total


def _log_amplitude(values: Tensor) -> Tensor:
    """(B, C, rows, cols // 2 + 1); `0.5 log(|F|^2 + floor^2)` has a finite gradient at amplitude 0."""
    rows, cols = (
        torch.hann_window(size, periodic=False, dtype=values.dtype, device=values.device) for size in values.shape[2:]
    )
    window = rows[:, None] * cols
    # White noise has the amplitude of its deviation at every frequency.
    window = window / window.square().mean().sqrt()
    spectrum = torch.view_as_real(torch.fft.rfft2(values * window, norm="ortho"))
    return 0.5 * (spectrum.square().sum(dim=-1) + AMPLITUDE_FLOOR**2).log()
