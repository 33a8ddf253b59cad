"""`radiodiff dataset create`: a data set of generated cities."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["create"]


def create(
    out: Annotated[Path, typer.Option("--out", help="Folder of the data set; an unfinished one is completed.")],
    maps: Annotated[int, typer.Option("--maps", help="Number of cities.")],
    tx_per_map: Annotated[int, typer.Option("--tx-per-map", help="Transmitters on each.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed: the same seed gives the same files.")],
    cars: Annotated[bool, typer.Option("--cars", help="Write cars, and gains with them, too.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes, by default one per core; the files do not depend on it.")
    ] = None,
    style: Annotated[str, typer.Option("--style", help="City style, or 'mixed'.")] = "mixed",
    size: Annotated[int, typer.Option("--size", help="Rows and columns of a map, in cells of 1 m.")] = 256,
) -> None:
    """Generate cities and dominant path maps in RadioMapSeer's layout on disk.

    Example: radiodiff dataset create --out data/city --maps 20 --tx-per-map 8 --seed 1
    """
    from os import cpu_count
    from time import perf_counter

    from radiodiff.cli.progress import counted
    from radiodiff.data import CreateSettings, create_data_set
    from radiodiff.layouts import CitySettings

    settings = CreateSettings(maps, tx_per_map, seed, cars, CitySettings(rows=size, cols=size, style=style))
    start = perf_counter()
    processes = (cpu_count() or 1) if workers is None else workers
    counted(create_data_set(out, settings, workers=processes), "creating", "maps")
    count = maps * tx_per_map * len(settings.simulations)
    typer.echo(f"{out}: {maps} cities, {count} radio maps ({perf_counter() - start:.1f} s)")
