"""`radiodiff layouts`: layouts that no generator drew."""

import typer

from radiodiff.cli.layouts.extract import extract

__all__ = ["app"]

app = typer.Typer(help="Cut layouts from real cities.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Cut layouts from real cities."""


app.command()(extract)
