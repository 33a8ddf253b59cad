"""Recipes by name or file, changed by `key=value`.

A name such as `autoencoder/tiny` is a recipe of this package. A file is what ends in `.yaml` or `.yml`, or is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from radiodiff.config import Config, checked, faults
from radiodiff.errors import ConfigError
from radiodiff.recipes.overrides import with_overrides
from radiodiff.recipes.schema import AutoencoderRecipe, BaselineRecipe, DiffusionRecipe, Recipe
from radiodiff.recipes.yaml_text import format_yaml, parse_yaml, read_yaml

__all__ = [
    "STAGES",
    "about",
    "dump_recipe",
    "load_recipe",
    "load_recipe_of",
    "recipe_faults",
    "recipe_names",
    "recipe_schema",
    "recipe_text",
    "recipe_values",
]

STAGES: Mapping[str, type[Recipe]] = {
    "autoencoder": AutoencoderRecipe,
    "diffusion": DiffusionRecipe,
    "baseline": BaselineRecipe,
}
"""What a recipe of each stage holds."""

OfStage = TypeVar("OfStage", bound=Recipe)

SUFFIXES = (".yaml", ".yml")


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe of any stage.

    Args:
        name_or_path: Name of a recipe of this package, or a YAML file.
        overrides: Changes `a.b.c=value`, later ones over earlier ones; the value is YAML.

    Raises:
        ConfigError: There is no such recipe, it is no YAML, or a setting is unknown, missing or not allowed.
    """
    values = recipe_values(name_or_path, overrides)
    return checked(recipe_schema(values), values)


def load_recipe_of(kind: type[OfStage], name_or_path: str | Path, overrides: Sequence[str] = ()) -> OfStage:
    """A recipe of one stage; see `load_recipe`.

    Raises:
        ConfigError: It is of another stage (and the cases of `load_recipe`).
    """
    values = recipe_values(name_or_path, overrides)
    found = recipe_schema(values)
    if found is not kind:
        wanted, given = (kind_of.model_fields["stage"].default for kind_of in (kind, found))
        raise ConfigError(
            f"The recipe must be of stage {wanted!r}",
            value=f"{name_or_path}, of stage {given!r}",
            remedy=f"Train it by radiodiff train {given}, or take another one (radiodiff config list).",
        )
    return checked(kind, values)


def recipe_faults(name_or_path: str | Path, overrides: Sequence[str] = ()) -> list[ConfigError]:
    """Everything that keeps a recipe from being loaded.

    Raises:
        ConfigError: There is no such recipe, or it cannot be read at all.
    """
    values = recipe_values(name_or_path, overrides)
    return faults(recipe_schema(values), values)


def recipe_values(name_or_path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Plain values of a recipe with its changes, not checked yet; see `load_recipe`."""
    path = Path(name_or_path)
    if path.suffix in SUFFIXES or path.is_file():
        values = read_yaml(path)
    else:
        values = parse_yaml(recipe_text(str(name_or_path)), name=str(name_or_path))
    return with_overrides(values, overrides, recipe_schema(values))


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes of this package, sorted."""
    return tuple(sorted(name for name, _ in _packaged()))


def recipe_text(name: str) -> str:
    """YAML of a recipe of this package, with its comments.

    Raises:
        ConfigError: There is none of this name.
    """
    recipes = dict(_packaged())
    if name not in recipes:
        near = _near_names(name, sorted(recipes))
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise ConfigError(
            "A recipe must be a name of this package or a YAML file",
            value=repr(name),
            remedy=f"{hint}The names: {', '.join(sorted(recipes))}.",
        )
    return recipes[name].read_text(encoding="utf-8")


def _near_names(name: str, known: Sequence[str]) -> list[str]:
    """Names that may be meant: those whose last part is alike, of the stage that is written if there is one."""
    stage, _, last = name.rpartition("/")
    of_stage = [other for other in known if other.startswith(f"{stage}/")] if stage else []
    names = of_stage or known
    alike = get_close_matches(last, {other.rpartition("/")[2] for other in names}, n=3)
    return [other for word in alike for other in names if other.rpartition("/")[2] == word]


def about(name: str) -> str:
    """What a recipe of this package is for: its first line.

    Raises:
        ConfigError: There is none of this name.
    """
    return recipe_text(name).partition("\n")[0].removeprefix("#").strip()


def dump_recipe(recipe: Config) -> str:
    """A recipe as YAML with every setting, from which an equal one can be loaded; paths are text."""
    return format_yaml(recipe.model_dump(mode="json"))


def recipe_schema(values: Mapping[str, Any]) -> type[Recipe]:
    """What a recipe must hold, by its stage.

    Raises:
        ConfigError: There is no such stage.
    """
    stage = values.get("stage", "autoencoder")
    if not isinstance(stage, str) or stage not in STAGES:
        near = get_close_matches(str(stage), STAGES, n=1)
        raise ConfigError(
            f"stage must be {' or '.join(map(repr, STAGES))}",
            value=repr(stage),
            remedy=f"Did you mean {near[0]!r}?" if near else "Correct the value.",
        )
    return STAGES[stage]


def _packaged() -> Iterable[tuple[str, Traversable]]:
    """Recipes of this package by name."""
    for stage in STAGES:
        for file in files("radiodiff.recipes").joinpath(stage).iterdir():
            if file.name.endswith(SUFFIXES):
                yield f"{stage}/{file.name.rpartition('.')[0]}", file
