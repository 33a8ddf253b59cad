"""Files and folders that are either whole or not there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from radiodiff.errors import FormatError

__all__ = ["TEMPORARY_PREFIX", "atomic_folder", "atomic_write", "check_target"]

TEMPORARY_PREFIX = ".radiodiff-"
"""How the names of unfinished files begin. One that outlives its process (SIGKILL) may be deleted."""


def check_target(path: str | Path) -> Path:
    """The path of a file that can be written, checked before the work that fills it.

    Raises:
        FormatError: The folder is not there, or the path is a folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FormatError(
            "The folder of an output file must exist",
            value=target,
            remedy=f"Create it first: mkdir -p {target.parent}",
        )
    if target.is_dir():
        raise FormatError("An output file must not be a folder", value=target, remedy="Give a file name.")
    return target


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it there when the block ends without an error.

    The temporary name keeps the suffix, because GDAL and Pillow choose the format by it. A reader sees the
    old file or the new one, never a part; after an error the old file is untouched and nothing is left.
    The data is not forced to the disk: after a power cut the file may be lost.

    Raises:
        FormatError: The folder is not there, the path is a folder, or the system refuses the write.
    """
    target = check_target(path)
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise FormatError(
            "An output file must be writable",
            value=f"{target} ({error.strerror or error})",
            remedy="Check the rights of the folder and the free space on the disk.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path, *, is_forced: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `path`, and move it there when the block ends without an error.

    An earlier folder is replaced; after an error it is untouched and nothing is left. Errors of the system come out as
    they are.

    Args:
        path: The folder; those above it are made where they are not there.
        is_forced: Force every file to the disk before the move, so that a power cut leaves the old or the new folder.

    Raises:
        OSError: The system refuses.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}")
    earlier = temporary.with_name(f"{temporary.name}-old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if is_forced:
            for file in temporary.rglob("*"):
                if file.is_file():
                    with open(file, "rb") as opened:
                        os.fsync(opened.fileno())
        if path.exists():
            path.rename(earlier)
        try:
            temporary.rename(path)
        except OSError:
            if earlier.exists():
                earlier.rename(path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if path.exists():
            shutil.rmtree(earlier, ignore_errors=True)
