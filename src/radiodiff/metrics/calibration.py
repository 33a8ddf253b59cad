"""How well the spread of several draws tells the error of their mean.

All functions take draws (N, ...) of a map, the truth (...), and an optional bool mask (...) of the cells that count.
Each raises `InputError` where the shapes differ, there are fewer than two draws, a cell that counts is not finite, or
none counts.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError
from radiodiff.metrics.cells import selected_cells

__all__ = [
    "compare_draws",
    "crps",
    "interval_coverage",
    "most_coverage",
    "spearman",
    "spread",
    "student_coverage",
]

Cells = NDArray[np.float64]


def compare_draws(
    draws: ArrayLike,
    truth: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    resolution: float = 0.0,
    span_db: float | None = None,
) -> dict[str, float]:
    """Figures of draws of levels, by name.

    `spread` (root of the mean variance), `mean_std`, `crps`, `coverage_90` and `coverage_90_student`; `spearman`
    between the standard deviation of a cell and the absolute error of the mean of the draws, left out where one of
    both is the same everywhere; with `span_db` also `spread_db`, `mean_std_db` and `crps_db` [dB].

    Args:
        draws: (N, rows, cols).
        truth: (rows, cols).
        mask: Cells that count, bool; all where None.
        resolution: How far off a truth may be that was rounded.
        span_db: Decibels between level 0 and level 1, where the levels are a straight line of decibels.
    """
    drawn, true = _cells(draws, truth, mask)
    deviation = _deviation(drawn)
    figures = {
        "spread": math.sqrt(float(np.mean(deviation**2))),
        "mean_std": float(np.mean(deviation)),
        "crps": float(np.mean(_crps(drawn, true))),
    }
    if span_db is not None:
        figures |= {f"{name}_db": value * span_db for name, value in figures.items()}
    figures["coverage_90"] = interval_coverage(drawn, true, resolution=resolution)
    figures["coverage_90_student"] = student_coverage(drawn, true, resolution=resolution)
    error = np.abs(drawn.mean(axis=0) - true)
    if np.ptp(deviation) > 0 and np.ptp(error) > 0:
        figures["spearman"] = spearman(deviation, error)
    return figures


def spread(draws: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Root of the mean variance of the draws, over the cells; the variance has N - 1 in the denominator.

    Draws and truth of one law have a root mean squared error of `sqrt(1 + 1/N)` times this.

    Source: Fortin et al. (2014), "Why should ensemble spread match the RMSE of the ensemble mean?", Journal of
    Hydrometeorology 15(4), equation 15.
    """
    drawn, _ = _cells(draws, truth, mask)
    return math.sqrt(float(np.mean(_deviation(drawn) ** 2)))


