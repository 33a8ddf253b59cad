"""All figures of maps of grey levels."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError
from radiodiff.metrics.image_quality import (
    checked_maps,
    has_whole_window,
    inner_mean,
    peak_distance,
    similarity,
    slope_power,
    squared_slopes,
)
from radiodiff.metrics.pooled import PooledErrors

__all__ = ["compare_grey_maps", "compare_grey_regions", "mean_figures"]


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
    _, _, chosen = checked_maps(prediction, truth, mask)
    return compare_grey_regions(prediction, truth, {"": chosen}, span_db=span_db)[""]


def compare_grey_regions(
    prediction: ArrayLike,
    truth: ArrayLike,
    regions: Mapping[str, NDArray[np.bool_] | None],
    *,
    span_db: float | None = None,
) -> dict[str, dict[str, float]]:
    """Figures of several regions of a map, by name of the region: those that `compare_grey_maps` gives of each.

    What all regions share, the structural similarity first of all, is computed once.

    Args:
        prediction: (rows, cols).
        truth: (rows, cols).
        regions: Cells of each region, (rows, cols) bool; None for all. A region without cells has no figures.
        span_db: Decibels between level 0 and level 1.

    Raises:
        InputError: The arrays are no maps of one shape, or a cell is not finite.
    """
    predicted, true, everywhere = checked_maps(prediction, truth, None)
    chosen = {name: everywhere if mask is None else _checked_region(name, mask, true) for name, mask in regions.items()}
    similar = similarity(predicted, true) if any(map(has_whole_window, chosen.values())) else None
    slopes = squared_slopes(predicted), squared_slopes(true)
    found: dict[str, dict[str, float]] = {name: {} for name in chosen}
    for name, counts in chosen.items():
        if not counts.any():
            continue
        figures = _cell_figures(predicted[counts], true[counts], span_db)
        if similar is not None and has_whole_window(counts):
            figures["ssim"] = inner_mean(similar, counts)
        if np.ptp(true[counts]) > 0:
            figures["brightest_point_distance"] = peak_distance(predicted, true, counts)
        power = slope_power(slopes[1], counts)
        if power > 0:
            figures["sharpness_ratio"] = float(np.sqrt(slope_power(slopes[0], counts) / power))
        found[name] = figures
    return found


def _cell_figures(predicted: NDArray[np.float64], true: NDArray[np.float64], span_db: float | None) -> dict[str, float]:
    """Figures that follow from the cells alone."""
    sums = PooledErrors()
    sums.add(predicted[None], true[None])
    figures = sums.figures()
    if span_db is not None:
        figures |= {"rmse_db": figures["rmse"] * span_db, "mae_db": figures["mae"] * span_db}
    if sums.power > 0:
        figures["relative_error"] = sums.absolute_error / float(np.sum(np.abs(true)))
    if figures["mse"] > 0:
        figures["psnr"] = -10.0 * math.log10(figures["mse"])
    return figures


def _checked_region(name: str, mask: NDArray[np.bool_], true: NDArray[np.float64]) -> NDArray[np.bool_]:
    if not (mask.shape == true.shape and mask.dtype == np.bool_):
        raise InputError(
            "A region must be a bool map of the shape of the truth",
            value=f"{mask.dtype} of {mask.shape} for region {name!r} of a map of {true.shape}",
            remedy="Crop to one grid; compare a grey mask with a threshold first.",
        )
    return mask


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
