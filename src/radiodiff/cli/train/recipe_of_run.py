"""Which recipe a command means (the one it names, or that of the run it goes on with)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from radiodiff.errors import ConfigError

if TYPE_CHECKING:
    from radiodiff.recipes.schema import Recipe

__all__ = ["load_recipe_or_that_of_run"]

RECIPE = "recipe.yaml"


def load_recipe_or_that_of_run(
    kind: "type[Recipe]", config: str | None, resume: str | None, overrides: Sequence[str]
) -> "Recipe":
    """The recipe of a name or file; without one, that of the run that a path of `--resume` lies in.

    Args:
        kind: What recipes of the command's stage hold.
        config: Name or file of a recipe, or None.
        resume: What `--resume` was given, or None.
        overrides: Changes `key=value`.

    Raises:
        ConfigError: Neither says which recipe, or it is of another stage (and the cases of `load_recipe`).
    """
    from radiodiff.recipes.load import load_recipe_of

    if config is not None:
        return load_recipe_of(kind, config, overrides)
    given = [change.partition("=")[2] for change in overrides if change.startswith("trainer.run_dir=")]
    # A run, a checkpoint in it, or a word with the run's folder beside it.
    places = [Path(resume), Path(resume).parent.parent, *map(Path, given[-1:])] if resume is not None else []
    runs = [folder for folder in places if (folder / RECIPE).is_file()]
    if not runs:
        raise ConfigError(
            "A training needs --config, or the folder of a run at --resume",
            value=f"--resume {resume}, where no {RECIPE} is" if resume else "neither",
            remedy="Give --config with a name (see radiodiff config list) or a YAML file, or --resume RUN.",
        )
    return load_recipe_of(kind, runs[0] / RECIPE, [f"trainer.run_dir={runs[0]}", *overrides])