def crps(draws: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Continuous ranked probability score, mean over the cells, in the unit of the values; 0 is best.

    The fair form, `mean |x_i - y| - sum |x_i - x_j| / (2 N (N - 1))`: its expectation is the score of the law that the
    draws come from, whatever their number. Of a single prediction the score would be its absolute error.

    Source: Gneiting and Raftery (2007), "Strictly proper scoring rules, prediction, and estimation", Journal of the
    American Statistical Association 102(477), equation 21; Ferro (2014), "Fair scores for ensemble forecasts",
    Quarterly Journal of the Royal Meteorological Society 140(683).
    """
    return float(np.mean(_crps(*_cells(draws, truth, mask))))


def interval_coverage(
    draws: ArrayLike,
    truth: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    level: float = 0.9,
    resolution: float = 0.0,
) -> float:
    """Share of the cells whose truth lies between two quantiles of the draws, 5 % and 95 % for a level of 0.9.

    Quantiles are linear between draws, as `numpy.quantile` has them. Few draws cannot reach the level: see
    `most_coverage`.

    Args:
        draws: (N, ...).
        truth: (...).
        mask: Cells that count.
        level: What is wanted, in (0, 1).
        resolution: How far off a truth may be that was rounded.
    """
    drawn, true = _cells(draws, truth, mask)
    low, high = np.quantile(drawn, _tails(level), axis=0)
    return _share_inside(low, high, true, resolution)


def most_coverage(num_draws: int, level: float = 0.9) -> float:
    """What `interval_coverage` has for draws and a truth of one law, uniform in a cell: `level (N - 1) / (N + 1)`."""
    return level * (num_draws - 1) / (num_draws + 1)


def student_coverage(
    draws: ArrayLike,
    truth: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    level: float = 0.9,
    resolution: float = 0.0,
) -> float:
    """Share of the cells whose truth lies in `mean +- t std sqrt(1 + 1/N)`, t of Student's law of N - 1 degrees.

    Of draws and a truth of one normal law the share is the level, however few draws there are.

    Args:
        draws: (N, ...).
        truth: (...).
        mask: Cells that count.
        level: What is wanted, in (0, 1).
        resolution: How far off a truth may be that was rounded.

    Source: Wilks (2011), "Statistical Methods in the Atmospheric Sciences", section 5.2: prediction interval of the
    next value.
    """
    from scipy.special import stdtrit

    drawn, true = _cells(draws, truth, mask)
    num_draws = len(drawn)
    quantile = float(stdtrit(num_draws - 1, _tails(level)[1]))
    half = quantile * math.sqrt(1.0 + 1.0 / num_draws) * _deviation(drawn)
    middle = drawn.mean(axis=0)
    return _share_inside(middle - half, middle + half, true, resolution)


def spearman(first: ArrayLike, second: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Rank correlation of two maps, such as the standard deviation of draws and the absolute error; ties share a rank.

    Raises:
        InputError: One of them is the same everywhere.

    Source: Spearman (1904), "The proof and measurement of association between two things".
    """
    from scipy.stats import rankdata

    values = selected_cells(np.asarray(first)[None], second, mask)
    ranks = np.stack([rankdata(values[0][0]), rankdata(values[1])])
    ranks -= ranks.mean(axis=1, keepdims=True)
    powers = (ranks**2).sum(axis=1)
    if not powers.min() > 0:
        raise InputError(
            "A rank correlation needs two maps that are not the same everywhere",
            value=f"{values[1].size} cells, one of the maps without a difference",
            remedy="Leave it out for this map.",
        )
    return float((ranks[0] * ranks[1]).sum() / np.sqrt(powers.prod()))


def _deviation(drawn: Cells) -> Cells:
    """Standard deviation of each cell; 0 where the draws agree, without the dust of their mean's rounding."""
    return np.where(np.ptp(drawn, axis=0) > 0, drawn.std(axis=0, ddof=1), 0.0)


def _crps(drawn: Cells, true: Cells) -> Cells:
    """Fair score of each cell."""
    num_draws = len(drawn)
    ordered = np.sort(drawn, axis=0)
    # sum over pairs i < j of x_(j) - x_(i): each value counts by its place.
    weights = 2.0 * np.arange(num_draws) - (num_draws - 1)
    gaps = np.tensordot(weights, ordered, axes=1)
    score: Cells = np.abs(drawn - true).mean(axis=0) - gaps / (num_draws * (num_draws - 1))
    return score


def _tails(level: float) -> tuple[float, float]:
    if not 0.0 < level < 1.0:
        raise InputError("The level of an interval must lie in (0, 1)", value=level, remedy="Give for example 0.9.")
    return 0.5 * (1.0 - level), 0.5 * (1.0 + level)


def _share_inside(low: Cells, high: Cells, true: Cells, resolution: float) -> float:
    return float(np.mean((true >= low - resolution) & (true <= high + resolution)))


def _cells(draws: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> tuple[Cells, Cells]:
    """The cells that count: draws (N, cells) and truth (cells,)."""
    drawn = np.asarray(draws, dtype=np.float64)
    if not (drawn.ndim >= 1 and len(drawn) >= 2):
        raise InputError(
            "A spread needs at least two draws",
            value=f"an array of shape {drawn.shape}",
            remedy="Stack the draws along the first axis, or ask for more draws.",
        )
    return selected_cells(drawn, truth, mask)
