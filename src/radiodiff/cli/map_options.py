"""Options of the commands that make radio maps of one building layout: what goes in, and where the maps go."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from radiodiff.cli.layout_request import LayoutRequest

__all__ = ["BuildingMaterial", "Frequency", "Grey", "GroundMaterial", "Out", "Plot", "takes_layout"]

Out = Annotated[
    Path, typer.Option("--out", help="Radio map: .npz .png .tif .csv. With several --tx, NAME_0, NAME_1, ...")
]

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

Frequency = Annotated[float, typer.Option("--frequency", help="Carrier in hertz.")]

Grey = Annotated[str | None, typer.Option("--grey", help="Scale of a .png: raw (default) or thresholded.")]

Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the map: .png .pdf .svg.")]


def takes_layout(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of a layout and its transmitters, which it gets as its first argument, `request`."""
    layout = inspect.signature(_layout_request).parameters.values()
    _, *own = inspect.signature(command).parameters.values()
    # Those that must be given come first in the help.
    ordered = (*(one for one in layout if one.default is one.empty), *own)
    ordered += tuple(one for one in layout if one.default is not one.empty)
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in ordered]

    @wraps(command)
    def run(**given: Any) -> None:
        command(_layout_request(**{one.name: given.pop(one.name) for one in layout}), **given)

    # Where typer looks for options.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _layout_request(
    buildings: Annotated[
        Path,
        typer.Option(
            "--buildings",
            help="PNG mask; footprints as GeoJSON, GeoPackage, shapefile or layout of `layouts extract`; mesh: .ply "
            ".obj .stl .off, .xml of Mitsuba; GeoTIFF; RadioMapSeer polygon file or folder.",
        ),
    ],
    tx: Annotated[
        list[str],
        typer.Option("--tx", metavar="COL,ROW", help="Transmitter cell, or X,Y with --tx-crs. Repeat for more."),
    ],
    cell_size: Annotated[float, typer.Option("--cell-size", help="Edge of a cell in metres.")] = 1.0,
    tx_crs: Annotated[str | None, typer.Option("--tx-crs", help="CRS of --tx, such as EPSG:4326 (lon,lat).")] = None,
    tx_height: Annotated[float, typer.Option("--tx-height", help="Transmitter height in metres.")] = 1.5,
    frequency: Frequency = 5.9e9,
    invert: Annotated[bool, typer.Option("--invert", help="Buildings are 0 in the mask.")] = False,
    map_id: Annotated[int | None, typer.Option("--map-id", help="Map of a RadioMapSeer folder.")] = None,
    cars: Annotated[
        Path | None,
        typer.Option(
            "--cars",
            help="Cars on the same map: PNG mask, GeoJSON or GeoPackage outlines, RadioMapSeer polygon file, or a "
            "RadioMapSeer folder (those of --map-id).",
        ),
    ] = None,
    image_only: Annotated[
        bool, typer.Option("--image-only", help="Read a RadioMapSeer image, not the outlines beside it.")
    ] = False,
    layer: Annotated[str | None, typer.Option("--layer", help="Layer of a vector file.")] = None,
    source_crs: Annotated[
        str | None, typer.Option("--source-crs", help="CRS of a vector file that names none, or a wrong one.")
    ] = None,
    target_crs: Annotated[str | None, typer.Option("--target-crs", help="Metric CRS of the map's grid.")] = None,
    bounds: Annotated[
        str | None,
        typer.Option("--bounds", metavar="X,Y,X,Y", help="Part of a vector file: min x, min y, max x, max y."),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", help="Free space around the outlines of a vector file or mesh in metres.")
    ] = 0.0,
    raster_kind: Annotated[str, typer.Option("--raster-kind", help="A GeoTIFF holds a mask or a height.")] = "mask",
) -> "LayoutRequest":
    """What the options of a layout ask for."""
    from radiodiff.cli.layout_request import LayoutRequest, bounds_of
    from radiodiff.formats import SceneOptions

    options = SceneOptions(
        cell_size_m=cell_size,
        invert=invert,
        map_id=map_id,
        image_only=image_only,
        layer=layer,
        source_crs=source_crs,
        target_crs=target_crs,
        bounds=bounds_of(bounds),
        margin_m=margin,
        raster_kind=raster_kind,
    )
    return LayoutRequest(buildings, cars, options, tx, tx_crs, tx_height, frequency)
