"""A scene: buildings and cars on a grid."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import SceneError, TransmitterError
from radiodiff.scene.grid import Grid
from radiodiff.scene.transmitter import Transmitter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely import Polygon

__all__ = ["Footprint", "Scene"]


@dataclass(frozen=True)
class Footprint:
    """The outline of one obstacle.

    Attributes:
        polygon: Valid polygon with positive area, in local metres (x right, y down).
        height_m: Height above ground [m], or None where unknown.

    Raises:
        SceneError: The polygon is empty, invalid or flat, or the height is not positive.
    """

    polygon: "Polygon"
    height_m: float | None = None

    def __post_init__(self) -> None:
        shape = self.polygon
        if shape.geom_type != "Polygon" or not (shape.is_valid and shape.area > 0):
            raise SceneError(
                "A footprint must be one valid polygon with an area above 0",
                value=f"{shape.geom_type} of area {shape.area:g}",
                remedy="Repair it first (radiodiff.scene.clean_footprints) or leave it out.",
            )
        if self.height_m is not None and not (np.isfinite(self.height_m) and self.height_m > 0):
            raise SceneError(
                "The height of a footprint must be finite and above 0",
                value=self.height_m,
                remedy="Use None where the height is unknown.",
            )


@dataclass(frozen=True, eq=False)
class Scene:
    """Buildings and cars on a grid.

    The raster says which cells are indoors and have no path loss; the footprints, when known, say where the
    walls are below the size of a cell. `Scene.from_footprints` keeps both consistent.

    Attributes:
        grid: The grid.
        buildings: True where a cell is indoors, (rows, cols), bool.
        footprints: Building outlines, or None where only the raster is known.
        cars: True where a car stands, (rows, cols), bool, or None for a scene without cars.
        car_footprints: Car outlines, or None where only the raster is known.
        source: Where the scene came from, one line.

    Raises:
        SceneError: A raster has another size than the grid or another type than bool.
    """

    grid: Grid
    buildings: NDArray[np.bool_] = field(repr=False)
    footprints: tuple[Footprint, ...] | None = field(default=None, repr=False)
    cars: NDArray[np.bool_] | None = field(default=None, repr=False)
    car_footprints: tuple[Footprint, ...] | None = field(default=None, repr=False)
    source: str = "array"

    def __post_init__(self) -> None:
        for name in ("buildings", "cars"):
            layer = getattr(self, name)
            if layer is None:
                continue
            if layer.shape != self.grid.shape or layer.dtype != np.bool_:
                raise SceneError(
                    f"Scene.{name} must be a bool array of {self.grid.rows} x {self.grid.cols} cells",
                    value=f"{layer.dtype} of shape {layer.shape}",
                    remedy="Compare with a threshold first and give the grid the size of the raster.",
                )
            layer = layer.copy()
            layer.flags.writeable = False
            object.__setattr__(self, name, layer)
        if self.car_footprints is not None and self.cars is None:
            raise SceneError(
                "A scene with car footprints needs the car raster", value="cars=None", remedy="Use Scene.with_cars."
            )

    @classmethod
    def empty(cls, grid: Grid) -> "Scene":
        """A scene without buildings."""
        return cls(grid, np.zeros(grid.shape, dtype=bool), footprints=(), source="empty")

    @classmethod
    def from_footprints(cls, grid: Grid, footprints: "Iterable[Footprint]", *, source: str = "footprints") -> "Scene":
        """Rasterise building outlines: a cell is indoors where its centre is inside an outline."""
        from radiodiff.scene.raster import rasterize

        footprints = tuple(footprints)
        return cls(grid, rasterize(grid, [f.polygon for f in footprints]), footprints, source=source)

    def with_cars(self, footprints: "Iterable[Footprint]") -> "Scene":
        """The same scene with these cars on it."""
        from radiodiff.scene.raster import rasterize

        footprints = tuple(footprints)
        mask = rasterize(self.grid, [f.polygon for f in footprints])
        return replace(self, cars=mask, car_footprints=footprints)

    def without_cars(self) -> "Scene":
        """The same scene with empty streets."""
        return self if self.cars is None else replace(self, cars=None, car_footprints=None)

    @cached_property
    def outlines(self) -> "tuple[Footprint, ...]":
        """Outlines of the buildings: the footprints, traced where only the raster is known."""
        from radiodiff.scene.trace import trace_footprints

        return trace_footprints(self.grid, self.buildings) if self.footprints is None else self.footprints

    @cached_property
    def car_outlines(self) -> "tuple[Footprint, ...]":
        """Outlines of the cars, none where there are no cars; traced where only the raster is known."""
        from radiodiff.scene.trace import trace_footprints

        if self.cars is None:
            return ()
        return trace_footprints(self.grid, self.cars) if self.car_footprints is None else self.car_footprints

    @property
    def coverage(self) -> float:
        """Share of cells that are indoors, 0..1."""
        return float(self.buildings.mean())

    @cached_property
    def roof_height_m(self) -> NDArray[np.float32]:
        """Height of the roof over each cell, (rows, cols): 0 outdoors, NaN on roofs of unknown height [m]."""
        from radiodiff.scene.raster import rasterize_heights

        heights = rasterize_heights(self.grid, self.footprints or ())
        # The raster says which cells are indoors, also where an outline is missing or a height is not known.
        heights[~self.buildings] = 0.0
        heights[self.buildings & (heights == 0.0)] = np.nan
        heights.flags.writeable = False
        return heights

    def crop(self, row: int, col: int, rows: int, cols: int) -> "Scene":
        """The rectangular part whose top-left cell is (row, col); outlines are cut at its border.

        Raises:
            GridError: The part does not lie on the grid.
        """
        from radiodiff.scene.raster import crop_footprints

        grid = self.grid.window(row, col, rows, cols)
        part = np.s_[row : row + rows, col : col + cols]
        corner_m = (col * grid.cell_size_m, row * grid.cell_size_m)
        return Scene(
            grid,
            self.buildings[part].copy(),
            crop_footprints(self.footprints, grid, corner_m),
            None if self.cars is None else self.cars[part].copy(),
            crop_footprints(self.car_footprints, grid, corner_m),
            source=f"{self.source}, rows {row}+{rows}, columns {col}+{cols}",
        )

    def check_transmitter(self, tx: Transmitter) -> None:
        """Make sure that a transmitter can stand where it does: outdoors, or above a roof of known height.

        Raises:
            TransmitterError: It stands off the grid, or inside a building.
        """
        row, col = tx.cell(self.grid)
        if not self.buildings[row, col]:
            return
        roof_m = float(self.roof_height_m[row, col])
        # Not "at most the roof": the roof may be unknown (NaN).
        if not tx.height_m > roof_m:
            known = "of unknown height" if np.isnan(roof_m) else f"{roof_m:g} m high"
            raise TransmitterError(
                "A transmitter must stand outside the buildings, or above a roof of known height",
                value=f"column {col}, row {row}, which is indoors; height {tx.height_m:g} m in a building {known}",
                remedy="Move it to a free cell or above the roof; if free cells read as buildings, invert the layer "
                "(--invert).",
            )
