"""The parameters of networks: how many there are, which of them learn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import nn

from radiodiff.errors import ConfigError

__all__ = ["ParameterRow", "freeze", "parameter_report"]


@dataclass(frozen=True)
class ParameterRow:
    """Parameters of a network or of one of its parts.

    Attributes:
        name: Name of the network, or `<network>.<part>`.
        trainable: Numbers that learn.
        frozen: Numbers that do not.
    """

    name: str
    trainable: int
    frozen: int

    @property
    def total(self) -> int:
        """All its numbers."""
        return self.trainable + self.frozen


def parameter_report(modules: Mapping[str, nn.Module]) -> tuple[ParameterRow, ...]:
    """A row for each network, followed by one for each of its parts that has parameters.

    Rows of parts add up to that of their network, but for parameters that the network holds itself, or that two parts
    share.
    """
    rows = []
    for name, module in modules.items():
        rows.append(_row(name, module))
        parts = (_row(f"{name}.{part}", child) for part, child in module.named_children())
        rows.extend(row for row in parts if row.total > 0)
    return tuple(rows)


def freeze(module: nn.Module, patterns: Sequence[str]) -> tuple[str, ...]:
    """Keep parameters from learning.

    Args:
        module: The network.
        patterns: Names of its parameters, with `*` for any text, `?` for one character, `[ab]` for one of several.

    Returns:
        The names that a pattern means, in the order of the network.

    Raises:
        ConfigError: A pattern means no parameter, or none would be left to learn. Nothing is frozen then.
    """
    parameters = dict(module.named_parameters())
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            raise ConfigError(
                "Each pattern of WarmStartConfig.freeze must mean a parameter",
                value=repr(pattern),
                remedy=_nearest(pattern, parameters),
            )
    if not patterns:
        return ()
    frozen = tuple(name for name in parameters if any(fnmatchcase(name, pattern) for pattern in patterns))
    if not any(parameter.requires_grad for name, parameter in parameters.items() if name not in frozen):
        raise ConfigError(
            "WarmStartConfig.freeze must leave something to learn",
            value=f"{', '.join(patterns)}, which is all of {len(parameters)} parameters",
            remedy="Freeze fewer of them.",
        )
    for name in frozen:
        parameters[name].requires_grad_(False)
    return frozen


def _row(name: str, module: nn.Module) -> ParameterRow:
    counts = {True: 0, False: 0}
    for parameter in module.parameters():
        counts[parameter.requires_grad] += parameter.numel()
    return ParameterRow(name, trainable=counts[True], frozen=counts[False])


def _nearest(pattern: str, names: Iterable[str]) -> str:
    """The nearest name, or the nearest part of the network."""
    names = tuple(names)
    parts = [name.split(".") for name in names]
    groups = {".".join(words[:depth]) + ".*" for words in parts for depth in range(1, len(words))}
    near = get_close_matches(pattern, [*sorted(groups), *names], n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Its parts: {', '.join(dict.fromkeys(words[0] for words in parts))}; write for example {names[0]!r}."
