"""What the commands share that make data sets: options of a run, and how far it is."""

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.data.create import RunOptions

__all__ = ["MaxHours", "Missing", "Scheduler", "Verify", "Workers", "run_options", "steps_shown"]

Result = TypeVar("Result")

LINE_S = 60.0
"""How often a run without a terminal tells how far it is [s]."""

Workers = Annotated[
    int | None, typer.Option("--workers", help="Processes, by default one per core; the files do not depend on it.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Address of a dask scheduler, such as tcp://10.0.0.1:8786: its workers work."),
]
MaxHours = Annotated[
    float | None, typer.Option("--max-hours", help="End after so many hours; the same command goes on.")
]
Missing = Annotated[
    int | None,
    typer.Option(
        "--missing",
        metavar="VARIANTS",
        help="Draws of each of the layers without 1 to 4 of the buildings, at most 6; by default none, and 2 for the "
        "training part of the benchmark set.",
    ),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Compare all files with their checksums, and make again what differs.")
]


def run_options(workers: int | None, scheduler: str | None, max_hours: float | None, verify: bool) -> "RunOptions":
    """How a data set is made, by what the command line says.

    Raises:
        InputError: Processes are asked for beside a scheduler, or a number is out of its range.
    """
    from os import cpu_count

    from radiodiff.data.create import RunOptions

    if scheduler is not None and workers is not None:
        raise InputError(
            "--workers must be left out with --scheduler, whose workers do the work",
            value=f"--workers {workers} --scheduler {scheduler}",
            remedy="Leave one of them out.",
        )
    return RunOptions((cpu_count() or 1) if workers is None else workers, scheduler, max_hours, verify)


def steps_shown(steps: "Generator[tuple[int, int], None, Result]") -> "Result":
    """What steps (done, wanted) return in the end: a bar on a terminal, else a line a minute with the time left."""
    from radiodiff.cli.progress import counted_result

    return counted_result(steps if sys.stderr.isatty() else _lines(steps), "creating", "maps")


def _lines(steps: "Generator[tuple[int, int], None, Result]") -> "Generator[tuple[int, int], None, Result]":
    """The same steps, telling how far they are."""
    from time import monotonic

    begin = last = monotonic()
    first: int | None = None

    while True:
        try:
            done, wanted = next(steps)
        except StopIteration as end:
            return cast("Result", end.value)
        first = done if first is None else first
        now = monotonic()
        if now - last >= LINE_S and done > first:
            left_h = (now - begin) / (done - first) * (wanted - done) / 3600.0
            typer.echo(f"{done} of {wanted} maps, {left_h:.2f} h left", err=True)
            last = now
        yield done, wanted
