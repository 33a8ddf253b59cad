"""Figures of draws, against closed forms and scipy."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from radiodiff.errors import InputError
from radiodiff.metrics import compare_draws, crps, interval_coverage, most_coverage, spearman, spread, student_coverage

RNG = np.random.default_rng(11)
DRAWS, TRUTH = RNG.random((5, 12, 9)), RNG.random((12, 9))
MASK = RNG.random(TRUTH.shape) < 0.6
ALL = [crps, interval_coverage, student_coverage, spread]

CELLS = 40_000


def exchangeable(num_draws: int, law: str) -> tuple[np.ndarray, np.ndarray]:
    """Draws and a truth of one law, in many cells, each with a mean and a size of its own."""
    values = RNG.standard_normal((num_draws + 1, CELLS)) if law == "normal" else RNG.random((num_draws + 1, CELLS))
    values = RNG.uniform(-1, 1, CELLS) + RNG.uniform(0.1, 3, CELLS) * values
    return values[1:], values[0]


def test_crps_is_the_mean_distance_less_half_of_that_between_draws() -> None:
    between = sum(np.abs(DRAWS[i] - DRAWS[j]) for i, j in product(range(5), repeat=2)) / (2 * 5 * 4)
    score = np.abs(DRAWS - TRUTH).mean(axis=0) - between
    assert crps(DRAWS, TRUTH) == pytest.approx(score.mean())
    assert crps(DRAWS, TRUTH, MASK) == pytest.approx(score[MASK].mean())
    # Draws that agree are a prediction: its score is the absolute error.
    assert crps(np.stack([DRAWS[0]] * 3), TRUTH) == pytest.approx(np.abs(DRAWS[0] - TRUTH).mean())


@pytest.mark.parametrize("num_draws", [2, 5])
def test_crps_of_few_draws_of_a_normal_law_has_its_closed_form_on_average(num_draws: int) -> None:
    """Gneiting and Raftery (2007), section 4.2: the score of N(0, 1) for a truth z."""
    z = 0.7
    expected = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi)
    draws = RNG.standard_normal((num_draws, CELLS))
    assert crps(draws, np.full(CELLS, z)) == pytest.approx(expected, abs=5 * 0.6 / math.sqrt(CELLS))


def test_spread_of_draws_of_the_truths_law_matches_the_error_of_their_mean() -> None:
    draws, truth = exchangeable(5, "normal")
    error = math.sqrt(((draws.mean(axis=0) - truth) ** 2).mean())
    assert spread(draws, truth) * math.sqrt(1 + 1 / 5) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize("num_draws", [5, 19])
def test_quantiles_of_draws_of_the_truths_law_hold_a_known_share(num_draws: int) -> None:
    draws, truth = exchangeable(num_draws, "uniform")
    expected = 0.9 * (num_draws - 1) / (num_draws + 1)
    assert most_coverage(num_draws) == pytest.approx(expected)
    assert interval_coverage(draws, truth) == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(CELLS))


def test_quantiles_are_those_of_numpy() -> None:
    low, high = np.quantile(DRAWS[:, MASK], [0.1, 0.9], axis=0)
    inside = (low <= TRUTH[MASK]) & (TRUTH[MASK] <= high)
    assert interval_coverage(DRAWS, TRUTH, MASK, level=0.8) == pytest.approx(inside.mean())


@pytest.mark.parametrize("num_draws", [2, 5, 20])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_students_interval_holds_what_it_says_for_normal_laws(num_draws: int, level: float) -> None:
    draws, truth = exchangeable(num_draws, "normal")
    assert student_coverage(draws, truth, level=level) == pytest.approx(level, abs=4 * 0.5 / math.sqrt(CELLS))


def test_a_rounded_truth_is_inside_where_it_may_have_been() -> None:
    draws = np.array([[0.101], [0.102], [0.103]])
    for share in (interval_coverage, student_coverage):
        assert share(draws, np.array([0.1])) in (0.0, 1.0)
        assert share(draws, np.array([0.095]), resolution=0.0) == 0.0
        assert share(draws, np.array([0.095]), resolution=0.01) == 1.0
        assert share(draws, np.array([0.12]), resolution=0.01) == 0.0


@pytest.mark.parametrize("mask", [None, MASK])
def test_rank_correlation_is_that_of_scipy(mask: np.ndarray | None) -> None:
    # Rounded values have ties.
    first, second = np.round(DRAWS[0], 1), np.round(DRAWS[0] + 0.5 * DRAWS[1], 1)
    chosen = np.ones(TRUTH.shape, bool) if mask is None else mask
    expected = stats.spearmanr(first[chosen], second[chosen]).statistic
    assert 0.5 < expected < 0.99
    assert spearman(first, second, mask) == pytest.approx(expected)


def test_all_figures_are_those_of_the_functions() -> None:
    figures = compare_draws(DRAWS, TRUTH, MASK, resolution=0.01, span_db=99.16)
    deviation = DRAWS.std(axis=0, ddof=1)
    expected = {
        "spread": spread(DRAWS, TRUTH, MASK),
        "mean_std": deviation[MASK].mean(),
        "crps": crps(DRAWS, TRUTH, MASK),
        "coverage_90": interval_coverage(DRAWS, TRUTH, MASK, resolution=0.01),
        "coverage_90_student": student_coverage(DRAWS, TRUTH, MASK, resolution=0.01),
        "spearman": spearman(deviation, np.abs(DRAWS.mean(axis=0) - TRUTH), MASK),
    }
    expected |= {f"{name}_db": 99.16 * expected[name] for name in ("spread", "mean_std", "crps")}
    assert figures == pytest.approx(expected)
    assert not any(name.endswith("_db") for name in compare_draws(DRAWS, TRUTH))


def test_draws_that_agree_have_no_rank_correlation() -> None:
    same = np.stack([DRAWS[0]] * 3)
    figures = compare_draws(same, TRUTH)
    assert "spearman" not in figures
    assert (figures["spread"], figures["mean_std"]) == (0.0, 0.0)
    with pytest.raises(InputError, match="not the same everywhere"):
        spearman(np.ones(4), np.arange(4.0))


@pytest.mark.parametrize("figure", ALL)
def test_draws_that_cannot_be_compared(figure) -> None:
    with pytest.raises(InputError, match="at least two draws"):
        figure(DRAWS[:1], TRUTH)
    with pytest.raises(InputError, match="must have one shape"):
        figure(DRAWS[:, 1:], TRUTH)
    with pytest.raises(InputError, match="mask must be bool"):
        figure(DRAWS, TRUTH, MASK.astype(float))
    with pytest.raises(InputError, match="at least one cell"):
        figure(DRAWS, TRUTH, np.zeros(TRUTH.shape, bool))
    broken = DRAWS.copy()
    broken[2, 3, 4] = math.nan
    with pytest.raises(InputError, match=r"must be finite.*got 1 of \d+ cells"):
        figure(broken, TRUTH)
    assert math.isfinite(figure(broken, TRUTH, np.isfinite(broken).all(axis=0)))


@pytest.mark.parametrize("share", [interval_coverage, student_coverage])
@pytest.mark.parametrize("level", [0.0, 1.0, math.nan])
def test_levels_are_shares(share, level: float) -> None:
    with pytest.raises(InputError, match=r"lie in \(0, 1\)"):
        share(DRAWS, TRUTH, level=level)
