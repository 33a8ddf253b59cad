"""Position tables and antenna patterns of the ICASSP 2025 data set."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError
from radiodiff.formats import read_antenna_csv
from radiodiff.formats.checks import check_file
from radiodiff.scene import TableAntenna

__all__ = ["Positions", "check_line", "read_pattern", "read_positions"]

COLUMNS = ("X", "Y", "Azimuth")


@dataclass(frozen=True, eq=False)
class Positions:
    """Transmitters of one building, antenna and band; entry i belongs to sample i.

    Attributes:
        row: (n,) row of each; may lie outside the map by a few pixels.
        col: (n,) column.
        azimuth_deg: (n,) direction of the antenna, see `radiodiff.data.icassp.azimuth`.
    """

    row: NDArray[np.float64]
    col: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]


def read_positions(path: str | Path) -> Positions:
    """Read a position table. Its column X is the row of the image and Y the column; others are left alone.

    Raises:
        FormatError: The file is absent, empty, no CSV, lacks a column, or holds a value that is no finite number.
    """
    file = check_file(path)
    try:
        lines = [line for line in csv.reader(file.read_text(encoding="utf-8-sig").splitlines()) if any(line)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_positions(f"{file} ({error})") from error
    header = [name.strip() for name in lines[0]] if lines else []
    if any(header.count(name) != 1 for name in COLUMNS):
        raise _no_positions(f"{file} with the columns {', '.join(repr(name) for name in header)}")
    places = [header.index(name) for name in COLUMNS]
    table = np.empty((len(lines) - 1, len(COLUMNS)))
    for number, line in enumerate(lines[1:]):
        try:
            table[number] = [float(line[place]) for place in places]
        except (IndexError, ValueError) as error:
            raise _no_positions(f"{file}, line {number + 2}: {','.join(line)}") from error
        if not np.isfinite(table[number]).all():
            raise _no_positions(f"{file}, line {number + 2}: {','.join(line)}")
    return Positions(*np.ascontiguousarray(table.T))


def check_line(table: Positions, path: Path, sample: int, name: str) -> None:
    """Check that a position table has a line for a sample.

    Args:
        table: The table.
        path: Its file.
        sample: Number of the sample.
        name: Its name.

    Raises:
        FormatError: There is none.
    """
    if sample >= len(table.row):
        raise FormatError(
            "A position table must have a line for every sample, the first for S0",
            value=f"{path} with {len(table.row)} lines; {name} needs line {sample + 1}",
            remedy="Unpack Positions of the data set again, or take out the sample's images.",
        )


def read_pattern(path: str | Path) -> TableAntenna:
    """Read the 360 gains of an antenna [dB], one per degree from its main direction.

    A 361st line at the top that holds nothing but 0 is the header that pandas writes for a column without a name.

    Raises:
        FormatError: The file is not such a table.
    """
    try:
        lines = check_file(path).read_text(encoding="utf-8-sig").split()
        if len(lines) == 361 and lines[0] == "0":
            gains_db = tuple(float(line) for line in lines[1:])
            if np.isfinite(gains_db).all():
                return TableAntenna(gains_db)
    except ValueError:
        pass  # read_antenna_csv says what is wrong
    return read_antenna_csv(path)


def _no_positions(value: str) -> FormatError:
    return FormatError(
        "A position table must be a CSV file whose first line names X, Y and Azimuth once each, with numbers below",
        value=value,
        remedy="Unpack Positions of the data set again.",
    )
