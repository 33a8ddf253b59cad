"""What every figure of an item is made with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from radiodiff.errors import DataSetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ItemFigure", "new_panels", "pick_item"]

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class ItemFigure:
    """A figure and what it shows.

    Attributes:
        figure: The figure.
        name: Name of the item, usable in a file name.
        caption: What is shown, one line.
    """

    figure: "Figure"
    name: str
    caption: str


def pick_item(items: Sequence[Item], index: int, root: Path, what: str) -> Item:
    """The item of an index.

    Raises:
        DataSetError: There is no such item.
    """
    if not 0 <= index < len(items):
        raise DataSetError(
            f"The index of {what} must be one of 0..{len(items) - 1}" if items else f"The folder must hold {what}",
            value=f"{index} of {root}",
            remedy="Run radiodiff dataset describe to see what is there.",
        )
    return items[index]


def new_panels(rows: int, cols: int) -> "tuple[Figure, list[Axes]]":
    """An empty figure and its panels, row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6 * cols, 4.9 * rows), layout="constrained")
    return figure, list(figure.subplots(rows, cols).flat)
