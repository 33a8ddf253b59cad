"""Progress on the terminal: bars for counted work, a spinner for the rest. Silent where stderr is no terminal."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.status import Status

    from radiodiff.training.fill_latents import Track

__all__ = ["counted", "counted_result", "tracked", "tracked_beside", "waiting"]

Result = TypeVar("Result")


def counted(steps: Iterator[tuple[int, int]], title: str, unit: str) -> None:
    """Run steps that report (done, wanted), drawing a bar with rate and time left."""
    with _bar(title, unit) as progress:
        task = progress.add_task(title, total=None)
        for done, wanted in steps:
            progress.update(task, completed=done, total=wanted)


def tracked(items: Iterable[Result], total: int, title: str, unit: str) -> Iterator[Result]:
    """Pass items on, drawing a bar with time left.

    Args:
        items: The items.
        total: How many there are.
        title: What is done.
        unit: What the items are.
    """
    with _bar(title, unit) as progress:
        task = progress.add_task(title, total=total)
        for item in items:
            yield item
            progress.advance(task)


def counted_result(steps: Generator[tuple[int, int], None, Result], title: str, unit: str) -> Result:
    """What steps return in the end, drawing a bar as `counted` does."""
    results: list[Result] = []

    def reporting() -> Iterator[tuple[int, int]]:
        results.append((yield from steps))

    counted(reporting(), title, unit)
    return results[0]


def _bar(title: str, unit: str) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    return Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


@contextmanager
def waiting(title: str) -> "Iterator[Status]":
    """Show a spinner while a block runs."""
    from rich.console import Console

    with Console(stderr=True).status(title) as spinner:
        yield spinner


def tracked_beside(spinner: "Status") -> "Track":
    """`tracked`, for work inside a block of `waiting`: one thing at a time moves on the terminal."""

    def track(items: Iterable[Result], total: int, title: str, unit: str) -> Iterator[Result]:
        spinner.stop()
        yield from tracked(items, total, title, unit)
        spinner.start()

    return track
