"""All checks, one after another."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from radiodiff.recipes.check.data import check_data
from radiodiff.recipes.check.folders import check_folders
from radiodiff.recipes.check.machine import check_machine
from radiodiff.recipes.check.networks import check_networks, network_sizes
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.check.settings import check_settings
from radiodiff.recipes.load import load_recipe, recipe_faults

__all__ = ["check_recipe"]


def check_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Iterator[CheckRow]:
    """Look at everything that can keep a recipe from running, without writing anything.

    Where its settings are wrong, each fault is a finding and nothing else is looked at.

    Raises:
        ConfigError: There is no such recipe, or it cannot be read at all.
    """
    found = recipe_faults(name_or_path, overrides)
    if found:
        yield from (error_row("settings", error) for error in found)
        return
    recipe = load_recipe(name_or_path, overrides)
    for check in (check_settings, check_data, check_machine):
        yield from check(recipe)
    sizes = network_sizes(recipe)
    yield from check_networks(recipe, sizes)
    yield from check_folders(recipe, sizes)
