"""The manifest of a data set: one line of JSON for each map, written when its files are on the disk.

```
{"format": "radiodiff-manifest", "format_version": 1}
{"map": 0, "seed": [7, 0], "source": "city courtyards, seed (7, 0)", "num_tx": 2, "seconds": {"layout": 0.05, "RT": 4.1,
 "files": 0.02}, "cpu_seconds": 4.15, "facts": {"RT": {"standard_error_db": [0.9, 0.8], ...}}, "num_bytes": 61234,
 "sha256": {"gain/RT/0_0.png": "...", ...}, "versions": {...}}
{"map": 1, "seed": [7, 1], "error": "LayoutError: The scene must have ...", "traceback": "..."}
```

Lines are appended, so that a run that is killed loses one at most, and sorted when the run ends. Of several lines of a
map the last counts; a line that was cut short counts as absent, as does one with an error.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import DataSetError

__all__ = ["MANIFEST", "Manifest", "file_sha256", "read_manifest"]

MANIFEST = "manifest.jsonl"

HEADER = {"format": "radiodiff-manifest", "format_version": 1}

Record = dict[str, Any]


class Manifest:
    """The lines of a data set's manifest by map.

    Args:
        root: Folder of the data set; lines that are there are read.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / MANIFEST
        # Text, not what it says: a record of 80 transmitters holds some hundred strings.
        self._lines: dict[int, str] = {}
        self._is_damaged = not self.path.is_file()
        if self.path.is_file():
            self._read()

    def __contains__(self, map_id: int) -> bool:
        return map_id in self._lines and "error" not in self.record(map_id)

    def record(self, map_id: int) -> Record:
        """What is known of a map."""
        record: Record = json.loads(self._lines[map_id])
        return record

    def records(self) -> Iterator[Record]:
        """What is known of each map, in the order of their numbers."""
        return (self.record(map_id) for map_id in sorted(self._lines))

    def forget(self, first: int) -> None:
        """Leave out maps from a number on."""
        self._lines = {map_id: line for map_id, line in self._lines.items() if map_id < first}

    def append(self, records: Iterable[Record]) -> None:
        """Add what became of some maps.

        Raises:
            DataSetError: The system refuses.
        """
        lines = {record["map"]: json.dumps(record) for record in records}
        if not lines:
            return
        self._lines |= lines
        if self._is_damaged:
            # After half a line nothing may be appended.
            self.write()
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines.values()))
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def write(self) -> None:
        """Write all lines anew, in the order of the maps.

        Raises:
            FormatError: The system refuses.
        """
        text = "".join(f"{line}\n" for line in (json.dumps(HEADER), *(self._lines[i] for i in sorted(self._lines))))
        with atomic_write(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        self._is_damaged = False

    def _read(self) -> None:
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        # A whole file ends with a line break.
        self._is_damaged = lines.pop() != ""
        for line in lines:
            map_id = _map_of(line)
            if map_id is not None:
                self._lines[map_id] = line


def read_manifest(root: str | Path) -> list[Record]:
    """What the manifest of a data set says of each map, in the order of their numbers.

    Raises:
        DataSetError: There is none.
    """
    if not (Path(root) / MANIFEST).is_file():
        raise DataSetError(
            f"A data set with a record of its making must hold {MANIFEST}",
            value=root,
            remedy="radiodiff dataset create writes it: run the command that made the data set again.",
        )
    return list(Manifest(Path(root)).records())


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Checksum of a file, in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _map_of(line: str) -> int | None:
    """Number of the map of a line, or None where the line holds none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    number = record.get("map") if isinstance(record, dict) else None
    return number if isinstance(number, int) else None


def _unwritable(path: Path, error: OSError) -> DataSetError:
    return DataSetError(
        "The manifest of a data set must be writable",
        value=f"{path} ({error.strerror or error})",
        remedy="Check the rights of the folder and the free space on the disk, then run the same command again: what "
        "is done is kept.",
    )
