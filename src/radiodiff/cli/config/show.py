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
    from radiodiff.recipes.resolve import MUST_BE_GIVEN, resolved_values
    from radiodiff.recipes.yaml_text import format_yaml

    values = resolved_values(recipe, overrides or [])
    absent = [f"{group}.{key}" for group, key in MUST_BE_GIVEN if key not in values[group]]
    if absent:
        typer.echo(f"# To be given: {', '.join(absent)}")
    typer.echo(format_yaml(values), nl=False)
