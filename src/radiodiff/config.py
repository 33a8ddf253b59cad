"""Settings that people write: checked models whose errors name the key, the value and what is allowed."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from radiodiff.errors import ConfigError

__all__ = ["Config"]


class Config(BaseModel):
    """Base of all settings: frozen, without unknown keys, JSON in and out by `model_dump(mode="json")`.

    Raises:
        ConfigError: A key is unknown or missing, or a value is not allowed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, ser_json_inf_nan="constants")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _explained(type(self), error) from None

    def replaced(self, **values: Any) -> Self:
        """A copy with other values, checked again."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(fields | values))


def _explained(kind: type[Config], error: ValidationError) -> ConfigError:
    """The first fault in our words."""
    faults = error.errors()
    fault = faults[0]
    inner = fault.get("ctx", {}).get("error")
    if isinstance(inner, ConfigError):
        return inner
    key = _key(fault["loc"])
    name = f"{kind.__name__}.{key}" if key else kind.__name__
    if fault["type"] == "extra_forbidden":
        known = list(_fields_at(kind, fault["loc"][:-1]))
        return ConfigError(
            f"{kind.__name__} has no key {key!r}",
            value=repr(fault["input"]),
            remedy=_nearest(fault["loc"][-1], known) or f"Its keys: {', '.join(known)}.",
        )
    if fault["type"] == "missing":
        return ConfigError(f"{name} must be given", value="nothing", remedy="Add the key.")
    # A key that may be of several kinds has one fault for each.
    alternatives = [other for other in faults if _key(other["loc"]) == key]
    allowed = [choice.strip("'") for other in alternatives for choice in _choices(other)]
    rules = [other["msg"].removeprefix("Input should be ").removeprefix("Value error, ") for other in alternatives]
    rules = ["a path" if rule.startswith("Input is not a valid path") else rule for rule in rules]
    return ConfigError(
        f"{name} must be {', or '.join(dict.fromkeys(rules))}",
        value=repr(fault["input"]),
        remedy=_nearest(fault["input"], allowed) or "Correct the value.",
    )


def _choices(fault: Mapping[str, Any]) -> list[str]:
    """What a literal may be."""
    return str(fault["ctx"]["expected"]).replace(" or ", ", ").split(", ") if fault["type"] == "literal_error" else []


def _nearest(given: object, known: list[str]) -> str:
    near = get_close_matches(str(given), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _key(path: tuple[int | str, ...]) -> str:
    """The dotted key of a fault; what pydantic adds for a kind of value is left out."""
    parts = [str(part) for i, part in enumerate(path) if isinstance(part, int) or i == 0 or part.isidentifier()]
    return ".".join(parts)


def _fields_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> Mapping[str, Any]:
    """Fields of the settings that a path of keys leads to."""
    for key in path:
        field = kind.model_fields.get(str(key))
        kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
        nested = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not nested:
            break
        kind = nested[0]
    return kind.model_fields
