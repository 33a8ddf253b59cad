"""How long it takes to make the geometry channels of a model: a part of its time, as corners are of an engine's."""

from time import perf_counter

from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.store import COMPLETE
from radiodiff.evaluation.examples import EvaluationExamples
from radiodiff.evaluation.map_scenes import MapScenes
from radiodiff.interrupts import interrupts_held
from radiodiff.pipeline.condition import MEASURED_CHANNELS, SceneEncoder
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.propagation import GEOMETRY_CHANNELS

__all__ = ["ConditionClock"]

MOST_MAPS = 32
"""Maps that the time is a mean over: conditions of all would double the work of an evaluation."""


class ConditionClock:
    """Makes the conditions of some maps anew, from their scenes as a user's call does, and takes the time.

    Transmitters on one scene share its corners, as with engines. Reading the scene is no part of the time.

    Args:
        record: The model.
        scenes: Scenes of the maps.

    Attributes:
        seconds: Time for all of them [s].
        num_maps: How many there were.
    """

    def __init__(self, record: PipelineRecord, scenes: MapScenes) -> None:
        self.seconds, self.num_maps = 0.0, 0
        self._encoder = SceneEncoder(record.encoding, record.data)
        self._scenes = scenes

    @classmethod
    def of(cls, record: PipelineRecord, examples: EvaluationExamples) -> "ConditionClock | None":
        """The clock of a model on a data set; None where it has no geometry channels, or needs more than scenes."""
        source = examples.source
        if not isinstance(source, RadioMapSeer) or source.config.size is not None or record.is_resampled:
            return None
        names, curvature = set(record.encoding.names), record.data.get("k2")
        is_computed = bool(names & set(GEOMETRY_CHANNELS)) or curvature == "dominant-path"
        needs_more = curvature not in (None, "log-distance", "dominant-path") or bool(names & set(MEASURED_CHANNELS))
        if not is_computed or needs_more:
            return None
        # Where each example shows other buildings, all of them take about as long.
        return cls(record, MapScenes(source, source.config.buildings.fixed_layer or COMPLETE))

    def take(self, batch: Batch, *, counts: bool) -> None:
        """Make the conditions of a batch.

        Args:
            batch: Maps of the evaluation.
            counts: Whether their time counts; the first batch compiles.

        Raises:
            RadiodiffError: A scene is damaged, or a transmitter stands inside a building.
        """
        for i in range(len(batch) if counts else 1):
            if self.num_maps >= MOST_MAPS:
                return
            scene, tx = self._scenes.scene(int(batch.map_id[i])), self._scenes.transmitter(batch, i)
            start = perf_counter()
            with interrupts_held():
                self._encoder.condition(scene, tx)
            if counts:
                self.seconds += perf_counter() - start
                self.num_maps += 1
