"""The standard error of a map, against draws whose spread is known."""

import numpy as np
import pytest

from radiodiff.propagation.ray_tracing.noise import BatchMean

SHAPE = (60, 80)


def drawn(spread: float, *, rounds: tuple[tuple[int, int], ...]) -> BatchMean:
    """Rounds of (batches, rays) of a map of 1e-9, with a relative spread that falls with the root of the rays."""
    generator = np.random.default_rng(3)
    mean = BatchMean(SHAPE, floor_db=120.0)
    for num_batches, num_rays in rounds:
        mean.start_round(num_rays)
        for _ in range(num_batches):
            mean.add(1e-9 * (1.0 + spread / np.sqrt(num_rays) * generator.standard_normal(SHAPE)))
    return mean


@pytest.mark.parametrize("num_batches", [2, 4, 16])
def test_the_median_error_is_that_of_the_mean(num_batches: int) -> None:
    mean = drawn(0.1, rounds=((num_batches, 1),))
    expected_db = 10.0 * np.log10(np.e) * 0.1 / np.sqrt(num_batches)
    # Two batches: the cube law is good to some percent there.
    assert mean.median_error_db() == pytest.approx(expected_db, rel=0.08 if num_batches == 2 else 0.04)


def test_the_error_is_the_error() -> None:
    mean = drawn(0.1, rounds=((4, 1),))
    errors_db = np.abs(mean.path_loss_db - 90.0)
    # The median of the magnitude of a normal error is 0.6745 times its standard deviation.
    assert np.median(errors_db) / 0.6745 == pytest.approx(mean.median_error_db(), rel=0.05)


def test_rounds_are_weighted_by_their_rays() -> None:
    mean = BatchMean((1, 1), 200.0)
    for num_rays, gain in ((100, 1e-9), (300, 2e-9)):
        mean.start_round(num_rays)
        for _ in range(2):
            mean.add(np.full((1, 1), gain))
    assert mean.gain[0, 0] == pytest.approx((1e-9 + 3 * 2e-9) / 4)
    assert mean.num_rays == 800
    assert (mean.count, mean.total_count) == (2, 4)
    assert mean.median_error_db() == 0.0


def test_later_rounds_bound_the_error() -> None:
    mean = drawn(1.0, rounds=((4, 100), (4, 400)))
    true_db = 10.0 * np.log10(np.e) / np.sqrt(4 * 100 + 4 * 400)
    assert true_db < mean.median_error_db() < 1.2 * true_db


def test_cells_without_power_have_no_path_and_no_error() -> None:
    mean = BatchMean((1, 3), 120.0)
    mean.start_round(10)
    for gain in (0.0, 0.0):
        mean.add(np.array([[1e-9, gain, 1e-13]]))
    assert np.isnan(mean.path_loss_db).tolist() == [[False, True, False]]
    assert len(mean.standard_errors_db()) == 1


def test_powers_below_zero_are_rounding() -> None:
    mean = BatchMean((1, 1), 120.0)
    mean.start_round(10)
    mean.add(np.array([[-1e-12]], dtype=np.float32))
    mean.add(np.array([[0.0]], dtype=np.float32))
    assert np.isnan(mean.path_loss_db[0, 0])
    assert mean.median_error_db() == 0.0
