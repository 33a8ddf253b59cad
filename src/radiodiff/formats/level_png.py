"""Maps of levels in [0, 1] as grey images that say what their levels are."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import FormatError
from radiodiff.formats.images import read_grey_image, write_grey_png
from radiodiff.formats.radio_map_header import HEADER_NAME
from radiodiff.formats.radio_map_png import check_named_scale

__all__ = ["LevelMeaning", "read_level_png", "write_level_png"]

CHUNK = "radiodiff-channel"
"""Name of the text that says it, in JSON."""


@dataclass(frozen=True)
class LevelMeaning:
    """What grey levels are; between the two ends they are a straight line.

    Attributes:
        scale: "raw" or "thresholded" grey, "db" for path loss itself, "binary" for edges.
        channel: Name of the values, with the unit as suffix.
        grey_0: Value of grey 0.
        grey_255: Value of grey 255.
    """

    scale: str
    channel: str
    grey_0: float
    grey_255: float


def write_level_png(path: str | Path, levels: ArrayLike, meaning: LevelMeaning) -> None:
    """Write levels as 8-bit grey, `round(255 g)`, whole or not at all.

    Args:
        path: The file.
        levels: (rows, cols), in [0, 1].
        meaning: What they are; goes into a text chunk `radiodiff-channel`.

    Raises:
        FormatError: A level is NaN or outside [0, 1], or the file cannot be written.
    """
    values = np.asarray(levels, dtype=np.float64)
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise FormatError(
            "Levels of a grey image must lie in [0, 1]",
            value=f"{int((~((values >= 0.0) & (values <= 1.0))).sum())} of {values.size} that do not",
            remedy="Clip them first.",
        )
    write_grey_png(path, np.rint(255.0 * values).astype(np.uint8), text={CHUNK: json.dumps(asdict(meaning))})


def read_level_png(path: str | Path) -> tuple[NDArray[np.float64], LevelMeaning | None]:
    """Levels (rows, cols) of a grey image, in steps of 1/255, and what they are where the image says it.

    Images of `write_level_png` and of `write_radio_map` say it; the gain images of RadioMapSeer do not.

    Raises:
        FormatError: The file is absent, damaged or not grey, or what it says cannot be read.
    """
    file = Path(path)
    grey, text = read_grey_image(file)
    levels = grey / 255.0
    if CHUNK in text:
        return levels, _meaning(text[CHUNK], file)
    if HEADER_NAME not in text:
        return levels, None
    scale, is_thresholded = check_named_scale(text, file, thresholded=None, grey_scale=None)
    weakest_db, strongest_db = scale.to_path_loss_db([0.0, 255.0], thresholded=is_thresholded).tolist()
    name = "thresholded" if is_thresholded else "raw"
    return levels, LevelMeaning(name, "path_loss_db", weakest_db, strongest_db)


def _meaning(text: str, file: Path) -> LevelMeaning:
    try:
        content = json.loads(text)
        return LevelMeaning(
            str(content["scale"]), str(content["channel"]), float(content["grey_0"]), float(content["grey_255"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"The text {CHUNK} of an image must be JSON with scale, channel, grey_0 and grey_255",
            value=f"{file} ({error!r})",
            remedy="The file was changed or damaged: write it again.",
        ) from error
