"""Radio maps as grey images."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

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

__all__ = ["read_radio_map_png", "write_radio_map_png"]


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
            remedy="Leave the scale out: the file knows it.",
        )
    return radio_map_from_header(header, _path_loss_db(grey, scale, is_thresholded), file)


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
