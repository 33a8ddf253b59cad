"""`radiodiff dataset show`: a figure of one item of a data set."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["show"]


def show(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a data set, of any layout.")],
    index: Annotated[int, typer.Option("--index", help="Which item; 0 is the first.")],
    simulation: Annotated[
        str | None, typer.Option("--simulation", help="Folder under gain/, for RadioMapSeer; by default DPM.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Figure, .png, .pdf or .svg; by default <item>.png in this folder.")
    ] = None,
) -> None:
    """Draw one item: scene and path loss, or channels and path loss, or image and edges.

    Example: radiodiff dataset show data/RadioMapSeer --index 7 --simulation IRT2 --out map.png
    """
    from radiodiff.cli.progress import waiting
    from radiodiff.data.inspect import draw_item
    from radiodiff.viz import check_figure_path, save_figure

    if out is not None:
        check_figure_path(out)
    with waiting("drawing"):
        item = draw_item(root, index, simulation=simulation)
        path = save_figure(item.figure, out or Path(f"{item.name}.png"))
    typer.echo(item.caption)
    typer.echo(f"written to {path}")
