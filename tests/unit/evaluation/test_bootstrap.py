"""Intervals against closed forms."""

import math

import numpy as np
import pytest

from radiodiff.errors import InputError
from radiodiff.evaluation.bootstrap import Resampler
from radiodiff.evaluation.config import BootstrapConfig

RNG = np.random.default_rng(9)


def test_interval_of_a_normal_mean() -> None:
    values = 3.0 + 2.0 * RNG.standard_normal(400)
    low, high = Resampler.of_cities(range(400), BootstrapConfig(num_resamples=8000)).mean_interval(values)
    # The bootstrap knows the variance with n in the denominator.
    half = 1.959964 * values.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.06 * half)


def test_maps_of_one_city_are_no_independent_draws() -> None:
    """Maps that are equal within a city tell no more than one map of each: the interval is that of the cities."""
    of_cities = RNG.standard_normal(40)
    cities = np.repeat(np.arange(40), 25)
    config = BootstrapConfig(num_resamples=8000)
    low, high = Resampler.of_cities(cities, config).mean_interval(np.repeat(of_cities, 25))
    half = 1.959964 * of_cities.std() / math.sqrt(40)
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)
    naive = Resampler.of_cities(range(1000), config).mean_interval(np.repeat(of_cities, 25))
    assert (naive[1] - naive[0]) < 0.3 * (high - low)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Cities with effects of their own: 95 % intervals of 30 cities hold the true mean in about 93 % of data sets."""
    held, trials = 0, 300
    cities = np.repeat(np.arange(30), 4)
    for trial in range(trials):
        values = 1.0 + np.repeat(RNG.standard_normal(30), 4) + 0.5 * RNG.standard_normal(120)
        resampler = Resampler.of_cities(cities, BootstrapConfig(num_resamples=400, seed=trial))
        low, high = resampler.mean_interval(values)
        held += low <= 1.0 <= high
    assert 0.89 <= held / trials <= 0.98


def test_pooled_figures_weigh_cities_by_their_cells() -> None:
    sums = np.array([[4.0, 1.0], [1.0, 1.0], [9.0, 3.0]])
    resampler = Resampler.of_cities([7, 7, 2], BootstrapConfig(num_resamples=100, confidence=0.9999))
    low, high = resampler.interval_of_sums(sums, lambda total: np.sqrt(total[:, 0] / total[:, 1]))
    # Two cities: one, the other, or both are drawn.
    assert (low, high) == pytest.approx((math.sqrt(5 / 2), math.sqrt(9 / 3)), rel=1e-3)


def test_figures_that_a_map_lacks_do_not_count() -> None:
    values = np.array([1.0, np.nan, 3.0, np.nan])
    resampler = Resampler.of_cities([0, 1, 2, 2], BootstrapConfig(num_resamples=500))
    low, high = resampler.mean_interval(values)
    assert (low, high) == (1.0, 3.0)
    assert resampler.mean_interval(np.array([1.0, np.nan, np.nan, np.nan])) is None
    assert resampler.mean_interval(np.full(4, np.nan)) is None


def test_one_city_has_no_interval() -> None:
    resampler = Resampler.of_cities([5, 5, 5])
    assert resampler.num_cities == 1
    assert resampler.mean_interval(np.array([1.0, 2.0, 3.0])) is None
    assert resampler.interval_of_sums(np.ones((3, 2)), lambda total: total[:, 0]) is None


def test_cells_of_one_city_alone_have_no_interval() -> None:
    """A region that the other cities lack: every resample in which it occurs has the same figure."""
    resampler = Resampler.of_cities([0, 0, 1, 2])
    sums = np.array([[4.0, 1.0], [2.0, 1.0], [0.0, 0.0], [0.0, 0.0]])

    def rmse(total: np.ndarray) -> np.ndarray:
        return np.sqrt(total[:, 0] / total[:, 1])

    assert resampler.interval_of_sums(sums, rmse) is None
    sums[3] = 9.0, 1.0
    low, high = resampler.interval_of_sums(sums, rmse)
    assert low < high


def test_a_figure_that_is_never_defined_has_no_interval() -> None:
    resampler = Resampler.of_cities([0, 1])
    assert resampler.interval_of_sums(np.zeros((2, 2)), lambda total: total[:, 0] / total[:, 1]) is None


def test_the_same_seed_gives_the_same_interval() -> None:
    values = RNG.random(20)
    first, again, other = (
        Resampler.of_cities(range(20), BootstrapConfig(seed=seed)).mean_interval(values) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_bootstrap_needs_maps() -> None:
    with pytest.raises(InputError, match="at least one map"):
        Resampler.of_cities([])
