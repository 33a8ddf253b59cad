"""`radiodiff config list`: the recipes of this package."""

__all__ = ["list_recipes"]


def list_recipes() -> None:
    """List the recipes that come with radiodiff, and what each is for.

    Example: radiodiff config list
    """
    from radiodiff.cli.tables import new_table, print_table
    from radiodiff.recipes.load import about, recipe_names

    table = new_table("recipes", "name", "what it is")
    for name in recipe_names():
        table.add_row(name, about(name))
    print_table(table)
