"""`radiodiff dataset join`: one data set of several generated ones."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["join"]


def join(
    sources: Annotated[list[Path], typer.Argument(metavar="SET...", help="Generated data sets, in folders.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the data set; an unfinished one is completed.")],
    part: Annotated[
        str, typer.Option("--part", help="Part of the maps of a set without a split: train, validation or test.")
    ] = "train",
    maps: Annotated[
        int | None, typer.Option("--maps", help="Most maps of each set, spread evenly over it; by default all.")
    ] = None,
) -> None:
    """Make one data set of several generated ones: maps numbered anew, parts kept, files linked where that is possible.

    It has the simulations and layers that all of them have.

    Example: radiodiff dataset join --out data/train data/bench-train/street data/bench-train/rooftop data/city
    """
    from radiodiff.cli.progress import counted_result
    from radiodiff.data.radiomapseer import JoinSettings, join_data_sets

    report = counted_result(join_data_sets(out, sources, JoinSettings(part, maps)), "joining", "maps")
    parts = ", ".join(f"{name} {count}" for name, count in report.parts.items())
    typer.echo(f"{out}: {sum(report.parts.values())} maps ({parts}) of {', '.join(report.simulations)}")
    if report.left_out:
        typer.echo(f"{out}: not in all sets, left out: {', '.join(report.left_out)}")
    if report.num_copied:
        typer.echo(f"{out}: {report.num_copied} files copied, where the file system has no links")
