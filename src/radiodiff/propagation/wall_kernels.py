"""Walls on the straight ray: an exact walk of the cell grid from the transmitter to every cell centre.

The transmitter is moved to the nearest point of a lattice of 2^16 points per cell edge (15 micrometres where
a cell is a metre). All that follows is done in whole numbers, so ties are decided equally in every
orientation and in both directions of a ray:

* a ray visits the cells whose interior it crosses;
* a ray through the common corner of four cells goes from the one to the opposite one; the two cells beside it
  stop it only when both are walls. Two walls that touch at a corner are tight, a single corner that is grazed
  is no obstacle;
* a transmitter on an edge of a cell starts in the cell that the ray enters.

Source of the walk: Amanatides and Woo (1987), "A fast voxel traversal algorithm for ray tracing",
Eurographics.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from radiodiff.errors import PropagationError

__all__ = ["NEVER", "POINTS_PER_CELL", "count_wall_runs", "lattice_axis", "lattice_point"]

POINTS_PER_CELL = 1 << 16
"""Lattice points per cell edge. The products of two ray components stay below 2^63 up to 2^31 cells."""

NEVER = np.int64(1) << np.int64(62)
"""Time of the first crossing in the direction in which the ray does not move."""


def count_wall_runs(buildings: NDArray[np.bool_], tx_col: float, tx_row: float) -> NDArray[np.int32]:
    """Number of walls on the straight ray to every cell: unbroken runs of wall cells, the last cell included.

    Args:
        buildings: (rows, cols), True where a cell is wall.
        tx_col: Transmitter, fractional column; 0.5 is the centre of the first one.
        tx_row: Transmitter, fractional row.

    Returns:
        (rows, cols). Zero means line of sight.

    Raises:
        PropagationError: The transmitter is not on the grid.
    """
    x, y = lattice_point(buildings.shape, tx_col, tx_row)
    # The copy makes the array writable, whatever it was: numba compiles once for each kind.
    return _count_wall_runs(np.array(buildings, dtype=np.uint8, order="C"), x, y)  # type: ignore[no-any-return]


def lattice_point(shape: tuple[int, ...], tx_col: float, tx_row: float) -> tuple[int, int]:
    """A place on the grid, in points of the lattice.

    Raises:
        PropagationError: It is not on the grid.
    """
    rows, cols = shape
    if not (0 <= tx_col <= cols and 0 <= tx_row <= rows):
        raise PropagationError(
            f"Rays must start on the grid, 0..{cols} columns and 0..{rows} rows",
            value=f"column {tx_col:g}, row {tx_row:g}",
            remedy="Check the transmitter with Scene.check_transmitter first.",
        )
    return round(tx_col * POINTS_PER_CELL), round(tx_row * POINTS_PER_CELL)


@njit(cache=True)
def _count_wall_runs(walls, x, y):  # type: ignore[no-untyped-def]
    rows, cols = walls.shape
    runs = np.empty((rows, cols), np.int32)
    for row in range(rows):
        for col in range(cols):
            runs[row, col] = _walk(walls, x, y, row, col)
    return runs


@njit(cache=True)
def lattice_axis(start, cell):  # type: ignore[no-untyped-def]
    """One direction of a ray to a cell's centre: step, first cell, points to its first edge and in all."""
    end = cell * POINTS_PER_CELL + POINTS_PER_CELL // 2
    if end > start:
        first = start // POINTS_PER_CELL
        return 1, first, (first + 1) * POINTS_PER_CELL - start, end - start
    if end < start:
        first = (start - 1) // POINTS_PER_CELL
        return -1, first, start - first * POINTS_PER_CELL, start - end
    return 0, cell, 0, 0


@njit(cache=True, forceinline=True)
def _walk(walls, x, y, row, col):  # type: ignore[no-untyped-def]
    """Wall runs on the ray from lattice point (x, y) to a cell's centre."""
    cells = walls.ravel()
    cols = walls.shape[1]
    step_col, first_col, edge_x, length_x = lattice_axis(x, col)
    step_row, first_row, edge_y, length_y = lattice_axis(y, row)
    step_row *= cols
    # Times run from 0 to length_x * length_y, so that all crossings fall on whole numbers.
    length_x, length_y = max(length_x, 1), max(length_y, 1)
    period_x, period_y = POINTS_PER_CELL * length_y, POINTS_PER_CELL * length_x
    # How far the next crossing in x is ahead of the next one in y: the walk waits for this number only.
    lead = (edge_x * length_y if step_col != 0 else NEVER) - (edge_y * length_x if step_row != 0 else NEVER)

    here, last = first_row * cols + first_col, row * cols + col
    wall = cells[here]
    runs = np.int64(wall)
    while here != last:
        if lead == 0:
            beside = cells[here + step_col] and cells[here + step_row]
            here += step_col + step_row
            runs += beside and not wall and not cells[here]
            lead += period_x - period_y
        else:
            is_x = lead < 0
            here += step_col if is_x else step_row
            lead += period_x if is_x else -period_y
        runs += cells[here] and not wall
        wall = cells[here]
    return runs
