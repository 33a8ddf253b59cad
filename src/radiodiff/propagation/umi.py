"""3GPP TR 38.901 path loss in urban street canyons (UMi)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import PropagationError
from radiodiff.propagation.base import PropagationModel, Solver, one_by_one
from radiodiff.propagation.constants import check_constant, check_rx_height
from radiodiff.propagation.link_distance import link_distance_m
from radiodiff.scene import Scene, Transmitter
from radiodiff.units import SPEED_OF_LIGHT_M_PER_S

__all__ = ["UrbanMicro"]

LOWEST_EFFECTIVE_HEIGHT_M = 0.5
"""Effective height of the lowest terminal in the table's range: 1.5 m above an environment of 1 m [m]."""

FREQUENCY_RANGE_HZ = (0.5e9, 100e9)
"""Source: 3GPP TR 38.901 v17, table 7.4.1-1, note 2 and the scope of the report [Hz]."""


@final
@dataclass(frozen=True)
class UrbanMicro(PropagationModel):
    """UMi street canyon: two slopes in line of sight, a steeper law without; the scene decides which.

    Line of sight is the straight ray over the building raster, not the report's probability, and no shadow
    fading is drawn. Cars change nothing. The base station is the transmitter, at its own height.

    The table holds for base stations at 10 m, terminals from 1.5 m up and distances of 10 m to 5 km. Beyond
    that this engine extrapolates: the laws run on down to 1 m, and no effective height is below 0.5 m. With
    both ends at 1.5 m the break point comes as close as 20 m (5.9 GHz), and the loss grows by 40 dB per
    decade from there; an environment height of 0.5 m, which Sepulcre et al. (2021), arXiv 2104.07923, use
    between vehicles, moves it out to 79 m.

    Attributes:
        rx_height_m: Height of the receivers above ground [m].
        environment_height_m: Height of the traffic that lifts the reflecting ground, h_E [m].

    Raises:
        PropagationError: A height is not finite, the receivers' is not above 0, the environment's is below 0;
            or, when solving, the frequency is outside 0.5 to 100 GHz.

    Source: 3GPP TR 38.901 v17, table 7.4.1-1, UMi - Street Canyon, notes 1 to 4.
    """

    rx_height_m: float = 1.5
    environment_height_m: float = 1.0

    name = "umi"

    def __post_init__(self) -> None:
        check_rx_height(self)
        remedy = "TR 38.901 uses 1.0 m for street canyons."
        check_constant(self, "environment_height_m", remedy, may_be_zero=True)

    def check_carrier(self, frequency_hz: float) -> None:
        """The table's range of carriers."""
        lowest_hz, highest_hz = FREQUENCY_RANGE_HZ
        if not lowest_hz <= frequency_hz <= highest_hz:
            raise PropagationError(
                "The UMi law of TR 38.901 holds from 0.5 to 100 GHz",
                value=f"{frequency_hz / 1e9:g} GHz",
                remedy="Use another engine at this frequency, for example log-distance.",
            )

    def prepare(self, scene: Scene) -> Solver:
        """Nothing is shared between transmitters."""
        # Here, not above: settings of data sets import this package, and need no compiler.
        from radiodiff.propagation.wall_kernels import count_wall_runs

        cell_size_m = scene.grid.cell_size_m

        def solve(tx: Transmitter) -> NDArray[np.float64]:
            walls = count_wall_runs(scene.buildings, tx.x_m / cell_size_m, tx.y_m / cell_size_m)
            horizontal_m = tx.distance_m(scene.grid)
            distance_m = link_distance_m(tx, scene.grid, self.rx_height_m)
            los_db = self._los_db(horizontal_m, distance_m, tx)
            return np.where(walls == 0, los_db, np.maximum(los_db, self._nlos_db(distance_m, tx.frequency_hz)))

        return one_by_one(solve)

    def _break_point_m(self, tx: Transmitter) -> float:
        """Distance of the break point, d'_BP [m] (note 1)."""
        heights = (tx.height_m - self.environment_height_m, self.rx_height_m - self.environment_height_m)
        tx_effective_m, rx_effective_m = (max(height, LOWEST_EFFECTIVE_HEIGHT_M) for height in heights)
        return 4.0 * tx_effective_m * rx_effective_m * tx.frequency_hz / SPEED_OF_LIGHT_M_PER_S

    def _los_db(
        self, horizontal_m: NDArray[np.float64], distance_m: NDArray[np.float64], tx: Transmitter
    ) -> NDArray[np.float64]:
        break_point_m = self._break_point_m(tx)
        reference_db = 32.4 + 20.0 * np.log10(tx.frequency_hz / 1e9)
        near_db = reference_db + 21.0 * np.log10(distance_m)
        # Continuous: both slopes agree where the horizontal distance is the break point.
        offset_db = 9.5 * np.log10(break_point_m**2 + (tx.height_m - self.rx_height_m) ** 2)
        far_db = reference_db + 40.0 * np.log10(distance_m) - offset_db
        loss_db: NDArray[np.float64] = np.where(horizontal_m <= break_point_m, near_db, far_db)
        return loss_db

    def _nlos_db(self, distance_m: NDArray[np.float64], frequency_hz: float) -> NDArray[np.float64]:
        at_1_m_db = 22.4 + 21.3 * np.log10(frequency_hz / 1e9) - 0.3 * (self.rx_height_m - 1.5)
        loss_db: NDArray[np.float64] = at_1_m_db + 35.3 * np.log10(distance_m)
        return loss_db
