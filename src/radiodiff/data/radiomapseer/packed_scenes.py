"""Outlines and heights in a packed file, where the data set has them.

| array | shape | holds |
|---|---|---|
| `outlines` | (V, 2) | corners of the complete buildings, in the coordinates of `polygon/buildings_complete` |
| `outline_ends` | (R,) | where the corners of each outline end |
| `outline_starts` | (M + 1,) | where the outlines of each map begin |
| `outline_heights_m` | (R,) | height of each outline [m] |
| `roof_heights_m` | (M, rows, cols) | height of the roof over each cell, whole metres [m] |
| `roof_heights_m/<layer>` | (M, rows, cols) | the same of another layer of buildings |
| `tx_heights_m` | (N,) | height of each transmitter above ground [m] |

Files that were packed before there were any have none of these.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.array_file import ArrayFile
from radiodiff.data.radiomapseer.store import COMPLETE, PngTree
from radiodiff.formats import read_heights_json
from radiodiff.formats.radiomapseer_heights import ANTENNA_HEIGHTS, HEIGHTS
from radiodiff.formats.radiomapseer_json import polygon_layer, read_rings_json
from radiodiff.scene import Grid, Scene

__all__ = [
    "OUTLINES",
    "OUTLINE_HEIGHTS",
    "TX_HEIGHTS",
    "outline_arrays",
    "outline_count",
    "packed_scene",
    "roofs_array",
    "tx_height_arrays",
]

OUTLINES = "outlines"
OUTLINE_HEIGHTS = "outline_heights_m"
ROOF_HEIGHTS = "roof_heights_m"
TX_HEIGHTS = "tx_heights_m"


def outline_arrays(tree: PngTree, ids: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Arrays of the outlines of maps, by name; none where a map has no file of them.

    Raises:
        FormatError: A file is damaged, or holds another number of heights than of outlines.
    """
    paths = [tree.root / "polygon" / COMPLETE / f"{map_id}.json" for map_id in ids]
    if not all(path.is_file() for path in paths):
        return {}
    rings = [read_rings_json(path) for path in paths]
    counts = [len(found) for found in rings]
    corners = [ring for found in rings for ring in found]
    arrays = {
        OUTLINES: np.concatenate([np.empty((0, 2)), *corners]),
        "outline_ends": np.cumsum([len(ring) for ring in corners]).astype(np.int64),
        "outline_starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    }
    folder = tree.root / "polygon" / HEIGHTS
    if not folder.is_dir():
        return arrays
    heights = [read_heights_json(folder / path.name, count) for path, count in zip(paths, counts, strict=True)]
    return arrays | {OUTLINE_HEIGHTS: np.array([height for found in heights for height in found], dtype=np.float64)}


def roofs_array(layer: str) -> str:
    """Name of the array of the roofs of a layer."""
    return ROOF_HEIGHTS if layer == COMPLETE else f"{ROOF_HEIGHTS}/{layer}"


def tx_height_arrays(tree: PngTree, ids: Sequence[int]) -> dict[str, NDArray[Any]]:
    """The array of the heights of transmitters, by name; none where the data set does not say them.

    Raises:
        FormatError: A file is absent or damaged.
    """
    if not (tree.root / ANTENNA_HEIGHTS).is_dir():
        return {}
    return {TX_HEIGHTS: np.concatenate([tree.tx_heights_m(map_id) for map_id in ids])}


def outline_count(file: ArrayFile, index: int) -> int:
    """Outlines of a map, of a file that has them."""
    first, end = file["outline_starts", index : index + 2]
    return int(end - first)


def packed_scene(file: ArrayFile, index: int, grid: Grid, source: str, left_out: Collection[int] = ()) -> Scene | None:
    """Buildings of a map, or None where its outlines are not packed.

    Args:
        file: Part that holds it.
        index: Its place there.
        grid: Grid of the map.
        source: Where the scene comes from, one line.
        left_out: Numbers of outlines that are not to be in the scene.
    """
    if OUTLINES not in file.names:
        return None
    first, end = (int(at) for at in file["outline_starts", index : index + 2])
    rings = []
    if end > first:
        ends: NDArray[np.int64] = file["outline_ends", max(first - 1, 0) : end]
        starts = np.concatenate([[0], ends]) if first == 0 else ends
        corners: NDArray[np.float64] = file[OUTLINES, int(starts[0]) : int(starts[-1])]
        rings = np.split(corners, starts[1:-1] - starts[0])
    kept = [i for i in range(len(rings)) if i not in left_out]
    heights_m = None
    if OUTLINE_HEIGHTS in file.names:
        known: NDArray[np.float64] = file[OUTLINE_HEIGHTS, first:end]
        heights_m = known[kept].tolist()
    rings = [rings[i] for i in kept]
    return Scene.from_footprints(grid, polygon_layer(rings, grid, heights_m).footprints, source=source)
