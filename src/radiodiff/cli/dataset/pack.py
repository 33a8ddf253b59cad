"""`radiodiff dataset pack`: one file for each part of a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from radiodiff.encoding import Scale

__all__ = ["pack"]


def pack(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="Data set in RadioMapSeer's layout.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the packed files; an unfinished one is completed.")],
    split: Annotated[
        str | None,
        typer.Option("--split", help="disjoint, radiounet, radiodiff, all or a manifest; default: its own."),
    ] = None,
    simulation: Annotated[
        list[str] | None, typer.Option("--simulation", help="Folder of gain/, by default all. Repeat for more.")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            help="Folder of png/ such as buildings_missing1/1, or a pattern: 'buildings_missing*'. Repeat for more.",
        ),
    ] = None,
    stored_scale: Annotated[
        str, typer.Option("--stored-scale", help="Scale of the gain images: raw or thresholded.")
    ] = "raw",
    geometry: Annotated[bool, typer.Option("--geometry", help="Compute geometry channels, too.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes for geometry channels, by default one per core.")
    ] = None,
) -> None:
    """Pack a data set for fast training: memory-mapped safetensors, one file per part.

    Example: radiodiff dataset pack data/city --out data/city-packed
    """
    from os import cpu_count
    from time import perf_counter

    from radiodiff.cli.progress import counted
    from radiodiff.data.radiomapseer import PackSettings, fill_geometry, pack_data_set

    start = perf_counter()
    settings = PackSettings(split, tuple(simulation or ()), tuple(layer or ()), cast("Scale", stored_scale))
    counted(pack_data_set(root, out, settings), "packing", "maps")
    if geometry:
        processes = (cpu_count() or 1) if workers is None else workers
        counted(fill_geometry(root, out, workers=processes), "geometry", "maps")
    files = [path for path in out.rglob("*.safetensors") if not path.name.startswith(".")]
    size = sum(file.stat().st_size for file in files)
    typer.echo(f"{out}: {len(files)} files, {size / 1e6:,.0f} MB ({perf_counter() - start:.1f} s)")
