import numpy as np
import pytest

from radiodiff.data.icassp.score import challenge_score_db, task_rmse_db
from radiodiff.errors import InputError

MAPS = [np.full((2, 3), 3.0), np.array([[-4.0, 4.0]])]


def test_pooled_over_all_pixels_or_per_map():
    assert task_rmse_db(MAPS) == pytest.approx(np.sqrt((6 * 9 + 2 * 16) / 8))
    assert task_rmse_db(iter(MAPS), "per-map") == pytest.approx(3.5)


def test_whole_numbers_do_not_overflow():
    assert task_rmse_db([np.full((3, 3), -100, np.int8)]) == pytest.approx(100.0)


def test_weights_of_the_tasks():
    assert challenge_score_db({1: 1.0, 2: 0.0, 3: 0.0}) == pytest.approx(0.3)
    assert challenge_score_db({1: 0.0, 2: 1.0, 3: 0.0}) == pytest.approx(0.3)
    assert challenge_score_db({3: 1.0, 2: 0.0, 1: 0.0}) == pytest.approx(0.4)
    assert challenge_score_db({1: 9.5, 2: 9.5, 3: 9.5}) == pytest.approx(9.5)


@pytest.mark.parametrize("errors", [[np.array([np.nan])], [np.ones(3), np.array([np.inf])], [np.empty((0, 3))]])
def test_errors_that_are_no_numbers_are_refused(errors):
    with pytest.raises(InputError, match=f"finite numbers.*map {len(errors) - 1}"):
        task_rmse_db(errors)


def test_no_maps_and_unknown_averaging_are_refused():
    with pytest.raises(InputError, match="at least one map"):
        task_rmse_db([])
    with pytest.raises(InputError, match="'pooled' or 'per-map'"):
        task_rmse_db(MAPS, "mean")


@pytest.mark.parametrize(
    ("rmse", "match"),
    [
        ({1: 1.0, 3: 1.0}, "tasks 1, 3, without 2"),
        ({}, "tasks none, without 1, 2, 3"),
        ({1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}, "tasks 1, 2, 3, 4, without none"),
        ({1: 1.0, 2: np.nan, 3: 1.0}, "finite number of at least 0"),
        ({1: 1.0, 2: -1.0, 3: 1.0}, "finite number of at least 0"),
        ({1: 1.0, 2: np.inf, 3: 1.0}, "finite number of at least 0"),
    ],
)
def test_incomplete_scores_are_refused(rmse, match):
    with pytest.raises(InputError, match=match):
        challenge_score_db(rmse)
