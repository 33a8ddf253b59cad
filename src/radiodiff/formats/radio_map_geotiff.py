"""Radio maps as GeoTIFF."""

import warnings
from pathlib import Path

import numpy as np

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file
from radiodiff.formats.geotiff import open_raster
from radiodiff.formats.radio_map_header import (
    HEADER_NAME,
    decode_header,
    encode_header,
    radio_map_from_header,
)
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Grid

__all__ = ["read_radio_map_geotiff", "write_radio_map_geotiff"]


def write_radio_map_geotiff(radio_map: RadioMap, path: str | Path) -> None:
    """Write a radio map as a GeoTIFF: float32 dB, NaN as its no-data value, deflate.

    Band 1 is the path loss; those after it are the layers of its ensemble, each with its name as its description.

    Without a CRS on the grid the file has none either, and y upwards from 0 at the lower edge: GIS programs
    draw it upright, its bounds are those of the grid.

    Raises:
        FormatError: The file cannot be written.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    grid = radio_map.grid
    header = encode_header(radio_map)
    bands = radio_map.layers
    with warnings.catch_warnings(), atomic_write(path) as temporary:
        # Cells of 1 m from (0, 0) in a CRS: rasterio fears that a driver drops this position; GeoTIFF keeps it.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            temporary,
            "w",
            driver="GTiff",
            height=grid.rows,
            width=grid.cols,
            count=len(bands),
            dtype="float32",
            crs=_wkt(grid),
            transform=_transform(grid),
            nodata=np.nan,
            compress="deflate",
            predictor=3,  # The floating-point one.
            bigtiff="if_safer",
        ) as raster:
            for number, (name, values) in enumerate(bands.items(), 1):
                raster.write(values, number)
                raster.set_band_description(number, name)
            raster.units = ("dB",) * len(bands)
            raster.update_tags(**{HEADER_NAME: header})


def read_radio_map_geotiff(path: str | Path) -> RadioMap:
    """Read a GeoTIFF of `write_radio_map_geotiff`.

    Raises:
        FormatError: It is not readable, was not written by radiodiff, or was moved or cut since.
    """
    file = check_file(path)
    with open_raster(file) as raster:
        header = decode_header(raster.tags().get(HEADER_NAME), file)
        values, transform = raster.read(), raster.transform
        layers = dict(zip(raster.descriptions, values, strict=True))
    radio_map = radio_map_from_header(header, values[0], file, layers)
    if not transform.almost_equals(_transform(radio_map.grid), precision=1e-6):
        raise FormatError(
            "A radio-map GeoTIFF must lie where its header says",
            value=f"{file} with transform {tuple(transform)[:6]}",
            remedy="It was cut or reprojected after it was written: open it with rasterio instead.",
        )
    return radio_map


def _transform(grid: Grid) -> object:
    from affine import Affine

    # The identity, which y down at 1 m would be, means "no position" to GDAL.
    top = grid.origin_y if grid.crs is not None else grid.rows * grid.cell_size_m
    return Affine(grid.cell_size_m, 0.0, grid.origin_x, 0.0, -grid.cell_size_m, top)


def _wkt(grid: Grid) -> str | None:
    """The CRS as WKT: pyproj and GDAL share no other notation for all of them."""
    from pyproj import CRS

    return None if grid.crs is None else CRS.from_user_input(grid.crs).to_wkt()
