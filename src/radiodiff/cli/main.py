"""`radiodiff`: the commands, and how errors reach the user.

This module and the modules of the commands import nothing heavy at the top: `radiodiff --help` takes a fraction of a
second.
"""

import shutil
import sys
import textwrap
from typing import Annotated

import typer

from radiodiff import __version__
from radiodiff.cli import dataset
from radiodiff.cli.simulate import simulate
from radiodiff.errors import RadiodiffError

__all__ = ["app", "main"]

INPUT_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="radiodiff",
    help="Radio maps from city layouts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(simulate)
app.add_typer(dataset.app, name="dataset")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"radiodiff {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Radio maps from city layouts."""


def main() -> None:
    """Run the command line. Errors in what the user gave end with one paragraph and exit code 2."""
    try:
        app()
    except RadiodiffError as error:
        width = min(shutil.get_terminal_size().columns, 100)
        sys.stderr.write(textwrap.fill(f"error: {error}", width, break_long_words=False, break_on_hyphens=False) + "\n")
        sys.exit(INPUT_ERROR)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)
