"""Measured points from tables."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file
from radiodiff.scene import Grid

__all__ = ["read_measurement_csv"]

VALUE = "path_loss_db"
CELLS, POSITIONS = ("row", "col"), ("x", "y")


def read_measurement_csv(path: str | Path, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Measured path loss of a table with a header, such as `write_radio_map` writes.

    It has the columns `row` and `col` (from 0 at the top left), or `x` and `y` (map coordinates), and `path_loss_db`;
    others are not read. Values of one cell are averaged.

    Args:
        path: The file, UTF-8.
        grid: Grid of the map.

    Returns:
        (n, 2) cells (row, col), and (n,) their path loss between isotropic antennas [dB].

    Raises:
        FormatError: The file is absent, empty or no such table, a value is no number, or it holds no point.
        GridError: A point is not on the grid.
    """
    file = check_file(path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            places = next((pair for pair in (CELLS, POSITIONS) if set(pair) <= set(names)), None)
            if places is None or VALUE not in names:
                raise FormatError(
                    f"A table of measurements must have the columns row and col, or x and y, and {VALUE}",
                    value=f"{file} with {', '.join(names) or 'none'}",
                    remedy="Write these names into its first line, separated by commas.",
                )
            lines = [(reader.line_num, [entry[name] for name in (*places, VALUE)]) for entry in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(
            "A table of measurements must be text in UTF-8, separated by commas",
            value=f"{file} ({error})",
            remedy="Save it as CSV.",
        ) from error
    values = np.array([_numbers(texts, number, file) for number, texts in lines]).reshape(-1, 3)
    if not len(values):
        raise FormatError(
            "A table of measurements must hold at least one point",
            value=file,
            remedy="Leave it out where there is none.",
        )
    cells = values[:, :2] if places == CELLS else _cells(grid, values[:, 0], values[:, 1])
    found, place = np.unique(cells, axis=0, return_inverse=True)
    place = place.reshape(-1)
    return _whole(found, file), np.bincount(place, weights=values[:, 2]) / np.bincount(place)


def _numbers(texts: list[str | None], line: int, file: Path) -> list[float]:
    try:
        numbers = [float(text or "") for text in texts]
    except ValueError:
        numbers = [np.nan]
    if not np.isfinite(numbers).all():
        raise FormatError(
            "The entries of a table of measurements must be finite numbers",
            value=f"{', '.join(map(str, texts))} in line {line} of {file}",
            remedy="Correct the line, or leave it out.",
        )
    return numbers


def _cells(grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    cols, rows = grid.map_to_cells(x, y)
    size = grid.cell_size_m
    return np.array(
        [grid.cell_of(col * size, row * size) for col, row in zip(cols.tolist(), rows.tolist(), strict=True)]
    )


def _whole(cells: NDArray[np.float64], file: Path) -> NDArray[np.int64]:
    odd = (cells != np.rint(cells)).any(axis=1)
    if odd.any():
        raise FormatError(
            "Rows and columns of measurements must be whole numbers",
            value=f"{cells[odd][0].tolist()} in {file}",
            remedy="Give x and y for positions inside cells.",
        )
    return cells.astype(np.int64)
