"""`radiodiff train`: one command for each stage."""

import typer

from radiodiff.cli.train.autoencoder import autoencoder
from radiodiff.cli.train.baseline import baseline
from radiodiff.cli.train.diffusion import diffusion

__all__ = ["app"]

app = typer.Typer(name="train", help="Train a model from a recipe.", no_args_is_help=True)
app.command()(autoencoder)
app.command()(diffusion)
app.command()(baseline)
