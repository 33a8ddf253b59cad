"""How alike two maps of grey levels look: structure, brightest point, sharpness.

All functions take two arrays (rows, cols) of levels in [0, 1], finite in every cell, because they look at the
neighbours of a cell, and an optional bool mask of the cells that count. Each raises `InputError` where that is not so,
or where no cell counts.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError

__all__ = [
    "brightest_point_distance",
    "checked_maps",
    "has_whole_window",
    "inner_mean",
    "peak_distance",
    "sharpness_ratio",
    "similarity",
    "slope_power",
    "squared_slopes",
    "ssim",
]

SSIM_WINDOW = 11
"""Rows and columns of the window of `ssim`."""

SSIM_SIGMA = 1.5

INNER = (slice(SSIM_WINDOW // 2, -(SSIM_WINDOW // 2)),) * 2
"""Cells whose window lies on the map."""


def ssim(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Structural similarity with a Gaussian window of 11 x 11 cells, sigma 1.5, for levels of range 1.

    The mean over the cells whose window lies on the map, as published: a margin of 5 cells does not count.

    Raises:
        InputError: The map is smaller than the window, or the mask leaves no such cell (and the cases of the module).

    Source: Wang et al. (2004), "Image quality assessment: from error visibility to structural similarity", IEEE Trans.
    Image Process. 13(4), equation 13, with K1 = 0.01 and K2 = 0.03.
    """
    predicted, true, chosen = checked_maps(prediction, truth, mask)
    if not has_whole_window(chosen):
        raise InputError(
            f"Structural similarity needs a cell that counts, {SSIM_WINDOW // 2} cells away from the edge of the map",
            value=f"a map of {true.shape[0]} x {true.shape[1]} cells, {int(chosen.sum())} of them count",
            remedy="Leave it out for this map.",
        )
    return inner_mean(similarity(predicted, true), chosen)


def similarity(predicted: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Structural similarity of each cell, (rows, cols); right where the window lies on the map.

    Args:
        predicted: (rows, cols), at least as large as the window.
        true: (rows, cols).
    """
    from skimage.metrics import structural_similarity

    _, found = structural_similarity(  # type: ignore[no-untyped-call]
        predicted,
        true,
        data_range=1.0,
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        win_size=SSIM_WINDOW,
        use_sample_covariance=False,
        full=True,
    )
    return np.asarray(found, dtype=np.float64)


def inner_mean(similarity: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float:
    """Mean of what `similarity` gives over the cells that count and have a whole window."""
    return float(similarity[INNER][chosen[INNER]].mean())


def has_whole_window(counts: NDArray[np.bool_]) -> bool:
    """Whether a cell that counts has a whole window around it, as `ssim` needs."""
    return min(counts.shape) >= SSIM_WINDOW and bool(counts[INNER].any())


def brightest_point_distance(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Distance between the brightest points of both maps [cells]; of several cells alike, their centroid.

    Raises:
        InputError: The truth is the same everywhere: it has no brightest point (and the cases of the module).
    """
    predicted, true, chosen = checked_maps(prediction, truth, mask)
    if not np.ptp(true[chosen]) > 0:
        raise InputError(
            "The brightest point needs a truth that is not the same everywhere",
            value=f"{int(chosen.sum())} cells of {true[chosen][0]:g}",
            remedy="Leave it out for this map.",
        )
    return peak_distance(predicted, true, chosen)


def peak_distance(predicted: NDArray[np.float64], true: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float:
    """`brightest_point_distance` of arrays that are checked."""
    centroids = [np.argwhere(chosen & (values == values[chosen].max())).mean(axis=0) for values in (predicted, true)]
    return float(np.linalg.norm(centroids[0] - centroids[1]))


def sharpness_ratio(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Root mean square slope of the prediction over that of the truth: 1 is as sharp, below 1 is blurred.

    Slopes are differences to the next cell below and on the right, where all three cells count. The square matters:
    the mean size of the slope does not change when an edge is smeared over more cells, only when what is finer than
    the blur is lost. Noise makes a map sharper than the truth, above 1.

    Raises:
        InputError: The truth has no slope (and the cases of the module).
    """
    predicted, true, chosen = checked_maps(prediction, truth, mask)
    power = slope_power(squared_slopes(true), chosen)
    if not power > 0:
        raise InputError(
            "The sharpness ratio needs a truth with neighbouring cells that differ",
            value=f"{int(chosen.sum())} cells without a slope",
            remedy="Leave it out for this map.",
        )
    return float(np.sqrt(slope_power(squared_slopes(predicted), chosen) / power))


def squared_slopes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared slope of each cell but the last row and column, (rows - 1, cols - 1)."""
    down, right = values[1:, :-1] - values[:-1, :-1], values[:-1, 1:] - values[:-1, :-1]
    return down**2 + right**2


def slope_power(squared: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float:
    """Sum of squared slopes whose three cells count; 0 where cells that count do not differ from their neighbours."""
    counts = chosen[:-1, :-1] & chosen[1:, :-1] & chosen[:-1, 1:]
    return float(squared[counts].sum())


def checked_maps(
    prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Prediction, truth and mask as arrays of one shape.

    Raises:
        InputError: See the module.
    """
    predicted, true = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    chosen = np.ones(true.shape, dtype=np.bool_) if mask is None else np.asarray(mask)
    if not (true.ndim == 2 and predicted.shape == true.shape == chosen.shape and chosen.dtype == np.bool_):
        raise InputError(
            "Prediction, truth and mask must be maps (rows, cols) of one shape, and the mask must be bool",
            value=f"{predicted.shape}, {true.shape} and {chosen.dtype} of {chosen.shape}",
            remedy="Give one channel, cropped to one grid; compare a grey mask with a threshold first.",
        )
    num_missing = int((~(np.isfinite(predicted) & np.isfinite(true))).sum())
    if not num_missing == 0:
        raise InputError(
            "Prediction and truth must be finite in every cell: neighbours matter",
            value=f"{num_missing} of {true.size} cells are not",
            remedy="Fill them first, and leave them out with the mask.",
        )
    if not chosen.any():
        raise InputError("A comparison needs at least one cell that counts", value="0 cells", remedy="Check the mask.")
    return predicted, true, chosen
