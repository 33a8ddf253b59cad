"""`radiodiff config check`: can a recipe be run here?"""

import json
from typing import Annotated

import typer

__all__ = ["check"]


def check(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Name of a recipe (radiodiff config list) or a YAML file.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to it.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check a recipe: its settings, its data, this machine, weights to begin with, and the folder of the run.

    Nothing is written. Ends with exit code 2 where a finding keeps the recipe from running, and 0 where none does.

    Example: radiodiff config check autoencoder/tiny data.root=data/city trainer.run_dir=runs/tiny
    """
    from radiodiff.cli.progress import waiting
    from radiodiff.cli.tables import new_table, print_table
    from radiodiff.errors import ConfigError

    with waiting("checking"):
        from radiodiff.recipes.check import check_recipe

        rows = list(check_recipe(recipe, overrides or []))
    wrong = [row for row in rows if row.status == "error"]
    if as_json:
        content = {"recipe": recipe, "is_fit": not wrong, "rows": [row.to_dict() for row in rows]}
        typer.echo(json.dumps(content, indent=1))
    else:
        table = new_table(recipe, "what", "status", "finding", "remedy")
        for row in rows:
            table.add_row(row.what, row.status, row.finding, row.remedy)
        print_table(table)
    if wrong:
        count = f"{len(wrong)} error{'s' if len(wrong) > 1 else ''}"
        raise ConfigError(
            "A recipe must be fit to run here",
            value=f"{recipe} with {count}, first: {wrong[0].what}, {wrong[0].finding}",
            remedy=wrong[0].remedy or "Correct it.",
        )
