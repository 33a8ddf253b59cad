"""Examples whose target is an edge map: what `radiodiff dataset edges` writes, and other pairs of images and edges.

| folder | condition |
|---|---|
| `<part>/edge/<path>.png`, `<part>/image/<path>.png` | the image; or, with `scene`, buildings, transmitter and cars |
| `edge/<path>.png`, `image/<path>.png` | the same; its only part is "all" |
| `<path>.png` with the record `edges.json` | the same, the images at the place the record names, or in `images` |
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.edges.pairs import Pair, find_pairs, numbers_of, read_record
from radiodiff.data.edges.sources import map_and_tx
from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.placement import Placement, draw_symmetry, symmetries_of, turn_array, turn_cells
from radiodiff.encoding import CHANNELS, Channel, Encoding
from radiodiff.errors import DataSetError
from radiodiff.formats import read_grey_image

__all__ = ["EDGE", "IMAGE", "UNKNOWN", "EdgeDataSet"]

EDGE = Channel("edge", 0.0, 1.0, is_mask=True)

IMAGE = Channel("image_grey", 0.0, 255.0)

SCENE = tuple(CHANNELS[name] for name in ("buildings", "transmitter", "cars"))

UNKNOWN = -1
"""Number of a map or transmitter, row and column of a transmitter, where files do not say them."""


class EdgeDataSet:
    """Edge maps and their conditions.

    `data[i]` is draw 0 of example i, `data[i, draw]` another one; `radiodiff.data.loader.BatchLoader` makes batches.
    With `uncertain="ignored"` every example has a mask.

    Args:
        config: What to read.

    Attributes:
        config: What was asked for.
        encoding: Channels of condition and target.
        scale: Always "binary": the target is a mask, 1 on edges and -1 elsewhere, not a path loss on one of the grey
            scales.

    Raises:
        DataSetError: The folder holds no edges, an unfinished run or no such part; an edge has no image, or an image no
            edge; names do not say the maps that a scene or a split needs.
        FormatError: The record or the manifest is damaged.
    """

    def __init__(self, config: EdgeDataSetConfig) -> None:
        self.config = config
        self.encoding = Encoding((IMAGE,) if config.scene is None else SCENE, EDGE)
        record = read_record(config.root)
        self._pairs = find_pairs(config, record)
        self._scenes = None
        if config.scene is not None:
            self._scenes = _Scenes(config.scene, self._pairs, cars=config.cars, resized=record.get("size") is not None)

    @property
    def scale(self) -> str:
        """What the target means: "binary", a mask."""
        return "binary"

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int | Draw) -> Example:
        """An example, by its number or by number and draw.

        Raises:
            IndexError: There is no such example.
            FormatError: A file is absent, damaged or not grey.
            DataSetError: Edges and condition have different sizes, or there is no such transmitter.
        """
        return self._example(*numbered(index, len(self)))

    def in_symmetry(self, number: int, symmetry: int) -> Example:
        """An example in a symmetry.

        Raises:
            IndexError: There is no such example.
            FormatError: See `data[index]`.
            DataSetError: See `data[index]`.
        """
        return self._example(*numbered(number, len(self)), symmetry)

    def _example(self, number: int, draw: int, wanted: int | None = None) -> Example:
        pair = self._pairs[number]
        level, _ = read_grey_image(pair.edge)
        map_id, tx_id = map_and_tx(pair.path) or (UNKNOWN, UNKNOWN)
        tx = None
        if self._scenes is None:
            values = _image_condition(pair, level.shape)
        else:
            values, tx = self._scenes.condition(pair, level.shape)
        symmetry = wanted or 0
        if wanted is None and self.config.augment:
            symmetry = draw_symmetry(np.random.default_rng((self.config.seed, draw, number)), level.shape)
        if symmetry:
            if tx is not None:
                tx = turn_cells(tx, level.shape, symmetry)
            level = turn_array(level, symmetry)
            values = {name: turn_array(array, symmetry) for name, array in values.items()}
        is_edge = level >= 255.0 * self.config.threshold
        return Example(
            target=EDGE.encode(is_edge)[None],
            condition=self.encoding.encode_condition(values),
            tx=(UNKNOWN, UNKNOWN) if tx is None else (int(tx[0, 0]), int(tx[0, 1])),
            map_id=map_id,
            tx_id=tx_id,
            name=Path(pair.path).stem,
            content=level.shape,
            mask=(is_edge | (level == 0))[None] if self.config.uncertain == "ignored" else None,
            symmetry=symmetry,
        )

    def without_target(self, index: int | Draw) -> Example:
        """An example whose target has no channels.

        Raises:
            IndexError: There is no such example.
            FormatError: See `data[index]`.
            DataSetError: See `data[index]`.
        """
        example = self[index]
        return replace(example, target=example.target[:0])

    def target(self, number: int, symmetry: int) -> NDArray[np.float32]:
        """Encoded target (1, rows, cols) of an example in a symmetry.

        Raises:
            IndexError: There is no such example.
            FormatError: The file is absent, damaged or not grey.
        """
        numbered(number, len(self))
        level, _ = read_grey_image(self._pairs[number].edge)
        return EDGE.encode(turn_array(level, symmetry) >= 255.0 * self.config.threshold)[None]

    @property
    def symmetries(self) -> tuple[int, ...]:
        """Symmetries that examples may be in."""
        return symmetries_of(self.target(0, 0).shape[-2:]) if self.config.augment else (0,)

    @property
    def example_names(self) -> tuple[str, ...]:
        """Paths of the edge maps below their folder, without suffix, in order."""
        return tuple(str(Path(pair.path).with_suffix("")) for pair in self._pairs)


def _image_condition(pair: Pair, shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    assert pair.image is not None
    image, _ = read_grey_image(pair.image)
    if image.shape != shape:
        raise DataSetError(
            "An image and its edges must have one size",
            value=f"{pair.image} of {image.shape[0]} x {image.shape[1]}, {pair.edge} of {shape[0]} x {shape[1]}",
            remedy="Make the edges anew with --split, which writes the images in the same size.",
        )
    return {IMAGE.name: image}


class _Scenes:
    """Conditions from the buildings, transmitters and cars of a data set in RadioMapSeer's layout.

    Args:
        root: The data set.
        pairs: Edge maps that need a condition.
        cars: Show the cars.
        resized: Edges may have another size than the scenes, which are then resampled.
    """

    def __init__(self, root: Path, pairs: tuple[Pair, ...], *, cars: bool, resized: bool) -> None:
        # Here, not above: the readers of both data sets may be imported in either order.
        from radiodiff.data.radiomapseer.store import PngTree

        self._tree: PngTree = PngTree(root)
        self._cars = cars
        self._resized = resized
        self._cells: dict[int, NDArray[np.int64]] = {}
        there = set(self._tree.map_ids())
        for pair in pairs:
            map_id, tx_id = numbers_of(pair.edge)
            if map_id in there and map_id not in self._cells:
                self._cells[map_id] = self._tree.tx_cells(map_id)
            num_transmitters = len(self._cells.get(map_id, ()))
            if not tx_id < num_transmitters:
                raise DataSetError(
                    "The scenes must hold the map and the transmitter of every edge map",
                    value=f"{pair.edge}, with {num_transmitters} transmitters on map {map_id} of {root}",
                    remedy="Give the data set that the edges were made of as scene.",
                )

    def condition(self, pair: Pair, shape: tuple[int, int]) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
        """Masks (rows, cols) by channel name, and the cell (1, 2) of the transmitter."""
        tree = self._tree
        if shape != tree.shape and not self._resized:
            raise DataSetError(
                f"Edges must have the size of their scenes, {tree.shape[0]} x {tree.shape[1]}",
                value=f"{pair.edge} of {shape[0]} x {shape[1]}",
                remedy="Give the data set that the edges were made of as scene.",
            )
        map_id, tx_id = numbers_of(pair.edge)
        placement = Placement(tree.shape, shape)
        cell = placement.move(self._cells[map_id][tx_id : tx_id + 1])
        values = {channel.name: np.zeros(shape, dtype=np.float32) for channel in SCENE}
        for name, layer in (("buildings", "buildings_complete"), *((("cars", "cars"),) if self._cars else ())):
            placement.place(tree.mask(layer, map_id).astype(np.float32), values[name], is_mask=True)
        values["transmitter"][cell[0, 0], cell[0, 1]] = 1.0
        return values, cell
