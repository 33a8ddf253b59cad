"""`radiodiff train`: one command for each stage."""

import typer

from radiodiff.cli.train.autoencoder import autoencoder

__all__ = ["app"]

app = typer.Typer(name="train", help="Train a model from a recipe.", no_args_is_help=True)
app.command()(autoencoder)


@app.callback()
def _stages() -> None:
    """Train a model from a recipe."""
