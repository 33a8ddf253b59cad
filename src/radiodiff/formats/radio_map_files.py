"""Radio maps to and from files, by suffix."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from radiodiff.atomic_file import atomic_write, check_target
from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_file
from radiodiff.formats.radio_map_geotiff import read_radio_map_geotiff, write_radio_map_geotiff
from radiodiff.formats.radio_map_header import decode_header, encode_header, radio_map_from_header
from radiodiff.formats.radio_map_png import read_radio_map_png, write_radio_map_png
from radiodiff.grey_scale import RADIOMAPSEER_GREY, GreyScale
from radiodiff.radio_map import RadioMap

__all__ = ["RADIO_MAP_SUFFIXES", "check_radio_map_path", "read_radio_map", "write_radio_map"]

RADIO_MAP_SUFFIXES = (".npz", ".png", ".tif", ".tiff", ".csv")
"""What `write_radio_map` writes; `read_radio_map` reads all but the last."""


def check_radio_map_path(path: str | Path) -> Path:
    """The path, when a radio map can be written to it; call it before a long computation.

    Raises:
        FormatError: The suffix is unknown, the folder is not there, or the path is a folder.
    """
    target = check_target(path)
    if target.suffix.lower() not in RADIO_MAP_SUFFIXES:
        raise FormatError(
            f"A radio-map file must end in {', '.join(RADIO_MAP_SUFFIXES)}",
            value=target,
            remedy="Use .npz to keep everything, .png for RadioMapSeer grey, .tif for GIS, .csv for tables.",
        )
    return target


def write_radio_map(
    radio_map: RadioMap,
    path: str | Path,
    *,
    thresholded: bool | None = None,
    grey_scale: GreyScale | None = None,
) -> None:
    """Write a radio map, whole or not at all; the suffix says how.

    * `.npz`: `path_loss_db` (rows, cols) float32 and `meta`, a JSON text; nothing is lost but the scene.
    * `.png`: 8-bit grey within the window of the scale, without the ensemble.
    * `.tif`, `.tiff`: GeoTIFF, float32 dB, NaN as no-data.
    * `.csv`: x, y (map coordinates of the cell centre), row, col, path_loss_db; cells with a value only.

    What an ensemble says of the uncertainty goes with it: arrays of the `.npz`, bands of the GeoTIFF with their names
    as descriptions, columns of the `.csv`, see `Ensemble.layers`.

    Args:
        radio_map: The radio map.
        path: The file.
        thresholded: Grey scale of a PNG, by default raw (False).
        grey_scale: Window of a PNG, by default that of RadioMapSeer.

    Raises:
        FormatError: The suffix is unknown, the file cannot be written, or a grey scale comes with another
            suffix than .png.
    """
    target = check_radio_map_path(path)
    suffix = target.suffix.lower()
    if suffix == ".png":
        write_radio_map_png(
            radio_map, target, thresholded=bool(thresholded), grey_scale=grey_scale or RADIOMAPSEER_GREY
        )
        return
    _refuse_grey(target, thresholded, grey_scale)
    writers: dict[str, Callable[[RadioMap, Path], None]] = {".npz": _write_npz, ".csv": _write_csv}
    writers.get(suffix, write_radio_map_geotiff)(radio_map, target)


def read_radio_map(
    path: str | Path, *, thresholded: bool | None = None, grey_scale: GreyScale | None = None
) -> RadioMap:
    """Read a file of `write_radio_map`, or a gain image of RadioMapSeer.

    A `.csv` cannot be read back: it holds neither the grid nor the transmitter.

    Args:
        path: The file.
        thresholded: Scale of a PNG that does not say it.
        grey_scale: Window of a PNG that does not say it.

    Raises:
        FormatError: The suffix is unknown, or the file is absent, damaged or not a radio map.
    """
    file = check_file(path)
    suffix = file.suffix.lower()
    if suffix == ".png":
        return read_radio_map_png(file, thresholded=thresholded, grey_scale=grey_scale)
    _refuse_grey(file, thresholded, grey_scale)
    if suffix == ".npz":
        return _read_npz(file)
    if suffix in (".tif", ".tiff"):
        return read_radio_map_geotiff(file)
    raise FormatError(
        "A radio map can be read from .npz, .png, .tif and .tiff",
        value=file,
        remedy="A .csv holds no grid: write the radio map as .npz too.",
    )


def _refuse_grey(path: Path, thresholded: bool | None, grey_scale: GreyScale | None) -> None:
    if thresholded is not None or grey_scale is not None:
        raise FormatError(
            "A grey scale applies to .png files only",
            value=f"{path.name} with a grey scale",
            remedy="Leave it out: this format holds dB.",
        )


def _write_npz(radio_map: RadioMap, path: Path) -> None:
    header = encode_header(radio_map)
    with atomic_write(path) as temporary:
        arrays: dict[str, Any] = radio_map.layers | {"meta": np.array(header)}
        np.savez_compressed(temporary, **arrays)


def _read_npz(file: Path) -> RadioMap:
    try:
        # numpy leaves a file that it opened itself open when it is no archive.
        with file.open("rb") as opened:
            archive = np.load(opened, allow_pickle=False)
            layers = {name: archive[name] for name in archive.files}
            values, text = layers.pop("path_loss_db"), str(layers.pop("meta"))
    except Exception as error:  # A damaged archive fails anywhere in zip, zlib or numpy's own parser.
        raise FormatError(
            "A radio-map .npz must hold path_loss_db and meta",
            value=f"{file} ({error})",
            remedy="It is damaged, cut short or of another program: write it again.",
        ) from error
    return radio_map_from_header(decode_header(text, file), values, file, layers)


def _write_csv(radio_map: RadioMap, path: Path) -> None:
    grid = radio_map.grid
    x, y = grid.cells_to_map(np.arange(grid.cols) + 0.5, np.arange(grid.rows) + 0.5)
    # Formatted once per row and column, not once per cell. A micrometre hides the noise of float addition.
    x_text = [repr(value) for value in np.round(x, 6).tolist()]
    y_text = [repr(value) for value in np.round(y, 6).tolist()]
    rows, cols = np.nonzero(radio_map.has_value)
    layers = radio_map.layers
    values = np.stack([layer[rows, cols] for layer in layers.values()], axis=1).tolist()
    cells = zip(rows.tolist(), cols.tolist(), values, strict=True)
    lines = [
        f"{x_text[col]},{y_text[row]},{row},{col},{','.join(f'{value:.4f}' for value in of_cell)}\n"
        for row, col, of_cell in cells
    ]
    with atomic_write(path) as temporary, temporary.open("w", encoding="ascii", newline="") as file:
        file.write(f"x,y,row,col,{','.join(layers)}\n")
        file.writelines(lines)
