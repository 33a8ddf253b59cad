"""Errors of a radio map, cell by cell: on grey levels in [0, 1] and on decibels.

All functions take two arrays of one shape and an optional bool mask of the cells that count. Without a
mask, every cell counts whose truth is not NaN. Each raises `InputError` where the shapes differ, where no
cell counts, or where a cell that counts is not finite: a missing prediction is an error, not a skipped cell.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError
from radiodiff.metrics.cells import selected_cells

__all__ = [
    "PathLossError",
    "abs_error_percentile_db",
    "compare_path_loss",
    "mae",
    "mae_db",
    "median_abs_error_db",
    "mse",
    "nmse",
    "psnr",
    "relative_error",
    "rmse",
    "rmse_db",
]


def mse(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Mean squared error."""
    predicted, true = _selected(prediction, truth, mask)
    return float(np.mean((predicted - true) ** 2))


def rmse(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Root of the mean squared error."""
    return math.sqrt(mse(prediction, truth, mask))


def mae(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Mean absolute error."""
    predicted, true = _selected(prediction, truth, mask)
    return float(np.mean(np.abs(predicted - true)))


def nmse(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Squared error over squared truth, `sum (p - y)^2 / sum y^2`, both summed over all cells that count.

    Meant for grey levels: on decibels the value depends on where 0 dB lies.

    Raises:
        InputError: The truth is 0 everywhere (and the cases of the module).

    Source: Levie et al. (2021), "RadioUNet", IEEE Trans. Wireless Commun. 20(6).
    """
    predicted, true = _selected(prediction, truth, mask)
    power = float(np.sum(true**2))
    if not power > 0:
        raise InputError(
            "The normalised error needs a truth that is not 0 everywhere",
            value=f"{true.size} cells of 0",
            remedy="Use rmse for this map, or check that it is the right image.",
        )
    return float(np.sum((predicted - true) ** 2)) / power


def relative_error(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Absolute error over absolute truth, `sum |p - y| / sum |y|`, both summed over all cells that count.

    Meant for grey levels: on decibels the value depends on where 0 dB lies.

    Raises:
        InputError: The truth is 0 everywhere (and the cases of the module).
    """
    predicted, true = _selected(prediction, truth, mask)
    size = float(np.sum(np.abs(true)))
    if not size > 0:
        raise InputError(
            "The relative error needs a truth that is not 0 everywhere",
            value=f"{true.size} cells of 0",
            remedy="Use mae for this map, or check that it is the right image.",
        )
    return float(np.sum(np.abs(predicted - true))) / size


def psnr(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Peak signal-to-noise ratio of levels in [0, 1], `-10 log10 mse` [dB]; infinite without an error.

    Source: Huynh-Thu and Ghanbari (2008), "Scope of validity of PSNR", Electronics Letters 44(13).
    """
    error = mse(prediction, truth, mask)
    return -10.0 * math.log10(error) if error > 0 else math.inf


def rmse_db(prediction_db: ArrayLike, truth_db: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Root of the mean squared error [dB]."""
    return rmse(prediction_db, truth_db, mask)


def mae_db(prediction_db: ArrayLike, truth_db: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Mean absolute error [dB]."""
    return mae(prediction_db, truth_db, mask)


def median_abs_error_db(prediction_db: ArrayLike, truth_db: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Median of the absolute error [dB]."""
    return abs_error_percentile_db(prediction_db, truth_db, 50.0, mask)


def abs_error_percentile_db(
    prediction_db: ArrayLike, truth_db: ArrayLike, percentile: float, mask: ArrayLike | None = None
) -> float:
    """The absolute error that `percentile` per cent of the cells stay below, linear between cells [dB].

    Raises:
        InputError: The percentile is not in [0, 100] (and the cases of the module).
    """
    if not 0.0 <= percentile <= 100.0:
        raise InputError("A percentile must lie in [0, 100]", value=percentile, remedy="Give per cent, such as 90.")
    predicted, true = _selected(prediction_db, truth_db, mask)
    return float(np.percentile(np.abs(predicted - true), percentile))


@dataclass(frozen=True)
class PathLossError:
    """Summary of the error of a path-loss map.

    Attributes:
        num_cells: Cells that count.
        bias_db: Mean of prediction minus truth; above 0 where the prediction is too weak [dB].
        rmse_db: Root of the mean squared error [dB].
        mae_db: Mean absolute error [dB].
        median_abs_error_db: Median absolute error [dB].
        p90_abs_error_db: 90th percentile of the absolute error [dB].
    """

    num_cells: int
    bias_db: float
    rmse_db: float
    mae_db: float
    median_abs_error_db: float
    p90_abs_error_db: float


def compare_path_loss(prediction_db: ArrayLike, truth_db: ArrayLike, mask: ArrayLike | None = None) -> PathLossError:
    """Summarise the error of a path-loss map; both arrays in dB, any shape, path loss positive."""
    predicted, true = _selected(prediction_db, truth_db, mask)
    return PathLossError(
        num_cells=true.size,
        bias_db=float(np.mean(predicted - true)),
        rmse_db=rmse_db(predicted, true),
        mae_db=mae_db(predicted, true),
        median_abs_error_db=median_abs_error_db(predicted, true),
        p90_abs_error_db=abs_error_percentile_db(predicted, true, 90.0),
    )


def _selected(
    prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The cells that count, as two vectors."""
    predicted, true = selected_cells(np.asarray(prediction)[None], truth, mask, without_nan=True)
    return predicted[0], true
