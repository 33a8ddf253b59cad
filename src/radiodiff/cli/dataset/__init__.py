"""`radiodiff dataset`: make, check and handle data sets. Each command has a module of its own."""

import typer

from radiodiff.cli.dataset.arrange_icassp import arrange_icassp
from radiodiff.cli.dataset.bench import bench
from radiodiff.cli.dataset.create import create
from radiodiff.cli.dataset.describe import describe
from radiodiff.cli.dataset.edges import edges
from radiodiff.cli.dataset.fake import fake
from radiodiff.cli.dataset.join import join
from radiodiff.cli.dataset.missing import missing
from radiodiff.cli.dataset.pack import pack
from radiodiff.cli.dataset.patterns import patterns
from radiodiff.cli.dataset.show import show
from radiodiff.cli.dataset.validate import validate

__all__ = ["app"]

app = typer.Typer(help="Make, check and handle data sets.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Make, check and handle data sets."""


app.command("arrange-icassp")(arrange_icassp)
app.command()(bench)
app.command()(create)
app.command()(describe)
app.command()(edges)
app.command()(fake)
app.command()(join)
app.command()(missing)
app.command()(pack)
app.command()(patterns)
app.command()(show)
app.command()(validate)
