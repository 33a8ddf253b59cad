"""`radiodiff config diff`: settings in which two recipes differ."""

import json
from typing import Annotated

import typer

__all__ = ["diff"]


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Name of a recipe or a YAML file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
) -> None:
    """Print the settings in which two recipes differ, defaults included.

    A setting that one of them has not is shown as - there; in JSON it is left out.

    Example: radiodiff config diff autoencoder/tiny runs/tiny/recipe.yaml
    """
    from dataclasses import asdict

    from radiodiff.cli.tables import new_table, print_table
    from radiodiff.recipes.resolve import NOT_THERE, differences, resolved_values

    found = differences(resolved_values(first), resolved_values(second))
    if as_json:
        rows = [{name: value for name, value in asdict(row).items() if value != NOT_THERE} for row in found]
        typer.echo(json.dumps({"first": first, "second": second, "differences": rows}, indent=1))
        return
    if not found:
        typer.echo(f"{first} and {second} have the same settings")
        return
    table = new_table(f"{len(found)} differences", "setting", first, second)
    for row in found:
        table.add_row(
            row.key, *(NOT_THERE if value == NOT_THERE else json.dumps(value) for value in (row.first, row.second))
        )
    print_table(table)
