"""Another try where the system failed for a moment: network folders and busy disks."""

import errno
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["WAITS_S", "retried"]

WAITS_S = (0.1, 0.5)
"""Waits before the second and the third try [s]."""

TRANSIENT = frozenset(
    getattr(errno, name)
    for name in ("EAGAIN", "EBUSY", "EINTR", "EIO", "EMFILE", "ENFILE", "EREMOTEIO", "ESTALE", "ETIMEDOUT")
    if hasattr(errno, name)
)

Result = TypeVar("Result")


def retried(action: Callable[[], Result]) -> Result:
    """Result of an action, which is tried again a bounded number of times where the system failed for a moment.

    Damaged files and permanent refusals (no such file, no rights, disk full) are not tried again.
    """
    for wait_s in WAITS_S:
        try:
            return action()
        except Exception as error:
            if not _is_transient(error):
                raise
            time.sleep(wait_s)
    return action()


def _is_transient(error: BaseException | None) -> bool:
    """Whether an error is, or was raised from, one that may pass. Pillow's own OSErrors have no number."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in TRANSIENT:
            return True
        error = error.__cause__
    return False
