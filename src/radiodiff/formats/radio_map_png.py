"""Radio maps as grey images."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError, RadiodiffError
from radiodiff.formats.images import read_grey_image, write_grey_png
from radiodiff.formats.radio_map_header import (
    HEADER_NAME,
    decode_header,
    encode_header,
    radio_map_from_header,
)
from radiodiff.grey_scale import RADIOMAPSEER_GREY, GreyScale
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Grid

__all__ = ["read_gain_image", "read_radio_map_png", "write_radio_map_png"]


def write_radio_map_png(
    radio_map: RadioMap,
    path: str | Path,
    *,
    thresholded: bool = False,
    grey_scale: GreyScale = RADIOMAPSEER_GREY,
) -> None:
    """Write a radio map as an 8-bit grey PNG; its text chunk `radiodiff` says on which scale.

    Cells outside the window of the scale are clipped to its ends. Grey 0 stands for "no value" and for "at or
    below the window" alike.

    Raises:
        FormatError: The file cannot be written.
    """
    grey = {"scale": "thresholded" if thresholded else "raw"} | asdict(grey_scale)
    text = {HEADER_NAME: encode_header(radio_map, grey=grey)}
    write_grey_png(path, grey_scale.to_grey(radio_map.path_loss_db, thresholded=thresholded), text=text)


def read_radio_map_png(
    path: str | Path, *, thresholded: bool | None = None, grey_scale: GreyScale | None = None
) -> RadioMap:
    """Read a grey PNG as a radio map; zero pixels become NaN, be they indoors or merely weak.

    Args:
        path: A file of `write_radio_map_png`, or a gain image of RadioMapSeer.
        thresholded: The scale of an image that does not say it.
        grey_scale: The window of an image that does not say it, by default that of RadioMapSeer.

    Raises:
        FormatError: The file is no grey image, says nothing about its scale when the caller does not either,
            or says something else than the caller.
    """
    file = Path(path)
    grey, text = read_grey_image(file)
    if HEADER_NAME not in text:
        return _without_header(file, grey, thresholded, grey_scale or RADIOMAPSEER_GREY)
    scale, is_thresholded = check_named_scale(text, file, thresholded=thresholded, grey_scale=grey_scale)
    header = decode_header(text[HEADER_NAME], file)
    return radio_map_from_header(header, _path_loss_db(grey, scale, is_thresholded), file)


def check_named_scale(
    text: Mapping[str, str], file: Path, *, thresholded: bool | None, grey_scale: GreyScale | None
) -> tuple[GreyScale, bool]:
    """The grey scale that a PNG names in its text, and whether it is thresholded.

    Args:
        text: Text chunks with a header of radiodiff.
        file: The file, for messages.
        thresholded: What the caller takes it for; None takes what it says.
        grey_scale: Likewise.

    Raises:
        FormatError: The header is damaged, or says something else than the caller.
    """
    header = decode_header(text[HEADER_NAME], file)
    try:
        entry = dict(header["grey"])
        is_thresholded = {"raw": False, "thresholded": True}[entry.pop("scale")]
        scale = GreyScale(**entry)
    except (KeyError, TypeError, ValueError, RadiodiffError) as error:
        raise FormatError(
            "The header of a radio-map PNG must say its grey scale",
            value=f"{file} ({error})",
            remedy="The file was changed or damaged: write it again.",
        ) from error
    if thresholded not in (None, is_thresholded) or grey_scale not in (None, scale):
        raise FormatError(
            "The scale of a radio-map PNG must be the one it names",
            value=f"{file}, which says {'thresholded' if is_thresholded else 'raw'}, {scale}",
            remedy="Read it on the scale that it names.",
        )
    return scale, is_thresholded


def read_gain_image(path: str | Path, scale: Literal["raw", "thresholded"] | None) -> NDArray[np.uint8]:
    """Grey (rows, cols) of a gain image on RadioMapSeer's scale, raw or thresholded; None takes any.

    A file that names its scale must name this one; the images of the download name none.

    Raises:
        FormatError: The file is absent, damaged or not grey, or names another scale.
    """
    file = Path(path)
    grey, text = read_grey_image(file)
    if scale is not None and HEADER_NAME in text:
        check_named_scale(text, file, thresholded=scale == "thresholded", grey_scale=RADIOMAPSEER_GREY)
    return grey


def _without_header(file: Path, grey: Any, thresholded: bool | None, scale: GreyScale) -> RadioMap:
    if thresholded is None:
        raise FormatError(
            "A grey image without a header can be read only when its scale is said",
            value=file,
            remedy="Pass thresholded=False for original RadioMapSeer images, True for thresholded ones.",
        )
    kind = "thresholded" if thresholded else "raw"
    producer = f"{file.name}, read as {kind} grey"
    return RadioMap(_path_loss_db(grey, scale, thresholded), Grid(*grey.shape), None, producer)


def _path_loss_db(grey: Any, scale: GreyScale, thresholded: bool) -> Any:
    values = scale.to_path_loss_db(grey, thresholded=thresholded)
    return np.where(grey > 0, values, np.nan).astype(np.float32)
