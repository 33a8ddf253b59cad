"""The search with the default three corners against all corner sequences, on crowded scenes."""

import numpy as np
import pytest
import shapely

from brute_force import path_loss_db as brute_force_db
from radiodiff.propagation import RADIOMAPSEER_LAW, DominantPath
from radiodiff.scene import Footprint, Grid, Scene, Transmitter


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_a_search_of_all_sequences_of_three_corners(seed: int) -> None:
    generator = np.random.default_rng(seed)
    blocks: list[shapely.Polygon] = []
    while len(blocks) < 6:
        x, y, width, height = generator.uniform((2, 2, 2, 2), (26, 20, 8, 7))
        block = shapely.affinity.rotate(shapely.box(x, y, x + width, y + height), float(generator.uniform(0, 90)))
        if not any(block.distance(other) < 0.3 for other in blocks):
            blocks.append(block)
    scene = Scene.from_footprints(Grid(24, 30), [Footprint(block) for block in blocks])
    row, col = generator.permutation(np.argwhere(~scene.buildings))[0]
    tx = Transmitter.at_cell(scene.grid, int(col), int(row))
    actual = DominantPath().radio_map(scene, tx).path_loss_db
    expected = brute_force_db(scene, tx, RADIOMAPSEER_LAW)
    assert np.abs(actual - expected)[~scene.buildings].max() < 2e-3
