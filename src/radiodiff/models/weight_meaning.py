"""What weights mean beside their names and shapes: the settings of the network that they were trained in."""

import json
from collections.abc import Mapping
from typing import Any

from diffusers.configuration_utils import ConfigMixin
from torch import nn

__all__ = ["different_settings", "plain_settings", "settings_of"]

FREE = frozenset(
    {
        *("is_frozen", "weights", "sample_size", "force_upcast"),
        *("scaling_factor", "shift_factor", "latents_mean", "latents_std"),
    }
)
"""Settings that say nothing of what a network computes with its weights."""


def settings_of(network: nn.Module) -> dict[str, Any]:
    """Settings of a network, or of the first one in it that has some, by dotted name; empty where none has."""
    found = next((module for module in network.modules() if isinstance(module, ConfigMixin)), None)
    return {} if found is None else json.loads(json.dumps(plain_settings(found.config)))


def plain_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of config.json by dotted name, such as "unet.relation.query", without those that are free to change."""
    plain: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            plain |= {f"{key}.{name}": each for name, each in plain_settings(value).items()}
        elif key not in FREE and not key.startswith("_"):
            plain[key] = value
    return plain


def different_settings(own: Mapping[str, Any], stored: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs, in words; what one of both does not know of shows in names and shapes of weights.

    Args:
        own: Settings of the network.
        stored: Settings that belong to the weights.
    """
    return tuple(
        f"{name} {value!r} ({stored[name]!r} with the weights)"
        for name, value in own.items()
        if name in stored and value != stored[name]
    )
