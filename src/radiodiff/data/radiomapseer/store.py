"""Where the arrays of RadioMapSeer come from: the PNG tree as downloaded, or (`packed`) one file per part."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.radiomapseer.corners import corner_cells
from radiodiff.encoding import Scale
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import (
    image_size,
    read_gain_image,
    read_grey_image,
    read_heights_json,
    read_json,
    read_mask_image,
    read_radiomapseer_scene,
    read_radiomapseer_transmitters,
)
from radiodiff.formats.radiomapseer import DATA_SET_RECORD, read_cell_size_m
from radiodiff.formats.radiomapseer_heights import ANTENNA_HEIGHTS, HEIGHTS, roof_heights_grey
from radiodiff.scene import Grid, Scene, Transmitter

__all__ = [
    "COMPLETE",
    "DATA_SET_RECORD",
    "FAKE_RECORD",
    "MapStore",
    "PngTree",
    "RecentlyUsed",
    "check_cells",
    "gain_count",
    "no_data_set",
]

Key = TypeVar("Key")
Value = TypeVar("Value")

FAKE_RECORD = "fake.json"
"""Settings of a made-up data set, in its folder."""

USUAL_HEIGHT_M = Transmitter.height_m
USUAL_FREQUENCY_HZ = Transmitter.frequency_hz
USUAL_CELL_M = Grid.cell_size_m
"""Those of the download, of which no file says them."""

CORNERS_KEPT = 1024
"""Corner cells of maps in memory: a few kilobytes each, ten milliseconds to make."""

MASKS_KEPT = 64
"""Building and car masks in memory, and roofs of layers, per process (64 KB each)."""

COMPLETE = "buildings_complete"

IRT4_TRANSMITTERS = 2
"""The slowest simulation exists for the first two transmitters of each map."""


class MapStore(Protocol):
    """Arrays of a data set by map number and transmitter number."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of every array."""

    def map_ids(self) -> tuple[int, ...]:
        """Maps that are there."""

    def has_layer(self, layer: str) -> bool:
        """Whether there are masks of a layer."""

    def can_draw(self, layer: str) -> bool:
        """Whether a layer without masks is drawn from the outlines when it is asked for."""

    def simulations(self) -> tuple[str, ...]:
        """Simulations with gain images, such as "DPM", "carsDPM"."""

    def tx_cells(self, map_id: int) -> NDArray[np.int64]:
        """(T, 2) cells (row, col) of the transmitters of a map."""

    def gain(self, folder: str, map_id: int, tx_id: int) -> NDArray[np.uint8]:
        """(rows, cols) stored grey of a gain image; `folder` is its simulation, such as "carsDPM"."""

    def mask(self, layer: str, map_id: int) -> NDArray[np.bool_]:
        """(rows, cols) mask of a layer, such as "buildings_complete", "buildings_missing2/5", "cars"."""

    def has_heights(self, layer: str = COMPLETE) -> bool:
        """Whether there are heights of the buildings of a layer."""

    def roof_heights_m(self, map_id: int, layer: str = COMPLETE) -> NDArray[np.uint8]:
        """(rows, cols) height of the layer's roof over each cell, whole metres, 0 outdoors [m]."""

    def tx_heights_m(self, map_id: int) -> NDArray[np.float64]:
        """(T,) height of each transmitter of a map above ground [m]."""

    @property
    def frequency_hz(self) -> float:
        """Carrier of the simulations [Hz]."""

    @property
    def cell_size_m(self) -> float:
        """Edge of a cell [m]."""

    def corner_cells(self, map_id: int) -> NDArray[np.int64]:
        """(n, 2) outdoor cells (row, col) at the corners of the complete buildings."""

    def scene(self, layer: str, map_id: int) -> Scene | None:
        """Buildings of a layer with their outlines, or None where they are not kept."""

    def digest(self, layer: str, map_id: int) -> str:
        """What identifies the buildings and transmitters that geometry channels follow from."""


