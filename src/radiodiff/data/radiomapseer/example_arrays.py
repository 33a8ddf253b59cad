"""The arrays of one example of RadioMapSeer, drawn and turned, each computed when it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.curvature import curvature_map
from radiodiff.data.edges.detect import DetectOptions, detect_edges
from radiodiff.data.placement import Placement, draw_symmetry, turn_array, turn_cells
from radiodiff.data.radiomapseer.config import MeasurementsConfig, RadioMapSeerConfig
from radiodiff.data.radiomapseer.geometry_cache import GeometryCache
from radiodiff.data.radiomapseer.measurements import draw_measured_cells, measurable_cells
from radiodiff.data.radiomapseer.store import COMPLETE, MapStore
from radiodiff.encoding import CHANNELS, Channel
from radiodiff.errors import DataSetError
from radiodiff.formats import read_grey_image
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation import GEOMETRY_CHANNELS, RADIOMAPSEER_LAW

__all__ = ["ExampleArrays", "ExampleReader"]

Array = NDArray[np.float32]

MASK_TABLE = CHANNELS["buildings"].encode([0.0, 1.0])


@dataclass(frozen=True)
class ExampleReader:
    """What all examples of a data set share.

    Attributes:
        config: Settings.
        store: Arrays of the data set.
        cache: Its geometry channels.
        target: Channel of the target.
        table: Encoded target of each stored grey level, (256,).
        variants: Layers that the condition may show, by the number of buildings left out; empty for the complete ones.
    """

    config: RadioMapSeerConfig
    store: MapStore
    cache: GeometryCache
    target: Channel
    table: Array
    variants: Mapping[int, Sequence[str]]


class ExampleArrays:
    """Arrays of one example, in the size of the files and turned where nothing else is said.

    Args:
        reader: What all examples share.
        key: Numbers of the map and the transmitter.
        cell: (row, col) of the transmitter.
        random: Source of the draws.
        symmetry: The symmetry; None draws it where the settings say so.
    """

    def __init__(
        self,
        reader: ExampleReader,
        key: tuple[int, int],
        cell: NDArray[np.int64],
        random: np.random.Generator,
        symmetry: int | None = None,
    ) -> None:
        self._reader, self._config, self._store = reader, reader.config, reader.store
        self._map_id, self._tx_id = key
        self._name = f"{key[0]}_{key[1]}.png"
        self._random = random
        shape, size = reader.store.shape, self._config.size
        # The order of the draws is part of what a seed means.
        drawn = draw_symmetry(random, shape) if self._config.augment else 0
        self.symmetry = drawn if symmetry is None else symmetry
        self._layer = self._draw_layer()
        self.native_tx: tuple[int, int] = tuple(turn_cells(cell[None], shape, self.symmetry)[0].tolist())
        # A symmetry is only drawn where it keeps the shape.
        self.placement = Placement(shape, None if size is None else (size, size), self._config.fit)
        self.tx: tuple[int, int] = tuple(self.placement.move(np.array([self.native_tx]))[0].tolist())

    def fill_target(self, out: Array) -> None:
        """Put the encoded target into an array of the example's size."""
        self.placement.place(self.target, out, is_mask=False)

    def fill_channel(self, name: str, out: Array) -> None:
        """Put an encoded channel of the condition into an array of the example's size."""
        if name == "transmitter":
            out[:] = -1.0
            out[self.tx] = 1.0
        elif name == "buildings":
            self._fill_mask(self._layer, out)
        elif name == "cars":
            third = self._config.third_channel
            if third == "empty":
                out[:] = -1.0
            else:
                self._fill_mask("cars" if third == "cars" else self._layer, out)
        elif name in GEOMETRY_CHANNELS:
            self.placement.place(self._geometry[name], out, is_mask=CHANNELS[name].is_mask)
        elif name == "k2":
            level = self._predicted_level()
            self.placement.place(CHANNELS["k2"].encode(self._curvature(level, self._layer)), out, is_mask=False)
        elif name == "building_height_m":
            # Roofs have edges: what lies between two of them is no height.
            self.placement.place(CHANNELS[name].encode(self._shown_roofs_m()), out, is_mask=True)
        elif name == "transmitter_height_m":
            height_m = np.full(self.placement.shape, self._store.tx_heights_m(self._map_id)[self._tx_id])
            self.placement.place(CHANNELS[name].encode(height_m), out, is_mask=True)
        else:
            self._fill_measured(out, is_value=name != "measurement_mask")

    def fill_weight(self, out: Array) -> None:
        """Put the weights of the cells, [0, 1], into an array of the example's size."""
        wanted = self._config.edge_weights
        if isinstance(wanted, Path):
            weight = self._image(wanted).astype(np.float32) / np.float32(255.0)
            self.placement.place(weight, out, is_mask=True, outside=0.0)
        elif wanted == "k2":
            weight = self._curvature((self.target + 1.0) * 0.5, COMPLETE)
            self.placement.place(weight, out, is_mask=False, outside=0.0)
        else:
            assert wanted is not None
            out[:] = 0.0
            rows, cols = self.placement.content
            # Edges of the target as it is given: resized edges of one cell would break or thicken.
            resized = np.empty(self.placement.out_shape, dtype=np.float32)
            self.fill_target(resized)
            grey = np.rint((resized[:rows, :cols] + 1.0) * 127.5).astype(np.uint8)
            out[:rows, :cols] = detect_edges(grey, wanted, DetectOptions(contour_scale=self._config.scale))

    def counting(self) -> NDArray[np.bool_]:
        """Cells that count where rays leave cells without a value, of the example's size."""
        counts = np.empty(self.placement.out_shape, dtype=np.float32)
        self.placement.place((~self._holes).astype(np.float32), counts, is_mask=True, outside=1.0)
        return counts > 0.5

    @cached_property
    def _gains(self) -> list[NDArray[np.uint8]]:
        """Stored grey of the images that the target comes from."""
        folders = self._config.gain_folders
        return [turn_array(self._store.gain(name, self._map_id, self._tx_id), self.symmetry) for name in folders]

    @property
    def _has_value(self) -> NDArray[np.bool_]:
        """Cells of the target that are above the low end of the stored scale."""
        return self._gains[0] > 0 if self._config.is_traced else self.target > -1.0

    @cached_property
    def _holes(self) -> NDArray[np.bool_]:
        """Cells that rays leave without a value; one in or beside a building may be a wall, and is no hole."""
        return measurable_cells(self._mask(COMPLETE), self._has_value) & ~self._has_value

    @cached_property
    def target(self) -> Array:
        """Encoded target; what no ray has found, and does not count, is as the nearest cell with a value."""
        if len(self._gains) == 1:
            encoded = np.take(self._reader.table, self._gains[0], mode="clip")
            return _without_holes(encoded, self._holes, self._has_value) if self._config.is_traced else encoded
        weight = self._config.mix_weight
        weight = self._random.uniform() if weight is None else weight
        grey = weight * self._gains[0].astype(np.float64) + (1.0 - weight) * self._gains[1]
        thresholded = self._config.stored_scale == "thresholded"
        return self._reader.target.encode(RADIOMAPSEER_GREY.to_path_loss_db(grey, thresholded=thresholded))

    def _draw_layer(self) -> str:
        chosen, variants = self._config.buildings, self._reader.variants
        # What is fixed is not drawn: the draws that follow are the same.
        if not variants or (chosen.share < 1 and self._random.random() >= chosen.share):
            return COMPLETE
        counts = list(variants)
        layers = variants[counts[int(self._random.integers(len(counts)))] if chosen.count == "random" else counts[0]]
        return layers[int(self._random.integers(len(layers)))] if chosen.variant == "random" else layers[0]

    def _mask(self, layer: str) -> NDArray[np.bool_]:
        return turn_array(self._store.mask(layer, self._map_id), self.symmetry)

    def _fill_mask(self, layer: str, out: Array) -> None:
        self.placement.place(np.take(MASK_TABLE, self._mask(layer).view(np.uint8), mode="clip"), out, is_mask=True)

    @cached_property
    def _geometry(self) -> dict[str, Array]:
        names = list(self._config.geometry)
        if self._config.k2 == "dominant-path" and "dominant_path_gain_db" not in names:
            names.append("dominant_path_gain_db")
        channels = self._reader.cache.channels(self._layer, self._map_id, self._tx_id, names)
        return {name: turn_array(array, self.symmetry) for name, array in zip(names, channels, strict=True)}

    def _predicted_level(self) -> NDArray[np.floating]:
        """Grey level in [0, 1] of the prediction that the curvature is computed from."""
        source = self._config.k2
        if isinstance(source, Path):
            image = self._image(source)
            if not self._config.allow_answer_channels and any(np.array_equal(image, gain) for gain in self._gains):
                raise DataSetError(
                    "The curvature channel must come from a prediction, not from the target",
                    value=f"{source / self._name}, which is equal to the target",
                    remedy="Give a folder of predictions, or set allow_answer_channels where this is meant.",
                )
            return image.astype(np.float64) / 255.0
        if source == "dominant-path":
            return (self._geometry["dominant_path_gain_db"] + 1.0) * 0.5
        row, col = np.ogrid[: self.placement.shape[0], : self.placement.shape[1]]
        distance_m = np.hypot(row - self.native_tx[0], col - self.native_tx[1]) * self._store.cell_size_m
        loss_db = RADIOMAPSEER_LAW.line_of_sight_loss_db(distance_m)
        return RADIOMAPSEER_GREY.to_level(loss_db, thresholded=False)

    def _curvature(self, level: NDArray[np.floating], layer: str) -> Array:
        excluded = self._mask(layer).copy()
        excluded[self.native_tx] = True
        return curvature_map(level, excluded)

    def _shown_roofs_m(self) -> NDArray[np.uint8]:
        """Heights of the roofs that the condition shows; those of the others are 0 [m]."""
        roofs_m = turn_array(self._store.roof_heights_m(self._map_id, self._layer), self.symmetry)
        if self._config.unknown_heights == 0:
            return roofs_m
        from scipy.ndimage import label

        houses, count = label(roofs_m > 0)
        is_shown = self._random.random(count + 1) >= self._config.unknown_heights
        return np.where(is_shown[houses], roofs_m, 0).astype(np.uint8)

    def _image(self, folder: Path) -> NDArray[np.uint8]:
        """The grey image of this example in a folder of the user's."""
        path = folder / self._name
        grey, _ = read_grey_image(path)
        rows, cols = self._store.shape
        if grey.shape != (rows, cols):
            raise DataSetError(
                f"An image that belongs to an example must have its {rows} x {cols} cells",
                value=f"{path} of {grey.shape[0]} x {grey.shape[1]}",
                remedy="Make the images from the same data set.",
            )
        return turn_array(grey, self.symmetry)

    @cached_property
    def _measured(self) -> tuple[NDArray[np.int64], Array]:
        """Measured cells (n, 2) and their encoded path loss (n,)."""
        config = self._measurements
        measurable = measurable_cells(self._mask(COMPLETE), self._has_value)
        if self._config.is_traced:
            measurable &= self._has_value
        corners = np.empty((0, 2), dtype=np.int64)
        if config.kind == "vertices":
            corners = turn_cells(self._store.corner_cells(self._map_id), self._store.shape, self.symmetry)
        cells = draw_measured_cells(config, self._random, measurable, corners)
        values = self.target[cells[:, 0], cells[:, 1]]
        if config.noise_db > 0:
            target = self._reader.target
            noise_db = self._random.normal(scale=config.noise_db, size=len(values))
            values = target.encode(target.decode(values) + noise_db)
        return cells, values

    @property
    def _measurements(self) -> MeasurementsConfig:
        assert self._config.measurements is not None
        return self._config.measurements

    def _fill_measured(self, out: Array, *, is_value: bool) -> None:
        cells, values = self._measured
        if self._measurements.kind == "half":
            # An area, not points: enlarging must leave no holes in it.
            known = np.full(self.placement.shape, -1.0, dtype=np.float32)
            known[cells[:, 0], cells[:, 1]] = values if is_value else 1.0
            self.placement.place(known, out, is_mask=True)
            return
        row, col = self.placement.move(cells).T
        out[:] = -1.0
        out[row, col] = values if is_value else 1.0


def _without_holes(values: Array, holes: NDArray[np.bool_], has_value: NDArray[np.bool_]) -> Array:
    """Values with those of holes from the nearest cell that has one.

    Networks that mix neighbouring cells, autoencoders first of all, would take an edge to the low end for a part of the
    map.
    """
    if not (holes.any() and has_value.any()):
        return values
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~has_value, return_distances=False, return_indices=True)
    filled = values.copy()
    filled[holes] = values[tuple(nearest[:, holes])]
    return filled
