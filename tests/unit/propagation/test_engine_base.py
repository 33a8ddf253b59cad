"""What the base of the engines makes of their solutions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.scene import Grid, Scene, Transmitter

GRID = Grid(3, 4)


@dataclass(frozen=True)
class Pairs(PropagationModel):
    """Solves transmitters two at a time and leaves a hole."""

    name = "pairs"
    reaches_everywhere = False

    def prepare(self, scene: Scene) -> Solver:
        def solve(txs: Sequence[Transmitter]) -> Iterator[Solution]:
            for first in range(0, len(txs), 2):
                for tx in txs[first : first + 2]:
                    loss_db = np.full(scene.grid.shape, tx.x_m)
                    loss_db[0, :2] = np.nan
                    yield Solution(loss_db, {"solve": first // 2})

        return solve


def test_solutions_become_maps_in_order() -> None:
    scene = Scene.empty(GRID)
    txs = [Transmitter.at_cell(GRID, col, 0) for col in range(3)]
    maps = list(Pairs().radio_maps(scene, txs))
    assert [found.meta for found in maps] == [{"solve": solve, "num_cells_without_path": 2} for solve in (0, 0, 1)]
    assert [float(found.path_loss_db[2, 2]) for found in maps] == [0.5, 1.5, 2.5]


def test_cells_without_a_path_are_counted_outdoors() -> None:
    buildings = np.zeros(GRID.shape, dtype=bool)
    buildings[0, 1] = buildings[2, 3] = True
    found = Pairs().radio_map(Scene(GRID, buildings), Transmitter.at_cell(GRID, 3, 0))
    assert found.meta["num_cells_without_path"] == 1
    assert int(np.isnan(found.path_loss_db).sum()) == 3


@pytest.mark.parametrize("count", [0, 1])
def test_maps_are_solved_when_they_are_asked_for(count: int) -> None:
    scene = Scene.empty(GRID)
    maps = Pairs().radio_maps(scene, [Transmitter.at_cell(GRID, 1, 1)] * 3)
    assert len([next(maps) for _ in range(count)]) == count
