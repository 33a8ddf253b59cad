"""Engines by the name they have on the command line."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from radiodiff.errors import PropagationError
from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.dominant_path import DominantPath
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.log_distance import LogDistance
from radiodiff.propagation.multi_wall import MultiWall
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.propagation.presets import PRESETS
from radiodiff.propagation.ray_launching import RayLaunching
from radiodiff.propagation.ray_tracing import RayTracing
from radiodiff.propagation.umi import UrbanMicro

__all__ = ["ENGINES", "make_engine"]

T = TypeVar("T")

ENGINES: dict[str, type[PropagationModel]] = {
    kind.name: kind
    for kind in (DominantPath, FreeSpace, LogDistance, MultiWall, OverRoofs, RayLaunching, RayTracing, UrbanMicro)
}
"""Engine classes by name; each can be made without arguments."""


def make_engine(name: str, preset: str | None = None) -> PropagationModel:
    """The engine of a name, with its default constants or those of a preset.

    Args:
        name: Name of the engine.
        preset: Name of one of its presets, or None.

    Raises:
        PropagationError: There is no engine of that name, or it has no such preset.
    """
    kind = _chosen("An engine", name, ENGINES)
    if preset is None:
        return kind()
    if name not in PRESETS:
        raise PropagationError(
            f"A preset belongs to one of the engines {', '.join(sorted(PRESETS))}",
            value=f"{preset!r} of {name}",
            remedy="Leave the preset out.",
        )
    return _chosen(f"A preset of {name}", preset, PRESETS[name])


def _chosen(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise PropagationError(
            f"{what} must be one of {', '.join(sorted(known))}",
            value=repr(name),
            remedy=f"Did you mean {near[0]!r}?" if near else "Choose one of these.",
        )
    return known[name]