class RecentlyUsed(Generic[Key, Value]):
    """A few values, the least recently used one making room. Threads may share it.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        # Outside the lock: two threads may make the same value, none waits for another.
        value = make()
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes begin with none.
        return RecentlyUsed, (self._most,)


class PngTree:
    """RadioMapSeer's folders as downloaded, or as `radiodiff dataset create` writes them.

    Args:
        root: The folder that holds `antenna`, `gain` and `png`.
        stored_scale: Scale that the gain images must have where they name one; None takes any.

    Raises:
        DataSetError: It is not there, or without these folders or any map, or made up on another scale.
        FormatError: The record of a made-up data set is damaged.
    """

    def __init__(self, root: Path, stored_scale: Scale | None = None) -> None:
        self.root = root
        self.stored_scale = stored_scale
        if not all((root / folder).is_dir() for folder in ("antenna", "gain", "png/buildings_complete")):
            raise no_data_set(root)
        self._map_ids = tuple(sorted(int(path.stem) for path in root.glob("antenna/*.json") if path.stem.isdecimal()))
        if not self._map_ids:
            raise no_data_set(root)
        self.shape = image_size(self._image(COMPLETE, self._map_ids[0]))
        self._check_fake()
        self._corners: RecentlyUsed[int, NDArray[np.int64]] = RecentlyUsed(CORNERS_KEPT)
        self._masks: RecentlyUsed[tuple[str, int], NDArray[np.bool_]] = RecentlyUsed(MASKS_KEPT)
        self._roofs: RecentlyUsed[tuple[str, int], NDArray[np.uint8]] = RecentlyUsed(MASKS_KEPT)

    def map_ids(self) -> tuple[int, ...]:
        """See `MapStore`."""
        return self._map_ids

    def has_layer(self, layer: str) -> bool:
        """See `MapStore`."""
        return (self.root / "png" / layer).is_dir()

    def can_draw(self, layer: str) -> bool:
        """See `MapStore`; `radiodiff dataset missing` writes it."""
        return False

    def simulations(self) -> tuple[str, ...]:
        """See `MapStore`."""
        return tuple(sorted(path.name for path in (self.root / "gain").iterdir() if path.is_dir()))

    def tx_cells(self, map_id: int) -> NDArray[np.int64]:
        """See `MapStore`.

        Raises:
            DataSetError: A transmitter is off the map.
            FormatError: The antenna file is absent or damaged.
        """
        path = self.root / "antenna" / f"{map_id}.json"
        cells = np.array(read_radiomapseer_transmitters(path, rows=self.shape[0]), dtype=np.int64).reshape(-1, 2)
        return check_cells(cells[:, ::-1], self.shape, path)

    def has_heights(self, layer: str = COMPLETE) -> bool:
        """See `MapStore`; other layers than the complete buildings have those of their outlines."""
        needed = ["png/heights"] if layer == COMPLETE else ["polygon/heights", f"polygon/{layer}"]
        return all((self.root / folder).is_dir() for folder in needed)

    def roof_heights_m(self, map_id: int, layer: str = COMPLETE) -> NDArray[np.uint8]:
        """See `MapStore`.

        Raises:
            FormatError: The image of the complete buildings, or the outlines of the layer, are absent or damaged.
            DataSetError: The image has another size.
            SceneError: An outline of the layer has no height.
        """
        if layer != COMPLETE:
            return self._roofs.get((layer, map_id), lambda: roof_heights_grey(self.scene(layer, map_id).roof_height_m))
        path = self._image(HEIGHTS, map_id)
        heights_m, _ = read_grey_image(path)
        self._check_size(path, heights_m)
        return heights_m

    def tx_heights_m(self, map_id: int) -> NDArray[np.float64]:
        """See `MapStore`; those of the download where the data set has no folder of them.

        Raises:
            DataSetError: A transmitter is off the map.
            FormatError: A file is absent or damaged, or holds another number of heights than of transmitters.
        """
        count = len(self.tx_cells(map_id))
        folder = self.root / ANTENNA_HEIGHTS
        if not folder.is_dir():
            return np.full(count, USUAL_HEIGHT_M)
        return np.array(read_heights_json(folder / f"{map_id}.json", count), dtype=np.float64)

    @cached_property
    def frequency_hz(self) -> float:
        """See `MapStore`; that of the download where no record says it.

        Raises:
            FormatError: The record is damaged.
        """
        path = self.root / DATA_SET_RECORD
        record = read_json(path) if path.is_file() else {}
        found: Any = record.get("frequency_hz", USUAL_FREQUENCY_HZ) if isinstance(record, dict) else None
        if not (type(found) in (int, float) and found > 0):
            raise FormatError(
                f"{DATA_SET_RECORD} must hold settings, and its frequency_hz be a number above 0",
                value=f"{path}, frequency_hz {found!r}",
                remedy="It is damaged or of another program: make the data set again.",
            )
        return float(found)

    @cached_property
    def cell_size_m(self) -> float:
        """See `MapStore`.

        Raises:
            FormatError: The record is damaged.
        """
        return read_cell_size_m(self.root)

    def gain(self, folder: str, map_id: int, tx_id: int) -> NDArray[np.uint8]:
        """See `MapStore`.

        Raises:
            FormatError: The image is absent, damaged or not grey, or names another scale.
            DataSetError: It has another size, or is zero everywhere.
        """
        path = self.root / "gain" / folder / f"{map_id}_{tx_id}.png"
        grey = read_gain_image(path, self.stored_scale)
        self._check_size(path, grey)
        if not grey.any():
            raise DataSetError(
                "A gain image must hold a map", value=f"{path}, 0 everywhere", remedy="Copy it again from the download."
            )
        return grey

    def mask(self, layer: str, map_id: int) -> NDArray[np.bool_]:
        """See `MapStore`.

        Raises:
            FormatError: The image is absent, damaged or not binary.
            DataSetError: It has another size.
        """

        def read() -> NDArray[np.bool_]:
            path = self._image(layer, map_id)
            mask = read_mask_image(path)
            self._check_size(path, mask)
            return mask

        return self._masks.get((layer, map_id), read)

    def corner_cells(self, map_id: int) -> NDArray[np.int64]:
        """See `MapStore`.

        Raises:
            FormatError: The outlines are absent or damaged.
        """
        return self._corners.get(
            map_id, lambda: corner_cells(self.scene(COMPLETE, map_id), self.mask(COMPLETE, map_id))
        )

    def scene(self, layer: str, map_id: int) -> Scene:
        """See `MapStore`.

        Raises:
            FormatError: The outlines are absent or damaged.
        """
        return read_radiomapseer_scene(self.root, map_id, buildings=layer.removeprefix("buildings_"))

    def digest(self, layer: str, map_id: int) -> str:
        """See `MapStore`."""
        outlines = self.root / "polygon" / layer / f"{map_id}.json"
        files = [self.root / "antenna" / f"{map_id}.json", outlines, self._image(layer, map_id)]
        # Digests of data sets without heights stay what they were.
        heights = (self.root / "polygon" / HEIGHTS / outlines.name, self.root / ANTENNA_HEIGHTS / outlines.name)
        files += [file for file in heights if file.is_file()]
        if layer != COMPLETE and self.has_heights(layer):
            # The heights of its outlines follow from these.
            files.append(self.root / "polygon" / COMPLETE / outlines.name)
        content = hashlib.sha256()
        for file in files:
            content.update(hashlib.sha256(file.read_bytes() if file.is_file() else b"").digest())
        if self.cell_size_m != USUAL_CELL_M:
            content.update(repr(self.cell_size_m).encode())
        return content.hexdigest()[:16]

    def _check_fake(self) -> None:
        """Check the scale of a made-up data set, whose images name none, as those of the download."""
        if self.stored_scale is None or not (self.root / FAKE_RECORD).is_file():
            return
        record = read_json(self.root / FAKE_RECORD)
        scale = "thresholded" if isinstance(record, dict) and record.get("thresholded") else "raw"
        if scale != self.stored_scale:
            raise DataSetError(
                "The scale of the gain images must be the one that the data set names",
                value=f"stored_scale={self.stored_scale!r}, {self.root / FAKE_RECORD} says {scale!r}",
                remedy=f"Set stored_scale (dataset pack: --stored-scale) to {scale!r}.",
            )

    def _image(self, layer: str, map_id: int) -> Path:
        return self.root / "png" / layer / f"{map_id}.png"

    def _check_size(self, path: Path, image: NDArray[Any]) -> None:
        if image.shape != self.shape:
            raise DataSetError(
                f"All images of a data set must have one size, here {self.shape[0]} x {self.shape[1]}",
                value=f"{path} of {image.shape[0]} x {image.shape[1]}",
                remedy="Keep maps of different sizes in different folders.",
            )


def check_cells(cells: NDArray[np.int64], shape: tuple[int, int], where: object) -> NDArray[np.int64]:
    """The cells (T, 2) of transmitters, once all are on the map.

    Raises:
        DataSetError: One is not.
    """
    outside = ~((cells >= 0) & (cells < shape)).all(axis=1)
    if outside.any():
        tx_id = int(np.flatnonzero(outside)[0])
        raise DataSetError(
            f"Transmitters must stand on the map of {shape[0]} x {shape[1]} cells",
            value=f"{where}, transmitter {tx_id} at row {cells[tx_id, 0]}, column {cells[tx_id, 1]}",
            remedy="Run radiodiff dataset validate on the folder, and copy the file again.",
        )
    return cells


def gain_count(folder: str, num_transmitters: int) -> int:
    """Gain images of a map in a simulation's folder."""
    return min(num_transmitters, IRT4_TRANSMITTERS) if folder.endswith("IRT4") else num_transmitters


def no_data_set(root: Path) -> DataSetError:
    """The error for a folder that is no RadioMapSeer data set."""
    return DataSetError(
        "A RadioMapSeer folder must hold antenna/<map>.json, gain/<simulation>/<map>_<tx>.png and "
        "png/buildings_complete/<map>.png, or be packed (train.safetensors, ...)",
        value=f"{root}{'' if root.is_dir() else ', which is a file' if root.exists() else ', which is not there'}",
        remedy="Download RadioMapSeer from IEEE DataPort (doi 10.21227/0gtx-6v30) and give the unpacked folder, or "
        "make a data set: radiodiff dataset create --help.",
    )
