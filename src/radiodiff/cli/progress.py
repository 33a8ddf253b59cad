"""Progress on the terminal: bars for counted work, a spinner for the rest. Silent where stderr is no terminal."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["counted", "counted_result", "waiting"]

Result = TypeVar("Result")


def counted(steps: Iterator[tuple[int, int]], title: str, unit: str) -> None:
    """Run steps that report (done, wanted), drawing a bar with rate and time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        for done, wanted in steps:
            progress.update(task, completed=done, total=wanted)


def counted_result(steps: Generator[tuple[int, int], None, Result], title: str, unit: str) -> Result:
    """What steps return in the end, drawing a bar as `counted` does."""
    results: list[Result] = []

    def reporting() -> Iterator[tuple[int, int]]:
        results.append((yield from steps))

    counted(reporting(), title, unit)
    return results[0]


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Show a spinner while a block runs."""
    from rich.console import Console

    with Console(stderr=True).status(title):
        yield
