"""RadioMapSeer: examples of radio maps, from the PNG tree or from the packed form."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.missing_layers import MISSING_COUNTS, MOST_VARIANTS
from radiodiff.data.placement import symmetries_of
from radiodiff.data.radiomapseer.config import OTHER_SIMULATIONS, OtherSimulation, RadioMapSeerConfig
from radiodiff.data.radiomapseer.example_arrays import ExampleArrays, ExampleReader
from radiodiff.data.radiomapseer.geometry_cache import GEOMETRY_FOLDER, GeometryCache
from radiodiff.data.radiomapseer.packed import PackedMaps, is_packed
from radiodiff.data.radiomapseer.store import COMPLETE, MapStore, PngTree, gain_count
from radiodiff.data.splits import ALL_MAPS, MANIFEST, Split, find_split
from radiodiff.encoding import CHANNELS, HEIGHT_CHANNELS, Channel, Encoding, Scale, grey_table, path_loss_channel
from radiodiff.errors import DataSetError

__all__ = ["RadioMapSeer", "open_maps"]


class RadioMapSeer:
    """Examples of a data set in RadioMapSeer's layout: downloaded, generated or packed.

    `data[i]` is draw 0 of example i, `data[i, draw]` another one; `radiodiff.data.loader.BatchLoader` makes batches.

    Args:
        config: What to read.

    Attributes:
        config: What was asked for.
        split: The split.
        encoding: Channels of condition and target.

    Raises:
        DataSetError: The folder is no such data set, lacks maps of the split, their transmitters, a layer or the
            simulation, or is on another scale; `k2` or `edge_weights` is no folder.
        FormatError: An antenna file, the manifest or a packed file is damaged.
    """

    def __init__(self, config: RadioMapSeerConfig) -> None:
        self.config = config
        _check_folders(config)
        self.store, self.split = open_maps(config)
        for layer in _layers(config):
            if not self.store.has_layer(layer):
                raise DataSetError(
                    f"A data set must have the layer {layer} for these settings",
                    value=config.root,
                    remedy="Complete it (a packed one: pack it with --layer), or change cars_channel.",
                )
        variants = _variants(config, self.store)
        self._check_heights(variants)
        self._check_simulations(config)
        self.encoding = _encoding(config)
        self._cells = {map_id: self.store.tx_cells(map_id) for map_id in self.split.ids(config.part)}
        counts = {map_id: self._count(len(cells)) for map_id, cells in self._cells.items()}
        for map_id, count in counts.items():
            if count == 0:
                raise DataSetError(
                    "Every map of a data set must have transmitters",
                    value=f"map {map_id} of {config.root} without any",
                    remedy="Check its file in antenna/, or take the map out of the split.",
                )
        self._keys = np.array([(m, t) for m, count in counts.items() for t in range(count)], dtype=np.int64)
        self.geometry = GeometryCache(
            config.geometry_cache or config.root / GEOMETRY_FOLDER, self.store, max(counts.values())
        )
        table = grey_table(self.encoding.target, thresholded=config.stored_scale == "thresholded")
        self._reader = ExampleReader(config, self.store, self.geometry, self.encoding.target, table, variants)
        self._others = {name: replace(self._reader, config=_of_simulation(config, name)) for name in OTHER_SIMULATIONS}

    @property
    def scale(self) -> Scale:
        """Scale of the target."""
        return self.config.scale

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int | Draw) -> Example:
        """An example, by its number or by number and draw.

        Raises:
            IndexError: There is no such example.
            DataSetError: An image has another size, or is zero everywhere; a layer is not packed.
            FormatError: An image is absent, damaged or not grey.
        """
        return self._example(*numbered(index, len(self)), with_target=True)

    def without_target(self, index: int | Draw) -> Example:
        """An example whose target has no channels: its image is not read, unless the condition needs it.

        Raises:
            IndexError: There is no such example.
            DataSetError: See `data[index]`.
            FormatError: See `data[index]`.
        """
        return self._example(*numbered(index, len(self)), with_target=False)

    def in_symmetry(self, number: int, symmetry: int) -> Example:
        """Draw 0 of an example, in a symmetry.

        Raises:
            IndexError: There is no such example.
            DataSetError: See `data[index]`.
            FormatError: See `data[index]`.
        """
        return self._example(*numbered(number, len(self)), symmetry=symmetry, with_target=True)

    def _example(self, number: int, draw: int, symmetry: int | None = None, *, with_target: bool) -> Example:
        map_id, tx_id = self._keys[number].tolist()
        arrays = self._arrays(self._reader, number, draw, symmetry)
        shape = arrays.placement.out_shape
        target = np.empty((1 if with_target else 0, *shape), dtype=np.float32)
        if with_target:
            arrays.fill_target(target[0])
        condition = np.empty((len(self.encoding.names), *shape), dtype=np.float32)
        for name, out in zip(self.encoding.names, condition, strict=True):
            arrays.fill_channel(name, out)
        weight = None
        if self.config.edge_weights is not None:
            weight = np.empty((1, *shape), dtype=np.float32)
            arrays.fill_weight(weight[0])
        return Example(
            target=target,
            condition=condition,
            tx=arrays.tx,
            map_id=map_id,
            tx_id=tx_id,
            name=f"{map_id}_{tx_id}",
            content=arrays.placement.content,
            weight=weight,
            mask=arrays.counting()[None] if self.config.is_traced else None,
            symmetry=arrays.symmetry,
        )

    def target(self, number: int, symmetry: int) -> NDArray[np.float32]:
        """Encoded target (1, rows, cols) of an example in a symmetry.

        Raises:
            IndexError: There is no such example.
            DataSetError: See `data[index]`.
            FormatError: See `data[index]`.
        """
        numbered(number, len(self))
        arrays = self._arrays(self._reader, number, 0, symmetry)
        result = np.empty((1, *arrays.placement.out_shape), dtype=np.float32)
        arrays.fill_target(result[0])
        return result

    @property
    def symmetries(self) -> tuple[int, ...]:
        """Symmetries that examples may be in."""
        return symmetries_of(self.store.shape) if self.config.augment else (0,)

    @property
    def example_names(self) -> tuple[str, ...]:
        """Names of the examples, in order."""
        return tuple(f"{map_id}_{tx_id}" for map_id, tx_id in self._keys.tolist())

    def numbers_with(self, simulation: OtherSimulation) -> list[int]:
        """Numbers of the examples whose scene and transmitter another simulation has, too.

        All have all of them but IRT4, which has the first two transmitters of each map.

        Raises:
            DataSetError: The data set does not have the simulation.
        """
        self._check_simulations(self._others[simulation].config)
        counts = {map_id: gain_count(simulation, len(cells)) for map_id, cells in self._cells.items()}
        return [number for number, (map_id, tx_id) in enumerate(self._keys.tolist()) if tx_id < counts[map_id]]

    def other_map(self, index: int | Draw, simulation: OtherSimulation) -> NDArray[np.float32]:
        """Encoded map (1, rows, cols) of another simulation: scene, transmitter, symmetry and size of an example.

        Raises:
            IndexError: There is no such example.
            DataSetError: An image has another size, or is zero everywhere; the simulation is not packed.
            FormatError: An image is absent, damaged or not grey.
        """
        arrays = self._arrays(self._others[simulation], *numbered(index, len(self)))
        result = np.empty((1, *arrays.placement.out_shape), dtype=np.float32)
        arrays.fill_target(result[0])
        return result

    def _arrays(self, reader: ExampleReader, number: int, draw: int, symmetry: int | None = None) -> ExampleArrays:
        map_id, tx_id = self._keys[number].tolist()
        random = np.random.default_rng((self.config.seed, draw, number))
        return ExampleArrays(reader, (map_id, tx_id), self._cells[map_id][tx_id], random, symmetry)

    def _check_simulations(self, config: RadioMapSeerConfig) -> None:
        """Check the folders of a target now: an image that is absent says nothing of the others."""
        there = self.store.simulations()
        missing = [folder for folder in config.gain_folders if folder not in there]
        if missing:
            raise DataSetError(
                f"A data set must have the simulation {' and '.join(missing)} for these settings",
                value=f"{config.root}, which has {', '.join(there) or 'none'}",
                remedy="Change simulation or cars (data.simulation, data.cars), or complete the data set: dataset "
                "create --cars makes maps with cars, dataset pack --simulation packs others.",
            )

    def _check_heights(self, variants: Mapping[int, Sequence[str]]) -> None:
        """Check that there are heights of all buildings that examples show."""
        layers = [COMPLETE, *(layer for layers in variants.values() for layer in layers)]
        lacking = [layer for layer in layers if self.config.heights and not self.store.has_heights(layer)]
        if lacking:
            raise DataSetError(
                "A data set must have heights of its buildings for these settings",
                value=f"{self.config.root}, {lacking[0]}",
                remedy="Leave heights out, make it with heights (radiodiff dataset create), or pack it again.",
            )

    def _count(self, num_transmitters: int) -> int:
        """Examples of a map."""
        there = gain_count(self.config.gain_folders[0], num_transmitters)
        return there if self.config.tx_per_map is None else min(there, self.config.tx_per_map)


def _of_simulation(config: RadioMapSeerConfig, simulation: OtherSimulation) -> RadioMapSeerConfig:
    """Settings for the target of another simulation; the rules for conditions do not matter to it."""
    return config.replaced(
        simulation=simulation, mix_weight=None, geometry=(), k2=None, heights=False, unknown_heights=0.0
    )


def _check_folders(config: RadioMapSeerConfig) -> None:
    """Check folders of the user's now: a name with a typing error reads as a path."""
    for name in ("k2", "edge_weights"):
        value = getattr(config, name)
        if isinstance(value, Path) and not value.is_dir():
            raise DataSetError(
                f"RadioMapSeerConfig.{name} must be one of the known names or a folder of images",
                value=f"{value}, which is no folder",
                remedy="Correct the name or the path.",
            )


