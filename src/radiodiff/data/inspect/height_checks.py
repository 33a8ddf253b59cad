"""Checks of the heights of one map: outlines, roofs, transmitters."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.errors import FormatError, RadiodiffError
from radiodiff.formats import read_heights_json, read_radiomapseer_polygons
from radiodiff.formats.radiomapseer_heights import roof_heights_grey
from radiodiff.formats.radiomapseer_json import read_rings_json

__all__ = ["HEIGHT_FOLDERS", "MapHeights", "check_heights"]

HEIGHT_FOLDERS = {"png/heights": ".png", "polygon/heights": ".json", "antenna_heights": ".json"}
"""Folders of heights, and the suffix of their files."""

MOST_CELLS_OFF = 0.01
"""Share of the cells that may lie on another roof than the outlines say, or on none."""


@dataclass(frozen=True)
class MapHeights:
    """Heights of a map, as far as they could be read.

    Attributes:
        roofs_m: (rows, cols) whole metres, 0 outdoors, or None [m].
        txs_m: Height of each transmitter, or None [m].
    """

    roofs_m: NDArray[np.uint8] | None = None
    txs_m: tuple[float, ...] | None = None

    def is_above(self, tx_id: int, row: int, col: int) -> bool:
        """Whether a transmitter stands above the roof over a cell; roofs are known to half a metre."""
        if self.roofs_m is None or self.txs_m is None or tx_id >= len(self.txs_m):
            return False
        roof_m = int(self.roofs_m[row, col])
        return roof_m > 0 and self.txs_m[tx_id] > roof_m - 0.5


def check_heights(checks: ImageChecks, map_id: int, folders: tuple[str, ...], num_tx: int | None) -> MapHeights:
    """Check the files of heights of a map, and the image of the roofs against outlines and their heights.

    Args:
        checks: Where findings go.
        map_id: Number of the map.
        folders: Folders of `HEIGHT_FOLDERS` that hold a file of it.
        num_tx: Transmitters of the map; None where they are not known.
    """
    outlines = checks.root / f"polygon/buildings_complete/{map_id}.json"
    num_outlines = _num_outlines(outlines)
    found = {}
    for folder, count in (("polygon/heights", num_outlines), ("antenna_heights", num_tx)):
        if folder in folders:
            found[folder] = checks.json(f"{folder}/{map_id}.json", partial(read_heights_json, count=count))
    roofs_m = checks.grey(f"png/heights/{map_id}.png") if "png/heights" in folders else None
    if roofs_m is not None and found.get("polygon/heights") is not None and num_outlines is not None:
        _check_roofs(checks, f"png/heights/{map_id}.png", roofs_m, outlines)
    txs_m = found.get("antenna_heights")
    return MapHeights(roofs_m, None if txs_m is None else tuple(txs_m))


def _check_roofs(checks: ImageChecks, file: str, roofs_m: NDArray[np.uint8], outlines: Path) -> None:
    """Check that an image shows what outlines and their heights say."""
    try:
        wanted_m = roof_heights_grey(read_radiomapseer_polygons(outlines).roof_height_m)
    except RadiodiffError:
        # What is wrong with the outlines themselves is found where they are checked.
        return
    if wanted_m.shape != roofs_m.shape:
        return
    off = float((wanted_m != roofs_m).mean())
    if off > MOST_CELLS_OFF:
        checks.note("heights", file, f"{off:.1%} of the cells have another height than their outline")


def _num_outlines(path: Path) -> int | None:
    try:
        return len(read_rings_json(path))
    except FormatError:
        return None
