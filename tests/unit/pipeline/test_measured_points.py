"""Measured points as a value: what is kept and what is refused."""

from typing import Any

import numpy as np
import pytest

from radiodiff.errors import InputError
from radiodiff.pipeline.measurements import MOST_POINTS, Measurements

CELLS = np.array([[3, 4], [0, 9], [7, 1]])
VALUES = np.array([80.0, 95.5, 101.0])


def test_points_are_kept_in_order_and_read_only() -> None:
    points = Measurements(CELLS, VALUES)
    np.testing.assert_array_equal(points.cells, CELLS)
    np.testing.assert_array_equal(points.path_loss_db, VALUES)
    assert len(points) == 3
    assert points.cells.dtype == np.int64
    for array in (points.cells, points.path_loss_db):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_lists_and_whole_floats_will_do() -> None:
    points = Measurements([[3.0, 4.0]], [80])  # type: ignore[arg-type]
    assert points.cells.tolist() == [[3, 4]]


def test_a_value_that_is_given_twice_counts_once() -> None:
    points = Measurements(np.array([[3, 4], [0, 9], [3, 4]]), np.array([80.0, 95.0, 80.0]))
    assert points.cells.tolist() == [[3, 4], [0, 9]]
    assert points.path_loss_db.tolist() == [80.0, 95.0]


@pytest.mark.parametrize(
    ("cells", "values", "fault"),
    [
        (np.empty((0, 2), int), np.empty(0), f"must be 1 to {MOST_POINTS} points; got 0"),
        (np.indices((50, 50)).reshape(2, -1).T, np.zeros(2500), f"must be 1 to {MOST_POINTS} points; got 2500"),
        (CELLS, VALUES[:2], r"need cells \(n, 2\).*shapes \(3, 2\) and \(2,\)"),
        (CELLS[0], VALUES[:1], r"need cells \(n, 2\)"),
        (np.zeros((3, 3), int), VALUES, r"need cells \(n, 2\)"),
        (CELLS, VALUES[:, None], r"need cells \(n, 2\)"),
        (
            CELLS,
            np.array([80.0, np.nan, 90.0]),
            "must be finite; got 1 of 3 values are not, the first at row 0, column 9",
        ),
        (CELLS, np.array([80.0, 90.0, -np.inf]), "the first at row 7, column 1"),
        (CELLS, -VALUES, r"must not be negative; got -80 dB at row 3, column 4\. Change the sign of gains"),
        (np.array([[3, 4], [-1, 9]]), VALUES[:2], r"must not be negative; got \[-1, 9\]"),
        (np.array([[3.5, 4.0]]), VALUES[:1], r"must be whole numbers; got \[3\.5, 4\.0\], point 0"),
        (np.array([[3.0, 4.0], [np.nan, 4.0]]), VALUES[:2], r"must be whole numbers; got \[nan, 4\.0\], point 1"),
        (np.array([[3.0, np.inf]]), VALUES[:1], r"must be whole numbers; got \[3\.0, inf\], point 0"),
        (np.array([[True, False]]), VALUES[:1], "must be whole numbers; got an array of bool"),
        ([[3, 4], [5]], VALUES[:2], r"need cells \(n, 2\).*; got cells in rows of different lengths"),
        (CELLS[:1], ["80 dB"], "Measured path loss must be numbers; got an array of <U5"),
        (CELLS[:1], [True], "Measured path loss must be numbers; got an array of bool"),
        (CELLS[:1], [None], "Measured path loss must be numbers; got an array of object"),
        (CELLS[:2], [[80.0], [90.0, 91.0]], "need cells .*; got path_loss_db in rows of different lengths"),
        (np.array([["a", "b"]]), VALUES[:1], "must be whole numbers"),
        (CELLS[[0, 1, 0]], VALUES, "of one cell must agree; got 80 and 101 dB at row 3, column 4"),
    ],
)
def test_what_cannot_be_is_refused(cells: Any, values: Any, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        Measurements(cells, values)


@pytest.mark.parametrize(
    "settings",
    [
        {"noise_db": -1.0},
        {"noise_db": np.nan},
        {"noise_db": "0.5"},
        {"noise_db": True},
        {"correlation_cells": 0.0},
        {"correlation_cells": np.inf},
        {"correlation_cells": None},
    ],
)
def test_settings_are_positive(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="noise_db of at least 0 and correlation_cells above 0"):
        Measurements(CELLS, VALUES, **settings)


def test_points_beside_the_map_and_indoors_are_counted() -> None:
    indoors = np.zeros((8, 10), dtype=bool)
    Measurements(CELLS, VALUES).check_on(indoors)
    with pytest.raises(InputError, match="must be on the map of 4 x 5 cells; got row 0, column 9 and 1 more"):
        Measurements(CELLS, VALUES).check_on(indoors[:4, :5])
    indoors[3, 4] = indoors[7, 1] = True
    with pytest.raises(InputError, match="must be outside buildings; got row 3, column 4 and 1 more"):
        Measurements(CELLS, VALUES).check_on(indoors)
