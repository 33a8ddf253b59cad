"""Symmetries and sizes: cells move with their maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiodiff.data.placement import NUM_SYMMETRIES, Placement, draw_symmetry, turn_array, turn_cells
from radiodiff.errors import InputError


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, NUM_SYMMETRIES - 1), st.data())
def test_a_cell_moves_with_its_map(rows: int, cols: int, symmetry: int, data: st.DataObject) -> None:
    cell = (data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1)))
    array = np.zeros((2, rows, cols))
    array[:, *cell] = 1
    moved = turn_cells(np.array([cell]), (rows, cols), symmetry)[0]
    assert turn_array(array, symmetry)[:, *moved].tolist() == [1, 1]


def test_the_eight_symmetries_are_different() -> None:
    array = np.arange(9).reshape(3, 3)
    assert len({turn_array(array, k).tobytes() for k in range(NUM_SYMMETRIES)}) == NUM_SYMMETRIES
    assert (turn_array(array, 1) == np.rot90(array)).all()
    assert (turn_array(array, 4) == np.fliplr(array)).all()


def test_draws_keep_the_shape_and_reach_every_symmetry() -> None:
    random = np.random.default_rng(0)
    assert {draw_symmetry(random, (8, 8)) for _ in range(200)} == set(range(8))
    wide = {draw_symmetry(random, (4, 8)) for _ in range(200)}
    assert wide == {0, 2, 4, 6}
    assert all(turn_array(np.zeros((4, 8)), k).shape == (4, 8) for k in wide)


def test_padding_keeps_the_map_in_its_corner() -> None:
    placement = Placement((2, 3), (4, 5), "pad")
    out = np.empty((4, 5), dtype=np.float32)
    placement.place(np.ones((2, 3), dtype=np.float32), out, is_mask=False)
    assert out[:2, :3].min() == 1.0
    assert out[2:].max() == out[:, 3:].max() == -1.0
    assert placement.content == (2, 3)
    assert placement.move(np.array([[1, 2]])).tolist() == [[1, 2]]


@pytest.mark.parametrize("size", [320, 192, 64, 100])
def test_resampling_keeps_a_slope(size: int) -> None:
    # A plane is its own interpolation: outside the half cell at the rim, any correct method returns it.
    source = np.linspace(-1.0, 1.0, 256, dtype=np.float32)[None].repeat(256, axis=0)
    out = np.empty((size, size), dtype=np.float32)
    Placement((256, 256), (size, size)).place(source, out, is_mask=False)
    centres = (np.arange(size) + 0.5) * 256 / size - 0.5
    expected = -1.0 + 2.0 * centres / 255
    np.testing.assert_allclose(out[size // 2, 1:-1], expected[1:-1], atol=1e-3)


@pytest.mark.parametrize("size", [320, 512, 128])
def test_a_resampled_mask_stays_binary_and_holds_the_moved_cells(size: int) -> None:
    mask = -np.ones((256, 256), dtype=np.float32)
    mask[100:140, 30:90] = 1.0
    placement = Placement((256, 256), (size, size))
    out = np.empty((size, size), dtype=np.float32)
    placement.place(mask, out, is_mask=True)
    assert set(np.unique(out)) == {-1.0, 1.0}
    inside = placement.move(np.array([[120, 60], [102, 32]]))
    outside = placement.move(np.array([[95, 60], [120, 95]]))
    assert out[tuple(inside.T)].tolist() == [1.0, 1.0]
    assert out[tuple(outside.T)].tolist() == [-1.0, -1.0]


def test_a_map_cannot_be_padded_to_less() -> None:
    with pytest.raises(InputError, match="at least its own size, 8 x 8 cells; got 8 x 7"):
        Placement((8, 8), (8, 7), "pad")
