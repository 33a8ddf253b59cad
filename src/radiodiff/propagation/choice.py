"""One of several things by its name."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from radiodiff.errors import PropagationError

__all__ = ["choose"]

T = TypeVar("T")


def choose(what: str, name: str, known: Mapping[str, T]) -> T:
    """What has a name.

    Args:
        what: What the name is of, with its article.
        name: The name.
        known: Things by name.

    Raises:
        PropagationError: Nothing has that name.
    """
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise PropagationError(
            f"{what} must be one of {', '.join(sorted(known))}",
            value=repr(name),
            remedy=f"Did you mean {near[0]!r}?" if near else "Choose one of these.",
        )
    return known[name]
