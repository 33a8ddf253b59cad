"""Engines by the name they have on the command line."""

import difflib

from radiodiff.errors import PropagationError
from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.dominant_path import DominantPath
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.log_distance import LogDistance
from radiodiff.propagation.multi_wall import MultiWall
from radiodiff.propagation.umi import UrbanMicro

__all__ = ["ENGINES", "make_engine"]

ENGINES: dict[str, type[PropagationModel]] = {
    kind.name: kind for kind in (DominantPath, FreeSpace, LogDistance, MultiWall, UrbanMicro)
}
"""Engine classes by name; each can be made without arguments."""


def make_engine(name: str) -> PropagationModel:
    """The engine of a name, with its default constants.

    Raises:
        PropagationError: There is no engine of that name.
    """
    if name not in ENGINES:
        near = difflib.get_close_matches(name, ENGINES, n=1)
        raise PropagationError(
            f"An engine must be one of {', '.join(sorted(ENGINES))}",
            value=repr(name),
            remedy=f"Did you mean {near[0]!r}?" if near else "Choose one of these.",
        )
    return ENGINES[name]()
