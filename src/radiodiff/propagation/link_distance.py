"""The length of the straight link, as the closed-form engines use it."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import Grid, Transmitter

__all__ = ["MINIMUM_DISTANCE_M", "link_distance_m"]

MINIMUM_DISTANCE_M = 1.0
"""Shorter links count as this long, so that the loss stays finite at the transmitter's own cell. One metre is
the reference distance of the log-distance law, and in the far field of small antennas from 0.5 GHz up [m]."""


def link_distance_m(tx: Transmitter, grid: Grid, rx_height_m: float) -> NDArray[np.float64]:
    """Distance from the transmitting to a receiving antenna above every cell centre, (rows, cols) [m].

    Not below `MINIMUM_DISTANCE_M`. At equal heights it is the horizontal distance.
    """
    return np.maximum(np.hypot(tx.distance_m(grid), tx.height_m - rx_height_m), MINIMUM_DISTANCE_M)
