"""Names of weights in messages."""

from collections.abc import Sequence

__all__ = ["first_names"]

MOST_NAMED = 5


def first_names(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
