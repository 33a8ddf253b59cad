"""`radiodiff simulate`: buildings and transmitters in, radio maps out."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

<<<<<<< HEAD
from radiodiff.cli.map_options import Grey, Out, Plot, takes_layout
=======
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
>>>>>>> w-c

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radiodiff.cli.layout_request import LayoutRequest

__all__ = ["simulate"]


@takes_layout
def simulate(
    request: "LayoutRequest",
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
<<<<<<< HEAD
=======
    building_material: BuildingMaterial = None,
    ground_material: GroundMaterial = None,
    cell_size: CellSize = 1.0,
>>>>>>> w-c
    grey: Grey = None,
    plot: Plot = None,
) -> None:
    """Compute radio maps of a building layout.

    Example: radiodiff simulate --buildings city.png --tx 120,80 --out city.npz --plot city_map.png
    """
    from time import perf_counter

    from radiodiff.cli.map_files import MapFiles
    from radiodiff.cli.progress import waiting
<<<<<<< HEAD
    from radiodiff.propagation import make_engine

    files = MapFiles.of(out, plot, grey, count=len(request.tx), inputs=request.files)
    model = make_engine(engine, preset)
=======
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
>>>>>>> w-c
    started = perf_counter()
    scene, txs = request.read()
    read = perf_counter()
    with waiting("computing (the first run ever also compiles, about 15 s)"):
        radio_maps = list(model.radio_maps(scene, txs))
    computed = perf_counter()
    files.write(radio_maps, lambda number: cast("Figure", radio_maps[number].plot().get_figure(root=True)))
    ended = perf_counter()
    typer.echo(f"read {read - started:.2f} s, computed {computed - read:.2f} s, wrote {ended - computed:.2f} s")
