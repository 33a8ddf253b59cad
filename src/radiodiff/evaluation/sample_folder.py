"""A folder of sampled maps, filled by one or several processes, in one run or several.

```
sampling.json           settings: what makes two runs add to one folder
<map>_<tx>.png          grey levels on the scale of the model, the mean of the draws
std/<map>_<tx>.npz      std, (rows, cols) float32: standard deviation of the draws in the unit of the channel
index.csv               a row for each map
index.<process>.csv     rows of a run that has not ended
sampling.lock           empty; locked by the run that fills the folder
```

A map is finished when its files and its row are there.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.encoding import Channel
from radiodiff.errors import InputError
from radiodiff.formats import LevelMeaning, read_json, write_level_png

__all__ = ["INDEX", "SampleFolder", "SampleRow"]

INDEX = "index.csv"
RECORD = "sampling.json"
LOCK = "sampling.lock"
SPREAD = "std"
MODEL = "model"
"""Setting that tells one model from another."""

PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
"""Last chunk of a whole image."""

FORMAT = {"format": "radiodiff-sampling", "format_version": 1}


@dataclass(frozen=True)
class SampleRow:
    """A row of the index.

    Attributes:
        name: Name of the example.
        file: Its image.
        number: Number of the example in its part: with the seed, what its draws follow from.
        seed: Seed of all draws.
        steps: Steps of a draw.
        draws: Draws of the map.
        seconds: Time of its batch, by the maps in it [s].
        scale: Scale of the levels.
        min: Smallest value, before rounding, in the unit of the channel.
        max: Largest value.
    """

    name: str
    file: str
    number: int
    seed: int
    steps: int
    draws: int
    seconds: float
    scale: str
    min: float
    max: float


COLUMNS = [field.name for field in fields(SampleRow)]


class SampleFolder:
    """A folder of sampled maps.

    Args:
        path: The folder.
        settings: What all its maps share, JSON types.
        with_spread: Whether each map has its standard deviation beside it.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, with_spread: bool = False) -> None:
        self.path = path
        self.with_spread = with_spread
        self._settings = {**FORMAT, **settings, "with_spread": with_spread}
        self._lock: IO[str] | None = None

    def begin(self) -> None:
        """Make the folder, or check that what is there was sampled with the same settings; gather its index.

        One process does it before the others look at the folder; until `close` no other run can (but on Windows).

        Raises:
            InputError: It holds something else or maps of other settings, or another run is filling it.
            FormatError: Its record is damaged, or a file cannot be written.
            OSError: The system refuses.
        """
        record = self.path / RECORD
        if not record.is_file():
            # Unfinished files of an earlier run are no content.
            there = [path.name for path in self.path.iterdir()] if self.path.is_dir() else []
            if self.path.exists() and (not self.path.is_dir() or [n for n in there if not _is_left_over(n)]):
                raise InputError(
                    "--out must be a folder that is empty or absent, or that holds maps of the same settings",
                    value=f"{self.path}, which {'holds something else' if self.path.is_dir() else 'is a file'}",
                    remedy="Give another name, or remove it first.",
                )
            self.path.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        parts = [self.path / INDEX, *self.path.glob(_index_of("*"))]
        if record.is_file() and (any(self.path.glob("*.png")) or any(self._rows(parts))):
            self._check_settings(read_json(record))
        else:
            with atomic_write(record) as temporary:
                temporary.write_text(json.dumps(self._settings, indent=1) + "\n", encoding="utf-8")
        for path in (self.path, self.path / SPREAD):
            for leftover in path.glob(f"{TEMPORARY_PREFIX}*"):
                leftover.unlink(missing_ok=True)
        if self.with_spread:
            (self.path / SPREAD).mkdir(exist_ok=True)
        self.end()

    def close(self) -> None:
        """Let another run fill the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def finished(self) -> frozenset[str]:
        """Names of the maps that are finished."""
        return frozenset(row.name for row in self._rows([self.path / INDEX]) if self._is_whole(row.name))

    def write(self, name: str, draws: NDArray[np.float64], channel: Channel, scale: str) -> tuple[float, float]:
        """Write the files of a map.

        Args:
            name: Name of the example.
            draws: (draws, rows, cols) levels.
            channel: What they are.
            scale: Their scale.

        Returns:
            Smallest and largest value of the mean of the draws, in the unit of the channel.

        Raises:
            FormatError: The system refuses.
        """
        mean = draws.mean(axis=0) if len(draws) > 1 else draws[0]
        if self.with_spread:
            std = draws.std(axis=0, ddof=1) * abs(channel.high - channel.low)
            with atomic_write(self.path / SPREAD / f"{name}.npz") as temporary:
                np.savez_compressed(temporary, std=std.astype(np.float32))
        write_level_png(self.path / f"{name}.png", mean, LevelMeaning(scale, channel.name, channel.low, channel.high))
        values = channel.decode(2.0 * mean - 1.0)
        return float(values.min()), float(values.max())

    def note(self, rows: Iterable[SampleRow], process: int) -> None:
        """Add rows of maps that are written to the index of a process."""
        path = self.path / _index_of(process)
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        if not path.exists():
            writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
        with open(path, "a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())

    def end(self) -> list[SampleRow]:
        """Put the indices of all processes into one, in the order of the examples; rows without files are left out.

        One process does it after the others have ended.

        Raises:
            FormatError: The system refuses.
        """
        parts = sorted(self.path.glob(_index_of("*")))
        found = {row.name: row for row in self._rows([self.path / INDEX, *parts]) if self._is_whole(row.name)}
        rows = sorted(found.values(), key=lambda row: row.number)
        with atomic_write(self.path / INDEX) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(row) for row in rows)
        for part in parts:
            part.unlink()
        return rows

    def _take_lock(self) -> None:
        try:
            import fcntl
        except ModuleNotFoundError:
            # Windows has none: there nothing keeps a second run out.
            return
        self._lock = open(self.path / LOCK, "a", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "A folder of maps can be filled by one run at a time",
                value=f"{self.path}, which another run is filling",
                remedy="Wait for its end, or give another folder; torchrun starts several processes of one run.",
            ) from None

    def _check_settings(self, there: Any) -> None:
        wanted = json.loads(json.dumps(self._settings))
        there = there if isinstance(there, dict) else {}
        if there == wanted:
            return
        raise InputError(
            "A folder of maps can go on with the settings that it was begun with",
            value=f"{self.path}: {'; '.join(_changes(there, wanted))}",
            remedy="Give the same settings, or another folder.",
        )

    def _is_whole(self, name: str) -> bool:
        if not _ends_with(self.path / f"{name}.png", PNG_END):
            return False
        spread = self.path / SPREAD / f"{name}.npz"
        return not self.with_spread or (spread.is_file() and is_zipfile(spread))

    def _rows(self, paths: Sequence[Path]) -> Iterator[SampleRow]:
        for path in paths:
            if path.is_file():
                # What an interrupt has cut short is no row.
                whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
                yield from filter(None, map(_row, csv.DictReader(whole.splitlines())))


def _row(values: Mapping[str, Any]) -> SampleRow | None:
    """A row of a file; None for what is none."""
    try:
        return SampleRow(
            name=values["name"],
            file=values["file"],
            number=int(values["number"]),
            seed=int(values["seed"]),
            steps=int(values["steps"]),
            draws=int(values["draws"]),
            seconds=float(values["seconds"]),
            scale=values["scale"],
            min=float(values["min"]),
            max=float(values["max"]),
        )
    except (TypeError, ValueError, KeyError):
        return None


def _index_of(process: int | str) -> str:
    return f"index.{process}.csv"


def _is_left_over(name: str) -> bool:
    return name == LOCK or name.startswith(TEMPORARY_PREFIX)


def _ends_with(path: Path, end: bytes) -> bool:
    """Whether a file is there and has this end: a power cut can leave it empty or cut short."""
    if not (path.is_file() and path.stat().st_size > len(end)):
        return False
    with open(path, "rb") as file:
        file.seek(-len(end), os.SEEK_END)
        return file.read() == end


def _changes(there: Mapping[str, Any], wanted: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """What differs between two settings, by full name."""
    for name in {**there, **wanted}:
        old, new = there.get(name), wanted.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{above}{name}.")
        elif old != new:
            is_model = f"{above}{name}" == MODEL
            yield "the model is another one (trained further?)" if is_model else f"{above}{name} {old!r}, now {new!r}"
