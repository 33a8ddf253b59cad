"""The straight profile over the roofs: free space and one equivalent knife edge."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.base import PropagationModel, Solver, one_by_one
from radiodiff.propagation.constants import check_constant, check_rx_height
from radiodiff.propagation.link_distance import link_distance_m
from radiodiff.scene import Scene, Transmitter
from radiodiff.units import SPEED_OF_LIGHT_M_PER_S, free_space_path_loss_db

__all__ = ["UNKNOWN_ROOF_M", "OverRoofs"]

UNKNOWN_ROOF_M = 25.0
"""Height of roofs that nobody knows: that of every building of RadioMapSeer [m]."""


@final
@dataclass(frozen=True)
class OverRoofs(PropagationModel):
    """Free-space path loss plus the diffraction loss of the roofs below the straight link.

    The vertical profile from antenna to antenna, cell by cell, is replaced by one knife edge where the steepest lines
    of sight of both ends meet. Nothing goes around buildings here: this is the planner's model of antennas above roofs,
    `DominantPath` that of antennas between them.

    Attributes:
        rx_height_m: Height of the receivers above ground [m].
        default_height_m: Height of buildings whose height is not known [m].

    Raises:
        PropagationError: A height is not finite or not above 0.

    Source: ITU-R P.526-15, section 4.5.1 (Bullington construction), on a flat Earth.
    """

    rx_height_m: float = 1.5
    default_height_m: float = UNKNOWN_ROOF_M

    name = "over-roofs"

    def __post_init__(self) -> None:
        check_rx_height(self)
        remedy = "Give the height of buildings whose height is not known in metres, for example 25."
        check_constant(self, "default_height_m", remedy)

    def prepare(self, scene: Scene) -> Solver:
        """Nothing is shared between transmitters but the roofs."""
        # Here, not above: settings of data sets import this package, and need no compiler.
        from radiodiff.propagation.over_roofs_kernels import roof_diffraction_losses_db

        cell_size_m = scene.grid.cell_size_m
        roofs_m = np.nan_to_num(scene.roof_height_m, nan=self.default_height_m).astype(np.float64)

        def solve(tx: Transmitter) -> NDArray[np.float64]:
            wavelength_m = SPEED_OF_LIGHT_M_PER_S / tx.frequency_hz
            diffraction_db = roof_diffraction_losses_db(
                # In cells, as the kernel walks.
                roofs_m / cell_size_m,
                (tx.x_m / cell_size_m, tx.y_m / cell_size_m, tx.height_m / cell_size_m),
                self.rx_height_m / cell_size_m,
                wavelength_m / cell_size_m,
                cell_size_m,
            )
            straight_m = link_distance_m(tx, scene.grid, self.rx_height_m)
            return free_space_path_loss_db(straight_m, tx.frequency_hz) + diffraction_db

        return one_by_one(solve)
