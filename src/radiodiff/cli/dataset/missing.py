"""`radiodiff dataset missing`: layers with missing buildings for a data set that is there."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["missing"]


def missing(
    root: Annotated[Path, typer.Option("--root", help="Folder of the data set, in RadioMapSeer's layout.")],
    variants: Annotated[int, typer.Option("--variants", help="Draws of each number of buildings, 1 to 6.")] = 2,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes, by default one per core.")] = None,
) -> None:
    """Draw layers with 1 to 4 buildings left out of the picture; the radio maps stay.

    Example: radiodiff dataset missing --root data/city --variants 2
    """
    from os import cpu_count

    from radiodiff.cli.progress import counted
    from radiodiff.data.missing_layers import MISSING_COUNTS
    from radiodiff.data.radiomapseer import add_missing_layers

    processes = (cpu_count() or 1) if workers is None else workers
    counted(add_missing_layers(root, variants, workers=processes), "drawing", "maps")
    most = max(MISSING_COUNTS)
    typer.echo(f"{root}: {variants} draws of each of the layers buildings_missing1 to buildings_missing{most}")
