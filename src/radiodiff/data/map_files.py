"""Files of one map in RadioMapSeer's layout on disk, for what writes data sets."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.formats import (
    read_radiomapseer_transmitters,
    write_antennas_json,
    write_mask_png,
    write_radiomapseer_polygons,
)
from radiodiff.scene import Footprint, Grid, rasterize

__all__ = ["write_antennas", "write_index", "write_layer"]


def write_antennas(root: Path, map_id: int, cells: Sequence[tuple[int, int]], grid: Grid) -> None:
    """Write the transmitters (col, row) of a map: `antenna/<map>.json`, and one image of each in `png/antennas`.

    Raises:
        TransmitterError: A cell is not on the grid.
        FormatError: A file cannot be written.
    """
    write_antennas_json(root / f"antenna/{map_id}.json", cells, grid)
    for tx_id, (col, row) in enumerate(cells):
        antenna = np.zeros(grid.shape, dtype=bool)
        antenna[row, col] = True
        write_mask_png(root / f"png/antennas/{map_id}_{tx_id}.png", antenna)


def write_layer(
    root: Path, name: str, grid: Grid, footprints: Iterable[Footprint], sample_offset: tuple[float, float]
) -> NDArray[np.bool_]:
    """Write outlines as `polygon/<name>.json` and `png/<name>.png`.

    Args:
        root: Folder of the data set.
        name: Layer and map number, for example "cars/12".
        grid: The grid.
        footprints: The outlines.
        sample_offset: The rule of the image (`radiodiff.scene.rasterize`).

    Returns:
        The image as a mask, (rows, cols).

    Raises:
        FormatError: A file cannot be written.
    """
    footprints = tuple(footprints)
    write_radiomapseer_polygons(root / f"polygon/{name}.json", footprints, grid)
    mask = rasterize(grid, [footprint.polygon for footprint in footprints], sample_offset=sample_offset)
    write_mask_png(root / f"png/{name}.png", mask)
    return mask


def write_index(root: Path, map_ids: Iterable[int], gain_counts: Mapping[str, int], *, rows: int) -> None:
    """Write dataset.csv: one row per transmitter, with its cell and the paths of its gains.

    Args:
        root: Folder of the data set.
        map_ids: The maps.
        gain_counts: Transmitters of a map in each folder under `gain`; the others have an empty column.
        rows: Rows of the grid.

    Raises:
        FormatError: An antenna file is damaged, or the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["map", "tx", "col", "row", *(f"gain_{simulation}" for simulation in gain_counts)])
    for map_id in map_ids:
        for tx_id, (col, row) in enumerate(read_radiomapseer_transmitters(root, map_id, rows=rows)):
            name = f"{map_id}_{tx_id}.png"
            gains = (f"gain/{folder}/{name}" if tx_id < count else "" for folder, count in gain_counts.items())
            writer.writerow([map_id, tx_id, col, row, *gains])
    with atomic_write(root / "dataset.csv") as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
