"""Examples of the ICASSP 2025 data set, for every model that learns from it.

| approach | settings |
|---|---|
| single VAE, three channels in, one out | view `multi-condition`: the condition goes in, the target comes out |
| dual VAE | one autoencoder on view `condition`, one on view `radio` |
| three VAEs | views `building`, `antenna`, `radio` |
| multi-condition diffusion | view `multi-condition`: `CONDITION1` and `CONDITION2` are its two conditions |

A crop is one draw for all channels; so is the symmetry. Channels are computed on the map as it is and turned after, so
the direction of the antenna turns along.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.icassp.building_split import building_split
from radiodiff.data.icassp.channels import view_encoding
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.icassp.crop import Window, centred_window, cut, draw_window
from radiodiff.data.icassp.free_space_loss import free_space_loss_db
from radiodiff.data.icassp.layout import SampleId, scan_icassp
from radiodiff.data.icassp.reader import IcasspReader, IcasspSample
from radiodiff.data.placement import draw_symmetry, symmetries_of, turn_array, turn_cells
from radiodiff.data.splits import Split
from radiodiff.encoding import PADDING, Channel, Encoding
from radiodiff.errors import DataSetError, InputError

__all__ = ["CONDITION1", "CONDITION2", "IcasspDataSet", "crop_to_content"]

CONDITION1 = slice(0, 2)
"""Reflectance and transmittance among the channels of view `multi-condition`."""

CONDITION2 = slice(2, 3)
"""Distance or free-space loss among them."""


class IcasspDataSet:
    """Examples of a folder; `radiodiff.data.loader.BatchLoader` makes batches of them.

    `Example.map_id` is the building, `Example.tx_id` the number of the sample (antennas and bands count their own),
    `Example.name` its file name without suffix; `ids` tells the rest. Targets have one channel, but those of the
    autoencoders' views `building` (2) and `condition` (3), which `decode_view` takes apart.

    Args:
        config: What to read.

    Attributes:
        config: What was asked for.
        encoding: Channels of condition and target.
        scale: Always "db": the path loss is in decibels, not on one of the grey scales of RadioMapSeer.
        ids: The radio map of each example.

    Raises:
        DataSetError: The folder is not the data set, a file is missing, a building of the split is not there, or no
            example is left.
        FormatError: A position table or the manifest of the split is damaged.
    """

    def __init__(self, config: IcasspConfig) -> None:
        self.config = config
        self.encoding: Encoding = view_encoding(config.view, config.condition2)
        self.scale = "db"
        self._reader = IcasspReader(config.root)
        there = [sample for task in sorted(config.tasks) for sample in scan_icassp(config.root, task)]
        buildings = {sample.building for sample in there}
        split = None
        if config.split is not None:
            split = Split.read(config.split)
            split.check_maps(buildings, config.root)
        elif config.part != "all":
            split = building_split(buildings, config.split_seed)
        wanted = buildings if split is None else set(split.ids(config.part))
        self.ids: tuple[SampleId, ...] = tuple(
            sample for sample in there if sample.building in wanted and sample.band in config.bands
        )
        if not self.ids:
            raise DataSetError(
                "A data set must have at least one example",
                value=f"none in {config.root} for part {config.part}, tasks {config.tasks} and bands {config.bands}",
                remedy="Task 1 has band 1 only; check part and bands.",
            )

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.ids)

    def __getitem__(self, index: int | Draw) -> Example:
        """One example, by its index or by (index, draw).

        Raises:
            IndexError: There is no such example.
            FormatError: A file is not there or damaged.
        """
        return self._example(*numbered(index, len(self)))

    def in_symmetry(self, number: int, symmetry: int) -> Example:
        """Draw 0 of an example, in a symmetry.

        Raises:
            IndexError: There is no such example.
            FormatError: A file is not there or damaged.
        """
        return self._example(*numbered(number, len(self)), symmetry)

    def _example(self, number: int, draw: int, wanted: int | None = None) -> Example:
        sample = self._reader.read(self.ids[number])
        random = np.random.default_rng((self.config.seed, draw, number))
        window = self._window(sample, random)
        drawn = draw_symmetry(random, self._padded_shape(window)) if self.config.augment else 0
        symmetry = drawn if wanted is None else wanted
        shape = turn_array(np.empty((window.rows, window.cols)), symmetry).shape
        cell = np.array([window.moved(sample.tx_cell)])
        row, col = turn_cells(cell, (window.rows, window.cols), symmetry)[0]
        channels = {channel.name: channel for channel in (*self.encoding.condition, self.encoding.target)}
        encoded = {
            name: self._encoded(channels[name], values, window, symmetry)
            for name, values in self._values(sample).items()
        }
        condition = np.stack([encoded[name] for name in self.encoding.names])
        return Example(
            target=encoded["path_loss_db"][None] if self.config.view == "multi-condition" else condition.copy(),
            condition=condition,
            tx=(int(row), int(col)),
            map_id=sample.id.building,
            tx_id=sample.id.sample,
            name=sample.id.name,
            content=(shape[0], shape[1]),
            mask=self._mask(sample, window, symmetry) if self.config.mask_padding else None,
            symmetry=symmetry,
        )

    def without_target(self, index: int | Draw) -> Example:
        """An example whose target has no channels.

        Raises:
            IndexError: There is no such example.
            FormatError: A file is not there or damaged.
        """
        example = self[index]
        return replace(example, target=example.target[:0])

    def target(self, number: int, symmetry: int) -> NDArray[np.float32]:
        """Encoded target (1, rows, cols) of an example of view `multi-condition` in a symmetry; windows are draw 0.

        Raises:
            IndexError: There is no such example.
            FormatError: A file is not there or damaged.
        """
        numbered(number, len(self))
        sample = self._reader.read(self.ids[number])
        window = self._window(sample, np.random.default_rng((self.config.seed, 0, number)))
        return self._encoded(self.encoding.target, sample.path_loss_db, window, symmetry)[None]

    @property
    def symmetries(self) -> tuple[int, ...]:
        """Symmetries that examples may be in."""
        return symmetries_of(self.target(0, 0).shape[-2:]) if self.config.augment else (0,)

    @property
    def example_names(self) -> tuple[str, ...]:
        """Tasks and names of the examples, in order."""
        return tuple(f"task {sample.task}: {sample.name}" for sample in self.ids)

    def _encoded(
        self, channel: Channel, values: NDArray[np.floating], window: Window, symmetry: int
    ) -> NDArray[np.float32]:
        """A window of a channel of the map, turned and padded."""
        outside = PADDING[channel.name]
        return self._padded(
            turn_array(channel.encode(cut(values, window, outside)), symmetry), float(channel.encode(outside))
        )

    def _window(self, sample: IcasspSample, random: np.random.Generator) -> Window:
        if self.config.crop == "none":
            return Window(0, 0, *sample.shape)
        if self.config.crop == "tx-centred":
            return centred_window(sample.shape, sample.tx_cell, self.config.size)
        return draw_window(sample.shape, sample.tx_cell, random, size=self.config.size, margin=self.config.margin_px)

    def _values(self, sample: IcasspSample) -> dict[str, NDArray[np.floating]]:
        """The channels of the view on the whole map, in physical units."""
        names = {*self.encoding.names, "path_loss_db"} if self.config.view == "multi-condition" else self.encoding.names
        return {
            name: free_space_loss_db(
                sample.shape, sample.tx, sample.frequency_hz, sample.pattern, sample.azimuth_deg, self.config.azimuth
            )
            if name == "free_space_loss_db"
            else getattr(sample, name)
            for name in names
        }

    def _mask(self, sample: IcasspSample, window: Window, symmetry: int) -> NDArray[np.bool_]:
        on_map = cut(np.ones(sample.shape), window, 0.0)
        return self._padded(turn_array(on_map, symmetry), 0.0)[None] > 0.0

    def _padded_shape(self, window: Window) -> tuple[int, int]:
        """(rows, cols) of an example: a symmetry that keeps them is one that all examples of this shape may be in."""
        multiple = self.config.multiple if self.config.crop == "none" else 1
        rows, cols = (-(-length // multiple) * multiple for length in (window.rows, window.cols))
        return rows, cols

    def _padded(self, array: NDArray[np.float32], outside: float) -> NDArray[np.float32]:
        """A whole map at the top left of the next larger multiple; windows as they are."""
        if self.config.crop != "none":
            return np.ascontiguousarray(array)
        return cut(array, Window(0, 0, *self._padded_shape(Window(0, 0, *array.shape))), outside)


def crop_to_content(array: NDArray[Any], content: tuple[int, int]) -> NDArray[Any]:
    """Take the padding off a prediction (..., rows, cols): the inverse of crop "none".

    Args:
        array: What a model made of an example.
        content: `Example.content`, (rows, cols).

    Raises:
        InputError: The array is smaller than the content.
    """
    if array.ndim < 2 or not (array.shape[-2] >= content[0] and array.shape[-1] >= content[1]):
        raise InputError(
            f"A prediction must be at least {content[0]} x {content[1]} pixels, as the map",
            value=f"shape {array.shape}",
            remedy="Pass the model's output and the content of the same example.",
        )
    return array[..., : content[0], : content[1]]
