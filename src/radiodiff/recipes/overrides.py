"""Changes `a.b.c=value` of a recipe, as the command line takes them."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from radiodiff.config import annotations_at, nested_settings
from radiodiff.errors import ConfigError
from radiodiff.recipes.yaml_text import parse_yaml

__all__ = ["with_overrides"]

NOTHING = ("", "~", "null", "Null", "NULL")
"""What YAML reads as no value."""


def with_overrides(values: dict[str, Any], overrides: Sequence[str], schema: type[BaseModel]) -> dict[str, Any]:
    """Values of a recipe with changes; whether keys and values are allowed is checked later.

    A group that is off (null) or not given is switched on by a change inside it, with its defaults for the rest. A
    change of the key that tells kinds of a group apart, such as `data.kind`, to another kind begins the group anew:
    what the recipe says there belongs to the kind it names.

    Args:
        values: Plain values of the recipe; they are not changed.
        overrides: The changes, later ones over earlier ones.
        schema: What the recipe holds.

    Raises:
        ConfigError: A change is not of the form `key=value`, its value is no YAML, or it goes into a plain value.
    """
    values = deepcopy(values)
    changes = [_parsed(text, schema) for text in overrides]
    # Of two changes of a kind the last one holds; a kind on the way to it begins nothing anew.
    for (name, *rest), value in {tuple(keys): value for keys, value in changes}.items():
        field, group = schema.model_fields.get(name), values.get(name)
        is_kind = field is not None and rest == [field.discriminator]
        if is_kind and isinstance(group, dict) and group.get(rest[0], value) != value:
            values[name] = {}
    for keys, value in changes:
        _set(values, keys, value)
    return values


def _parsed(text: str, schema: type[BaseModel]) -> tuple[list[str], Any]:
    """Keys and value of a change. A path is taken as it is: it may look like a number, or hold what YAML reads."""
    name, equals, value = text.partition("=")
    keys = name.strip().split(".")
    if not (equals and all(keys)):
        raise ConfigError(
            "A change of a recipe must read key=value, with dots between keys",
            value=repr(text),
            remedy="Write for example trainer.max_steps=100.",
        )
    for depth in range(1, len(keys)):
        found = annotations_at(schema, keys[:depth])
        if found and not any(kind for annotation in found for kind in nested_settings(annotation)):
            raise _not_a_group(keys, depth)
    if value not in NOTHING and any(_may_be_path(kind) for kind in annotations_at(schema, keys)):
        return keys, value
    return keys, parse_yaml(value, name=text)


def _may_be_path(annotation: Any) -> bool:
    return annotation is Path or any(_may_be_path(inner) for inner in get_args(annotation))


def _set(values: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set the value that keys lead to."""
    for depth, key in enumerate(keys[:-1], 1):
        inner = values.get(key)
        if inner is None:
            inner = values[key] = {}
        elif not isinstance(inner, dict):
            raise _not_a_group(keys, depth)
        values = inner
    values[keys[-1]] = value


def _not_a_group(keys: Sequence[str], depth: int) -> ConfigError:
    name = ".".join(keys[:depth])
    remedy = f"Write the list as a whole, {name}=[...]." if keys[depth].isdigit() else f"Write {name}=VALUE."
    return ConfigError(f"{name} is a value and has no keys", value=".".join(keys), remedy=remedy)
