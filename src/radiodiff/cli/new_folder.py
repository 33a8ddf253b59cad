"""Folders that a command fills: whole, or not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radiodiff.atomic_file import atomic_folder
from radiodiff.errors import InputError

__all__ = ["check_new_folder", "new_folder"]


def check_new_folder(path: Path) -> None:
    """Check that an output folder is empty or absent, before the work that fills it.

    Raises:
        InputError: It is a file, or holds something.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(
            "--out must be a folder that is empty or absent",
            value=f"{path}, which {'holds something' if path.is_dir() else 'is a file'}",
            remedy="Give another name, or remove it first.",
        )


@contextmanager
def new_folder(path: Path | None) -> Iterator[Path | None]:
    """Give a folder under another name, and move it to `path` when the block ends without an error.

    Args:
        path: The folder, empty or absent; None gives None.
    """
    if path is None:
        yield None
        return
    with atomic_folder(path) as temporary:
        yield temporary
