"""All figures of maps of grey levels."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from radiodiff.errors import InputError
from radiodiff.metrics.image_quality import (
    brightest_point_distance,
    has_slope,
    has_whole_window,
    sharpness_ratio,
    ssim,
)
from radiodiff.metrics.map_errors import mae, mse, nmse, psnr, relative_error, rmse

__all__ = ["compare_grey_maps", "mean_figures"]


def compare_grey_maps(
    prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None, *, span_db: float | None = None
) -> dict[str, float]:
    """Figures of a map of levels in [0, 1], by name.

    `mse`, `mae`, `rmse`, `nmse`, `psnr` [dB] for a range of 1, `relative_error`, `ssim`, `brightest_point_distance`
    [cells] and `sharpness_ratio`; with `span_db` also `rmse_db` and `mae_db` [dB].

    A figure that this map does not have is left out, never 0 or NaN: `nmse` and `relative_error` of a truth that is 0
    everywhere, `brightest_point_distance` and `sharpness_ratio` of one without any slope, `ssim` of a map that is
    smaller than its window (or of which no cell with a whole window counts), and `psnr` without an error.
    `mean_figures` counts the maps that lack one.

    Args:
        prediction: (rows, cols).
        truth: (rows, cols).
        mask: Cells that count, bool; all where None.
        span_db: Decibels between level 0 and level 1, where the levels are a straight line of decibels.

    Raises:
        InputError: The arrays are no maps of one shape, a cell is not finite, or none counts.
    """
    error = mse(prediction, truth, mask)
    true = np.asarray(truth, dtype=np.float64)
    counts = np.ones(true.shape, dtype=np.bool_) if mask is None else np.asarray(mask)
    figures = {"mse": error, "mae": mae(prediction, truth, mask), "rmse": rmse(prediction, truth, mask)}
    if span_db is not None:
        figures |= {"rmse_db": figures["rmse"] * span_db, "mae_db": figures["mae"] * span_db}
    if true[counts].any():
        figures["nmse"] = nmse(prediction, truth, mask)
        figures["relative_error"] = relative_error(prediction, truth, mask)
    if error > 0:
        figures["psnr"] = psnr(prediction, truth, mask)
    if has_whole_window(counts):
        figures["ssim"] = ssim(prediction, truth, mask)
    if np.ptp(true[counts]) > 0:
        figures["brightest_point_distance"] = brightest_point_distance(prediction, truth, mask)
    if has_slope(true, counts):
        figures["sharpness_ratio"] = sharpness_ratio(prediction, truth, mask)
    return figures


def mean_figures(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each figure over the maps that have it, and under `undefined/<name>` how many have not, if any.

    Args:
        rows: Figures of each map.

    Raises:
        InputError: There is no map, or a figure is not finite.
    """
    rows = list(rows)
    if not rows:
        raise InputError("A mean needs at least one map", value="none", remedy="Check the part of the data.")
    means: dict[str, float] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if name in row]
        if not all(map(math.isfinite, values)):
            raise InputError(
                "A figure of a map must be finite, or left out", value=f"{name} of {values}", remedy="Leave it out."
            )
        means[name] = sum(values) / len(values)
        if len(values) < len(rows):
            means[f"undefined/{name}"] = len(rows) - len(values)
    return means
