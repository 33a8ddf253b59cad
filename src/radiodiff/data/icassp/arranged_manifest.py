"""The table of an arrangement, `manifest.csv`: one line per radio map, written and read back."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from radiodiff.atomic_file import atomic_write
from radiodiff.data.icassp.layout import SampleId
from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file

__all__ = ["MANIFEST_FILE", "ArrangedMap", "read_manifest", "write_manifest"]

MANIFEST_FILE = "manifest.csv"


@dataclass(frozen=True)
class ArrangedMap:
    """A radio map of an arrangement; the attributes are the columns of the table, in this order.

    Attributes:
        name: Name of its files, without suffix.
        building: Number of the building.
        antenna: Number of the antenna.
        band: Number of the carrier.
        frequency_hz: Carrier [Hz].
        sample: Number of the sample.
        map_rows: Rows of the whole map.
        map_cols: Its columns.
        map_tx_row: Row of the transmitter's cell on the whole map.
        map_tx_col: Its column.
        tx_row: Row of that cell in the square.
        tx_col: Its column.
        crop_row: Row of the whole map at the top of the square; negative where the square begins above it.
        crop_col: Column of the whole map at the left of the square.
        azimuth_deg: Direction of the antenna [deg].
    """

    name: str
    building: int
    antenna: int
    band: int
    frequency_hz: int
    sample: int
    map_rows: int
    map_cols: int
    map_tx_row: int
    map_tx_col: int
    tx_row: int
    tx_col: int
    crop_row: int
    crop_col: int
    azimuth_deg: float


COLUMNS = tuple(field.name for field in fields(ArrangedMap))


def write_manifest(path: Path, maps: Iterable[ArrangedMap]) -> None:
    """Write the table.

    Raises:
        FormatError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**asdict(line), "azimuth_deg": f"{line.azimuth_deg:g}"} for line in maps)
    with atomic_write(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_manifest(path: str | Path) -> tuple[ArrangedMap, ...]:
    """Read the table.

    Raises:
        FormatError: The file is absent, empty, no CSV, lacks a column, or a line holds no numbers, or a name that is
            not that of its numbers or stands twice.
    """
    file = check_file(path)
    try:
        lines = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_manifest(f"{file} ({error})") from error
    found: dict[str, ArrangedMap] = {}
    for number, line in enumerate(lines, 2):
        try:
            numbers = {name: int(line[name]) for name in COLUMNS[1:-1]}
            arranged = ArrangedMap(line["name"], **numbers, azimuth_deg=float(line["azimuth_deg"]))
        except (KeyError, TypeError, ValueError) as error:
            raise _no_manifest(f"{file}, line {number}: {','.join(map(str, line.values()))}") from error
        expected = SampleId(1, arranged.building, arranged.antenna, arranged.band, arranged.sample).name
        if arranged.name != expected or arranged.name in found or not np.isfinite(arranged.azimuth_deg):
            raise _no_manifest(f"{file}, line {number}: {','.join(map(str, line.values()))}")
        found[arranged.name] = arranged
    if not found:
        raise _no_manifest(f"{file} without lines")
    return tuple(found.values())


def _no_manifest(value: str) -> FormatError:
    return FormatError(
        f"The table of an arrangement must be a CSV file with the columns {', '.join(COLUMNS)}, with numbers, and one "
        "line per radio map, named by its numbers",
        value=value,
        remedy="Run the same radiodiff dataset arrange-icassp command again.",
    )
