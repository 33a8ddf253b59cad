"""`radiodiff config show`: every setting of a recipe."""

from typing import Annotated

import typer

__all__ = ["show"]


def show(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Name of a recipe (radiodiff config list) or a YAML file.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to it.", show_default=False)
    ] = None,
) -> None:
    """Print every setting of a recipe, defaults included, as YAML that can be used as a recipe.

    Settings that must be given and are not are named in a comment.

    Example: radiodiff config show autoencoder/tiny trainer.max_steps=100 > mine.yaml
    """
    from radiodiff.recipes.load import recipe_schema
    from radiodiff.recipes.resolve import must_be_given, resolved_values, value_at
    from radiodiff.recipes.yaml_text import format_yaml

    values = resolved_values(recipe, overrides or [])
    absent = [key for key in must_be_given(recipe_schema(values)) if value_at(values, key) is None]
    if absent:
        typer.echo(f"# To be given: {', '.join(absent)}")
    typer.echo(format_yaml(values), nl=False)
