"""Tables on standard output."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["new_table", "print_table"]

FILE_WIDTH = 200
"""Columns where the output is no terminal: a file, or another program."""


def new_table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> "Table":
    """A table without rows.

    Args:
        title: Its title.
        columns: Names of the columns.
        numbers: Those of them that are aligned to the right.
    """
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return table


def print_table(table: "Table", *, to_stderr: bool = False) -> None:
    """Print a table as wide as the terminal; what is in it is plain text.

    Args:
        table: The table.
        to_stderr: Leave standard output to what another program reads.
    """
    from rich.console import Console

    console = Console(markup=False, highlight=False, stderr=to_stderr)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, stderr=to_stderr, width=FILE_WIDTH)
    console.print(table)
