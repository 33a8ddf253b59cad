"""RadioMapSeer packed: one safetensors file for each part of a split.

| array | shape | holds |
|---|---|---|
| `map_ids` | (M,) | numbers of the maps |
| `tx_cells`, `tx_starts` | (N, 2), (M + 1,) | cells (row, col) of transmitters; where each map's begin |
| `corner_cells`, `corner_starts` | (V, 2), (M + 1,) | outdoor cells at building corners, likewise |
| `mask/<layer>` | (M, rows, cols) | 0 or 1 |
| `gain/<simulation>` | (N', rows, cols) | stored grey |
| `gain_starts/<simulation>` | (M + 1,) | where the images of each map begin |

Outlines and heights follow where there are any: `radiodiff.data.radiomapseer.packed_scenes`. From these, layers with
missing buildings (`radiodiff.data.missing_layers`) that are not packed are drawn when they are asked for, with seed 0.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.array_file import ArrayFile
from radiodiff.data.missing_layers import MOST_VARIANTS, USUAL_SEED, draw_missing, missing_layers, missing_mask
from radiodiff.data.radiomapseer.packed_scenes import (
    OUTLINE_HEIGHTS,
    OUTLINES,
    TX_HEIGHTS,
    outline_count,
    packed_scene,
    roofs_array,
)
from radiodiff.data.radiomapseer.store import (
    COMPLETE,
    MASKS_KEPT,
    USUAL_CELL_M,
    USUAL_FREQUENCY_HZ,
    USUAL_HEIGHT_M,
    RecentlyUsed,
    check_cells,
    no_data_set,
)
from radiodiff.data.splits import MANIFEST, Split
from radiodiff.encoding import Scale
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats.radiomapseer_heights import roof_heights_grey
from radiodiff.scene import Grid, Scene

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
        stored_scale: Scale that its gain images must have; None takes any.

    Raises:
        DataSetError: There is no such part, it is not packed, or on another scale.
        FormatError: A file is damaged or of another kind.
    """

    def __init__(self, root: Path, part: str, stored_scale: Scale | None = None) -> None:
        if not root.is_dir():
            raise no_data_set(root)
        split = Split.read(root / MANIFEST)
        split.ids(part)
        self._files = [_opened(root / f"{name}.safetensors") for name in (split.parts if part == "all" else (part,))]
        self._digests: dict[str, dict[str, str]] = {}
        for file in self._files:
            if stored_scale is not None:
                _check_scale(file, stored_scale)
            for layer, digests in json.loads(file.metadata["digests"]).items():
                self._digests.setdefault(layer, {}).update(digests)
        self._places: dict[int, tuple[ArrayFile, int]] = {}
        for file in self._files:
            ids = file["map_ids", :]
            self._places |= {int(map_id): (file, index) for index, map_id in enumerate(ids)}
        self.shape: tuple[int, int] = self._files[0].shape("mask/buildings_complete")[1:]  # type: ignore[assignment]
        has_outlines = all(OUTLINES in file.names for file in self._files)
        self._drawable = missing_layers(MOST_VARIANTS) if has_outlines else {}
        self._masks: RecentlyUsed[tuple[str, int], NDArray[np.bool_]] = RecentlyUsed(MASKS_KEPT)
        self._roofs: RecentlyUsed[tuple[str, int], NDArray[np.uint8]] = RecentlyUsed(MASKS_KEPT)

    def map_ids(self) -> tuple[int, ...]:
        """See `MapStore`."""
        return tuple(self._places)

    def has_layer(self, layer: str) -> bool:
        """See `MapStore`."""
        return all(f"mask/{layer}" in file.names for file in self._files)

    def can_draw(self, layer: str) -> bool:
        """See `MapStore`."""
        return layer in self._drawable and not self.has_layer(layer)

    def simulations(self) -> tuple[str, ...]:
        """See `MapStore`."""
        return tuple(sorted({name.removeprefix("gain/") for name in self._files[0].names if name.startswith("gain/")}))

    def tx_cells(self, map_id: int) -> NDArray[np.int64]:
        """See `MapStore`.

        Raises:
            DataSetError: A transmitter is off the map.
        """
        file, _ = self._place(map_id)
        return check_cells(self._of_map(map_id, "tx_cells", "tx_starts"), self.shape, f"{file.path}, map {map_id}")

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
        if self.can_draw(layer):
            return self._masks.get((layer, map_id), lambda: self._drawn_mask(layer, map_id))
        file, index = self._place(map_id)
        return file[f"mask/{layer}", index].view(np.bool_)

    def has_heights(self, layer: str = COMPLETE) -> bool:
        """See `MapStore`."""
        needed = OUTLINE_HEIGHTS if self.can_draw(layer) else roofs_array(layer)
        return all(needed in file.names for file in self._files)

    def roof_heights_m(self, map_id: int, layer: str = COMPLETE) -> NDArray[np.uint8]:
        """See `MapStore`.

        Raises:
            DataSetError: Heights are not packed.
        """
        if self.can_draw(layer):
            return self._roofs.get(
                (layer, map_id), lambda: roof_heights_grey(self._drawn_scene(layer, map_id).roof_height_m)
            )
        file, index = self._place(map_id)
        return file[roofs_array(layer), index]

    def tx_heights_m(self, map_id: int) -> NDArray[np.float64]:
        """See `MapStore`; those of the download where the data set has none."""
        file, _ = self._place(map_id)
        if TX_HEIGHTS not in file.names:
            return np.full(len(self.tx_cells(map_id)), USUAL_HEIGHT_M)
        return self._of_map(map_id, TX_HEIGHTS, "tx_starts")

    @property
    def frequency_hz(self) -> float:
        """See `MapStore`; that of the download where the data set does not say it."""
        return float(self._files[0].metadata.get("frequency_hz", USUAL_FREQUENCY_HZ))

    @property
    def cell_size_m(self) -> float:
        """See `MapStore`; that of the download where the data set does not say it."""
        return float(self._files[0].metadata.get("cell_size_m", USUAL_CELL_M))

    def scene(self, layer: str, map_id: int) -> Scene | None:
        """See `MapStore`: there are outlines of the complete buildings and of layers that are drawn."""
        if self.can_draw(layer):
            return self._drawn_scene(layer, map_id)
        file, index = self._place(map_id)
        return packed_scene(file, index, *self._grid_and_name(file, map_id)) if layer == COMPLETE else None

    def digest(self, layer: str, map_id: int) -> str:
        """See `MapStore`: that of the data set that was packed.

        Raises:
            DataSetError: The layer is not packed.
        """
        if self.can_draw(layer):
            parts = [self.digest(COMPLETE, map_id), sorted(self._left_out(layer, map_id))]
            return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
        digests = self._digests.get(layer, {})
        if str(map_id) not in digests:
            raise DataSetError(
                f"Layer {layer} of map {map_id} must be packed",
                value=", ".join(str(file.path) for file in self._files),
                remedy="Pack the data set again with this layer.",
            )
        return digests[str(map_id)]

    def _left_out(self, layer: str, map_id: int) -> set[int]:
        """Numbers of the outlines that a layer is drawn without."""
        return draw_missing(outline_count(*self._place(map_id)), *self._drawable[layer], (USUAL_SEED, map_id))

    def _drawn_scene(self, layer: str, map_id: int) -> Scene:
        file, index = self._place(map_id)
        grid, name = self._grid_and_name(file, map_id)
        scene = packed_scene(file, index, grid, f"{name}, {layer}", self._left_out(layer, map_id))
        assert scene is not None
        return scene

    def _drawn_mask(self, layer: str, map_id: int) -> NDArray[np.bool_]:
        scene = self._drawn_scene(layer, map_id)
        return missing_mask(scene.grid, scene.footprints or ())

    def _grid_and_name(self, file: ArrayFile, map_id: int) -> tuple[Grid, str]:
        return Grid(*self.shape, self.cell_size_m), f"{file.path}, map {map_id}"

    def _of_map(self, map_id: int, name: str, starts: str) -> NDArray[Any]:
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


def _check_scale(file: ArrayFile, wanted: Scale) -> None:
    stored = file.metadata.get("stored_scale")
    if stored != wanted:
        raise DataSetError(
            "The scale of the gain images must be the one that the data set names",
            value=f"stored_scale={wanted!r}, {file.path} says {stored!r}",
            remedy=f"Set stored_scale to {stored!r}.",
        )


def _opened(path: Path) -> ArrayFile:
    if not path.is_file():
        raise DataSetError(
            f"Part {path.stem} must be packed",
            value=f"{path.parent} without {path.name}",
            remedy="Run radiodiff dataset pack again: it completes what was interrupted.",
        )
    file = ArrayFile(path)
    is_ours = all(file.metadata.get(key) == value for key, value in PACKED_FORMAT.items())
    if not (is_ours and "digests" in file.metadata):
        raise FormatError(
            f"A packed data set must say {PACKED_FORMAT}, and digests of what it was packed from",
            value=f"{path} with {file.metadata}",
            remedy="Pack it again with this version of radiodiff.",
        )
    return file