def _layers(config: RadioMapSeerConfig) -> list[str]:
    """Layers that every example needs."""
    return [COMPLETE, *(["cars"] if config.third_channel == "cars" else [])]


def _variants(config: RadioMapSeerConfig, store: MapStore) -> dict[int, tuple[str, ...]]:
    """Layers that the condition may show, by the number of buildings left out; none where it shows all.

    Raises:
        DataSetError: There is none of those asked for.
    """
    chosen = config.buildings
    if chosen.layer == "complete":
        return {}
    counts = MISSING_COUNTS if chosen.count == "random" else (chosen.count,)
    variants = range(1, MOST_VARIANTS + 1) if chosen.variant == "random" else (chosen.variant,)
    wanted = {count: [chosen.layer_name(count, variant) for variant in variants] for count in counts}
    # Drawn at random, examples show what the files hold: what a seed means does not depend on what could be had.
    is_named = "random" not in (chosen.count, chosen.variant)
    there = {
        count: tuple(one for one in layers if store.has_layer(one) or (is_named and store.can_draw(one)))
        for count, layers in wanted.items()
    }
    found = {count: layers for count, layers in there.items() if layers}
    if not found:
        raise DataSetError(
            f"A data set must have the layer {wanted[counts[0]][0]} for these settings",
            value=config.root,
            remedy="Complete it (radiodiff dataset missing; a packed one: pack it with --layer, or name count and "
            "variant of missing buildings where it has outlines), or change buildings.",
        )
    return found


