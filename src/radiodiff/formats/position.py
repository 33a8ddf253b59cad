"""Positions given in a coordinate reference system."""

from radiodiff.errors import GridError
from radiodiff.scene import Grid

__all__ = ["local_position"]


def local_position(grid: Grid, x: float, y: float, *, crs: str | None = None) -> tuple[float, float]:
    """Local metres (x right, y down) on a grid of a point in map coordinates.

    Args:
        grid: The grid.
        x: Easting, or longitude for a geographic CRS.
        y: Northing, or latitude.
        crs: CRS of the point; by default that of the grid.

    Raises:
        GridError: The CRS is unknown, the grid has none, or the point lies outside what the CRS can express.
    """
    if crs is not None:
        x, y = _reproject_point(grid, x, y, crs)
    col, row = grid.map_to_cells(x, y)
    return float(col) * grid.cell_size_m, float(row) * grid.cell_size_m


def _reproject_point(grid: Grid, x: float, y: float, crs: str) -> tuple[float, float]:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    if grid.crs is None:
        raise GridError(
            "A position with a CRS needs a grid with a CRS",
            value=f"({x:g}, {y:g}) in {crs} on a grid without one",
            remedy="Give the position in cells, or read a layer that has a CRS.",
        )
    try:
        moved = Transformer.from_crs(crs, grid.crs, always_xy=True).transform(x, y, errcheck=True)
    except ProjError as error:  # CRSError is one too.
        raise GridError(
            f"A position must be convertible from {crs!r} to {grid.crs!r}",
            value=f"({x:g}, {y:g}): {error}",
            remedy="Check the CRS and the order: x (or longitude) first, then y (or latitude).",
        ) from error
    return float(moved[0]), float(moved[1])
