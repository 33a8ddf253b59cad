"""Settings that people write: checked models whose errors name the key, the value and what is allowed."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from radiodiff.errors import ConfigError

__all__ = ["Config", "annotations_at", "checked", "faults", "nested_settings", "with_keys"]


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
            raise _explained(type(self), error, dotted=False)[0] from None

    # Settings inside settings are then checked by the outermost, whose error knows the whole way to a key.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="before")
    @classmethod
    def _refuse_other_kinds(cls, values: Any) -> Any:
        """Keep true from being the number 1, and a misspelt word from being a path."""
        if not isinstance(values, Mapping):
            return values
        fields = cls.model_fields
        return {
            key: _refused(value, fields[key].annotation) if key in fields else value for key, value in values.items()
        }

    def replaced(self, **values: Any) -> Self:
        """A copy with other values, checked again."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(fields | values))


Settings = TypeVar("Settings", bound=Config)


def checked(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Settings from plain values, such as those of a file.

    Args:
        kind: What they must be.
        values: Keys and values; settings inside settings are mappings.

    Raises:
        ConfigError: A key is unknown or missing, or a value is not allowed; the error names keys in full, from the
            outermost settings on, such as `trainer.max_steps`.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise _explained(kind, error, dotted=True)[0] from None


def faults(kind: type[Config], values: Mapping[str, Any]) -> list[ConfigError]:
    """Everything that is wrong with plain values, as `checked` says it; empty where nothing is."""
    try:
        kind.model_validate(dict(values))
    except ValidationError as error:
        return _explained(kind, error, dotted=True)
    return []


@dataclass(frozen=True)
class _Refused:
    """A value that no field takes, in place of one that a field would take for another kind.

    Attributes:
        value: The value.
        remedy: What to write instead.
    """

    value: Any
    remedy: str

    def __repr__(self) -> str:
        return repr(self.value)

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class _Place:
    """Where a fault is.

    Attributes:
        keys: Keys from the outermost settings on.
        owner: The settings that hold the last key.
        depth: How many of the keys lead to them.
        dotted: Name the key by all keys, not by the class of its settings.
    """

    keys: tuple[str, ...]
    owner: type[BaseModel]
    depth: int
    dotted: bool

    @property
    def name(self) -> str:
        """Name of the key in errors."""
        if self.dotted:
            return ".".join(self.keys) or "The whole"
        return ".".join((self.owner.__name__, *self.keys[self.depth :]))

    @property
    def list_remedy(self) -> str:
        """How to change an entry of a list, which has no key of its own; empty for other keys."""
        is_entry = self.dotted and bool(self.keys) and self.keys[-1].isdigit()
        return f"Write the list as a whole, {'.'.join(self.keys[:-1])}=[...]." if is_entry else ""

    def beside(self, key: str) -> str:
        """Name of another key of the same settings, as people write it."""
        return ".".join((*self.keys[: self.depth], key)) if self.dotted else key


def _explained(kind: type[Config], error: ValidationError, *, dotted: bool) -> list[ConfigError]:
    """Each fault in our words; unknown keys come first, for a key that is missing may be one that is misspelt."""
    groups: dict[tuple[str, ...], tuple[_Place, list[Any]]] = {}
    for fault in error.errors():
        place = _place(kind, fault, dotted=dotted)
        # A key that may be of several kinds has one fault for each.
        groups.setdefault(place.keys, (place, []))[1].append(fault)
    ordered = sorted(groups.values(), key=lambda group: group[1][0]["type"] != "extra_forbidden")
    return [_one_error(kind, place, alternatives) for place, alternatives in ordered]


def _one_error(kind: type[Config], place: _Place, alternatives: list[Any]) -> ConfigError:
    """What is wrong with one key."""
    fault = alternatives[0]
    inner = fault.get("ctx", {}).get("error")
    if isinstance(inner, ConfigError):
        return _in_place(inner, place) if place.dotted else inner
    if fault["type"] == "extra_forbidden":
        return _unknown_key(kind, place, fault["input"])
    if fault["type"] in ("missing", "union_tag_not_found"):
        key = fault["ctx"]["discriminator"].strip("'") if "ctx" in fault else ""
        name = f"{place.name}.{key}" if key else place.name
        remedy = f"Add {name} to the file, or write {name}=VALUE." if place.dotted else "Add the key."
        remedy = place.list_remedy or remedy
        tags = list(_tags(place.owner.model_fields[place.keys[-1]])) if key else []
        choices = f": {', '.join(tags)}" if tags else ""
        return ConfigError(f"{name} must be given{choices}", value="nothing", remedy=remedy)
    if fault["type"] == "union_tag_invalid":
        allowed = [tag.strip("'") for tag in fault["ctx"]["expected_tags"].split(", ")]
        key, given = fault["ctx"]["discriminator"].strip("'"), fault["ctx"]["tag"]
        return ConfigError(
            f"{place.name}.{key} must be {_listed(allowed)}",
            value=repr(given),
            remedy=_nearest(given, allowed) or "Correct the value.",
        )
    allowed = [choice.strip("'") for other in alternatives for choice in _choices(other)]
    hints = (_kind_remedy(place, fault) or _nearest(fault["input"], allowed), place.list_remedy)
    return ConfigError(
        f"{place.name} must be {', or '.join(dict.fromkeys(_rule(other) for other in alternatives))}",
        value=repr(fault["input"]),
        remedy=" ".join(filter(None, hints)) or "Correct the value.",
    )


def _unknown_key(kind: type[Config], place: _Place, given: object) -> ConfigError:
    key, known = place.keys[-1], list(place.owner.model_fields)
    if not place.dotted:
        return ConfigError(
            f"{place.owner.__name__} has no key {key!r}",
            value=repr(given),
            remedy=_nearest(key, known) or f"Its keys: {', '.join(known)}.",
        )
    section = ".".join(place.keys[: place.depth])
    elsewhere = [other for other in _all_keys(kind) if other.rpartition(".")[2] == key]
    near = [place.beside(other) for other in get_close_matches(key, known, n=1)] or elsewhere
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    if place.name in elsewhere:
        hint = f"Another kind of {section} has it. "
    return ConfigError(
        f"There is no key {place.name}",
        value=repr(given),
        remedy=f"{hint}{f'The keys of {section}' if section else 'The keys'}: {', '.join(known)}.",
    )


def _in_place(error: ConfigError, place: _Place) -> ConfigError:
    """An error of a rule of some settings, which are in a place of a file."""
    path = ".".join(place.keys)
    rule, remedy = (with_keys(text, place.owner, path) for text in (error.rule, error.remedy))
    return ConfigError(rule if not path or rule != error.rule else f"{path}: {rule}", value=error.value, remedy=remedy)


def with_keys(text: str, kind: type[BaseModel], path: str = "") -> str:
    """A text with dotted keys in place of names of classes, as people write keys of a file.

    Args:
        text: What an error says, such as "OptimizerConfig.betas must ...".
        kind: Settings that hold those classes, at any depth.
        path: Dotted key of these settings; empty for the whole of a file.
    """
    places: dict[str, list[str]] = {}
    for name, keys in [(kind.__name__, path), *_classes(kind, path)]:
        places.setdefault(name, []).append(keys)
    for name, found in places.items():
        # What stands in two places could be either.
        if len(found) == 1:
            text = re.sub(rf"\b{name}\." if not found[0] else rf"\b{name}\b", found[0], text)
    return text


def _classes(kind: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
    """Name and dotted key of settings inside settings."""
    for key, field in kind.model_fields.items():
        inner_path = f"{path}.{key}" if path else key
        for inner in nested_settings(field.annotation):
            yield inner.__name__, inner_path
            yield from _classes(inner, inner_path)


def _place(kind: type[Config], fault: Any, *, dotted: bool) -> _Place:
    """Where a fault is; what pydantic adds to the way for a kind of value is left out."""
    keys: list[str] = []
    # `level` holds the next key; None below a plain value, whose kinds are no keys.
    owner: type[BaseModel] = kind
    level: type[BaseModel] | None = kind
    depth = 0
    kinds: dict[str, type[BaseModel]] = {}
    way = fault["loc"]
    for i, step in enumerate(way):
        # Settings with rules of their own are named with these: function-before[_rule(), Name].
        part = re.sub(r"^function-.*\b(\w+)\]+$", r"\1", step) if isinstance(step, str) else step
        if part in kinds:
            owner = level = kinds[part]
            depth, kinds = len(keys), {}
        elif isinstance(part, int) or (level is not None and part in level.model_fields):
            if level is not None:
                owner, depth = level, len(keys)
            keys.append(str(part))
            field = None if level is None or isinstance(part, int) else level.model_fields[part]
            inner = [] if field is None else list(nested_settings(field.annotation))
            level = inner[0] if len(inner) == 1 else None
            tagged = {} if field is None else _tags(field)
            kinds = {**{settings.__name__: settings for settings in inner}, **tagged}
        elif i == len(way) - 1 and fault["type"] == "extra_forbidden":
            owner, depth = (owner, depth) if level is None else (level, len(keys))
            keys.append(str(part))
    if fault["type"] == "value_error" and level is not None:
        owner, depth = level, len(keys)
    return _Place(tuple(keys), owner, depth, dotted)


def nested_settings(annotation: Any) -> Iterator[type[BaseModel]]:
    """Settings that a value may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from nested_settings(inner)


def _tags(field: Any) -> dict[str, type[BaseModel]]:
    """Settings of a field that a key tells apart, by its values."""
    if not isinstance(field.discriminator, str):
        return {}
    return {
        tag: inner
        for inner in nested_settings(field.annotation)
        for tag in get_args(inner.model_fields[field.discriminator].annotation)
    }


def annotations_at(kind: type[BaseModel], keys: Sequence[str]) -> list[Any]:
    """What the value of a key inside settings may be, for each kind of settings that may hold it; empty for no key."""
    fields = [kind.model_fields[keys[0]]] if keys[0] in kind.model_fields else []
    if len(keys) == 1:
        return [field.annotation for field in fields]
    return [
        found
        for field in fields
        for inner in nested_settings(field.annotation)
        for found in annotations_at(inner, keys[1:])
    ]


def _all_keys(kind: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every key of settings and of settings inside them."""
    for key, field in kind.model_fields.items():
        yield f"{path}{key}"
        for inner in nested_settings(field.annotation):
            yield from _all_keys(inner, f"{path}{key}.")


def _kinds(annotation: Any) -> Iterator[Any]:
    """Plain kinds that a value, or an entry of a list, may be of; settings have their own."""
    inner = () if get_origin(annotation) is Literal else get_args(annotation)
    if not inner:
        yield annotation
    for kind in inner:
        yield from _kinds(kind)


def _refused(value: Any, annotation: Any) -> Any:
    """The value, or what stands for it where a field would take it for another kind."""
    if isinstance(value, list | tuple):
        return type(value)([_refused(entry, annotation) for entry in value])
    kinds = list(_kinds(annotation))
    if isinstance(value, bool) and bool not in kinds and (int in kinds or float in kinds):
        return _Refused(value, "Without quotes, yes, no, on and off are true and false.")
    if isinstance(value, str) and (word := _misspelt_word(value, kinds)):
        return _Refused(value, f"Did you mean {word!r}? A file of that name is written ./{value}.")
    return value


def _misspelt_word(value: str, kinds: Sequence[Any]) -> str:
    """The word that was meant where a value may be a word or a path and is neither; empty where it may be one."""
    words = {word: word for kind in kinds if get_origin(kind) is Literal for word in map(str, get_args(kind))}
    if Path not in kinds or not words or value in words or re.search(r"[/\\]", value) or Path(value).exists():
        return ""
    if type(None) in kinds:
        words |= dict.fromkeys(("none", "null", "off"), "null")
    near = get_close_matches(value.lower(), words, n=1, cutoff=0.75)
    return words[near[0]] if near else ""


def _kind_remedy(place: _Place, fault: Mapping[str, Any]) -> str:
    """What to write instead of a value of another kind; empty where nobody can say."""
    value = fault["input"]
    if isinstance(value, _Refused):
        return value.remedy
    if fault["type"] in ("tuple_type", "list_type") and isinstance(value, str | int | float):
        text = str(value) if re.fullmatch(r"[\w.][\w.*/-]*", str(value)) else json.dumps(value)
        return f"Write {place.name}=[{text}]." if place.dotted else f"Write [{text}]."
    return ""


def _rule(fault: Mapping[str, Any]) -> str:
    """What a value must be."""
    if fault["type"] in ("tuple_type", "list_type"):
        return "a list, such as [a, b]"
    if fault["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "a group of keys with values"
    if fault["type"] == "too_short":
        return f"a list of at least {fault['ctx']['min_length']}"
    if fault["type"] == "too_long":
        return f"a list of at most {fault['ctx']['max_length']}"
    text = str(fault["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return "a path" if text.startswith("Input is not a valid path") else text


def _choices(fault: Mapping[str, Any]) -> list[str]:
    """What a literal may be."""
    return str(fault["ctx"]["expected"]).replace(" or ", ", ").split(", ") if fault["type"] == "literal_error" else []


def _listed(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(map(repr, words[:-1])), repr(words[-1]))))


def _nearest(given: object, known: list[str]) -> str:
    # Of names that differ in capitals alone, difflib may prefer another one.
    same = [name for name in known if name.lower() == str(given).lower()]
    near = same or get_close_matches(str(given), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""
