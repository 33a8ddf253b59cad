"""`radiodiff simulate`: buildings and transmitters in, radio maps out."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiodiff.cli.map_options import BuildingMaterial, Grey, GroundMaterial, Out, Plot, takes_layout

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
    building_material: BuildingMaterial = None,
    ground_material: GroundMaterial = None,
    grey: Grey = None,
    plot: Plot = None,
) -> None:
    """Compute radio maps of a building layout.

    Example: radiodiff simulate --buildings city.png --tx 120,80 --out city.npz --plot city_map.png
    """
    from time import perf_counter

    from radiodiff.cli.map_files import MapFiles
    from radiodiff.cli.progress import waiting
    from radiodiff.propagation import make_engine, with_materials

    files = MapFiles.of(out, plot, grey, count=len(request.tx), inputs=request.files)
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
