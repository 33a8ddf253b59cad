"""Which recipe a command means (the one it names, or that of the run it goes on with), and errors in its terms."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from radiodiff.errors import ConfigError

if TYPE_CHECKING:
    from radiodiff.recipes.schema import AutoencoderRecipe

__all__ = ["keys_in_errors", "load_recipe_or_that_of_run"]

RECIPE = "recipe.yaml"


def load_recipe_or_that_of_run(config: str | None, resume: str | None, overrides: Sequence[str]) -> "AutoencoderRecipe":
    """The recipe of a name or file; without one, that of the run that a path of `--resume` lies in.

    Args:
        config: Name or file of a recipe, or None.
        resume: What `--resume` was given, or None.
        overrides: Changes `key=value`.

    Raises:
        ConfigError: Neither says which recipe (and the cases of `load_recipe`).
    """
    from radiodiff.recipes.load import load_recipe

    if config is not None:
        return load_recipe(config, overrides)
    path = Path(resume or "")
    # A run, or a checkpoint in it.
    runs = [folder for folder in (path, path.parent.parent) if resume is not None and (folder / RECIPE).is_file()]
    if not runs:
        raise ConfigError(
            "A training needs --config, or the folder of a run at --resume",
            value=f"--resume {resume}" if resume else "neither",
            remedy="Give --config with a name (see radiodiff config list) or a YAML file.",
        )
    return load_recipe(runs[0] / RECIPE, [f"trainer.run_dir={runs[0]}", *overrides])


@contextmanager
def keys_in_errors(recipe: "AutoencoderRecipe") -> Iterator[None]:
    """Name settings by their keys in the recipe where errors of the block name classes.

    Raises:
        ConfigError: That of the block, in terms of the recipe.
    """
    from radiodiff.config import with_keys

    kind = type(recipe)
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            with_keys(error.rule, kind), value=error.value, remedy=with_keys(error.remedy, kind)
        ) from error
