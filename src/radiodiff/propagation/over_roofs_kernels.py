"""Diffraction over the roofs on the straight profile from a transmitter to every cell.

The walk of the cells is that of `radiodiff.propagation.wall_kernels`: whole numbers decide, so that mirrored and turned
scenes give mirrored and turned losses.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from radiodiff.propagation.wall_kernels import NEVER, POINTS_PER_CELL, lattice_axis, lattice_point

__all__ = ["roof_diffraction_losses_db"]

NO_EDGE = -1e18

GRAZING = 1e-12
"""A line steeper by less than this only grazes a roof: where lines of both ends coincide, they meet nowhere."""


def roof_diffraction_losses_db(
    roofs: NDArray[np.float64],
    tx: tuple[float, float, float],
    rx_height: float,
    wavelength: float,
    cell_size_m: float,
) -> NDArray[np.float64]:
    """Loss of one equivalent knife edge on every profile, (rows, cols) [dB]; lengths in cells where not said else.

    Roofs are flat over a cell: the profile has an edge where it enters a cell and one where it leaves it. Cells that it
    passes at a corner have the lower of the two roofs beside the corner there. Neither the ends of a profile nor open
    ground are edges.

    Args:
        roofs: (rows, cols) height of the roof, 0 outdoors.
        tx: Column, row and height of the transmitter.
        rx_height: Height of the receivers.
        wavelength: Wavelength.
        cell_size_m: Size of a cell [m].

    Raises:
        PropagationError: The transmitter is not on the grid.

    Source: ITU-R P.526-15, equations 31 (knife edge) and 60 to 69 (Bullington), without the Earth's curvature.
    """
    x, y = lattice_point(roofs.shape, tx[0], tx[1])
    copied = np.array(roofs, dtype=np.float64, order="C")
    return _losses_db(copied, x, y, tx[2], rx_height, wavelength, cell_size_m)  # type: ignore[no-any-return]


@njit(cache=True)
def _losses_db(roofs, x, y, tx_height, rx_height, wavelength, cell_size_m):  # type: ignore[no-untyped-def]
    rows, cols = roofs.shape
    losses_db = np.empty((rows, cols), np.float64)
    for row in range(rows):
        for col in range(cols):
            losses_db[row, col] = _loss_db(roofs, x, y, row, col, tx_height, rx_height, wavelength, cell_size_m)
    return losses_db


@njit(cache=True, forceinline=True)
def _loss_db(roofs, x, y, row, col, tx_height, rx_height, wavelength, cell_size_m):  # type: ignore[no-untyped-def]
    cells = roofs.ravel()
    cols = roofs.shape[1]
    step_col, first_col, edge_x, length_x = lattice_axis(x, col)
    step_row, first_row, edge_y, length_y = lattice_axis(y, row)
    distance = math.hypot(float(length_x), float(length_y)) / POINTS_PER_CELL
    if distance == 0.0:
        return 0.0
    step_row *= cols
    length_x, length_y = max(length_x, 1), max(length_y, 1)
    period_x, period_y = POINTS_PER_CELL * length_y, POINTS_PER_CELL * length_x
    ahead_x = edge_x * length_y if step_col != 0 else NEVER
    ahead_y = edge_y * length_x if step_row != 0 else NEVER
    whole = length_x * length_y
    per_point = distance / whole

    here, last = first_row * cols + first_col, row * cols + col
    # Steepest lines of sight from both ends, and the largest parameter of an edge below a free line, as a square that
    # keeps its sign: a root for each edge would take half of the time.
    from_tx, from_rx, signed_square = NO_EDGE, NO_EDGE, NO_EDGE
    slope = (rx_height - tx_height) / distance
    while here != last:
        top = cells[here]
        if ahead_x == ahead_y:
            ahead = ahead_x
            top = max(top, min(cells[here + step_col], cells[here + step_row]))
            here += step_col + step_row
            ahead_x += period_x
            ahead_y += period_y
        elif ahead_x < ahead_y:
            ahead = ahead_x
            here += step_col
            ahead_x += period_x
        else:
            ahead = ahead_y
            here += step_row
            ahead_y += period_y
        top = max(top, cells[here])
        if top > 0.0 and 0 < ahead < whole:
            passed = ahead * per_point
            left = distance - passed
            from_tx = max(from_tx, (top - tx_height) / passed)
            from_rx = max(from_rx, (top - rx_height) / left)
            above = top - tx_height - slope * passed
            signed_square = max(signed_square, above * abs(above) / (passed * left))
    if from_tx == NO_EDGE:
        return 0.0
    if from_tx > slope + GRAZING:
        passed = (rx_height - tx_height + from_rx * distance) / (from_tx + from_rx)
        above = (from_tx - slope) * passed
        signed_square = above * above / (passed * (distance - passed))
    parameter = math.copysign(math.sqrt(abs(signed_square) * 2.0 * distance / wavelength), signed_square)
    edge_db = _knife_edge_db(parameter)
    return edge_db + (1.0 - math.exp(-edge_db / 6.0)) * (10.0 + 0.02e-3 * distance * cell_size_m)


@njit(cache=True, forceinline=True)
def _knife_edge_db(parameter):  # type: ignore[no-untyped-def]
    if parameter <= -0.78:
        return 0.0
    shifted = parameter - 0.1
    return max(6.9 + 20.0 * math.log10(math.sqrt(shifted * shifted + 1.0) + shifted), 0.0)
