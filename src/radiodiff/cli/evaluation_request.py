"""What `radiodiff evaluate` is asked for, and the evaluation that follows from it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from radiodiff.cli.second_stage import DrawRequest, check_counts, digest_of, distinct_names, name_of
from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.evaluation.evaluate import Evaluation
    from radiodiff.evaluation.examples import EvaluationExamples
    from radiodiff.evaluation.predictor import Predictor
    from radiodiff.pipeline.base import RadioMapPipeline
    from radiodiff.propagation import PropagationModel

__all__ = ["EvaluationRequest", "changes_setting", "named_engine"]

SCALES = ("raw", "thresholded")
PRED_SCALES = (*SCALES, "db", "binary")

REGION_OPTIONS = {"boundary_cells": "--boundary", "far_cells": "--far"}

FEWEST_RESAMPLES = 100

MOST_MISSING = 4

MOST_MAPS_SHOWN, MOST_ROWS_SHOWN = 4, 12
"""Of the picture."""


@dataclass(frozen=True)
class EvaluationRequest:
    """What the user gave.

    Attributes:
        data: Folder of the data set.
        overrides: Changes of its settings.
        models: Folders of models.
        folders: Folders of predictions.
        engines: Names of engines, perhaps with a preset: NAME:PRESET.
        split: Part of the data set.
        steps: Steps of a draw; empty for those of each model.
        pred_scale: Scale of predictions that do not name theirs.
        scale: Scale of the figures.
        limit: Most maps.
        regions: Where regions end, keys of `RegionConfig`.
        num_resamples: Resamples of the cities.
        cpu: Use the CPU even where there is a GPU.
        drawing: How models draw.
        missing: Buildings left out of what models and engines see; 0 leaves that to the settings.
        below: Folder in each folder of predictions that holds the images; empty for the folder itself.

    Raises:
        InputError: There is nobody to predict, an option has nothing to act on, a word is unknown, or a number is out
            of range.
    """

    data: Path
    overrides: list[str]
    models: list[Path]
    folders: list[Path]
    engines: list[str]
    split: str
    steps: list[int]
    pred_scale: str | None
    scale: str | None
    limit: int | None
    regions: Mapping[str, float]
    num_resamples: int
    cpu: bool
    drawing: DrawRequest
    missing: int = 0
    below: str = ""

    def __post_init__(self) -> None:
        self._check_numbers()
        if not (self.models or self.folders or self.engines):
            raise InputError(
                "An evaluation needs --model, --pred or --engine", value="none", remedy="Say what is to be evaluated."
            )
        for name, value, scales in (("--scale", self.scale, SCALES), ("--pred-scale", self.pred_scale, PRED_SCALES)):
            if value not in (None, *scales):
                allowed = f"{', '.join(scales[:-1])} or {scales[-1]}"
                raise InputError(f"{name} must be {allowed}", value=repr(value), remedy="Correct it.")
        of_models = {"--steps": bool(self.steps), **self.drawing.asked_of_models()}
        if not self.models and any(of_models.values()):
            raise InputError(
                f"{', '.join(of_models)} belong to --model",
                value=" and ".join(name for name, is_given in of_models.items() if is_given),
                remedy="Leave them out.",
            )
        if self.pred_scale is not None and not self.folders:
            raise InputError("--pred-scale belongs to --pred", value=self.pred_scale, remedy="Leave it out.")
        self._check_missing()

    @property
    def changes(self) -> list[str]:
        """Changes of the settings of the data, with what `missing` says of them."""
        return [*self.overrides, *missing_buildings(self.missing)]

    def open(self, *, with_previews: bool) -> "Evaluation":
        """Load the models, open the data, and look whether all predictions are there.

        Args:
            with_previews: Whether to keep a few maps for a picture.

        Raises:
            RadiodiffError: Something is not there, damaged, or does not fit.
        """
        import torch

        from radiodiff.cli.model_data import pipeline_data
        from radiodiff.cli.second_stage import load_second_stage
        from radiodiff.data.loader import spread
        from radiodiff.evaluation.config import BootstrapConfig, RegionConfig
        from radiodiff.evaluation.evaluate import Evaluation
        from radiodiff.evaluation.examples import EvaluationExamples
        from radiodiff.evaluation.regions import RegionFinder

        for name in self.engines:
            named_engine(name)
        device = "cuda" if torch.cuda.is_available() and not self.cpu else "cpu"
        pipelines = [load_second_stage(path, self.drawing.precision, device) for path in self.models]
        if pipelines and not any(pipeline.record.kind == "diffusion" for pipeline in pipelines):
            self.drawing.check_kind(pipelines[0], self.steps)
        record = pipelines[0].record if pipelines else None
        source, config = pipeline_data(record, self.data, self.split, self.changes)
        numbers = spread(len(source), self.limit or len(source))
        examples = EvaluationExamples(source, config, numbers, RegionFinder(RegionConfig(**self.regions)))
        predictors = list(self._predictors(pipelines, examples))
        return Evaluation(
            examples,
            predictors,
            scale=self.scale,
            bootstrap=BootstrapConfig(num_resamples=self.num_resamples),
            num_previews=min(MOST_MAPS_SHOWN, max(1, MOST_ROWS_SHOWN // len(predictors))) if with_previews else 0,
        )

    def _predictors(self, pipelines: "list[RadioMapPipeline]", examples: "EvaluationExamples") -> "Iterator[Predictor]":
        from radiodiff.cli.model_data import pipeline_data
        from radiodiff.evaluation.condition_clock import ConditionClock
        from radiodiff.evaluation.engine_predictor import EnginePredictor
        from radiodiff.evaluation.examples import measured_words
        from radiodiff.evaluation.image_predictor import ImagePredictor
        from radiodiff.evaluation.pipeline_predictor import PipelinePredictor

        names = distinct_names([*self.models, *self.folders], self.engines)
        wanted: list[int | None] = [*self.steps] or [None]
        for path, pipeline in zip(self.models, pipelines, strict=True):
            source, config = pipeline_data(pipeline.record, self.data, self.split, self.changes)
            own = None if config == examples.config else source
            origin = {"model": name_of(path), "digest": digest_of(path)}
            if measured := measured_words(config):
                origin["measurements"] = measured
            clock = partial(ConditionClock.of, pipeline.record, examples)
            if pipeline.record.kind != "diffusion":
                settings = self.drawing.settings(pipeline, None, source)
                yield PipelinePredictor(names[path], pipeline, own, settings, origin, clock())
                continue
            for steps in wanted:
                count = steps or pipeline.record.num_inference_steps
                settings = self.drawing.settings(pipeline, steps, source)
                label = f"{names[path]}, {count} {'step' if count == 1 else 'steps'}"
                yield PipelinePredictor(label, pipeline, own, settings, origin, clock())
        for path in self.folders:
            yield ImagePredictor(names[path], path / self.below, examples, self.pred_scale)
        for name in self.engines:
            yield EnginePredictor(named_engine(name), examples, name)

    def _check_missing(self) -> None:
        if not 0 <= self.missing <= MOST_MISSING:
            raise InputError(
                f"--missing must be a number of buildings, 0 to {MOST_MISSING}",
                value=self.missing,
                remedy="Correct it.",
            )
        given = [text for text in self.overrides if changes_setting(text, "data.buildings")]
        if self.missing and given:
            raise InputError(
                "--missing gives the buildings of the input itself",
                value=", ".join(given),
                remedy="Leave one of them out.",
            )

    def _check_numbers(self) -> None:
        check_counts({"--limit": self.limit})
        for count in self.steps:
            check_counts({"--steps": count})
        if len(set(self.steps)) != len(self.steps):
            raise InputError(
                "--steps must name each number once", value=", ".join(map(str, self.steps)), remedy="Leave one out."
            )
        check_counts({"--resamples": self.num_resamples}, least=FEWEST_RESAMPLES)
        for key, value in self.regions.items():
            if not 0 < value < math.inf:
                raise InputError(
                    f"{REGION_OPTIONS[key]} must be a number of cells above 0", value=value, remedy="Leave it out."
                )


def missing_buildings(count: int) -> list[str]:
    """Changes of the settings of the data so that the input lacks so many buildings, the same for all; none for 0."""
    values = {"layer": "missing", "count": count, "variant": 1, "share": 1.0}
    return [f"data.buildings.{name}={value}" for name, value in values.items()] if count else []


def changes_setting(text: str, name: str) -> bool:
    """Whether a change `a.b=value` is one of a setting, of what it is a part of, or of a part of it."""
    key = text.partition("=")[0].strip()
    return f"{key}.".startswith(f"{name}.") or f"{name}.".startswith(f"{key}.")


def named_engine(text: str) -> "PropagationModel":
    """The engine of NAME or NAME:PRESET.

    Raises:
        PropagationError: There is no such engine, or it has no such preset.
    """
    from radiodiff.propagation import make_engine

    name, _, preset = text.partition(":")
    return make_engine(name, preset or None)
