"""How alike two maps of grey levels look: structure, brightest point, sharpness.

All functions take two arrays (rows, cols) of levels in [0, 1], finite in every cell, because they look at the
neighbours of a cell, and an optional bool mask of the cells that count. Each raises `InputError` where that is not so,
or where no cell counts.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError

__all__ = ["brightest_point_distance", "has_slope", "has_whole_window", "sharpness_ratio", "ssim"]

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
    from skimage.metrics import structural_similarity

    predicted, true, chosen = _maps(prediction, truth, mask)
    if not has_whole_window(chosen):
        raise InputError(
            f"Structural similarity needs a cell that counts, {SSIM_WINDOW // 2} cells away from the edge of the map",
            value=f"a map of {true.shape[0]} x {true.shape[1]} cells, {int(chosen.sum())} of them count",
            remedy="Leave it out for this map.",
        )
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        predicted,
        true,
        data_range=1.0,
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        win_size=SSIM_WINDOW,
        use_sample_covariance=False,
        full=True,
    )
    return float(similarity[INNER][chosen[INNER]].mean())


def has_whole_window(counts: NDArray[np.bool_]) -> bool:
    """Whether a cell that counts has a whole window around it, as `ssim` needs."""
    return min(counts.shape) >= SSIM_WINDOW and bool(counts[INNER].any())


def has_slope(truth: NDArray[np.floating], counts: NDArray[np.bool_]) -> bool:
    """Whether cells that count differ from their neighbours, as `sharpness_ratio` needs."""
    return _slope_power(truth, counts) > 0


def brightest_point_distance(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Distance between the brightest points of both maps [cells]; of several cells alike, their centroid.

    Raises:
        InputError: The truth is the same everywhere: it has no brightest point (and the cases of the module).
    """
    predicted, true, chosen = _maps(prediction, truth, mask)
    if not np.ptp(true[chosen]) > 0:
        raise InputError(
            "The brightest point needs a truth that is not the same everywhere",
            value=f"{int(chosen.sum())} cells of {true[chosen][0]:g}",
            remedy="Leave it out for this map.",
        )
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
    predicted, true, chosen = _maps(prediction, truth, mask)
    power = _slope_power(true, chosen)
    if not power > 0:
        raise InputError(
            "The sharpness ratio needs a truth with neighbouring cells that differ",
            value=f"{int(chosen.sum())} cells without a slope",
            remedy="Leave it out for this map.",
        )
    return float(np.sqrt(_slope_power(predicted, chosen) / power))


def _slope_power(values: NDArray[np.floating], chosen: NDArray[np.bool_]) -> float:
    """Sum of the squared slopes."""
    counts = chosen[:-1, :-1] & chosen[1:, :-1] & chosen[:-1, 1:]
    down, right = values[1:, :-1] - values[:-1, :-1], values[:-1, 1:] - values[:-1, :-1]
    return float((down**2 + right**2)[counts].sum())


def _maps(
    prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
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
