"""Heights beside RadioMapSeer's files, which the download does not have.

```
polygon/heights/<map>.json      height of each outline of polygon/buildings_complete/<map>.json [m]
png/heights/<map>.png           height of the roof over the centre of each cell, whole metres, 0 outdoors
antenna_heights/<map>.json      height of each transmitter of antenna/<map>.json above ground [m]
```

The image stands where the gains do, not half a cell beside them as that of the buildings. A roof lower than half a
metre is 1 there, one above 255 m is 255: the image is an input of networks, engines take the outlines.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import FormatError, SceneError
from radiodiff.formats.images import write_grey_png
from radiodiff.formats.radiomapseer_json import read_json, read_rings_json

__all__ = [
    "ANTENNA_HEIGHTS",
    "HEIGHTS",
    "read_heights_json",
    "read_outline_heights",
    "roof_heights_grey",
    "write_heights_json",
    "write_roof_heights_png",
]

HEIGHTS = "heights"
"""Folder under `polygon` and `png`."""

ANTENNA_HEIGHTS = "antenna_heights"
"""Folder beside `antenna`."""

COMPLETE = "buildings_complete"

REDUCED_LAYER = re.compile(r"buildings_(missing|removed)[1-4]")

HIGHEST_M = 255


def read_heights_json(path: str | Path, count: int | None = None) -> list[float]:
    """Heights of a file [m].

    Args:
        path: The file.
        count: How many there must be: outlines or transmitters of the map; None takes any number.

    Raises:
        FormatError: The file is not there or no list of numbers above 0, or holds another number of them.
    """
    content = read_json(path)
    is_list = isinstance(content, list) and all(type(value) in (int, float) for value in content)
    if not (is_list and all(0 < value < np.inf for value in content)):
        raise FormatError(
            "A file of heights must be a list of numbers above 0, in metres",
            value=path,
            remedy="Make the data set again, or leave the file out.",
        )
    if count is not None and len(content) != count:
        raise FormatError(
            "A file of heights must hold one for each outline, or transmitter, of its map",
            value=f"{path} with {len(content)} heights for {count}",
            remedy="Take both files from the same data set.",
        )
    return [float(value) for value in content]


def write_heights_json(path: str | Path, heights_m: Iterable[float]) -> None:
    """Write heights of outlines or of transmitters, in the order of their file.

    Raises:
        FormatError: A height is not above 0, or the file cannot be written.
    """
    heights = [float(height) for height in heights_m]
    if not all(0 < height < np.inf for height in heights):
        raise FormatError("Heights must be above 0", value=heights, remedy="Leave out what has no height.")
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(heights))


def roof_heights_grey(roof_height_m: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Roof heights (rows, cols) [m] as the image holds them.

    Raises:
        SceneError: A roof has no known height (NaN).
    """
    unknown = np.isnan(roof_height_m)
    if unknown.any():
        raise SceneError(
            "All buildings must have heights to show them",
            value=f"{int(unknown.sum())} cells under roofs of unknown height",
            remedy="Give each outline a height, or leave the heights out.",
        )
    whole = np.clip(np.rint(roof_height_m), 1, HIGHEST_M)
    return np.where(roof_height_m > 0, whole, 0).astype(np.uint8)


def write_roof_heights_png(path: str | Path, roof_height_m: NDArray[np.floating]) -> None:
    """Write `Scene.roof_height_m` (rows, cols) [m] as an image.

    Raises:
        SceneError: A roof has no known height.
        FormatError: The file cannot be written.
    """
    write_grey_png(path, roof_heights_grey(roof_height_m))


def read_outline_heights(outlines: str | Path, rings: Sequence[NDArray[np.float64]]) -> list[float] | None:
    """Heights of the outlines of a file of buildings in a RadioMapSeer folder [m]; None where they are not known.

    A layer with missing buildings has those of the complete ones, of which it holds some in their order.

    Args:
        outlines: The file.
        rings: What `read_rings_json` finds in it.

    Raises:
        FormatError: A file is damaged, or an outline of the layer is none of the complete buildings.
    """
    path = Path(outlines)
    is_reduced = REDUCED_LAYER.fullmatch(path.parent.parent.name) is not None
    if not is_reduced and path.parent.name != COMPLETE:
        return None
    folder = path.parents[2] if is_reduced else path.parents[1]
    heights = folder / HEIGHTS / path.name
    if not heights.is_file():
        return None
    if not is_reduced:
        return read_heights_json(heights, len(rings))
    complete = read_rings_json(folder / COMPLETE / path.name)
    known = zip(complete, read_heights_json(heights, len(complete)), strict=True)
    # Each search goes on where the last one ended.
    found = [next((height_m for other, height_m in known if np.array_equal(ring, other)), None) for ring in rings]
    unknown = [index for index, height_m in enumerate(found) if height_m is None]
    if unknown:
        raise FormatError(
            "The outlines of a layer with missing buildings must be some of the complete ones, in their order, to have "
            "their heights",
            value=f"{path}, outline {unknown[0]}",
            remedy="Make the layer with radiodiff dataset missing, or take the heights away.",
        )
    return [height_m for height_m in found if height_m is not None]
