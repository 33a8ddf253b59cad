"""`radiodiff simulate`: buildings and transmitters in, radio maps out."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiodiff.cli.map_options import (
    Bounds,
    BuildingMaterial,
    Buildings,
    Cars,
    CellSize,
    Frequency,
    Grey,
    GroundMaterial,
    ImageOnly,
    Invert,
    Layer,
    MapId,
    Margin,
    Out,
    Plot,
    RasterKind,
    SourceCrs,
    TargetCrs,
    Tx,
    TxCrs,
    TxHeight,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["simulate"]


def simulate(
    buildings: Buildings,
    tx: Tx,
    out: Out,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="dominant-path, free-space, log-distance, multi-wall, over-roofs, ray-launching, ray-tracing or umi.",
        ),
    ] = "dominant-path",
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="Constants of the engine: fast, reference, irt2 or irt4, if it has them."),
    ] = None,
    building_material: BuildingMaterial = None,
    ground_material: GroundMaterial = None,
    cell_size: CellSize = 1.0,
    grey: Grey = None,
    plot: Plot = None,
    tx_crs: TxCrs = None,
    tx_height: TxHeight = 1.5,
    frequency: Frequency = 5.9e9,
    invert: Invert = False,
    map_id: MapId = None,
    cars: Cars = None,
    image_only: ImageOnly = False,
    layer: Layer = None,
    source_crs: SourceCrs = None,
    target_crs: TargetCrs = None,
    bounds: Bounds = None,
    margin: Margin = 0.0,
    raster_kind: RasterKind = "mask",
) -> None:
    """Compute radio maps of a building layout.

    Example: radiodiff simulate --buildings city.png --tx 120,80 --out city.npz --plot city_map.png
    """
    from time import perf_counter

    from radiodiff.cli.layout_request import LayoutRequest, bounds_of
    from radiodiff.cli.map_files import MapFiles
    from radiodiff.cli.progress import waiting
    from radiodiff.formats import SceneOptions
    from radiodiff.propagation import make_engine, with_materials

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
    request = LayoutRequest(buildings, cars, options, tx, tx_crs, tx_height, frequency)
    files = MapFiles.of(out, plot, grey, count=len(tx), inputs=request.files)
    model = with_materials(make_engine(engine, preset), building_material, ground_material)
    started = perf_counter()
    scene, txs = request.read()
    read = perf_counter()
    with waiting("computing (the first run ever also compiles, about 15 s)"):
        radio_maps = list(model.radio_maps(scene, txs))
    computed = perf_counter()
    files.write(radio_maps, lambda number: cast("Figure", radio_maps[number].plot().get_figure(root=True)))
    ended = perf_counter()
    typer.echo(f"read {read - started:.2f} s, computed {computed - read:.2f} s, wrote {ended - computed:.2f} s")
