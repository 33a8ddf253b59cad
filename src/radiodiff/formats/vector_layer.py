"""Vector layers as GeoPandas reads them: polygons only, with a CRS, in metres."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from radiodiff.errors import FormatError
from radiodiff.formats.scene_file import SceneOptions
from radiodiff.scene.grid import metric_fault

__all__ = ["HEIGHT_COLUMNS", "PolygonTable", "read_polygon_table"]

HEIGHT_COLUMNS = ("height", "building:levels")


@dataclass(frozen=True)
class PolygonTable:
    """The polygons of a layer.

    Attributes:
        table: GeoDataFrame with the height columns the layer has, in a projected CRS in metres.
        dropped: How many features were left out because they are no polygon, or have no area.
        source_crs: CRS of the layer.
        warnings: What GDAL said about the file.
    """

    table: Any
    dropped: int
    source_crs: str
    warnings: tuple[str, ...]


def read_polygon_table(file: Path, options: SceneOptions) -> PolygonTable:
    """The polygons of a layer, in metres.

    Raises:
        FormatError: The file is not readable, has no polygons or no CRS, or cannot be projected.
    """
    with warnings.catch_warnings(record=True) as caught:
        # GDAL's remarks on a file come as RuntimeWarning; they belong to the report of that file.
        warnings.simplefilter("always", RuntimeWarning)
        layer = _read_layer(file, options.layer)
    layer, dropped = _only_polygons(layer, file)
    layer = _with_crs(layer, options.source_crs, file)
    remarks = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    return PolygonTable(_in_metres(layer, options.target_crs, file), dropped, layer.crs.to_string(), remarks)


def _read_layer(file: Path, layer: str | None) -> Any:
    import geopandas
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError
    from shapely.errors import GEOSException

    try:
        names = [str(name) for name, _ in pyogrio.list_layers(file)]
        if layer is None and len(names) > 1:
            raise FormatError(
                "A file with several layers needs the name of one",
                value=f"{file} with {', '.join(names)}",
                remedy="Give layer (--layer NAME).",
            )
        if layer is not None and layer not in names:
            raise FormatError(
                f"Layer {layer!r} must be in the file",
                value=f"{file} with {', '.join(names)}",
                remedy="Give one of these.",
            )
        return geopandas.read_file(file, layer=layer or names[0], columns=HEIGHT_COLUMNS)
    except (DataSourceError, DataLayerError, GEOSException, UnicodeError) as error:
        raise FormatError(
            "A vector layer must be readable by GeoPandas",
            value=f"{file} ({error})",
            remedy="The file is damaged or of another format: open it in QGIS, or convert it with ogr2ogr.",
        ) from error


def _only_polygons(layer: Any, file: Path) -> tuple[Any, int]:
    """The features that have an area, and the number of the others."""
    import shapely

    # A table without geometry comes back as a plain data frame.
    shapes = getattr(layer, "geometry", None)
    keep = [] if shapes is None else shapes.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"])
    keep = [bool(flag) for flag in keep]
    if shapes is not None:
        # The hull's: the area of an outline that crosses itself may be 0.
        areas = shapely.area(shapely.convex_hull(shapes.to_numpy()))
        keep = [flag and bool(area > 0.0) for flag, area in zip(keep, areas, strict=True)]
    if not any(keep):
        raise FormatError(
            "A building layer must hold polygons with an area",
            value=f"{file} with {len(layer)} features and no such polygon",
            remedy="Choose the layer of building outlines.",
        )
    return layer[keep], len(keep) - sum(keep)


def _with_crs(layer: Any, source_crs: str | None, file: Path) -> Any:
    from pyproj.exceptions import CRSError

    if source_crs is not None:
        try:
            layer = layer.set_crs(source_crs, allow_override=True)
        except CRSError as error:
            raise FormatError(
                "source_crs must be a CRS that pyproj knows",
                value=repr(source_crs),
                remedy="For example 'EPSG:4326'.",
            ) from error
    if layer.crs is None:
        raise FormatError(
            "A building layer must name its coordinate reference system",
            value=f"{file} without one",
            remedy="Give source_crs (--source-crs EPSG:4326, for example); a shapefile has it in its .prj file.",
        )
    x_min, y_min, x_max, y_max = layer.total_bounds
    if layer.crs.is_geographic and not (x_min >= -180 and x_max <= 360 and y_min >= -90 and y_max <= 90):
        raise FormatError(
            f"Coordinates in {layer.crs.to_string()} must be degrees",
            value=f"{file}, x {x_min:g}..{x_max:g}, y {y_min:g}..{y_max:g}",
            remedy="Give the CRS they are in as source_crs (--source-crs); GeoJSON without one is read as EPSG:4326.",
        )
    return layer


def _in_metres(layer: Any, target_crs: str | None, file: Path) -> Any:
    try:
        moved = layer.to_crs(target_crs or _metric_crs(layer))
    except (RuntimeError, ValueError) as error:  # No UTM zone, or no way between the two systems.
        raise FormatError(
            f"A building layer must be convertible to {target_crs or 'the UTM zone of its middle'}",
            value=f"{file} in {layer.crs.to_string()} ({error})",
            remedy="Give another target_crs, a projected CRS in metres, or correct source_crs.",
        ) from error
    if not np.isfinite(moved.total_bounds).all():
        raise FormatError(
            f"All outlines must lie where {moved.crs.to_string()} is defined",
            value=f"{file}, extent {layer.total_bounds.tolist()} in {layer.crs.to_string()}",
            remedy="Give another target_crs, or correct source_crs.",
        )
    return moved


def _metric_crs(layer: Any) -> Any:
    """The layer's own CRS when its coordinates are metres on the ground, else its UTM zone."""
    return layer.estimate_utm_crs() if metric_fault(layer.crs) else layer.crs
