"""Windows over large maps: their places, their weights, what is made of them."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from radiodiff.pipeline.windows import Pair, WindowPlan, blended, plan_windows


@given(
    rows=st.integers(1, 90),
    cols=st.integers(1, 90),
    size=st.integers(1, 24),
    overlap=st.sampled_from([0.05, 0.25, 0.5]),
)
def test_weights_add_up_to_one_everywhere(rows: int, cols: int, size: int, overlap: float) -> None:
    window = (min(rows, size), min(cols, size))
    plan = plan_windows((rows, cols), window, overlap)
    total = np.zeros((rows, cols))
    for (top, left), weight in zip(plan.corners, plan.weights, strict=True):
        assert top >= 0
        assert left >= 0
        assert weight.min() >= 0.0
        # A window that leaves the map would not have a place to add its weights to.
        total[top : top + window[0], left : left + window[1]] += weight
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


@pytest.mark.parametrize("overlap", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("length", [65, 96, 128, 200])
def test_windows_overlap_as_much_as_asked_and_not_more_often_than_needed(length: int, overlap: float) -> None:
    starts = np.array(plan_windows((length, 1), (64, 1), overlap).row_starts)
    assert starts[0] == 0
    assert starts[-1] == length - 64
    shared = 64 - np.diff(starts)
    # Rounding of even places takes one cell at most.
    assert shared.min() >= np.floor(64 * overlap) - 1
    assert (len(starts) - 2) * (64 - np.ceil(64 * overlap)) < length - 64


def test_the_border_of_a_window_counts_only_at_the_border_of_the_map() -> None:
    plan = plan_windows((1, 100), (1, 40), 0.5)
    weights = plan.weights[:, 0]
    assert (weights[0, :10] == 1.0).all()
    assert (weights[0, -3:] == 0.0).all()
    assert (weights[1, :3] == 0.0).all()
    assert (weights[-1, -10:] == 1.0).all()


def test_a_map_of_one_window_is_not_cut() -> None:
    plan = plan_windows((20, 30), (20, 30), 0.25)
    assert plan == WindowPlan((20, 30), (20, 30))
    assert plan.is_whole
    assert (plan.weights == 1.0).all()


def test_a_finer_grid_has_the_same_windows() -> None:
    plan = plan_windows((20, 30), (8, 30), 0.25)
    fine = plan.times(4)
    assert fine.shape == (80, 120)
    assert fine.window == (32, 120)
    assert [(row // 4, col // 4) for row, col in fine.corners] == plan.corners


MAPS = torch.rand((2, 3, 21, 17), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_what_works_cell_by_cell_is_the_same_in_windows(batch_size: int) -> None:
    def squares(maps: Tensor) -> Tensor:
        return maps.square()[:, :2].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    def apply(windows: Tensor, pairs: Sequence[Pair]) -> Tensor:
        assert len(windows) == len(pairs) <= batch_size
        return squares(windows)

    plan = plan_windows((21, 17), (8, 9), 0.5)
    assert len(plan.corners) > 4
    found = blended(plan, MAPS, apply, batch_size=batch_size, factor=2)
    torch.testing.assert_close(found, squares(MAPS), rtol=0.0, atol=1e-6)


def test_a_whole_map_goes_through_as_it_is() -> None:
    plan = plan_windows((21, 17), (21, 17), 0.25)
    assert torch.equal(blended(plan, MAPS, lambda windows, _: windows * 3.0, batch_size=1), MAPS * 3.0)


def test_windows_know_their_map_and_their_place() -> None:
    plan = plan_windows((21, 17), (8, 9), 0.25)
    seen: list[Pair] = []

    def check(windows: Tensor, pairs: Sequence[Pair]) -> Tensor:
        for window, (row, number) in zip(windows, pairs, strict=True):
            top, left = plan.corners[number]
            assert torch.equal(window, MAPS[row, :, top : top + 8, left : left + 9])
        seen.extend(pairs)
        return windows

    blended(plan, MAPS, check, batch_size=5)
    assert seen == [(row, number) for row in range(2) for number in range(len(plan.corners))]


def test_gradients_pass_through_the_blending() -> None:
    plan = plan_windows((21, 17), (8, 9), 0.25)
    maps = MAPS.clone().requires_grad_(True)
    blended(plan, maps, lambda windows, _: 2.0 * windows, batch_size=3).sum().backward()
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad, torch.full_like(maps, 2.0))
