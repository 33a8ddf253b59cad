"""Building rasters from GeoTIFF."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError, GridError
from radiodiff.formats.checks import check_cell_count, check_file, check_free_cells
from radiodiff.scene import Grid, Scene

__all__ = ["open_raster", "read_building_geotiff"]

SQUARE = 1e-6
"""Largest relative difference of pixel width and height: at 10,000 cells it adds up to a hundredth of one."""


def read_building_geotiff(
    path: str | Path, *, kind: str = "mask", min_height_m: float = 2.0, invert: bool = False
) -> Scene:
    """Scene from a single-band GeoTIFF, a mask or heights; cells without data are free.

    Args:
        path: North-up raster with square pixels in a metric CRS.
        kind: "mask" (0 and one other value) or "height" (metres above ground).
        min_height_m: With heights: the lowest one that is a building [m].
        invert: With a mask: 0 is a building.

    Raises:
        FormatError: The file is not readable, has several bands, no metric CRS, rotated or oblong pixels, or
            a mask with more than two values.
        SceneError: Every cell is indoors.
    """
    if kind not in ("mask", "height"):
        raise FormatError("A building raster must be 'mask' or 'height'", value=repr(kind), remedy="Give one of them.")
    if invert and kind == "height":
        raise FormatError("Only a mask can be inverted", value="kind='height'", remedy="Use min_height_m instead.")
    file = check_file(path)
    with open_raster(file) as raster:
        grid = _grid_of(raster, file)
        values = raster.read(1, masked=True)
    data = np.asarray(values.data)
    has_data = ~np.ma.getmaskarray(values) & (data == data)
    if kind == "height":
        buildings = has_data & (data >= min_height_m)
    else:
        buildings = has_data & (_binary(data, has_data, file) ^ invert)
    scene = Scene(grid, buildings, source=file.name)
    remedy = "If free cells read as buildings, change the inversion." if kind == "mask" else "Raise min_height_m."
    return check_free_cells(scene, str(file), remedy=remedy)


@contextmanager
def open_raster(file: Path) -> Iterator[Any]:
    """Open a raster for reading; a missing position is left to the caller to judge.

    Raises:
        FormatError: GDAL cannot open it, or cannot read what the block asks for.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    try:
        with warnings.catch_warnings():
            # The callers say the same as an error, with a remedy.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            raster = rasterio.open(file)
        with raster:
            yield raster
    except (RasterioIOError, UnicodeError) as error:
        raise FormatError(
            "A raster must be readable by rasterio",
            value=f"{file} ({error})",
            remedy="The file is damaged or no GeoTIFF: check it with gdalinfo, or copy it again.",
        ) from error


def _grid_of(raster: Any, file: Path) -> Grid:
    if raster.count != 1:
        raise FormatError(
            "A building raster must have one band",
            value=f"{file} with {raster.count}",
            remedy="Take one out: gdal_translate -b 1 old.tif new.tif",
        )
    check_cell_count(raster.height, raster.width, str(file))
    to_metres = "Reproject it: gdalwarp -t_srs EPSG:326xx (the UTM zone of the place) -tr 1 1 old.tif new.tif"
    if raster.crs is None:
        raise FormatError(
            "A building raster must name its coordinate reference system",
            value=f"{file} without one",
            remedy="Add it: gdal_edit.py -a_srs EPSG:... file.tif; a plain picture is read as PNG.",
        )
    t = raster.transform
    if not (t.b == 0.0 and t.d == 0.0 and t.a > 0.0 and t.e < 0.0):
        raise FormatError(
            "A building raster must be north-up",
            value=f"{file} with transform {tuple(t)[:6]}",
            remedy=to_metres,
        )
    if not abs(t.a + t.e) <= SQUARE * t.a:
        raise FormatError(
            "A building raster must have square pixels",
            value=f"{file} with {t.a:g} x {-t.e:g}",
            remedy=to_metres,
        )
    try:
        return Grid(raster.height, raster.width, float(t.a), raster.crs.to_string(), float(t.c), float(t.f))
    except GridError as error:
        raise FormatError(f"{file}: {error.rule}", value=error.value, remedy=to_metres) from error


def _binary(data: NDArray[Any], has_data: NDArray[np.bool_], file: Path) -> NDArray[np.bool_]:
    levels = np.unique(data[has_data])
    if len(levels) > 2 or (len(levels) == 2 and 0 not in levels):
        shown = ", ".join(f"{level:g}" for level in levels[:8])
        raise FormatError(
            "A mask raster must be binary: 0 and one other value",
            value=f"{file} with {len(levels)} values: {shown}{', ...' if len(levels) > 8 else ''}",
            remedy="Heights are read with kind='height'.",
        )
    return np.asarray(data != 0)
