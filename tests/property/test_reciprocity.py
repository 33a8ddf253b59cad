"""Swapping transmitter and receiver at equal heights keeps the path loss, on random towns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_cases import EngineCase, random_town
from radiodiff.scene import Transmitter


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_both_directions_of_a_link_lose_the_same(case: EngineCase, seed: int, data: st.DataObject) -> None:
    if not case.has_point_receivers:
        pytest.skip("cells hold means over their area, transmitters are points")
    scene = random_town(seed)
    free = np.argwhere(~scene.buildings)
    ends = [free[data.draw(st.integers(0, len(free) - 1))] for _ in range(2)]
    txs = [Transmitter.at_cell(scene.grid, int(col), int(row)) for row, col in ends]
    there, back = case.engine.radio_maps(scene, txs)
    forward, backward = there.path_loss_db[tuple(ends[1])], back.path_loss_db[tuple(ends[0])]
    assert abs(forward - backward) <= case.tolerance_db
