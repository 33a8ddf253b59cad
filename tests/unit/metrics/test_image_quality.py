"""Structure, brightest point and sharpness against closed forms and another implementation."""

import math

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter, uniform_filter1d

from radiodiff.errors import InputError
from radiodiff.metrics import brightest_point_distance, sharpness_ratio, ssim

RNG = np.random.default_rng(3)
TRUTH = RNG.random((24, 30))
PREDICTION = np.clip(TRUTH + 0.2 * RNG.standard_normal(TRUTH.shape), 0.0, 1.0)
ALL = [ssim, brightest_point_distance, sharpness_ratio]


def similarity_by_hand(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Similarity of the cells with a whole window: Wang et al. (2004), equations 13 to 16, window by window."""
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights = np.outer(line, line) / np.outer(line, line).sum()

    def mean(values: np.ndarray) -> np.ndarray:
        return (sliding_window_view(values, (11, 11)) * weights).sum(axis=(2, 3))

    mean_p, mean_t = mean(predicted), mean(true)
    variance_p, variance_t = mean(predicted**2) - mean_p**2, mean(true**2) - mean_t**2
    covariance = mean(predicted * true) - mean_p * mean_t
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_p * mean_t + c1) / (mean_p**2 + mean_t**2 + c1)
    return luminance * (2 * covariance + c2) / (variance_p + variance_t + c2)


def test_structural_similarity_is_that_of_the_paper() -> None:
    similarity = similarity_by_hand(PREDICTION, TRUTH)
    assert similarity.shape == (14, 20)
    assert 0.3 < similarity.mean() < 0.95
    assert ssim(PREDICTION, TRUTH) == pytest.approx(similarity.mean(), abs=1e-9)
    mask = RNG.random(TRUTH.shape) < 0.3
    assert ssim(PREDICTION, TRUTH, mask) == pytest.approx(similarity[mask[5:-5, 5:-5]].mean(), abs=1e-9)


def test_structural_similarity_of_flat_maps_in_closed_form() -> None:
    # Without variance only the luminance is left.
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(np.full((11, 11), 0.2), np.full((11, 11), 0.6)) == pytest.approx(expected)
    assert ssim(TRUTH, TRUTH) == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [(0, 0), (3, 4), (0, 7), (-5, 12)])
def test_a_shift_moves_the_brightest_point_by_as_much(shift: tuple[int, int]) -> None:
    truth = np.full((40, 40), 0.1)
    truth[15:18, 16:19] = 0.9
    prediction = np.roll(truth, shift, axis=(0, 1)) * 0.7
    assert brightest_point_distance(prediction, truth) == pytest.approx(math.hypot(*shift), abs=1e-12)


def test_of_several_brightest_cells_the_centroid_counts() -> None:
    truth = np.zeros((5, 9))
    truth[2, [0, 8]] = 1.0
    prediction = np.zeros((5, 9))
    prediction[2, 4] = 0.5
    assert brightest_point_distance(prediction, truth) == 0.0


def test_only_cells_of_the_mask_may_be_brightest() -> None:
    truth = np.zeros((5, 9))
    truth[0, 0], truth[4, 8], truth[4, 5] = 1.0, 0.5, 0.4
    mask = np.ones(truth.shape, dtype=bool)
    mask[0, 0] = False
    prediction = truth.copy()
    prediction[4, 5] = 0.9
    assert brightest_point_distance(prediction, truth, mask) == pytest.approx(3.0)


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
def test_slopes_scale_the_sharpness_and_offsets_do_not(factor: float) -> None:
    assert sharpness_ratio(factor * TRUTH + 0.3, TRUTH) == pytest.approx(factor)


def test_sharpness_of_an_edge_smeared_over_n_cells_in_closed_form() -> None:
    # A step of 1 has one slope of 1; smeared over n cells it has n slopes of 1/n.
    edge = np.zeros((6, 40))
    edge[:, 20:] = 1.0
    for cells in (1, 2, 5, 10):
        smeared = uniform_filter1d(edge, cells, axis=1)
        assert sharpness_ratio(smeared, edge) == pytest.approx(1.0 / math.sqrt(cells))


def test_each_blur_lowers_the_sharpness_and_noise_raises_it() -> None:
    blurred = [sharpness_ratio(gaussian_filter(TRUTH, sigma), TRUTH) for sigma in (0.5, 1.0, 2.0)]
    assert 1.0 > blurred[0] > blurred[1] > blurred[2] > 0.0
    assert sharpness_ratio(PREDICTION, TRUTH) > 1.0
    assert sharpness_ratio(np.full(TRUTH.shape, 0.5), TRUTH) == 0.0


def test_slopes_at_cells_that_do_not_count_do_not_count() -> None:
    wall = np.zeros((8, 8), dtype=bool)
    wall[3:5, 3:5] = True
    truth = np.add.outer(np.arange(8.0), np.zeros(8)) / 8
    prediction = np.where(wall, 0.9, truth)
    assert sharpness_ratio(prediction, truth) > 1.5
    assert sharpness_ratio(prediction, truth, ~wall) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", ALL)
def test_maps_have_one_shape_and_two_dimensions(metric) -> None:
    for prediction, truth in ((PREDICTION[:-1], TRUTH), (PREDICTION[None], TRUTH[None])):
        with pytest.raises(InputError, match=r"maps \(rows, cols\) of one shape"):
            metric(prediction, truth)
    with pytest.raises(InputError, match="must be bool"):
        metric(PREDICTION, TRUTH, np.ones(TRUTH.shape))


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_maps_are_finite(metric, value: float) -> None:
    damaged = TRUTH.copy()
    damaged[3, 3] = value
    for prediction, truth in ((damaged, TRUTH), (TRUTH, damaged)):
        with pytest.raises(InputError, match="1 of 720 cells are not"):
            metric(prediction, truth)


@pytest.mark.parametrize("metric", ALL)
def test_a_mask_leaves_something(metric) -> None:
    with pytest.raises(InputError, match="at least one cell"):
        metric(PREDICTION, TRUTH, np.zeros(TRUTH.shape, dtype=bool))


def test_structural_similarity_needs_a_whole_window() -> None:
    with pytest.raises(InputError, match="10 x 30 cells"):
        ssim(PREDICTION[:10], TRUTH[:10])
    border = np.ones(TRUTH.shape, dtype=bool)
    border[5:-5, 5:-5] = False
    with pytest.raises(InputError, match="5 cells away"):
        ssim(PREDICTION, TRUTH, border)


def test_a_flat_truth_has_no_brightest_point_and_no_slope() -> None:
    flat = np.full(TRUTH.shape, 0.5)
    with pytest.raises(InputError, match="not the same everywhere"):
        brightest_point_distance(PREDICTION, flat)
    with pytest.raises(InputError, match="neighbouring cells that differ"):
        sharpness_ratio(PREDICTION, flat)
