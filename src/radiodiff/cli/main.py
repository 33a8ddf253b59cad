"""`radiodiff`: the commands, and how errors reach the user.

This module and the modules of the commands import nothing heavy at the top: `radiodiff --help` takes a fraction of a
second.
"""

import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, NoReturn

import typer

from radiodiff.cli import config, convert, dataset, layouts, train
from radiodiff.cli.evaluate import evaluate
from radiodiff.cli.latents import latents
from radiodiff.cli.predict import predict
from radiodiff.cli.reconstruct import reconstruct
from radiodiff.cli.sample import sample
from radiodiff.cli.simulate import simulate
from radiodiff.errors import RadiodiffError, RadiodiffWarning
from radiodiff.interrupts import is_interrupt
from radiodiff.version import __version__

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
app.command()(predict)
app.command()(reconstruct)
app.command()(latents)
app.command()(sample)
app.command()(evaluate)
app.add_typer(config.app, name="config")
app.add_typer(dataset.app, name="dataset")
app.add_typer(layouts.app, name="layouts")
app.add_typer(train.app, name="train")
app.add_typer(convert.app, name="convert")


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
    """Run the command line.

    Errors in what the user gave, and files that the system refuses, end with one paragraph and exit code 2; an
    interrupt ends with exit code 130.
    """
    try:
        with warnings.catch_warnings():
            # Each as one paragraph, whatever the filters say: it is for the user and not for who writes programs.
            warnings.simplefilter("always", RadiodiffWarning)
            warnings.showwarning = partial(_warn, warnings.showwarning)
            app()
    except RadiodiffError as error:
        _stop(str(error))
    except OSError as error:
        _stop(
            f"The system must allow every file operation; got {error}. Check the path, the rights and the free space."
        )
    except BaseException as error:
        if not is_interrupt(error):
            raise
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)


def _stop(message: str) -> NoReturn:
    _print(f"error: {message}")
    sys.exit(INPUT_ERROR)


def _warn(others: Callable[..., None], message: Warning | str, category: type[Warning], *place: Any) -> None:
    if issubclass(category, RadiodiffWarning):
        _print(f"warning: {message}")
    else:
        others(message, category, *place)


def _print(paragraph: str) -> None:
    width = min(shutil.get_terminal_size().columns, 100)
    sys.stderr.write(textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False) + "\n")
