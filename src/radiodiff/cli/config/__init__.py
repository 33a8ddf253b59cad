"""`radiodiff config`: recipes, checked, compared and imported. Each command has a module of its own."""

import typer

from radiodiff.cli.config.check import check
from radiodiff.cli.config.diff import diff
from radiodiff.cli.config.import_original import import_original
from radiodiff.cli.config.list_recipes import list_recipes
from radiodiff.cli.config.show import show

__all__ = ["app"]

app = typer.Typer(help="Recipes: list, show, check, compare, import.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Recipes: list, show, check, compare, import."""


app.command()(check)
app.command()(diff)
app.command("import")(import_original)
app.command("list")(list_recipes)
app.command()(show)
