"""YAML of recipes: PyYAML's safe loader, where `5e-6` is a number and no key stands twice."""

import re
from pathlib import Path
from typing import Any

import yaml

from radiodiff.errors import ConfigError

__all__ = ["format_yaml", "parse_yaml", "read_yaml"]

INT_TAG = "tag:yaml.org,2002:int"
FLOAT_TAG = "tag:yaml.org,2002:float"
TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"
MERGE_TAG = "tag:yaml.org,2002:merge"

NUMBERS = {
    INT_TAG: re.compile(r"[-+]?(?:0|[1-9][0-9_]*|0b[01_]+|0x[0-9a-fA-F_]+)$"),
    FLOAT_TAG: re.compile(
        r"(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)"
        r"|[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
}
"""What is a number without quotes. PyYAML by itself takes `5e-6` for text, `010` for 8 and `1:30` for 90."""

MOST_VALUES = 100_000
"""Values of a text, those that anchors repeat counted each time."""


class _Loader(yaml.SafeLoader):
    """Plain values only; numbers as people write them; dates and times stay text; a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # Before keys of anchors are merged in: those may be repeated, to be changed.
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE_TAG:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """Quotes text that `_Loader` would take for a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != TIMESTAMP_TAG and tag not in NUMBERS]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind in (_Loader, _Dumper):
    for _tag, _rule in NUMBERS.items():
        _kind.add_implicit_resolver(_tag, _rule, list("-+.0123456789"))


def parse_yaml(text: str, *, name: str) -> Any:
    """Values of a YAML text.

    Args:
        text: The text.
        name: What to call it in errors.

    Raises:
        ConfigError: It is no YAML, has a key twice, asks for objects of Python, or repeats too much by anchors.
    """
    try:
        return _values(text, name)
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(
            "Settings must be YAML without repeated keys",
            value=f"{name}{where}: {error.problem}",
            remedy="Correct the line; text with : or # needs quotes.",
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            "Settings must be YAML without repeated keys",
            value=f"{name}: {' '.join(str(error).split())}",
            remedy="Correct the text; text with : or # needs quotes.",
        ) from None


def _values(text: str, name: str) -> Any:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        if _num_values(root, {}) > MOST_VALUES:
            raise ConfigError(
                f"Settings must be YAML of at most {MOST_VALUES:,} values, those that anchors repeat included",
                value=name,
                remedy="Write out what is meant instead of anchors (&, *) inside anchors.",
            )
        return _unshared(loader.construct_document(root))
    finally:
        loader.dispose()


def _num_values(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """Values below a node and its own, each as often as it is repeated.

    Args:
        node: The node.
        known: Numbers of nodes that were counted before; what many anchors repeat is counted once.
    """
    if node not in known:
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = inner if isinstance(node, yaml.MappingNode) else [(value,) for value in inner]
        known[node] = 1 + sum(_num_values(value, known) for pair in pairs for value in pair)
    return known[node]


def _unshared(values: Any) -> Any:
    """The same values, each place with one of its own: what an anchor repeats may then be changed in one place."""
    if isinstance(values, dict):
        return {key: _unshared(value) for key, value in values.items()}
    return [_unshared(value) for value in values] if isinstance(values, list) else values


def read_yaml(path: Path) -> dict[str, Any]:
    """Keys and values of a YAML file.

    Raises:
        ConfigError: The file is not there, is no text, no YAML, or holds something else than keys with values.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text in UTF-8"
        raise ConfigError(
            "A file of settings must be readable", value=f"{path} ({reason})", remedy="Check the path."
        ) from None
    values = parse_yaml(text, name=str(path))
    if not (isinstance(values, dict) and all(isinstance(key, str) for key in values)):
        raise ConfigError(
            "A file of settings must hold keys with values",
            value=f"{path} with {'nothing' if values is None else type(values).__name__}",
            remedy="Begin with lines such as 'stage: autoencoder'; `radiodiff config show autoencoder/tiny` shows one.",
        )
    return values


def format_yaml(values: Any) -> str:
    """Plain values as YAML that `parse_yaml` reads back as they are."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, width=120, default_flow_style=None)
