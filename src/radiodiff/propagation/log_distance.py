"""Log-distance path loss."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solver, one_by_one
from radiodiff.propagation.constants import check_constant, check_rx_height
from radiodiff.propagation.link_distance import link_distance_m
from radiodiff.scene import Scene, Transmitter
from radiodiff.units import free_space_path_loss_db

__all__ = ["LogDistance"]


@final
@dataclass(frozen=True)
class LogDistance(PropagationModel):
    """`free-space loss at 1 m + 10 exponent log10(distance)`; buildings change nothing.

    Also called the close-in reference model. Links shorter than 1 m count as 1 m.

    Attributes:
        exponent: Path loss exponent: 2 in free space, 3.19 in street canyons without line of sight.
        rx_height_m: Height of the receivers above ground [m].

    Raises:
        PropagationError: The exponent or the height is not finite or not above 0.

    Source: Rappaport (2002), "Wireless Communications", eq. 4.68, reference distance 1 m. Default exponent:
    3GPP TR 38.901 v17, table 7.4.1-1, UMi street canyon, optional NLOS law,
    `32.4 + 20 log10 fc + 31.9 log10 d`.
    """

    exponent: float = 3.19
    rx_height_m: float = 1.5

    name = "log-distance"

    def __post_init__(self) -> None:
        check_rx_height(self)
        check_constant(self, "exponent", "Free space has 2, street canyons without line of sight about 3.2.")

    def prepare(self, scene: Scene) -> Solver:
        """Nothing is shared between transmitters."""

        def solve(tx: Transmitter) -> NDArray[np.float64]:
            distance_m = link_distance_m(tx, scene.grid, self.rx_height_m)
            return free_space_path_loss_db(1.0, tx.frequency_hz) + 10.0 * self.exponent * np.log10(distance_m)

        return one_by_one(solve)
