"""Predictions of a propagation engine: peers that need no training."""

from collections.abc import Mapping
from itertools import groupby
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.store import COMPLETE
from radiodiff.errors import InputError
from radiodiff.evaluation.examples import EvaluationExamples
from radiodiff.evaluation.levels import levels_of
from radiodiff.evaluation.map_scenes import MapScenes
from radiodiff.interrupts import interrupts_held
from radiodiff.propagation import PropagationModel
from radiodiff.propagation.base import Solver

__all__ = ["EnginePredictor"]


class EnginePredictor:
    """An engine on the scenes of a data set in RadioMapSeer's layout (`MapScenes`).

    Scenes have the buildings that the condition shows. Transmitters have the heights and the carrier of the data set.
    Indoors, and where no path leads, an engine says nothing: level 0 is taken, as in the images of the data set.

    Args:
        engine: The engine.
        examples: What is predicted.
        label: Its name; None takes that of the engine.

    Attributes:
        label: Name of the engine.
        seconds: Time in the engine, with what transmitters on a scene share, without the first batch, which compiles
            [s].
        num_maps: Maps that it took for.
        num_without_path: Cells outside buildings that no path led to, over all maps.

    Raises:
        InputError: The data set is another kind, resamples its maps, draws for each example which buildings the
            condition shows, or has outlines, but none of the layer that it shows.
    """

    def __init__(self, engine: PropagationModel, examples: EvaluationExamples, label: str | None = None) -> None:
        self.label = engine.name if label is None else label
        self.seconds, self.num_maps, self.num_without_path = 0.0, 0, 0
        self._is_warm = False
        self._engine = engine
        if not isinstance(examples.source, RadioMapSeer):
            raise InputError(
                "Engines predict the maps of data sets in RadioMapSeer's layout",
                value=f"data.kind={examples.config.kind!r}",
                remedy="Leave --engine out.",
            )
        self._source = examples.source
        if self._source.config.size is not None:
            raise InputError(
                "Engines predict maps in the size of the files",
                value=f"data.size={self._source.config.size}",
                remedy="Leave data.size out (data.size=null), or leave --engine out.",
            )
        self._scenes = MapScenes(self._source, _shown_layer(self._source))
        self._prepared: tuple[int, Solver] | None = None

    @property
    def scale(self) -> str:
        """See `Predictor`."""
        return self._source.scale

    def predict(self, batch: Batch) -> list[NDArray[np.float64]]:
        """See `Predictor`.

        Raises:
            TransmitterError: A transmitter stands inside a building.
            FormatError: Outlines are damaged.
        """
        found = []
        seconds = 0.0
        # Some engines solve several transmitters at once.
        for map_id, members in groupby(range(len(batch)), lambda i: int(batch.map_id[i])):
            places = list(members)
            scene = self._scenes.scene(map_id)
            txs = [self._scenes.transmitter(batch, i) for i in places]
            start = perf_counter()
            solve = self._solver(map_id)
            with interrupts_held():
                solutions = solve(txs)
            for _ in places:
                with interrupts_held():
                    path_loss_db = next(solutions).path_loss_db.astype(np.float32)
                path_loss_db[scene.buildings] = np.nan
                self.num_without_path += int(np.isnan(path_loss_db[~scene.buildings]).sum())
                found.append(levels_of(batch.encoding.encode_target(path_loss_db)))
            seconds += perf_counter() - start
        if self._is_warm:
            self.seconds += seconds
            self.num_maps += len(batch)
        self._is_warm = True
        return found

    def facts(self) -> Mapping[str, Any]:
        """See `Predictor`."""
        seen = ["buildings", "transmitter", *(["cars"] if self._source.config.cars else [])]
        facts: dict[str, Any] = {
            "kind": "engine",
            "engine": repr(self._engine),
            "condition": seen,
            "buildings": "level 0",
        }
        if not self._engine.reaches_everywhere:
            facts["cells_without_path"] = self.num_without_path
        if self.num_maps:
            facts |= {"device": "cpu", "seconds_per_map": self.seconds / self.num_maps}
        return facts

    def _solver(self, map_id: int) -> Solver:
        """The engine on the scene of a map; kept for the next transmitter on it."""
        if self._prepared is None or self._prepared[0] != map_id:
            with interrupts_held():
                self._prepared = map_id, self._engine.prepare(self._scenes.scene(map_id))
        return self._prepared[1]


def _shown_layer(source: RadioMapSeer) -> str:
    """The layer of buildings that the condition shows in all examples.

    Raises:
        InputError: There is none, or a packed data set holds its images without its outlines.
    """
    store, buildings = source.store, source.config.buildings
    layer = buildings.fixed_layer
    if layer is None:
        raise InputError(
            "Engines predict scenes whose buildings are the same in all examples of a map",
            value=f"data.buildings of {buildings.layer} buildings, count={buildings.count}, "
            f"variant={buildings.variant}, share={buildings.share:g}",
            remedy="Name count and variant (--missing N takes variant 1), or leave --engine out.",
        )
    # Of images alone an engine would lack the heights, and see the walls half a cell beside those of the others.
    first = source.split.ids(source.config.part)[0]
    if layer != COMPLETE and store.scene(layer, first) is None and store.scene(COMPLETE, first) is not None:
        raise InputError(
            "Engines need the outlines of the buildings that the condition shows",
            value=f"{layer} of {source.config.root}, which is packed as images",
            remedy="Take the folder that it was packed from, or a draw that is not packed, or leave --engine out.",
        )
    return layer
