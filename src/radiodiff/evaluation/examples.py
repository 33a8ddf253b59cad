"""The true maps of an evaluation, with their regions, and what data set they are of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from radiodiff.data.icassp.dataset import IcasspDataSet
from radiodiff.data.loader import Batch, BatchLoader, ExampleSource
from radiodiff.data.radiomapseer.config import BuildingsConfig, RadioMapSeerConfig
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.store import MapStore, RecentlyUsed
from radiodiff.data.selection import AnyConfig
from radiodiff.data.splits import NAMED_SPLITS, Split
from radiodiff.encoding import Channel
from radiodiff.errors import InputError
from radiodiff.evaluation.levels import half_step, levels_of, on_scale, scale_channel
from radiodiff.evaluation.regions import RegionFinder
from radiodiff.evaluation.sight import Heights

__all__ = [
    "DataFacts",
    "EvaluationExamples",
    "NamedExamples",
    "TrueMap",
    "file_names",
    "has_level_0_indoors",
    "indoor_cells",
    "measured_words",
]

BUILDINGS = "buildings"

COMPLETE_BUILDINGS = "complete"

RECORDS = {"radiodiff-bench": "bench.json", "generated": "dataset.json", "fake": "fake.json"}
"""Files that data sets of other origins have, and the download has not; packed ones keep the name of the split."""

PUBLISHED_SHAPE = (256, 256)


class NamedExamples(ExampleSource, Protocol):
    """A data set that knows the names of its examples without reading them, as those of `open_data_set` do."""

    @property
    def example_names(self) -> tuple[str, ...]:
        """Names of the examples in order, perhaps with the folder before them."""


@dataclass(frozen=True, eq=False)
class TrueMap:
    """A map that predictions are compared with.

    Attributes:
        name: Name of its example.
        map_id: Number of the city (RadioMapSeer) or building (ICASSP).
        tx_id: Number of the transmitter.
        levels: (rows, cols), without padding, on the scale of the figures.
        regions: Cells of each region, (rows, cols).
        channel: What the levels are.
        half_step: How far off they may be by rounding.
        unknown: (rows, cols) cells outside buildings without a true value, which are in no region; None where all
            cells have one.
    """

    name: str
    map_id: int
    tx_id: int
    levels: NDArray[np.float64]
    regions: Mapping[str, NDArray[np.bool_]]
    channel: Channel
    half_step: float
    unknown: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class DataFacts:
    """What an evaluation is made on.

    Attributes:
        kind: "radiomapseer", "icassp" or "edges".
        origin: "RadioMapSeer" for the published data set, "radiodiff-bench" for the benchmark set, "generated" for
            other cities and maps that radiodiff made, "fake" for those that are no figures' worth, else "unknown".
        simulation: Folder of the gain images, such as "carsDPM"; empty for other kinds.
        split: Name of the split; empty where it has none.
        part: Part of it.
        num_examples: Examples of the part.
        num_maps: Those that are looked at.
        buildings: Those that the condition shows: "complete", or a layer such as "missing2/1", or "missing" or
            "removed" where it is drawn for each example.
    """

    kind: str
    origin: str
    simulation: str
    split: str
    part: str
    num_examples: int
    num_maps: int
    buildings: str = COMPLETE_BUILDINGS

    @property
    def words(self) -> str:
        """In words."""
        named = f" of split {self.split}" if self.split else ""
        share = "" if self.num_maps == self.num_examples else f", {self.num_maps} of its {self.num_examples} maps"
        simulation = f" {self.simulation}" if self.simulation else ""
        origins = {
            "radiodiff-bench": "radiodiff-bench",
            "RadioMapSeer": "RadioMapSeer",
            "generated": "generated cities",
            "fake": "made-up maps",
        }
        origin = origins.get(self.origin, self.kind)
        shown = "" if self.buildings == COMPLETE_BUILDINGS else f", input with buildings {self.buildings}"
        return f"{origin}{simulation}, part {self.part}{named}{share}{shown}"


@dataclass(frozen=True, eq=False)
class EvaluationExamples:
    """Examples of a part of a data set, and their true maps.

    Attributes:
        source: The data set.
        config: Its settings.
        numbers: Numbers of the examples that are looked at, rising.
        finder: Finds the regions.
    """

    source: NamedExamples
    config: AnyConfig
    numbers: Sequence[int]
    finder: RegionFinder = field(default_factory=RegionFinder)

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """The examples, a batch at a time."""
        return iter(BatchLoader(self.source, batch_size, sampler=list(self.numbers)))

    @cached_property
    def names(self) -> list[str]:
        """Names of the examples.

        Raises:
            InputError: Two examples have one name.
        """
        return file_names(self.source, self.numbers)

    def true_maps(self, batch: Batch, scale: str) -> list[TrueMap]:
        """The maps of a batch, on the scale of the figures.

        Raises:
            InputError: The target has several channels, or the scale cannot be had from that of the data.
        """
        if batch.target.shape[1] != 1:
            raise InputError(
                "An evaluation needs a target of one channel",
                value=f"{batch.target.shape[1]} channels",
                remedy="Take data.view=multi-condition: the other views are for autoencoders.",
            )
        channel = scale_channel(batch.encoding.target, batch.scale, scale)
        levels = on_scale(levels_of(batch.target[:, 0].numpy()), batch.scale, scale)
        masks = None if batch.mask is None else batch.mask[:, 0].numpy()
        buildings = self._buildings(batch)
        unknown = self._unknown(batch, buildings)
        if unknown is not None:
            # As in the files: examples have neighbouring values there.
            levels = np.where(unknown, 0.0, levels)
            masks = ~unknown if masks is None else masks & ~unknown
        found = []
        for i, name in enumerate(batch.names):
            rows, cols = batch.content[i].tolist()
            ids = int(batch.map_id[i]), int(batch.tx_id[i])
            place = (i, slice(0, rows), slice(0, cols))
            regions = self.finder.regions(
                (rows, cols),
                None if buildings is None else buildings[place],
                (int(batch.tx[i, 0]), int(batch.tx[i, 1])),
                None if masks is None else masks[place],
                self._heights(*ids),
            )
            without = None if unknown is None else unknown[place]
            found.append(TrueMap(name, *ids, levels[place], regions, channel, half_step(channel, scale), without))
        return found

    def facts(self) -> DataFacts:
        """What data set it is."""
        source, config = self.source, self.config
        split = getattr(source, "split", None)
        origin, simulation, buildings = "unknown", "", COMPLETE_BUILDINGS
        if isinstance(source, RadioMapSeer):
            origin = _origin(source)
            simulation = "mix" if source.config.simulation == "mix" else source.config.gain_folders[0]
            shown = source.config.buildings
            buildings = (shown.fixed_layer or shown.layer).removeprefix("buildings_")
        return DataFacts(
            kind=config.kind,
            origin=origin,
            simulation=simulation,
            split=split.name if isinstance(split, Split) else "by building" if config.kind == "icassp" else "",
            part=config.part,
            num_examples=len(source),
            num_maps=len(self.numbers),
            buildings=buildings,
        )

    def _buildings(self, batch: Batch) -> NDArray[np.bool_] | None:
        """Building cells (B, rows, cols) of all buildings, also of those that a condition leaves out."""
        if self._reference is not None:
            shown = [self._reference.without_target(draw).condition[0] for draw in batch.draws]
            return np.stack(shown) > 0.0
        return _shown_buildings(batch)

    def _heights(self, map_id: int, tx_id: int) -> Heights | None:
        """Heights of a map where the data set has them, and its maps keep their size."""
        source = self.source
        if not (isinstance(source, RadioMapSeer) and source.config.size is None and source.store.has_heights()):
            return None
        roofs_m = self._roofs.get(map_id, lambda: _roofs_m(source.store, map_id))
        return Heights(roofs_m, float(source.store.tx_heights_m(map_id)[tx_id]))

    @cached_property
    def _roofs(self) -> RecentlyUsed[int, NDArray[np.float32]]:
        """Roofs of the last map: its transmitters follow one another."""
        return RecentlyUsed(1)

    def _unknown(self, batch: Batch, buildings: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Cells (B, rows, cols) outside buildings where traced maps have no value; None for other maps.

        Level 0 is the lowest of the scale of the data, before that of the figures: a cell without a path and one below
        the range look alike. At walls, where image and map stand half a cell apart, it may be an indoor one.
        """
        if not (isinstance(self.source, RadioMapSeer) and self.source.config.is_traced):
            return None
        assert batch.mask is not None
        has_none: NDArray[np.bool_] = (batch.target[:, 0].numpy() <= -1.0) | ~batch.mask[:, 0].numpy()
        return has_none if buildings is None else has_none & ~buildings

    @cached_property
    def _reference(self) -> RadioMapSeer | None:
        """The same examples with all buildings in the condition, where the data set leaves some out."""
        config = self.config
        if not isinstance(config, RadioMapSeerConfig) or config.buildings.layer == "complete":
            return None
        plain = {
            "geometry": (),
            "heights": False,
            "unknown_heights": 0.0,
            "k2": None,
            "measurements": None,
            "edge_weights": None,
            "cars_channel": "absent",
        }
        return RadioMapSeer(config.replaced(buildings=BuildingsConfig(), **plain))


