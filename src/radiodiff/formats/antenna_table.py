"""Antenna patterns from CSV."""

import csv
from pathlib import Path

import numpy as np

from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file
from radiodiff.scene import TableAntenna

__all__ = ["read_antenna_csv"]


def read_antenna_csv(path: str | Path) -> TableAntenna:
    """Read 360 gains in dB, one per degree clockwise from boresight.

    Either one column (line i is i degrees) or two, `angle,gain`, in any order of whole angles. A first line
    that is not numbers is a header.

    Raises:
        FormatError: The file is absent or empty, a line is not numbers, or an angle is missing or double.
    """
    file = check_file(path)
    try:
        lines = [line for line in csv.reader(file.read_text(encoding="utf-8-sig").splitlines()) if any(line)]
    except UnicodeDecodeError as error:
        raise _no_table(f"{file} ({error})") from error
    rows = [_numbers(line) for line in lines]
    start = 1 if rows and rows[0] is None else 0
    for number, row in enumerate(rows[start:], start + 1):
        if row is None or len(row) not in (1, 2) or len(row) != len(rows[start] or ()):
            raise _no_table(f"{file}, row {number}: {','.join(lines[number - 1])}")
    table = np.array(rows[start:], dtype=np.float64)
    if len(table) != 360:
        raise _no_table(f"{file} with {len(table)} rows of numbers")
    if table.shape[1] == 2:
        angles = table[:, 0] % 360
        if not np.array_equal(np.sort(angles), np.arange(360)):
            raise _no_table(f"{file}, whose angles are not every whole degree once")
        table = table[np.argsort(angles), 1:]
    return TableAntenna(tuple(table[:, 0].tolist()))


def _numbers(line: list[str]) -> list[float] | None:
    """The finite numbers of a line, or None."""
    try:
        numbers = [float(cell) for cell in line]
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _no_table(value: str) -> FormatError:
    return FormatError(
        "An antenna table must be 360 rows of finite numbers, gain in dB or angle in degrees and gain",
        value=value,
        remedy="Write one row per degree, 0 to 359, clockwise from boresight, separated by commas.",
    )
