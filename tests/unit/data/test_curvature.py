"""The curvature map against fields whose wave number is known."""

import numpy as np
import pytest

from radiodiff.data.curvature import curvature_map
from radiodiff.errors import InputError


def test_an_oscillating_field_has_no_negative_wave_number() -> None:
    # u = 0.5 cos(a col) cos(b row) solves the Helmholtz equation with k^2 > 0 wherever u > 0.
    col = np.arange(-15, 16)
    u = 0.5 * np.cos(0.05 * col)[None] * np.cos(0.07 * col)[:, None]
    assert curvature_map(u).max() == 0.0


def test_an_evanescent_field_has_one_wave_number_everywhere() -> None:
    # u = exp(-a col): lap u / u is the same in every cell, so the scaled map is 1 within the rim.
    u = np.exp(-0.1 * np.arange(30))[None].repeat(20, axis=0)
    found = curvature_map(u)
    np.testing.assert_allclose(found[1:-1, 1:-1], 1.0, atol=1e-6)
    assert found[0].max() == found[:, -1].max() == 0.0


def test_two_rates_of_decay_keep_their_ratio() -> None:
    # Discrete: lap u / u = 2 (cosh a - 1).
    rows = 40
    slow, fast = np.exp(-0.05 * np.arange(60)), np.exp(-0.2 * np.arange(20))
    left, right = slow[None].repeat(rows, axis=0), fast[None].repeat(rows, axis=0)
    found = curvature_map(np.hstack([left, right * 0.5]), np.hstack([np.zeros((rows, 60)), np.zeros((rows, 20))]) > 0)
    ratio = (np.cosh(0.05) - 1) / (np.cosh(0.2) - 1)
    assert found[20, 30] / found[20, 70] == pytest.approx(ratio, rel=1e-5)


def test_excluded_cells_and_their_neighbours_do_not_count() -> None:
    u = np.exp(-0.1 * np.arange(30))[None].repeat(20, axis=0)
    u[10, 10] = 0.0
    excluded = np.zeros(u.shape, dtype=bool)
    excluded[10, 10] = True
    found = curvature_map(u, excluded)
    assert found[10, 9:12].tolist() == [0.0, 0.0, 0.0]
    assert found[5, 5] == pytest.approx(1.0)


def test_a_constant_map_and_a_tiny_one_give_zeros() -> None:
    assert curvature_map(np.full((9, 9), 0.4)).max() == 0.0
    assert curvature_map(np.full((2, 2), 0.4)).shape == (2, 2)


@pytest.mark.parametrize(
    ("level", "mask"), [(np.zeros(4), None), (np.full((4, 4), np.nan), None), (np.zeros((4, 4)), np.zeros((3, 3)))]
)
def test_bad_arrays_are_refused(level: np.ndarray, mask: np.ndarray | None) -> None:
    with pytest.raises(InputError, match="finite level"):
        curvature_map(level, mask)


def test_cells_of_level_zero_have_no_wave_number_and_set_no_scale() -> None:
    # A cell without a value beside lit ones would divide their sum by next to nothing.
    u = np.exp(-0.1 * np.arange(30))[None].repeat(20, axis=0)
    u[8:10, 8:10] = 0.0
    found = curvature_map(u)
    assert found[7:11, 8:10].max() == found[8:10, 7:11].max() == 0.0
    np.testing.assert_allclose(found[12:19, 1:29], 1.0, atol=1e-6)


def test_a_few_cells_do_not_set_the_scale_of_the_map() -> None:
    u = np.exp(-0.1 * np.arange(100))[None].repeat(100, axis=0)
    u[50, 50] *= 0.2
    np.testing.assert_allclose(curvature_map(u)[10, 10], 1.0, rtol=0.05)