def indoor_cells(batch: Batch) -> NDArray[np.bool_] | None:
    """Cells (B, rows, cols) inside buildings of the condition, without those at walls; None where it shows none.

    Images of buildings stand half a cell beside the maps (docs/decisions/002): a building cell that touches one
    outdoors, also across a corner, or the border of the map may be outdoors for the map.
    """
    shown = _shown_buildings(batch)
    if shown is None:
        return None
    inside: NDArray[np.bool_] = binary_erosion(shown, np.ones((1, 3, 3)))
    return inside


def _shown_buildings(batch: Batch) -> NDArray[np.bool_] | None:
    """Building cells (B, rows, cols) of the condition; None where it has no channel for them."""
    names = batch.encoding.names
    if BUILDINGS not in names:
        return None
    shown: NDArray[np.bool_] = batch.condition[:, names.index(BUILDINGS)].numpy() > 0.0
    return shown


def has_level_0_indoors(source: ExampleSource) -> bool:
    """Whether true maps have level 0 in all `indoor_cells` by construction: RadioMapSeer's, unless resampled."""
    if not isinstance(source, RadioMapSeer):
        return False
    size = source.config.size
    return size is None or source.config.fit == "pad" or source.store.shape == (size, size)


def measured_words(config: AnyConfig) -> str:
    """What the condition shows of the true maps themselves; empty where it shows nothing of them."""
    measured = config.measurements if isinstance(config, RadioMapSeerConfig) else None
    if measured is None:
        return ""
    kinds = {
        "random": "{} to {} random cells".format(*measured.num_points),
        "half": f"half of the cells ({measured.half})",
        "vertices": "cells at building corners",
    }
    noise = f" with noise of {measured.noise_db:g} dB" if measured.noise_db else ""
    return f"{kinds[measured.kind]} of the true map{noise}, which count in the figures"


