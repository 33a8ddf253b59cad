"""Axes in the coordinates of a grid, and arrays on them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.scene import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["checked_values", "map_axes", "new_axes", "show_cells"]

MOST_TICKS = 6
"""Map coordinates have six or seven digits: more labels would run into each other."""

MOST_TICKS_BESIDE = 3
"""The same for x in one of several maps side by side."""


def new_axes() -> "Axes":
    """Axes of a new figure."""
    from matplotlib.figure import Figure

    return Figure(figsize=(6.4, 5.4), layout="constrained").add_subplot()


def map_axes(axes: "Axes", grid: Grid, *, is_beside: bool = False) -> None:
    """Give axes the limits, equal scale and labels of a grid: y down in metres, or north up with a CRS.

    Args:
        axes: The axes.
        grid: The grid.
        is_beside: Whether the figure has further maps beside this one, so that there is room for fewer labels.
    """
    from matplotlib.ticker import MaxNLocator

    left, right, bottom, top = _extent(grid)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    suffix = "" if grid.crs is None else f", {grid.crs if len(grid.crs) <= 20 else 'projected'}"
    axes.set_xlabel(f"x [m]{suffix}")
    axes.set_ylabel(f"y [m]{suffix}")
    for axis, most in ((axes.xaxis, MOST_TICKS_BESIDE if is_beside else MOST_TICKS), (axes.yaxis, MOST_TICKS)):
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axes.ticklabel_format(style="plain", useOffset=False)


def show_cells(axes: "Axes", cells: NDArray[Any], grid: Grid, **style: Any) -> "AxesImage":
    """Draw one value or colour per cell, (rows, cols) or (rows, cols, 4), without smoothing."""
    return axes.imshow(cells, extent=_extent(grid), origin="upper", interpolation="nearest", **style)


def checked_values(name: str, values_db: NDArray[np.floating], grid: Grid) -> NDArray[np.floating]:
    """The array, once it fits the grid.

    Raises:
        InputError: It has another size than the grid.
    """
    values_db = np.asarray(values_db)
    if values_db.shape != grid.shape:
        raise InputError(
            f"{name} must be {grid.rows} x {grid.cols} cells, as the grid",
            value=f"shape {values_db.shape}",
            remedy="Give the array and the grid of the same radio map.",
        )
    return values_db


def _extent(grid: Grid) -> tuple[float, float, float, float]:
    """(left, right, bottom, top) of the grid in map coordinates; without a CRS the bottom is the larger y."""
    right, bottom = grid.cells_to_map(grid.cols, grid.rows)
    return grid.origin_x, float(right), float(bottom), grid.origin_y
