"""Errors cell by cell, by hand."""

import math

import numpy as np
import pytest

from radiodiff.errors import InputError
from radiodiff.metrics import (
    PathLossError,
    abs_error_percentile_db,
    compare_path_loss,
    mae,
    mae_db,
    median_abs_error_db,
    mse,
    nmse,
    psnr,
    relative_error,
    rmse,
    rmse_db,
)

TRUTH = np.array([[0.0, 0.5], [1.0, 0.5]])
PREDICTION = np.array([[0.0, 0.6], [0.7, 0.5]])
ALL = [mse, rmse, mae, nmse, psnr, relative_error, rmse_db, mae_db, median_abs_error_db, compare_path_loss]


def test_errors_of_levels_by_hand() -> None:
    # Errors 0, 0.1, -0.3, 0; squares sum to 0.1; squared truth sums to 1.5.
    assert mse(PREDICTION, TRUTH) == pytest.approx(0.025)
    assert rmse(PREDICTION, TRUTH) == pytest.approx(math.sqrt(0.025))
    assert mae(PREDICTION, TRUTH) == pytest.approx(0.1)
    assert nmse(PREDICTION, TRUTH) == pytest.approx(0.1 / 1.5)
    assert relative_error(PREDICTION, TRUTH) == pytest.approx(0.4 / 2.0)
    assert psnr(PREDICTION, TRUTH) == pytest.approx(16.0206, abs=1e-4)


@pytest.mark.parametrize("metric", [nmse, relative_error])
def test_normalised_error_of_no_prediction_is_one(metric) -> None:
    assert metric(np.zeros_like(TRUTH), TRUTH) == pytest.approx(1.0)


def test_an_exact_prediction() -> None:
    assert mse(TRUTH, TRUTH) == rmse(TRUTH, TRUTH) == mae(TRUTH, TRUTH) == nmse(TRUTH, TRUTH) == 0.0
    assert psnr(TRUTH, TRUTH) == math.inf


def test_errors_of_decibels_by_hand() -> None:
    truth_db = np.array([100.0, 100.0, 100.0, 100.0, 100.0])
    prediction_db = np.array([101.0, 98.0, 100.0, 104.0, 100.0])
    assert rmse_db(prediction_db, truth_db) == pytest.approx(math.sqrt(21 / 5))
    assert mae_db(prediction_db, truth_db) == pytest.approx(7 / 5)
    assert median_abs_error_db(prediction_db, truth_db) == 1.0
    assert abs_error_percentile_db(prediction_db, truth_db, 75.0) == 2.0
    assert abs_error_percentile_db(prediction_db, truth_db, 100.0) == 4.0


def test_the_summary_holds_the_single_figures() -> None:
    truth_db = np.array([100.0, 100.0, 100.0, 100.0, 100.0, np.nan])
    prediction_db = np.array([101.0, 98.0, 100.0, 104.0, 100.0, 7.0])
    assert compare_path_loss(prediction_db, truth_db) == PathLossError(
        num_cells=5,
        bias_db=pytest.approx(0.6),
        rmse_db=rmse_db(prediction_db, truth_db),
        mae_db=mae_db(prediction_db, truth_db),
        median_abs_error_db=1.0,
        p90_abs_error_db=pytest.approx(3.2),
    )


@pytest.mark.parametrize("metric", ALL)
def test_cells_without_a_truth_do_not_count(metric) -> None:
    truth = np.append(TRUTH, np.nan)
    assert metric(np.append(PREDICTION, 9.0), truth) == metric(PREDICTION.ravel(), TRUTH.ravel())


@pytest.mark.parametrize("metric", ALL)
def test_only_cells_of_the_mask_count(metric) -> None:
    mask = np.array([[False, True], [True, False]])
    assert metric(PREDICTION, TRUTH, mask) == metric(PREDICTION[mask], TRUTH[mask])
    assert metric(PREDICTION, TRUTH, mask) != metric(PREDICTION, TRUTH)


@pytest.mark.parametrize("metric", ALL)
def test_shapes_must_agree(metric) -> None:
    with pytest.raises(InputError, match="one shape"):
        metric(PREDICTION[:1], TRUTH)
    with pytest.raises(InputError, match="one shape"):
        metric(PREDICTION, TRUTH, np.array([True, False]))


@pytest.mark.parametrize("metric", ALL)
def test_the_mask_must_be_bool(metric) -> None:
    with pytest.raises(InputError, match="must be bool"):
        metric(PREDICTION, TRUTH, np.array([[0, 255], [255, 0]], dtype=np.uint8))


@pytest.mark.parametrize("metric", ALL)
def test_an_empty_mask_is_refused(metric) -> None:
    with pytest.raises(InputError, match="at least one cell"):
        metric(PREDICTION, TRUTH, np.zeros((2, 2), dtype=bool))


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_prediction_is_refused(metric, value: float) -> None:
    prediction = PREDICTION.copy()
    prediction[0, 0] = value
    with pytest.raises(InputError, match="1 of 4 cells"):
        metric(prediction, TRUTH)


@pytest.mark.parametrize("metric", ALL)
def test_a_missing_truth_inside_the_mask_is_refused(metric) -> None:
    truth = TRUTH.copy()
    truth[0, 0] = np.nan
    with pytest.raises(InputError, match="1 of 4 cells"):
        metric(PREDICTION, truth, np.ones((2, 2), dtype=bool))


@pytest.mark.parametrize("metric", [nmse, relative_error])
def test_normalised_errors_need_a_truth(metric) -> None:
    with pytest.raises(InputError, match="not 0 everywhere"):
        metric(PREDICTION, np.zeros_like(TRUTH))


@pytest.mark.parametrize("percentile", [-0.1, 100.1, np.nan])
def test_a_percentile_lies_between_0_and_100(percentile: float) -> None:
    with pytest.raises(InputError, match="percentile"):
        abs_error_percentile_db(PREDICTION, TRUTH, percentile)


def test_arrays_of_small_types_do_not_overflow() -> None:
    assert mae(np.array([0], dtype=np.uint8), np.array([200], dtype=np.uint8)) == 200.0