def file_names(source: NamedExamples, numbers: Sequence[int]) -> list[str]:
    """Names of examples as they are in the examples themselves, without reading them.

    Raises:
        InputError: Two examples have one name: files cannot be named by them.
    """
    if isinstance(source, IcasspDataSet):
        # Its `example_names` tell tasks apart, too.
        names = [source.ids[number].name for number in numbers]
    else:
        known = source.example_names
        names = [Path(known[number]).name for number in numbers]
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(
            "The examples must have different names: files are named by them",
            value=f"{len(twice)} names of several examples, first {twice[0]}",
            remedy="Tasks of the ICASSP set share maps: take one of them, data.tasks=[1].",
        )
    return names


def _roofs_m(store: MapStore, map_id: int) -> NDArray[np.float32]:
    """Height of the roof over each cell (rows, cols); in whole metres where the outlines are not kept [m]."""
    scene = store.scene("buildings_complete", map_id)
    return store.roof_heights_m(map_id).astype(np.float32) if scene is None else scene.roof_height_m


def _origin(source: RadioMapSeer) -> str:
    root = source.config.root
    for origin, record in RECORDS.items():
        if (root / record).is_file() or source.split.name == origin:
            return origin
    # These splits name seven hundred maps, all of which are there.
    is_published = source.split.name in NAMED_SPLITS and source.store.shape == PUBLISHED_SHAPE
    return "RadioMapSeer" if is_published else "unknown"
