"""RadioMapSeer packed: one safetensors file for each part of a split.

| array | shape | holds |
|---|---|---|
| `map_ids` | (M,) | numbers of the maps |
| `tx_cells`, `tx_starts` | (N, 2), (M + 1,) | cells (row, col) of transmitters; where each map's begin |
| `corner_cells`, `corner_starts` | (V, 2), (M + 1,) | outdoor cells at building corners, likewise |
| `mask/<layer>` | (M, rows, cols) | 0 or 1 |
| `gain/<simulation>` | (N', rows, cols) | stored grey |
| `gain_starts/<simulation>` | (M + 1,) | where the images of each map begin |
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.array_file import ArrayFile
from radiodiff.data.radiomapseer.store import no_data_set
from radiodiff.data.splits import MANIFEST, Split
from radiodiff.errors import DataSetError, FormatError

__all__ = ["PACKED_FORMAT", "PACKED_RECORD", "PackedMaps", "is_packed"]

PACKED_FORMAT = {"format": "radiodiff-packed-maps", "format_version": "1"}

PACKED_RECORD = "packed.json"
"""File with the settings of a packed data set, written first."""


def is_packed(root: Path) -> bool:
    """Whether a folder holds a packed data set, or the beginning of one."""
    return (root / PACKED_RECORD).is_file()


class PackedMaps:
    """A part of a packed data set, or all of them.

    Args:
        root: The folder.
        part: A part of its split, or "all".

    Raises:
        DataSetError: There is no such part, or it is not packed.
        FormatError: A file is damaged or of another kind.
    """

    def __init__(self, root: Path, part: str) -> None:
        if not root.is_dir():
            raise no_data_set(root)
        split = Split.read(root / MANIFEST)
        split.ids(part)
        self._files = [_opened(root / f"{name}.safetensors") for name in (split.parts if part == "all" else (part,))]
        self._places: dict[int, tuple[ArrayFile, int]] = {}
        for file in self._files:
            ids = file["map_ids", :]
            self._places |= {int(map_id): (file, index) for index, map_id in enumerate(ids)}
        self.shape: tuple[int, int] = self._files[0].shape("mask/buildings_complete")[1:]  # type: ignore[assignment]

    def map_ids(self) -> tuple[int, ...]:
        """See `MapStore`."""
        return tuple(self._places)

    def tx_cells(self, map_id: int) -> NDArray[np.int64]:
        """See `MapStore`."""
        return self._of_map(map_id, "tx_cells", "tx_starts")

    def corner_cells(self, map_id: int) -> NDArray[np.int64]:
        """See `MapStore`."""
        return self._of_map(map_id, "corner_cells", "corner_starts")

    def gain(self, folder: str, map_id: int, tx_id: int) -> NDArray[np.uint8]:
        """See `MapStore`.

        Raises:
            DataSetError: The simulation is not packed.
        """
        file, index = self._place(map_id)
        start, end = file[f"gain_starts/{folder}", slice(index, index + 2)]
        if not 0 <= tx_id < end - start:
            raise DataSetError(
                f"Map {map_id} has {end - start} transmitters in {folder}",
                value=f"transmitter {tx_id} of {file.path}",
                remedy="Pack the data set again.",
            )
        return file[f"gain/{folder}", int(start) + tx_id]

    def mask(self, layer: str, map_id: int) -> NDArray[np.bool_]:
        """See `MapStore`.

        Raises:
            DataSetError: The layer is not packed.
        """
        file, index = self._place(map_id)
        return file[f"mask/{layer}", index].view(np.bool_)

    def scene(self, layer: str, map_id: int) -> None:
        """See `MapStore`: outlines are not packed."""

    def _of_map(self, map_id: int, name: str, starts: str) -> NDArray[np.int64]:
        file, index = self._place(map_id)
        start, end = (int(i) for i in file[starts, slice(index, index + 2)])
        found: NDArray[Any] = file[name, slice(start, end)]
        return found

    def _place(self, map_id: int) -> tuple[ArrayFile, int]:
        if map_id not in self._places:
            raise DataSetError(
                f"Map {map_id} must be packed",
                value=", ".join(str(file.path) for file in self._files),
                remedy="Use the split that the data set was packed by.",
            )
        return self._places[map_id]


def _opened(path: Path) -> ArrayFile:
    if not path.is_file():
        raise DataSetError(
            f"Part {path.stem} must be packed",
            value=f"{path.parent} without {path.name}",
            remedy="Run radiodiff dataset pack again: it completes what was interrupted.",
        )
    file = ArrayFile(path)
    if any(file.metadata.get(key) != value for key, value in PACKED_FORMAT.items()):
        raise FormatError(
            f"A packed data set must say {PACKED_FORMAT}",
            value=f"{path} with {file.metadata}",
            remedy="Pack it again with this version of radiodiff.",
        )
    return file
