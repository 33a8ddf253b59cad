"""Building outlines from vector layers (GeoJSON, GeoPackage, shapefile, whatever GeoPandas reads)."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_cell_count, check_file, check_free_cells
from radiodiff.formats.scene_file import SceneOptions
from radiodiff.formats.vector_layer import HEIGHT_COLUMNS, read_polygon_table
from radiodiff.scene import Footprint, Grid, Scene, clean_footprints
from radiodiff.scene.raster import crop_footprints

__all__ = ["VectorReport", "read_footprints", "read_outlines_on"]

METRES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:m|metres?|meters?)?")
WHOLE_CELLS = 1e-6
"""Extents within this share of a cell of a whole number count as whole: they went through a projection."""


@dataclass(frozen=True)
class VectorReport:
    """What a vector layer held.

    Attributes:
        outlines: Outlines in the scene; parts of multi-polygons count one by one.
        repaired: Shapes that crossed themselves and were repaired.
        dropped: Features that are no polygon, or have no area.
        with_height: Outlines with a height.
        unreadable_heights: Features with a height or a number of storeys that is no positive number.
        source_crs: CRS of the layer.
        crs: CRS of the grid.
        warnings: What GDAL said about the file.
    """

    outlines: int
    repaired: int
    dropped: int
    with_height: int
    unreadable_heights: int
    source_crs: str
    crs: str
    warnings: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """One sentence per fact worth telling."""
        moved = f"reprojected from {self.source_crs} to {self.crs}" if self.crs != self.source_crs else self.crs
        notes = [f"{self.outlines} building outlines ({moved}), {self.with_height} of them with a height."]
        if self.repaired:
            notes.append(f"{self.repaired} outlines crossed themselves and were repaired.")
        if self.dropped:
            notes.append(f"{self.dropped} features are no polygons with an area and were left out.")
        if self.unreadable_heights:
            notes.append(f"{self.unreadable_heights} heights could not be read and count as unknown.")
        return (*notes, *self.warnings)


def read_footprints(path: str | Path, options: SceneOptions | None = None) -> tuple[Scene, VectorReport]:
    """Scene from the polygons of a vector layer, on a north-up metric grid.

    The grid has the CRS `target_crs`; by default that of the layer when it is metric, else the UTM zone of
    its middle. Heights come from the column `height` (a number, or text such as "12" or "12.5 m"), where that
    says nothing from `building:levels`.

    Args:
        path: The file.
        options: `cell_size_m`, `layer`, `source_crs`, `target_crs`, `bounds`, `margin_m`, `level_height_m`.

    Raises:
        FormatError: The file is not readable, has no polygons, no CRS, or makes a grid that is too large.
        GridError: `target_crs` is unknown, geographic or not in metres.
        SceneError: Every cell is indoors.
    """
    options = options or SceneOptions()
    file = check_file(path)
    if options.target_crs is not None:
        Grid(1, 1, crs=options.target_crs)  # A bad CRS is refused before the layer is read.
    polygons = read_polygon_table(file, options)
    layer = polygons.table
    grid = _grid_over(layer, options, file)
    heights_m, unreadable = _heights_m(layer, options.level_height_m)
    footprints, repaired = clean_footprints(_local_shapes(layer, grid), heights_m)
    if options.bounds is not None:
        footprints = crop_footprints(footprints, grid, (0.0, 0.0)) or ()
    if not footprints:
        raise FormatError(
            "A building layer must have polygons with an area inside the bounds",
            value=f"{file} with none in {grid.bounds} of {grid.crs}",
            remedy="Check the bounds (min x, min y, max x, max y in the target CRS) and the layer.",
        )
    scene = check_free_cells(
        Scene.from_footprints(grid, footprints, source=file.name),
        str(file),
        remedy="Add free space around the buildings, margin_m (--margin), or give wider bounds.",
    )
    known = sum(footprint.height_m is not None for footprint in footprints)
    return scene, VectorReport(
        outlines=len(footprints),
        repaired=repaired,
        dropped=polygons.dropped,
        with_height=known,
        unreadable_heights=unreadable,
        source_crs=polygons.source_crs,
        crs=str(grid.crs),
        warnings=polygons.warnings,
    )


def read_outlines_on(path: str | Path, grid: Grid) -> tuple[tuple[Footprint, ...], int]:
    """Outlines of a vector layer on a grid that is there, cut at its border, and how many crossed themselves.

    Raises:
        FormatError: The grid has no CRS, or the file is not readable, has no polygons or no CRS.
    """
    if grid.crs is None:
        raise FormatError(
            "A vector layer can be laid over buildings whose grid has a CRS",
            value=f"{path} over a grid without one",
            remedy="Give an image of the same cells, or read the buildings from a vector layer or a GeoTIFF, too.",
        )
    polygons = read_polygon_table(check_file(path), SceneOptions(target_crs=grid.crs))
    shapes = _local_shapes(polygons.table, grid)
    footprints, repaired = clean_footprints(shapes, [None] * len(shapes))
    return crop_footprints(footprints, grid, (0.0, 0.0)) or (), repaired


def _grid_over(layer: Any, options: SceneOptions, file: Path) -> Grid:
    size = options.cell_size_m
    if options.bounds is not None:
        x_min, y_min, x_max, y_max = options.bounds
    else:
        margin = np.array([-1.0, -1.0, 1.0, 1.0]) * options.margin_m
        x_min, y_min, x_max, y_max = (layer.total_bounds + margin).tolist()
        # Whole multiples of the cell size: two layers of one place share their cells.
        x_min, y_max = (
            math.floor(x_min / size + WHOLE_CELLS) * size,
            math.ceil(y_max / size - WHOLE_CELLS) * size,
        )
    cols = max(1, math.ceil((x_max - x_min) / size - WHOLE_CELLS))
    rows = max(1, math.ceil((y_max - y_min) / size - WHOLE_CELLS))
    check_cell_count(rows, cols, str(file))
    return Grid(rows, cols, size, layer.crs.to_string(), x_min, y_max)


def _local_shapes(layer: Any, grid: Grid) -> list[Any]:
    import shapely

    def to_local(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(grid.map_to_cells(points[:, 0], points[:, 1])) * grid.cell_size_m

    return list(shapely.transform(shapely.force_2d(layer.geometry.to_numpy()), to_local))


def _heights_m(layer: Any, level_height_m: float) -> tuple[list[float | None], int]:
    """Height of each feature, None where unknown; and how many features say something unreadable."""
    heights, unreadable = [], 0
    columns = [layer[name].tolist() if name in layer else [None] * len(layer) for name in HEIGHT_COLUMNS]
    for height, levels in zip(*columns, strict=True):
        height_m, storeys = _positive(height), _positive(levels)
        unreadable += height_m == 0.0 or storeys == 0.0
        heights.append(height_m or (storeys * level_height_m if storeys else None))
    return heights, int(unreadable)


def _positive(value: Any) -> float | None:
    """A positive number; None where nothing is said, 0 where what is said is not one."""
    if isinstance(value, str):
        match = METRES.fullmatch(value.strip().lower())
        number = float(match[1]) if match else 0.0
    elif value is None or value != value:
        return None
    else:
        number = float(value)
    return number if 0.0 < number < math.inf else 0.0
