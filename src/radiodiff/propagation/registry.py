"""Engines by the name they have on the command line."""

from radiodiff.errors import PropagationError
from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.choice import choose
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
    kind = choose("An engine", name, ENGINES)
    if preset is None:
        return kind()
    if name not in PRESETS:
        raise PropagationError(
            f"A preset belongs to one of the engines {', '.join(sorted(PRESETS))}",
            value=f"{preset!r} of {name}",
            remedy="Leave the preset out.",
        )
    return choose(f"A preset of {name}", preset, PRESETS[name])
