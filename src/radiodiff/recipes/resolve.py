"""All settings of a recipe, also where those that must be given are not, and what differs between two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.config import checked
from radiodiff.recipes.load import recipe_schema, recipe_values
from radiodiff.recipes.schema import DiffusionRecipe, Recipe

__all__ = ["NOT_THERE", "Difference", "differences", "flat", "must_be_given", "resolved_values", "value_at"]

NOT_THERE = "-"
"""In place of a setting that one of two recipes has not."""


@dataclass(frozen=True)
class Difference:
    """A setting in which two recipes differ.

    Attributes:
        key: Its dotted key.
        first: Its value in the first recipe, or `NOT_THERE`.
        second: Its value in the second.
    """

    key: str
    first: Any
    second: Any


def must_be_given(kind: type[Recipe]) -> tuple[str, ...]:
    """Dotted keys of the settings that recipes of this package leave to the user.

    Args:
        kind: What the recipe holds.
    """
    return ("data.root", *(["autoencoder"] if kind is DiffusionRecipe else []), "trainer.run_dir")


def resolved_values(name_or_path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Every setting of a recipe, JSON types, without those that must be given and are not.

    Raises:
        ConfigError: There is no such recipe, it is no YAML, or a setting is unknown or not allowed.
    """
    values = recipe_values(name_or_path, overrides)
    kind = recipe_schema(values)
    absent = [key for key in must_be_given(kind) if _can_hold(values, key)]
    for key in absent:
        _group_of(values, key)[key.rpartition(".")[2]] = "given later"
    resolved = checked(kind, values).model_dump(mode="json")
    for key in absent:
        del _group_of(resolved, key)[key.rpartition(".")[2]]
    return resolved


def value_at(values: Mapping[str, Any], key: str) -> Any:
    """Value of a dotted key in plain values, or None."""
    found: Any = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _can_hold(values: dict[str, Any], key: str) -> bool:
    """Whether a key is not given and there is a group that could hold it."""
    group = _group_of(values, key)
    return isinstance(group, dict) and key.rpartition(".")[2] not in group


def _group_of(values: dict[str, Any], key: str) -> Any:
    """The group that a key stands in, made where it is not there; all groups in question are at the top."""
    group = key.rpartition(".")[0]
    return values.setdefault(group, {}) if group else values


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Settings in which two recipes differ, in the order of the first one."""
    one, other = dict(flat(first)), dict(flat(second))
    return [
        Difference(key, one.get(key, NOT_THERE), other.get(key, NOT_THERE))
        for key in dict.fromkeys([*one, *other])
        if key not in one or key not in other or one[key] != other[key]
    ]


def flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Values by dotted key; lists are values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
