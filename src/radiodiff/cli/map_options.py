"""Options of the commands that make radio maps of one building layout: what goes in, and where the maps go."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Bounds",
    "BuildingMaterial",
    "Buildings",
    "Cars",
    "CellSize",
    "Frequency",
    "Grey",
    "GroundMaterial",
    "ImageOnly",
    "Invert",
    "Layer",
    "MapId",
    "Margin",
    "Out",
    "Plot",
    "RasterKind",
    "SourceCrs",
    "TargetCrs",
    "Tx",
    "TxCrs",
    "TxHeight",
]

Buildings = Annotated[
    Path,
    typer.Option(
        "--buildings",
        help="PNG mask; footprints as GeoJSON, GeoPackage, shapefile or layout of `layouts extract`; mesh: .ply "
        ".obj .stl .off, .xml of Mitsuba; GeoTIFF; RadioMapSeer polygon file or folder.",
    ),
]

Tx = Annotated[
    list[str], typer.Option("--tx", metavar="COL,ROW", help="Transmitter cell, or X,Y with --tx-crs. Repeat for more.")
]

Out = Annotated[
    Path, typer.Option("--out", help="Radio map: .npz .png .tif .csv. With several --tx, NAME_0, NAME_1, ...")
]

CellSize = Annotated[float, typer.Option("--cell-size", help="Edge of a cell in metres.")]

Grey = Annotated[str | None, typer.Option("--grey", help="Scale of a .png: raw (default) or thresholded.")]

Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the map: .png .pdf .svg.")]

TxCrs = Annotated[str | None, typer.Option("--tx-crs", help="CRS of --tx, such as EPSG:4326 (lon,lat).")]

TxHeight = Annotated[float, typer.Option("--tx-height", help="Transmitter height in metres.")]

Frequency = Annotated[float, typer.Option("--frequency", help="Carrier in hertz.")]

BuildingMaterial = Annotated[
    str | None,
    typer.Option(
        "--building-material",
        help="Material of ITU-R P.2040 of walls and roofs, for the ray engines: brick, glass, ...",
    ),
]

GroundMaterial = Annotated[
    str | None, typer.Option("--ground-material", help="Material of the ground, for the ray engines; none: no ground.")
]

Invert = Annotated[bool, typer.Option("--invert", help="Buildings are 0 in the mask.")]

MapId = Annotated[int | None, typer.Option("--map-id", help="Map of a RadioMapSeer folder.")]

Cars = Annotated[
    Path | None,
    typer.Option(
        "--cars",
        help="Cars on the same map: PNG mask, GeoJSON or GeoPackage outlines, RadioMapSeer polygon file, or a "
        "RadioMapSeer folder (those of --map-id).",
    ),
]

ImageOnly = Annotated[bool, typer.Option("--image-only", help="Read a RadioMapSeer image, not the outlines beside it.")]

Layer = Annotated[str | None, typer.Option("--layer", help="Layer of a vector file.")]

SourceCrs = Annotated[
    str | None, typer.Option("--source-crs", help="CRS of a vector file that names none, or a wrong one.")
]

TargetCrs = Annotated[str | None, typer.Option("--target-crs", help="Metric CRS of the map's grid.")]

Bounds = Annotated[
    str | None,
    typer.Option("--bounds", metavar="X,Y,X,Y", help="Part of a vector file: min x, min y, max x, max y."),
]

Margin = Annotated[
    float, typer.Option("--margin", help="Free space around the outlines of a vector file or mesh in metres.")
]

RasterKind = Annotated[str, typer.Option("--raster-kind", help="A GeoTIFF holds a mask or a height.")]