def open_maps(config: RadioMapSeerConfig) -> tuple[MapStore, Split]:
    """The arrays of a data set and its split, whatever simulations it has.

    Raises:
        DataSetError: The folder is no such data set, lacks maps of the split, or is on another scale.
        FormatError: The manifest or a packed file is damaged.
    """
    root = config.root
    if is_packed(root):
        split = Split.read(root / MANIFEST)
        if config.split is not None and find_split(root, config.split, split.ids(ALL_MAPS)).parts != split.parts:
            raise DataSetError(
                f"A packed data set has the split that it was packed by, {split.name}",
                value=f"split={config.split!r} for {root}",
                remedy="Leave the split out (data.split=null), or pack the PNG tree by this split.",
            )
        return PackedMaps(root, config.part, config.stored_scale), split
    tree = PngTree(root, config.stored_scale)
    no_split = config.part == ALL_MAPS and config.split is None and not (root / MANIFEST).is_file()
    split = find_split(root, ALL_MAPS if no_split else config.split, tree.map_ids())
    split.check_maps(tree.map_ids(), root)
    return tree, split


def _encoding(config: RadioMapSeerConfig) -> Encoding:
    target = path_loss_channel(config.scale)
    names = ["buildings", "transmitter", *(() if config.third_channel == "absent" else ("cars",))]
    channels = [CHANNELS[name] for name in names]
    if config.measurements is not None:
        # A cell without a measurement is at the low end, and 0 in the mask.
        channels += [Channel("measured_path_loss_db", target.low, target.high), CHANNELS["measurement_mask"]]
    channels += [CHANNELS[name] for name in config.geometry]
    if config.k2 is not None:
        channels.append(CHANNELS["k2"])
    if config.heights:
        channels += [CHANNELS[name] for name in HEIGHT_CHANNELS]
    return Encoding(tuple(channels), target)
