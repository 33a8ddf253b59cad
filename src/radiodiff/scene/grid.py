"""The grid of a radio map: the only class that converts between cells, local metres and map coordinates."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import GridError

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS

__all__ = ["Grid", "metric_fault"]


@dataclass(frozen=True)
class Grid:
    """Rows and columns of square cells, row 0 at the top (north).

    Three frames, all right-handed on paper as drawn:

    * cells: `(col, row)`; the centre of cell (0, 0) is (0.5, 0.5);
    * local metres: `x_m = col * cell_size_m` to the right, `y_m = row * cell_size_m` DOWN;
    * map coordinates: local metres moved to `(origin_x, origin_y)`, the top-left corner of the grid. With
      a CRS y grows to the north; without one, map coordinates ARE local metres (y down).

    Attributes:
        rows: Number of rows.
        cols: Number of columns.
        cell_size_m: Edge of a cell [m].
        crs: Projected, metric coordinate reference system as text that pyproj reads, or None.
        origin_x: Map x of the top-left corner [m].
        origin_y: Map y of the top-left corner [m].

    Raises:
        GridError: A size is not positive and finite, or the CRS is unknown, geographic or not in metres.
    """

    rows: int
    cols: int
    cell_size_m: float = 1.0
    crs: str | None = None
    origin_x: float = 0.0
    origin_y: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rows", "cols"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int | np.integer) or not count >= 1:
                raise GridError(
                    f"Grid.{name} must be a whole number of at least 1",
                    value=repr(count),
                    remedy="Give the size of the map in cells.",
                )
        if not (np.isfinite(self.cell_size_m) and self.cell_size_m > 0):
            raise GridError(
                "Grid.cell_size_m must be a finite number above 0",
                value=self.cell_size_m,
                remedy="Give the edge of one cell in metres, for example 1.0.",
            )
        if not (np.isfinite(self.origin_x) and np.isfinite(self.origin_y)):
            raise GridError(
                "The origin of a grid must be finite",
                value=(self.origin_x, self.origin_y),
                remedy="Give the map coordinates of the top-left corner.",
            )
        if self.crs is not None:
            _check_metric(self.crs)
        elif (self.origin_x, self.origin_y) != (0.0, 0.0):
            raise GridError(
                "A grid without a CRS starts at (0, 0)",
                value=(self.origin_x, self.origin_y),
                remedy="Give crs, for example 'EPSG:32633', or leave the origin out.",
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.rows, self.cols

    @property
    def transform(self) -> "Affine":
        """Affine transform from (col, row) cell edges to map coordinates, as rasterio uses it."""
        from affine import Affine

        return Affine(self.cell_size_m, 0.0, self.origin_x, 0.0, self._y_sign * self.cell_size_m, self.origin_y)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(min x, min y, max x, max y) in map coordinates [m]."""
        x_far, y_far = self.cells_to_map(self.cols, self.rows)
        ys = sorted((self.origin_y, float(y_far)))
        return self.origin_x, ys[0], float(x_far), ys[1]

    @property
    def _y_sign(self) -> float:
        return -1.0 if self.crs is not None else 1.0

    @cached_property
    def _centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x_m, y_m = (np.arange(count, dtype=np.float64) + 0.5 for count in (self.cols, self.rows))
        return x_m * np.float64(self.cell_size_m), y_m * np.float64(self.cell_size_m)

    def centres_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Local x (1, cols) and y (rows, 1) of the cell centres [m], ready to broadcast."""
        x_m, y_m = self._centres
        return x_m[None, :], y_m[:, None]

    def cells_to_map(self, col: ArrayLike, row: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Map coordinates of fractional cell positions (edges at whole numbers)."""
        x = self.origin_x + np.asarray(col, dtype=np.float64) * self.cell_size_m
        y = self.origin_y + self._y_sign * np.asarray(row, dtype=np.float64) * self.cell_size_m
        return x, y

    def map_to_cells(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fractional (col, row) of map coordinates."""
        col = (np.asarray(x, dtype=np.float64) - self.origin_x) / self.cell_size_m
        row = self._y_sign * (np.asarray(y, dtype=np.float64) - self.origin_y) / self.cell_size_m
        return col, row

    def cell_of(self, x_m: float, y_m: float) -> tuple[int, int]:
        """(row, col) of the cell that holds a point in local metres.

        A point on the far edge belongs to the last cell.

        Raises:
            GridError: The point is not on the grid.
        """
        col, row = x_m / self.cell_size_m, y_m / self.cell_size_m
        if not (0 <= col <= self.cols and 0 <= row <= self.rows):
            raise GridError(
                f"A point must lie on the grid, 0..{self.cols} columns and 0..{self.rows} rows",
                value=f"column {col:g}, row {row:g}",
                remedy="Check the order (column first, then row) and the frame of the point.",
            )
        return min(int(row), self.rows - 1), min(int(col), self.cols - 1)

    def window(self, row: int, col: int, rows: int, cols: int) -> "Grid":
        """The grid of a rectangular part whose top-left cell is (row, col).

        Raises:
            GridError: The part does not lie on this grid.
        """
        if not (row >= 0 and col >= 0 and row + rows <= self.rows and col + cols <= self.cols):
            raise GridError(
                f"A window must lie on the grid of {self.rows} x {self.cols} cells",
                value=f"rows {row}..{row + rows}, columns {col}..{col + cols}",
                remedy="Choose a smaller window or another corner.",
            )
        if self.crs is None:
            return Grid(rows, cols, self.cell_size_m)
        x, y = self.cells_to_map(col, row)
        return Grid(rows, cols, self.cell_size_m, self.crs, float(x), float(y))


def _check_metric(crs: str) -> None:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    remedy = "Use a projected CRS in metres, for example the UTM zone of the place (EPSG:326xx or 327xx)."
    try:
        parsed = CRS.from_user_input(crs)
    except CRSError as error:
        raise GridError("Grid.crs must be a CRS that pyproj knows", value=repr(crs), remedy=remedy) from error
    fault = metric_fault(parsed)
    if fault:
        raise GridError(f"Grid.crs must {fault}", value=f"{crs!r} ({parsed.name})", remedy=remedy)


def metric_fault(crs: "CRS") -> str | None:
    """What a CRS lacks for its coordinates to be metres on the ground, after "must"; None if nothing."""
    if not crs.is_projected:
        return "be projected, not geographic"
    if any(abs(axis.unit_conversion_factor - 1.0) > 1e-9 for axis in crs.axis_info[:2]):
        return "be in metres"
    # Mercator (not its transverse and oblique kin) stretches by 1 / cos(latitude): 1.5 times in Munich.
    method = crs.coordinate_operation.method_name if crs.coordinate_operation is not None else ""
    if method.startswith("Mercator") or "Pseudo Mercator" in method:
        return "be true to scale, which Mercator is at the equator only"
    return None
