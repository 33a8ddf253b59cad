"""All checks, one after another."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from radiodiff.recipes.check.data import check_data
from radiodiff.recipes.check.first_stage import check_first_stage, find_first_stage
from radiodiff.recipes.check.folders import check_folders
from radiodiff.recipes.check.machine import check_machine
from radiodiff.recipes.check.networks import check_networks
from radiodiff.recipes.check.prior import check_prior, find_prior
from radiodiff.recipes.check.rows import CheckRow
from radiodiff.recipes.check.settings import check_settings
from radiodiff.recipes.check.sizes import network_sizes
from radiodiff.recipes.load import load_recipe, recipe_faults
from radiodiff.recipes.schema import DiffusionRecipe

__all__ = ["check_recipe"]


def check_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Iterator[CheckRow]:
    """Look at everything that can keep a recipe from running, without writing anything.

    Where its settings are wrong, each fault is a finding and nothing else is looked at.

    Raises:
        ConfigError: There is no such recipe, or it cannot be read at all.
    """
    found = recipe_faults(name_or_path, overrides)
    if found:
        # Their keys are those of the recipe.
        yield from (CheckRow("settings", "error", f"{fault.rule}; got {fault.value}", fault.remedy) for fault in found)
        return
    recipe = load_recipe(name_or_path, overrides)
    for check in (check_settings, check_data, check_machine):
        yield from check(recipe)
    prior = find_prior(recipe)
    yield from check_prior(recipe, prior)
    first_stage = None
    if isinstance(recipe, DiffusionRecipe):
        there = find_first_stage(recipe)
        yield from check_first_stage(recipe, there, prior)
        first_stage = None if isinstance(there, CheckRow) else there
    sizes = network_sizes(recipe, first_stage)
    yield from check_networks(recipe, sizes, first_stage)
    yield from check_folders(recipe, sizes)
