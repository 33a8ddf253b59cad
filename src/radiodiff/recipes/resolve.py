"""All settings of a recipe, also where those that must be given are not, and what differs between two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.config import checked
from radiodiff.recipes.load import recipe_schema, recipe_values

__all__ = ["MUST_BE_GIVEN", "NOT_THERE", "Difference", "differences", "flat", "resolved_values"]

MUST_BE_GIVEN = (("data", "root"), ("trainer", "run_dir"))
"""Settings that recipes of this package leave to the user."""

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


def resolved_values(name_or_path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Every setting of a recipe, JSON types, without those that must be given and are not.

    Raises:
        ConfigError: There is no such recipe, it is no YAML, or a setting is unknown or not allowed.
    """
    values = recipe_values(name_or_path, overrides)
    absent = [
        (group, key)
        for group, key in MUST_BE_GIVEN
        if isinstance(values.setdefault(group, {}), dict) and key not in values[group]
    ]
    for group, key in absent:
        values[group][key] = "given later"
    resolved = checked(recipe_schema(values), values).model_dump(mode="json")
    for group, key in absent:
        del resolved[group][key]
    return resolved


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
