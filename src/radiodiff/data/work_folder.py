"""Folders that a run fills and that the same command completes after an interruption.

A folder begins with a record of its settings. Files are written under another name and moved into place, so a file that
is there is whole (one that a power cut has shortened counts as absent).
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.errors import DataSetError

__all__ = ["begin_folder", "check_new_folder", "is_begun", "is_whole", "make_folders"]

ENDINGS = {".png": b"IEND\xaeB`\x82", ".json": b"]"}
"""Last bytes of a whole file: the end chunk of a PNG, the end of a list."""

LONGEST_SHOWN = 4


def check_new_folder(root: Path) -> None:
    """Check that a data set can begin in a folder: it is empty, absent, or holds what a killed run left unfinished.

    Raises:
        DataSetError: The folder is a file, or holds something.
    """
    if root.exists() and not root.is_dir():
        raise DataSetError(
            "A data set must have a folder", value=f"{root}, which is a file", remedy="Use another name."
        )
    if root.is_dir() and not all(path.name.startswith(TEMPORARY_PREFIX) for path in root.iterdir()):
        raise DataSetError(
            "The folder of a new data set must be empty or absent",
            value=f"{root}, which holds other files",
            remedy="Use another folder.",
        )


def is_begun(root: Path, record: str, identity: Mapping[str, Any]) -> bool:
    """Whether an earlier run began a folder with the same settings. What is there is looked at only.

    Args:
        root: The folder.
        record: Name of the file with its settings.
        identity: The settings; other keys of the record do not count.

    Raises:
        DataSetError: The folder holds something else, the record is damaged, or the settings are others.
    """
    path = root / record
    if not path.is_file():
        check_new_folder(root)
        return False
    try:
        earlier = json.loads(path.read_bytes())
    except ValueError:
        earlier = None
    if not isinstance(earlier, dict):
        raise DataSetError(
            f"{record} must hold the settings of a data set",
            value=f"{path}, which is damaged or of another program",
            remedy="Use another folder.",
        )
    different = [line for key, wanted in identity.items() for line in _differences(key, earlier.get(key), wanted)]
    if different:
        raise DataSetError(
            "A data set folder can only be completed with the settings it was begun with",
            value=f"{root}: {'; '.join(different)}",
            remedy="Use the same settings or another folder.",
        )
    return True


def _differences(key: str, earlier: object, wanted: object) -> list[str]:
    """What differs, of groups of settings the single ones."""
    if isinstance(earlier, Mapping) and isinstance(wanted, Mapping):
        return [
            line
            for name in dict.fromkeys((*earlier, *wanted))
            for line in _differences(f"{key}.{name}", earlier.get(name), wanted.get(name))
        ]
    if earlier == wanted:
        return []
    return [f"{key}: {_shown(earlier)} on disk, {_shown(wanted)} asked for"]


def _shown(value: object) -> object:
    """A setting in a message; in the place of a long list how many it has, of a group of settings its name."""
    if isinstance(value, Mapping):
        return value.get("name", "other settings")
    return f"{len(value)} others" if isinstance(value, list) and len(value) > LONGEST_SHOWN else value


def begin_folder(root: Path, record: str, identity: Mapping[str, Any], folders: Iterable[str] = ()) -> None:
    """Write the settings, make the folders, and take away what a killed run left unfinished in them.

    Raises:
        DataSetError: The system refuses.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        # First of all: a folder that holds anything but this is foreign.
        with atomic_write(root / record) as temporary:
            temporary.write_text(json.dumps(dict(identity), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise _unwritable(error) from error
    make_folders(root, ("", *folders))


def make_folders(root: Path, folders: Iterable[str]) -> None:
    """Make folders, and take away what a killed run left unfinished in them.

    Raises:
        DataSetError: The system refuses.
    """
    try:
        for folder in (root / name for name in folders):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
                leftover.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> DataSetError:
    return DataSetError(
        "The folders of a data set must be writable",
        value=error,
        remedy="Check the path, the rights and the free space, and that no file has the name of a folder.",
    )


def is_whole(path: str | Path) -> bool:
    """Whether a file is there and ends as its kind does: a power cut can shorten what was not yet on the disk."""
    if not os.path.isfile(path):
        return False
    ending = ENDINGS.get(os.path.splitext(path)[1], b"")
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - len(ending), 0))
        return size > 0 and file.read(len(ending)) == ending
