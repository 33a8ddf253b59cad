"""The cells of maps that count."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError

__all__ = ["selected_cells"]

Cells = NDArray[np.float64]


def selected_cells(
    predictions: ArrayLike, truth: ArrayLike, mask: ArrayLike | None, *, without_nan: bool = False
) -> tuple[Cells, Cells]:
    """Cells that count, of one or several predictions and of the truth.

    Args:
        predictions: (N, ...).
        truth: (...).
        mask: Cells (...) that count, bool; None for all.
        without_nan: Without a mask, leave out the cells whose truth is NaN.

    Returns:
        (N, cells) and (cells,).

    Raises:
        InputError: The shapes differ, the mask is not bool, no cell counts, or one that does is not finite.
    """
    predicted, true = np.asarray(predictions, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if mask is None:
        mask = ~np.isnan(true) if without_nan else np.ones(true.shape, dtype=np.bool_)
    chosen = np.asarray(mask)
    if not (predicted.shape[1:] == true.shape == chosen.shape and chosen.dtype == np.bool_):
        raise InputError(
            "Each prediction, the truth and the mask must have one shape, and the mask must be bool",
            value=f"{predicted.shape[1:]}, {true.shape} and {chosen.dtype} of {chosen.shape}",
            remedy="Crop to one grid, stack draws along the first axis; compare a grey mask with a threshold first.",
        )
    predicted, true = predicted[:, chosen], true[chosen]
    if not true.size > 0:
        raise InputError(
            "A comparison needs at least one cell that counts", value="0 cells", remedy="Check the mask and the NaNs."
        )
    num_missing = int((~(np.isfinite(predicted).all(axis=0) & np.isfinite(true))).sum())
    if not num_missing == 0:
        raise InputError(
            "Prediction and truth must be finite in every cell that counts",
            value=f"{num_missing} of {true.size} cells are not",
            remedy="Fill the prediction, or leave these cells out with the mask.",
        )
    return predicted, true
