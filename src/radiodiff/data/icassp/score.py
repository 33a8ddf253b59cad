"""The score of the ICASSP 2025 challenge: RMSE in decibels per task, weighted over the tasks."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError

__all__ = ["TASK_WEIGHTS", "challenge_score_db", "task_rmse_db"]

TASK_WEIGHTS = {1: 0.3, 2: 0.3, 3: 0.4}


def task_rmse_db(
    errors_db: Iterable[NDArray[np.floating]], averaging: Literal["pooled", "per-map"] = "pooled"
) -> float:
    """RMSE of one task over its test maps [dB].

    Args:
        errors_db: Prediction minus truth of each map, any shapes [dB]. Give them without padding.
        averaging: "pooled" takes the root of the mean over all pixels of all maps, so that large maps count more: that
            is the challenge's, which scored tables with one line per pixel. "per-map" is the mean of the maps' RMSE.

    Raises:
        InputError: There are no maps, a map is empty, an error is not finite, or the averaging is unknown.
    """
    if averaging not in ("pooled", "per-map"):
        raise InputError("averaging must be 'pooled' or 'per-map'", value=repr(averaging), remedy="Correct the name.")
    squares, counts = [], []
    for number, errors in enumerate(errors_db):
        if not (errors.size and np.isfinite(errors).all()):
            raise InputError(
                "The errors of a map must be finite numbers, at least one",
                value=f"map {number} with shape {errors.shape}",
                remedy="Look for NaN in the prediction.",
            )
        squares.append(float(np.square(errors, dtype=np.float64).sum()))
        counts.append(errors.size)
    if not counts:
        raise InputError("A task must have at least one map", value="none", remedy="Predict its test maps.")
    if averaging == "pooled":
        return float(np.sqrt(sum(squares) / sum(counts)))
    return float(np.mean(np.sqrt(np.array(squares) / np.array(counts))))


def challenge_score_db(rmse_db: Mapping[int, float]) -> float:
    """Weighted RMSE over the tasks, 0.3, 0.3 and 0.4 [dB].

    Args:
        rmse_db: `task_rmse_db` by task, all three.

    Raises:
        InputError: A task is missing or unknown, or a value is not a number of at least 0.

    Source: Bakirtzis et al. (2025), "The First Indoor Pathloss Radio Map Prediction Challenge", arXiv 2501.13698.
    """
    if set(rmse_db) != set(TASK_WEIGHTS):
        missing = [str(task) for task in TASK_WEIGHTS if task not in rmse_db]
        raise InputError(
            "The challenge's score needs the RMSE of tasks 1, 2 and 3, and of no other",
            value=f"tasks {', '.join(map(str, rmse_db)) or 'none'}, without {', '.join(missing) or 'none'}",
            remedy="Predict the test maps of every task; report single tasks by their RMSE.",
        )
    if not all(0.0 <= value < np.inf for value in rmse_db.values()):
        raise InputError(
            "An RMSE must be a finite number of at least 0", value=dict(rmse_db), remedy="Look for NaN in a prediction."
        )
    return sum(weight * rmse_db[task] for task, weight in TASK_WEIGHTS.items())
