"""Images: building and car masks, the pixels of radio-map PNGs, and three values per pixel."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import FormatError, RadiodiffError
from radiodiff.formats.checks import MAX_CELLS, check_cell_count, check_file, check_free_cells
from radiodiff.scene import Grid, Scene

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "image_size",
    "read_building_png",
    "read_grey_image",
    "read_mask_image",
    "read_rgb_image",
    "write_grey_png",
    "write_mask_png",
]

GREY_MODES = {"1": "1-bit", "L": "8-bit grey"}


def read_grey_image(path: str | Path) -> tuple[NDArray[np.uint8], dict[str, str]]:
    """Pixels and text of a 1-bit or 8-bit grey image in any format that Pillow reads.

    Returns:
        (rows, cols) uint8, a 1-bit image as 0 and 255; and the PNG text chunks, empty for other formats.

    Raises:
        FormatError: The file is absent, empty, damaged, too large, or holds colours or 16-bit values.
    """
    with _opened(check_file(path)) as image:
        if image.mode not in GREY_MODES:
            raise _no_grey(path, image.mode)
        return np.array(image.convert("L")), dict(getattr(image, "text", {}))


def read_rgb_image(path: str | Path) -> NDArray[np.uint8]:
    """Pixels of an RGB image with 8 bits per channel, in any format that Pillow reads.

    Returns:
        (rows, cols, 3) uint8: red, green, blue.

    Raises:
        FormatError: The file is absent, empty, damaged, too large, grey, with a palette or transparency, or has 16 bits
            per channel.
    """
    with _opened(check_file(path)) as image:
        # Pillow reads 16 bits per channel as 8 without a word: only the raw mode tells.
        raw_mode = str([tile[3] for tile in getattr(image, "tile", ())])
        if image.mode != "RGB" or ";16" in raw_mode:
            found = f"mode {image.mode}" if image.mode != "RGB" else "16 bits per channel"
            raise FormatError(
                "An image of three values per pixel must be RGB with 8 bits per channel",
                value=f"{path}, {found}",
                remedy="Check that it is the right file; do not convert it, or its values change.",
            )
        return np.array(image)


def image_size(path: str | Path) -> tuple[int, int]:
    """(rows, cols) of an image, from its header alone.

    Raises:
        FormatError: The file is absent, empty, too large or no image.
    """
    with _opened(check_file(path)) as image:
        return image.height, image.width


@contextmanager
def _opened(file: Path) -> "Iterator[Image.Image]":
    from PIL import Image

    try:
        # Pillow warns at 89 million pixels and refuses at twice that; the limit here is lower. Its warning may pass:
        # filters of warnings belong to the whole process, and several threads read.
        with Image.open(file) as image:
            check_cell_count(image.height, image.width, file.name)
            yield image
    except RadiodiffError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FormatError(
            f"An image must have at most {MAX_CELLS:,} pixels", value=file, remedy="Cut it into parts."
        ) from error
    except PermissionError as error:
        raise FormatError("An input file must be readable", value=file, remedy="Check its rights.") from error
    except (OSError, SyntaxError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise FormatError(
            "An image must be readable by Pillow",
            value=f"{file} ({error})",
            remedy="The file is damaged, cut short or no image: open it in a viewer, or copy it again.",
        ) from error


def _no_grey(path: str | Path, mode: str) -> FormatError:
    deep = mode.startswith(("I", "F"))
    return FormatError(
        f"An image must be {' or '.join(GREY_MODES.values())}",
        value=f"{path}, mode {mode} ({'16 or 32 bits per pixel' if deep else 'colours or a palette'})",
        remedy="Compare it with a threshold and save it as 8-bit grey."
        if deep
        else "Convert it first: PIL.Image.open(old).convert('L').save(new)",
    )


def read_mask_image(path: str | Path) -> NDArray[np.bool_]:
    """A two-level image as a mask: True where a pixel is not 0, (rows, cols).

    Raises:
        FormatError: The image is not readable, or has other levels than 0 and one more.
    """
    grey, _ = read_grey_image(path)
    counts = np.bincount(grey.ravel(), minlength=256)
    levels = np.flatnonzero(counts)
    if len(levels) > 2 or (len(levels) == 2 and levels[0] != 0):
        shown = ", ".join(f"{level} ({counts[level]}x)" for level in levels[:8])
        raise FormatError(
            "A mask image must be binary: 0 and one other level",
            value=f"{path} with {len(levels)} levels: {shown}{', ...' if len(levels) > 8 else ''}",
            remedy="Save it without smoothing or lossy compression, or compare it with a threshold first.",
        )
    return grey > 0


def read_building_png(path: str | Path, *, cell_size_m: float = 1.0, invert: bool = False) -> Scene:
    """Scene from a building image: one pixel is one cell, building = 255 (or any level but 0), free = 0.

    Only the raster is known (`footprints` is None); its corners are those of whole cells.

    Args:
        path: 1-bit or 8-bit grey image, PNG or any other format that Pillow reads.
        cell_size_m: Edge of a pixel [m].
        invert: Read 0 as building.

    Raises:
        FormatError: The file is absent, empty, damaged, not grey, or not binary.
        SceneError: Every cell is indoors.
        GridError: The cell size is not positive.
    """
    buildings = read_mask_image(path) ^ invert
    grid = Grid(buildings.shape[0], buildings.shape[1], cell_size_m)
    scene = Scene(grid, buildings, source=Path(path).name)
    other = "leave the inversion out" if invert else "invert the layer (--invert)"
    return check_free_cells(scene, str(path), remedy=f"If free cells read as buildings, {other}.")


def write_grey_png(path: str | Path, grey: NDArray[np.uint8], *, text: dict[str, str] | None = None) -> None:
    """Write an 8-bit grey PNG, whole or not at all.

    Args:
        path: The file.
        grey: (rows, cols) uint8.
        text: Latin-1 text chunks by name.

    Raises:
        FormatError: The array is not two-dimensional uint8, or the file cannot be written.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if grey.dtype != np.uint8 or grey.ndim != 2:
        raise FormatError(
            "A grey PNG needs a two-dimensional uint8 array",
            value=f"{grey.dtype} of shape {grey.shape}",
            remedy="Use radiodiff.grey_scale.GreyScale.to_grey.",
        )
    chunks = PngInfo()
    for name, content in (text or {}).items():
        chunks.add_text(name, content)
    with atomic_write(path) as temporary:
        # Measured on 256 x 256 gain images: run lengths 1.0 ms and 14.5 kB, the default 3.3 ms and 13.3 kB.
        Image.fromarray(grey).save(temporary, format="PNG", pnginfo=chunks, compress_type=zlib.Z_RLE)


def write_mask_png(path: str | Path, mask: NDArray[np.bool_]) -> None:
    """Write a mask (rows, cols) as 0 and 255.

    Raises:
        FormatError: The file cannot be written.
    """
    write_grey_png(path, np.where(mask, np.uint8(255), np.uint8(0)))
