from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from radiodiff.data.icassp.crop import Window, centred_window, cut, draw_window, window_starts
from radiodiff.errors import InputError


@st.composite
def maps(draw):
    """(shape, tx, size, margin)."""
    shape = draw(st.tuples(st.integers(1, 150), st.integers(1, 150)))
    tx = tuple(draw(st.integers(0, length - 1)) for length in shape)
    size = draw(st.integers(1, 96))
    return shape, tx, size, draw(st.integers(0, (size - 1) // 2))


@given(maps(), st.integers(0, 2**32))
def test_the_transmitter_stays_in_and_the_window_on_the_map(case, seed):
    shape, tx, size, margin = case
    window = draw_window(shape, tx, np.random.default_rng(seed), size=size, margin=margin)
    assert (window.rows, window.cols) == (size, size)
    for length, at, start in zip(shape, tx, (window.row, window.col), strict=True):
        inside = at - start
        assert 0 <= inside < size
        # On the map, or around all of it.
        assert min(0, length - size) <= start <= max(0, length - size)
        near = min(inside, size - inside)
        if near < margin:
            # No allowed window leaves the transmitter farther inside.
            best = max(min(at - s, size - (at - s)) for s in range(min(0, length - size), max(0, length - size) + 1))
            assert near == best


@given(maps())
def test_the_starts_are_all_that_keep_the_margin(case):
    shape, tx, size, margin = case
    for length, at in zip(shape, tx, strict=True):
        allowed = range(min(0, length - size), max(0, length - size) + 1)
        keeping = [s for s in allowed if margin <= at - s <= size - margin and at - s < size]
        if keeping:
            assert list(window_starts(length, at, size, margin)) == keeping
        else:
            assert len(window_starts(length, at, size, margin)) == 1


def test_every_position_is_equally_likely():
    """15 rows and 6 columns of starts for a window of 20 pixels."""
    shape, tx, random = (60, 60), (30, 8), np.random.default_rng(7)
    windows = [draw_window(shape, tx, random, size=20, margin=3) for _ in range(12_600)]
    found = Counter((window.row, window.col) for window in windows)
    assert set(found) == {(row, col) for row in range(13, 28) for col in range(6)}
    assert chisquare(list(found.values())).pvalue > 0.001


def test_the_usual_window_has_the_transmitter_at_10_to_86():
    random = np.random.default_rng(0)
    places = [draw_window((300, 300), (150, 140), random).moved((150, 140)) for _ in range(3000)]
    rows, cols = zip(*places, strict=True)
    assert (min(rows), max(rows), min(cols), max(cols)) == (10, 86, 10, 86)


@pytest.mark.parametrize("margins", [(48, 96), (-1, 96), (1, 2)])
def test_margins_that_leave_nothing_are_refused(margins):
    margin, size = margins
    with pytest.raises(InputError, match="margins of a window"):
        draw_window((99, 99), (5, 5), np.random.default_rng(0), size=size, margin=margin)


@pytest.mark.parametrize("tx", [(-1, 5), (5, -1), (99, 5), (5, 80)])
def test_a_transmitter_beside_the_map_is_refused(tx):
    with pytest.raises(InputError, match="must be a cell of the map, 99 x 80"):
        draw_window((99, 80), tx, np.random.default_rng(0))
    with pytest.raises(InputError, match="must be a cell of the map"):
        centred_window((99, 80), tx)


def test_a_window_without_pixels_is_refused():
    with pytest.raises(InputError, match="at least one pixel"):
        centred_window((9, 9), (3, 3), 0)


@given(maps())
def test_the_centred_window_has_the_transmitter_in_the_middle(case):
    shape, tx, size, _ = case
    assert centred_window(shape, tx, size).moved(tx) == (size // 2, size // 2)


@given(st.integers(-12, 12), st.integers(-12, 12), st.integers(1, 15), st.integers(1, 15))
def test_a_cut_is_what_lies_there_and_the_filling_elsewhere(row, col, rows, cols):
    array = np.arange(1.0, 71.0).reshape(10, 7)
    part = cut(array, Window(row, col, rows, cols), -3.0)
    assert part.dtype == np.float32
    for i in range(rows):
        for j in range(cols):
            at = (row + i, col + j)
            expected = array[at] if 0 <= at[0] < 10 and 0 <= at[1] < 7 else -3.0
            assert part[i, j] == expected
