"""Between outlines and rasters: filling, tracing with sub-pixel corners, cutting, cleaning."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import SceneError
from radiodiff.scene.grid import Grid
from radiodiff.scene.scene import Footprint

__all__ = ["clean_footprints", "crop_footprints", "rasterize", "rasterize_heights"]

TIE_CELLS = 1e-6
"""How far the sample point stands right of and above the cell centre, in cells, so that ties have one answer."""


def rasterize(
    grid: Grid, polygons: list[object], *, sample_offset: tuple[float, float] = (0.0, 0.0)
) -> NDArray[np.bool_]:
    """Cells of a grid whose sample point lies inside one of the polygons.

    Args:
        grid: The grid.
        polygons: Shapely polygons in local metres.
        sample_offset: Sample point relative to the cell centre, (right, down), in cells.

    Returns:
        (rows, cols) bool. A sample point exactly on an outline counts as inside on the left and the lower
        side of the polygon only, so that two polygons that touch never share a cell.
    """
    if not polygons:
        return np.zeros(grid.shape, dtype=bool)
    return _burnt(grid, polygons, sample_offset, "uint8").astype(bool)


def rasterize_heights(grid: Grid, footprints: tuple[Footprint, ...]) -> NDArray[np.float32]:
    """Height of the highest outline over the sample point of each cell, (rows, cols) [m].

    0 outside all outlines; NaN where only outlines of unknown height are.
    """
    # Later shapes are burnt over earlier ones.
    ordered = sorted(footprints, key=lambda footprint: footprint.height_m or 0.0)
    if not ordered:
        return np.zeros(grid.shape, dtype=np.float32)
    shapes = [
        (footprint.polygon, np.nan if footprint.height_m is None else footprint.height_m) for footprint in ordered
    ]
    return _burnt(grid, shapes, (0.0, 0.0), "float32")


def _burnt(grid: Grid, shapes: Sequence[Any], sample_offset: tuple[float, float], dtype: str) -> NDArray[Any]:
    """Shapes on the grid's cells, (rows, cols): 1, or the values that stand beside them; 0 elsewhere."""
    from rasterio.features import rasterize as burn
    from rasterio.transform import Affine

    # A sample point moved by +offset equals a polygon moved by -offset. The further row and column keep the transform
    # from being that of a plain image, of which the library warns, and not in one thread alone.
    shift_x, shift_y = sample_offset[0] + TIE_CELLS - 1.0, sample_offset[1] - TIE_CELLS - 1.0
    size = grid.cell_size_m
    transform = Affine(size, 0.0, shift_x * size, 0.0, size, shift_y * size)
    filled = burn(
        shapes, out_shape=(grid.rows + 1, grid.cols + 1), transform=transform, fill=0, default_value=1, dtype=dtype
    )
    return np.ascontiguousarray(filled[1:, 1:])


def crop_footprints(
    footprints: tuple[Footprint, ...] | None, grid: Grid, corner_m: tuple[float, float]
) -> tuple[Footprint, ...] | None:
    """Outlines cut to the extent of `grid`, whose top-left corner is at `corner_m` in their frame."""
    import shapely
    from shapely.affinity import translate

    if footprints is None:
        return None
    box = shapely.box(0.0, 0.0, grid.cols * grid.cell_size_m, grid.rows * grid.cell_size_m)
    kept: list[Footprint] = []
    for footprint in footprints:
        moved = translate(footprint.polygon, -corner_m[0], -corner_m[1])
        if moved.intersects(box):
            kept.extend(Footprint(part, footprint.height_m) for part in _parts(moved.intersection(box)))
    return tuple(kept)


def clean_footprints(
    shapes: list[object], heights_m: list[float | None] | None = None
) -> tuple[tuple[Footprint, ...], int]:
    """Turn raw polygons and multi-polygons into valid footprints.

    Args:
        shapes: Shapely geometries in local metres; self-crossing rings are repaired, lines and points dropped.
        heights_m: One height per shape, or None where unknown.

    Returns:
        The footprints, and how many shapes had to be repaired.

    Raises:
        SceneError: No height for each shape.
    """
    import shapely

    heights = heights_m if heights_m is not None else [None] * len(shapes)
    if len(heights) != len(shapes):
        raise SceneError(
            "Every footprint needs one height (or None)",
            value=f"{len(heights)} heights for {len(shapes)} shapes",
            remedy="Give as many heights as shapes.",
        )
    repaired, kept = 0, list[Footprint]()
    for shape, height_m in zip(shapes, heights, strict=True):
        if not shapely.is_valid(shape):
            shape = shapely.make_valid(shape)
            repaired += 1
        kept.extend(Footprint(part, height_m) for part in _parts(shape))
    return tuple(kept), repaired


def _parts(shape: object) -> list[object]:
    """The polygons with area inside any geometry."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(shape))
    return [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
