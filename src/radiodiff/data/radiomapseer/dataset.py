"""RadioMapSeer: examples of radio maps, from the PNG tree or from the packed form."""

import numpy as np

from radiodiff.data.example import Draw, Example
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.radiomapseer.example_arrays import ExampleReader
from radiodiff.data.radiomapseer.geometry_cache import GEOMETRY_FOLDER, GeometryCache
from radiodiff.data.radiomapseer.packed import PackedMaps, is_packed
from radiodiff.data.radiomapseer.store import MapStore, PngTree, gain_count
from radiodiff.data.splits import MANIFEST, Split, find_split
from radiodiff.encoding import CHANNELS, Channel, Encoding, Scale, path_loss_channel
from radiodiff.errors import DataSetError

__all__ = ["RadioMapSeer"]


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
        DataSetError: The folder is no such data set, or lacks maps of the split.
        FormatError: An antenna file, the manifest or a packed file is damaged.
    """

    def __init__(self, config: RadioMapSeerConfig) -> None:
        self.config = config
        self.store, self.split = _open(config)
        self.encoding = _encoding(config)
        self._cells = {map_id: self.store.tx_cells(map_id) for map_id in self.split.ids(config.part)}
        counts = {map_id: self._count(len(cells)) for map_id, cells in self._cells.items()}
        self._keys = np.array([(m, t) for m, count in counts.items() for t in range(count)], dtype=np.int64)
        if not len(self._keys):
            raise DataSetError(
                "A data set must have transmitters", value=config.root, remedy="Check the files of antenna/."
            )
        self.geometry = GeometryCache(
            config.geometry_cache or config.root / GEOMETRY_FOLDER, self.store, max(counts.values())
        )
        self._reader = ExampleReader(config, self.store, self.geometry, self.encoding.target)

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
        number, draw = index if isinstance(index, tuple) else (index, 0)
        if not 0 <= number < len(self):
            raise IndexError(f"example {number} of {len(self)}")
        map_id, tx_id = self._keys[number].tolist()
        random = np.random.default_rng((self.config.seed, draw, number))
        arrays = self._reader.arrays(map_id, tx_id, self._cells[map_id][tx_id], random)
        shape = arrays.placement.out_shape
        target = np.empty((1, *shape), dtype=np.float32)
        arrays.fill_target(target[0])
        condition = np.empty((len(self.encoding.names), *shape), dtype=np.float32)
        for name, out in zip(self.encoding.names, condition, strict=True):
            arrays.fill_channel(name, out)
        weight = None
        if self.config.edge_weights is not None:
            weight = np.empty((1, *shape), dtype=np.float32)
            arrays.fill_weight(weight[0])
        name = f"{map_id}_{tx_id}"
        return Example(target, condition, arrays.tx, map_id, tx_id, name, arrays.placement.content, weight)

    def _count(self, num_transmitters: int) -> int:
        """Examples of a map."""
        there = min(gain_count(folder, num_transmitters) for folder in self.config.gain_folders)
        return there if self.config.tx_per_map is None else min(there, self.config.tx_per_map)


def _open(config: RadioMapSeerConfig) -> tuple[MapStore, Split]:
    root = config.root
    if is_packed(root):
        split = Split.read(root / MANIFEST)
        if config.split is not None and find_split(root, config.split).parts != split.parts:
            raise DataSetError(
                f"A packed data set has the split that it was packed by, {split.name}",
                value=f"split={config.split!r} for {root}",
                remedy="Leave the split out, or pack the PNG tree by this split.",
            )
        return PackedMaps(root, config.part), split
    tree = PngTree(root)
    if config.part == "all" and config.split is None and not (root / MANIFEST).is_file():
        return tree, Split("all maps", {"all": tree.map_ids()})
    split = find_split(root, config.split)
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
    return Encoding(tuple(channels), target)
