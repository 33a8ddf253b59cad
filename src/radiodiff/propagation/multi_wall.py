"""Indoor path loss: free space and a loss per wall."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solver, one_by_one
from radiodiff.propagation.constants import check_constant, check_rx_height
from radiodiff.propagation.link_distance import link_distance_m
from radiodiff.scene import Scene, Transmitter
from radiodiff.units import free_space_path_loss_db

__all__ = ["HEAVY_WALL_LOSS_DB", "LIGHT_WALL_LOSS_DB", "MultiWall"]

LIGHT_WALL_LOSS_DB = 3.4
"""A wall that bears no load: plasterboard, particle board, concrete below 10 cm [dB].
Source: COST 231 final report (1999), section 4.7.2, 1.8 GHz."""

HEAVY_WALL_LOSS_DB = 6.9
"""A wall that bears load: brick or concrete above 10 cm [dB]. Source: as above."""


@final
@dataclass(frozen=True)
class MultiWall(PropagationModel):
    """Free-space path loss plus one loss for every wall that the straight ray goes through.

    The building cells are the walls; an unbroken run of them along the ray is one wall, however thick. Cars
    change nothing. The constant loss and the floors of the full model are left out: one storey, no fit.

    Attributes:
        wall_loss_db: Loss per wall [dB].
        rx_height_m: Height of the receivers above the floor [m].

    Raises:
        PropagationError: The loss is not finite or below 0, or the height is not finite or not above 0.

    Source: COST 231 final report (1999), chapter 4, eq. 4.7.2 (multi-wall model).
    """

    wall_loss_db: float = LIGHT_WALL_LOSS_DB
    rx_height_m: float = 1.5

    name = "multi-wall"

    def __post_init__(self) -> None:
        check_rx_height(self)
        remedy = f"Light walls have {LIGHT_WALL_LOSS_DB} dB, heavy ones {HEAVY_WALL_LOSS_DB} dB."
        check_constant(self, "wall_loss_db", remedy, may_be_zero=True)

    def prepare(self, scene: Scene) -> Solver:
        """Nothing is shared between transmitters."""
        # Here, not above: settings of data sets import this package, and need no compiler.
        from radiodiff.propagation.wall_kernels import count_wall_runs

        cell_size_m = scene.grid.cell_size_m

        def solve(tx: Transmitter) -> NDArray[np.float64]:
            walls = count_wall_runs(scene.buildings, tx.x_m / cell_size_m, tx.y_m / cell_size_m)
            distance_m = link_distance_m(tx, scene.grid, self.rx_height_m)
            return free_space_path_loss_db(distance_m, tx.frequency_hz) + self.wall_loss_db * walls

        return one_by_one(solve)
