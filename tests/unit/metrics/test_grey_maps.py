"""All figures of a map, and their means."""

import math

import numpy as np
import pytest

from radiodiff import metrics
from radiodiff.errors import InputError
from radiodiff.metrics import PooledErrors, compare_grey_maps, compare_grey_regions, mean_figures

RNG = np.random.default_rng(4)
TRUTH = RNG.random((16, 20))
PREDICTION = np.clip(TRUTH + 0.1 * RNG.standard_normal(TRUTH.shape), 0.0, 1.0)
NAMES = ["mse", "mae", "rmse", "nmse", "relative_error", "psnr", "ssim", "brightest_point_distance", "sharpness_ratio"]


@pytest.mark.parametrize("mask", [None, RNG.random(TRUTH.shape) < 0.8])
def test_the_figures_are_those_of_the_functions(mask: np.ndarray | None) -> None:
    figures = compare_grey_maps(PREDICTION, TRUTH, mask)
    assert list(figures) == NAMES
    assert figures == {name: getattr(metrics, name)(PREDICTION, TRUTH, mask) for name in NAMES}


def test_decibels_are_levels_times_the_span() -> None:
    figures = compare_grey_maps(PREDICTION, TRUTH, span_db=99.16)
    assert set(figures) == {*NAMES, "rmse_db", "mae_db"}
    truth_db, prediction_db = -147.0 + 99.16 * TRUTH, -147.0 + 99.16 * PREDICTION
    assert figures["rmse_db"] == pytest.approx(metrics.rmse_db(prediction_db, truth_db))
    assert figures["mae_db"] == pytest.approx(metrics.mae_db(prediction_db, truth_db))


def missing(prediction: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> set[str]:
    figures = compare_grey_maps(prediction, truth, mask)
    assert all(map(math.isfinite, figures.values()))
    return set(NAMES) - set(figures)


def test_what_a_map_does_not_have_is_left_out() -> None:
    zero = np.zeros_like(TRUTH)
    no_shape = {"brightest_point_distance", "sharpness_ratio"}
    assert missing(PREDICTION, zero) == {"nmse", "relative_error", *no_shape}
    assert missing(PREDICTION, zero + 0.5) == no_shape
    assert missing(TRUTH, TRUTH) == {"psnr"}
    assert missing(PREDICTION[:10], TRUTH[:10]) == {"ssim"}
    border = np.ones(TRUTH.shape, dtype=bool)
    border[5:-5, 5:-5] = False
    assert missing(PREDICTION, TRUTH, border) == {"ssim"}
    # Levels differ, but no two cells that count are neighbours.
    checkers = np.indices(TRUTH.shape).sum(axis=0) % 2 == 0
    assert missing(PREDICTION, TRUTH, checkers) == {"sharpness_ratio"}
    outdoors = np.zeros(TRUTH.shape, dtype=bool)
    outdoors[6:12, 6:12] = True
    assert missing(PREDICTION, np.where(outdoors, 0.0, TRUTH), outdoors) == {"nmse", "relative_error", *no_shape}


def test_means_count_the_maps_that_lack_a_figure() -> None:
    rows = [{"rmse": 0.1}, {"rmse": 0.2, "nmse": 0.5}, {"rmse": 0.6, "nmse": 0.7}]
    assert mean_figures(rows) == {"rmse": pytest.approx(0.3), "nmse": pytest.approx(0.6), "undefined/nmse": 1}


def test_a_mean_needs_maps_and_finite_figures() -> None:
    with pytest.raises(InputError, match="at least one map"):
        mean_figures([])
    for value in (math.nan, math.inf):
        with pytest.raises(InputError, match="must be finite, or left out"):
            mean_figures([{"rmse": 0.1}, {"rmse": value}])


def test_figures_of_regions_are_those_of_each_alone() -> None:
    regions = {"all": None, "left": np.zeros(TRUTH.shape, bool), "some": RNG.random(TRUTH.shape) < 0.5}
    regions["left"][:, :7] = True
    found = compare_grey_regions(PREDICTION, TRUTH, regions, span_db=99.16)
    assert found == {name: compare_grey_maps(PREDICTION, TRUTH, mask, span_db=99.16) for name, mask in regions.items()}
    # Five columns from the edge, two of the seven have a whole window.
    assert "ssim" in found["left"]


def test_a_region_without_cells_has_no_figures() -> None:
    assert compare_grey_regions(PREDICTION, TRUTH, {"none": np.zeros(TRUTH.shape, bool)}) == {"none": {}}
    with pytest.raises(InputError, match="at least one cell that counts"):
        compare_grey_maps(PREDICTION, TRUTH, np.zeros(TRUTH.shape, bool))


@pytest.mark.parametrize("region", [np.ones((3, 3), bool), np.ones(TRUTH.shape)])
def test_a_region_is_a_mask_of_the_map(region: np.ndarray) -> None:
    with pytest.raises(InputError, match="region 'odd'"):
        compare_grey_regions(PREDICTION, TRUTH, {"odd": region})


def test_pooled_errors_are_those_of_all_cells_in_a_row() -> None:
    pooled = PooledErrors()
    for predicted, true in ((PREDICTION[:3], TRUTH[:3]), (PREDICTION[3:], TRUTH[3:])):
        pooled.add(predicted.reshape(1, -1), true.reshape(1, -1))
    assert pooled.num_cells == TRUTH.size
    assert pooled.figures() == pytest.approx(
        {name: getattr(metrics, name)(PREDICTION, TRUTH) for name in ("mse", "mae", "rmse", "nmse")}
    )
    assert PooledErrors().figures() == {}
