"""Geometry channels on disk: computed once for a map, read back by memory map.

A file `<folder>/<layer>/<map>-<digest>.safetensors` holds `channels`, (T, 8, rows, cols) uint16: the encoded channels
of the first T transmitters, 0 for -1 and 65535 for +1, in steps 257 times finer than the grey levels of the target. The
digest is that of all they follow from: outlines, transmitters, law, ranges, size. Other data sets, or changed ones, may
therefore share a folder; files that nothing asks for any more stay until they are deleted.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.data.array_file import ArrayFile, ArrayLayout, map_arrays
from radiodiff.data.create import check_count
from radiodiff.data.radiomapseer.store import MapStore, RecentlyUsed
from radiodiff.data.worker_pool import run_tasks
from radiodiff.encoding import CHANNELS, encode_geometry
from radiodiff.errors import DataSetError, FormatError
from radiodiff.propagation import GEOMETRY_CHANNELS, RADIOMAPSEER_LAW, GeometrySolver
from radiodiff.propagation.geometry import LAUNCHED_RAYS
from radiodiff.scene import Transmitter

__all__ = ["GEOMETRY_FOLDER", "GeometryCache"]

GEOMETRY_FOLDER = "geometry"
"""Where the files of a data set are by default, in its folder."""

FORMAT = {"format": "radiodiff-geometry", "format_version": "1"}
"""The version counts when the kernels compute something else."""
STEPS = 65535

MAKING = threading.Lock()
"""A map takes a second: of two threads that want the same one, one makes it."""

FILES_KEPT = 32
"""Files open at a time, per process."""


class GeometryCache:
    """Encoded geometry channels of a data set.

    Args:
        folder: Where the files are.
        store: The data set.
        num_tx: Transmitters of each map that are needed, the first ones; None for all.
    """

    def __init__(self, folder: Path, store: MapStore, num_tx: int | None = None) -> None:
        self.folder = folder
        self.store = store
        self.num_tx = num_tx
        self._files: RecentlyUsed[tuple[str, int], ArrayFile] = RecentlyUsed(FILES_KEPT)

    def channels(self, layer: str, map_id: int, tx_id: int, names: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encoded channels (rows, cols) by name, computed for the whole map where it is not in the cache.

        Raises:
            DataSetError: A map has to be computed of a packed data set, which has no outlines.
            FormatError: The outlines are absent or damaged, or the cache cannot be written.
            TransmitterError: A transmitter stands inside a building.
        """
        file = self._files.get((layer, map_id), lambda: self._current(layer, map_id))
        return [
            file["channels", (tx_id, GEOMETRY_CHANNELS.index(name))].astype(np.float32) * np.float32(2 / STEPS)
            - np.float32(1)
            for name in names
        ]

    def fill(
        self, map_ids: Iterable[int], layer: str = "buildings_complete", *, workers: int = 1
    ) -> Iterator[tuple[int, int]]:
        """Compute what is not in the cache.

        Args:
            map_ids: Maps.
            layer: Buildings.
            workers: Processes.

        Yields:
            (maps done, maps wanted).

        Raises:
            DataSetError: See `channels`.
            FormatError: See `channels`.
            InputError: `workers` is not positive.
        """
        check_count("workers", workers, 1)
        wanted = tuple(map_ids)
        yield 0, len(wanted)
        task = partial(_fill_map, self, layer)
        for done, _ in enumerate(run_tasks(task, wanted, workers), 1):
            yield done, len(wanted)

    def _current(self, layer: str, map_id: int) -> ArrayFile:
        """The file of a map, made first where it is not there or has too few transmitters."""
        identity = self._identity(layer, map_id)
        name = f"{map_id}-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]}.safetensors"
        path = self.folder / layer / name
        cells = self.store.tx_cells(map_id)[: self.num_tx]
        while True:
            if (file := _opened(path, len(cells))) is not None:
                return file
            with MAKING:
                # Another thread may have made it meanwhile.
                if _opened(path, len(cells)) is None:
                    self._make(path, layer, map_id, cells, identity)

    def _make(self, path: Path, layer: str, map_id: int, cells: NDArray[np.int64], identity: dict[str, str]) -> None:
        scene = self.store.scene(layer, map_id)
        if scene is None:
            raise DataSetError(
                "Geometry channels of a packed data set without outlines must be computed before",
                value=f"{path} is not there, damaged, or has too few transmitters",
                remedy="Pack with --geometry, or read the PNG tree.",
            )
        solver = GeometrySolver(scene)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FormatError(
                "The cache of geometry channels must be writable",
                value=f"{path.parent} ({error})",
                remedy="Set geometry_cache to another folder.",
            ) from error
        layout = ArrayLayout((len(cells), len(GEOMETRY_CHANNELS), *self.store.shape), "uint16")
        with atomic_write(path) as temporary:
            channels = map_arrays(temporary, {"channels": layout}, identity)["channels"]
            heights_m = self.store.tx_heights_m(map_id).tolist()
            for index, (row, col) in enumerate(cells.tolist()):
                physical = solver.channels(Transmitter.at_cell(scene.grid, col, row, height_m=heights_m[index]))
                encoded = encode_geometry(GEOMETRY_CHANNELS, physical, scene.buildings)
                channels[index] = np.rint((encoded + 1.0) * (STEPS / 2.0))
            # Closed before the file is moved.
            del channels

    def _identity(self, layer: str, map_id: int) -> dict[str, str]:
        """What the content of a file follows from."""
        return {
            **FORMAT,
            "law": json.dumps(asdict(RADIOMAPSEER_LAW)),
            "rays": json.dumps(asdict(LAUNCHED_RAYS)),
            "ranges": json.dumps([asdict(CHANNELS[name]) for name in GEOMETRY_CHANNELS]),
            "shape": json.dumps(self.store.shape),
            "sources": self.store.digest(layer, map_id),
        }


def _opened(path: Path, num_tx: int) -> ArrayFile | None:
    """The file of a map, where it is there, whole, and for so many transmitters."""
    try:
        file = ArrayFile(path)
    except FormatError:
        # Made again: it holds nothing that cannot be computed.
        return None
    return file if file.shape("channels")[0] >= num_tx else None


def _fill_map(cache: GeometryCache, layer: str, map_id: int) -> int:
    cache._current(layer, map_id)
    return map_id
