"""Walls on the straight way from the transmitter to every pixel."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["crossed_transmittance_db"]

STEPS_PER_PIXEL = 2


def crossed_transmittance_db(transmittance_db: NDArray[np.floating], tx: tuple[float, float]) -> NDArray[np.float64]:
    """Sum of the transmission losses of the walls between the transmitter and each pixel [dB].

    An unbroken run of one loss along the ray is one wall, however thick; the wall a pixel lies in counts. Rays are
    sampled twice per pixel of the longest one: corners of walls that a ray only touches can be missed.

    Args:
        transmittance_db: (rows, cols), 0 in air.
        tx: (row, col) of the transmitter.

    Returns:
        (rows, cols); 0 where the transmitter is in sight.
    """
    rows, cols = transmittance_db.shape
    row, col = np.mgrid[:rows, :cols]
    away = (row - tx[0], col - tx[1])
    steps = int(np.ceil(STEPS_PER_PIXEL * max(np.abs(away[0]).max(), np.abs(away[1]).max(), 1)))
    total = np.zeros((rows, cols))
    before: NDArray[np.floating] = np.zeros((rows, cols))
    for share in np.linspace(0.0, 1.0, steps + 1):
        at_row = np.clip(np.rint(tx[0] + share * away[0]), 0, rows - 1).astype(np.intp)
        at_col = np.clip(np.rint(tx[1] + share * away[1]), 0, cols - 1).astype(np.intp)
        here = transmittance_db[at_row, at_col]
        total += np.where(here != before, here, 0.0)
        before = here
    return total
