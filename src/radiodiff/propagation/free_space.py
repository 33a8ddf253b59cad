"""Free-space path loss."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solver, one_by_one
from radiodiff.propagation.constants import check_rx_height
from radiodiff.propagation.link_distance import link_distance_m
from radiodiff.scene import Scene, Transmitter
from radiodiff.units import free_space_path_loss_db

__all__ = ["FreeSpace"]


@final
@dataclass(frozen=True)
class FreeSpace(PropagationModel):
    """Path loss in free space over the straight link; buildings change nothing.

    Links shorter than 1 m count as 1 m.

    Attributes:
        rx_height_m: Height of the receivers above ground [m].

    Raises:
        PropagationError: The height is not finite or not above 0.

    Source: Friis (1946); ITU-R P.525-4, eq. 3.
    """

    rx_height_m: float = 1.5

    name = "free-space"

    def __post_init__(self) -> None:
        check_rx_height(self)

    def prepare(self, scene: Scene) -> Solver:
        """Nothing is shared between transmitters."""

        def solve(tx: Transmitter) -> NDArray[np.float64]:
            return free_space_path_loss_db(link_distance_m(tx, scene.grid, self.rx_height_m), tx.frequency_hz)

        return one_by_one(solve)
