"""Predictions of a trained model."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from radiodiff.data.loader import Batch, ExampleSource, collate
from radiodiff.diffusion.noise import seed_of
from radiodiff.errors import InputError
from radiodiff.evaluation.condition_clock import ConditionClock
from radiodiff.evaluation.examples import indoor_cells
from radiodiff.evaluation.levels import levels_of, on_scale
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.config import PredictConfig
from radiodiff.pipeline.prediction import Layout

__all__ = ["DrawSettings", "PipelinePredictor", "map_generators"]


class DrawSettings(PredictConfig):
    """How the maps of a data set are drawn.

    Attributes:
        seed: Seed of all draws; those of a map follow from it and from the number of its example.
        is_masked: Put level 0 into the `indoor_cells` of the condition, whatever the model has there.
    """

    seed: Annotated[int, Field(ge=0)] = 0
    is_masked: Annotated[bool, Field(strict=True)] = False


def map_generators(seed: int, numbers: Sequence[int]) -> list[torch.Generator]:
    """Generators of maps: each follows from the seed and the number of its example alone."""
    return [torch.Generator().manual_seed(seed_of(seed, number)) for number in numbers]


class PipelinePredictor:
    """A model, in one way of drawing.

    Args:
        label: Short name, for tables.
        pipeline: The model, on its device.
        source: The data set with the condition that it was trained with, of the same maps as the evaluation; None where
            the batches of the evaluation have this condition.
        settings: How maps are drawn.
        origin: What tells the model from others, by name, JSON types; goes into the facts.
        clock: Takes the time of the conditions, which is a part of that of a map; None where nobody asks for it.

    Attributes:
        label: Short name.
        pipeline: The model.
        num_inference_steps: Steps of a draw.
        settings: How maps are drawn; steps and sampler are those of the model where nothing was said.
        seconds: Time spent in the model, but for the first batch, in which memory and kernels are made ready.
        num_maps: Maps predicted in that time.
    """

    def __init__(
        self,
        label: str,
        pipeline: RadioMapPipeline,
        source: ExampleSource | None = None,
        settings: DrawSettings | None = None,
        origin: Mapping[str, Any] | None = None,
        clock: ConditionClock | None = None,
    ) -> None:
        self.label = label
        self.pipeline = pipeline
        given, record = settings or DrawSettings(), pipeline.record
        self.num_inference_steps = given.num_inference_steps or record.num_inference_steps
        self.settings = given.replaced(
            num_inference_steps=self.num_inference_steps,
            is_stochastic=record.is_stochastic if given.is_stochastic is None else given.is_stochastic,
        )
        self.seconds = 0.0
        self.num_maps = 0
        self._source = source
        self._origin = origin or {}
        self._clock = clock
        self._is_warm = False

    @property
    def scale(self) -> str:
        """See `Predictor`."""
        return self.pipeline.record.scale

    def check(self, shape: tuple[int, int]) -> None:
        """Check that maps of a shape (rows, cols) can be predicted.

        Raises:
            ConfigError: A window does not fit the model, or it cannot work in windows.
        """
        Layout.of(shape, self.pipeline.sizes, self.pipeline.record, self.settings)

    def predict(self, batch: Batch) -> list[NDArray[np.float64]]:
        """See `Predictor`.

        Raises:
            InputError: The model's examples are other maps than those of the batch.
            RadiodiffError: What data set and model raise.
        """
        if self._clock is not None:
            self._clock.take(batch, counts=self._is_warm)
        return list(self.levels(batch if self._source is None else self._own(self._source, batch))[:, :, 0])

    def _own(self, source: ExampleSource, batch: Batch) -> Batch:
        """The same maps with the model's condition."""
        own = collate([source[draw] for draw in batch.draws], source.encoding, source.scale, batch.draws)
        is_alike = own.names == batch.names and own.target.shape == batch.target.shape
        if not (is_alike and _has_same_target(own, batch)):
            raise InputError(
                "All models of an evaluation must predict the same maps",
                value=f"{self.label}: {own.names[0]} and {batch.names[0]}, or maps of another simulation or size",
                remedy="Evaluate models of different targets one by one.",
            )
        return own

    def levels(self, batch: Batch) -> NDArray[np.float64]:
        """Levels (B, draws, 1, rows, cols) in [0, 1] of the conditions of a batch of the model's own examples."""
        settings = self.settings
        started = perf_counter()
        drawn = self.pipeline.predict(
            batch.condition,
            map_generators(settings.seed, [number for number, _ in batch.draws]),
            **settings.model_dump(exclude={"seed", "is_masked"}),
        )
        found = levels_of(drawn.cpu().numpy())
        if settings.is_masked and (indoors := indoor_cells(batch)) is not None:
            np.copyto(found, 0.0, where=indoors[:, None, None])
        if self._is_warm:
            self.seconds += perf_counter() - started
            self.num_maps += len(batch)
        self._is_warm = True
        return found

    def facts(self) -> Mapping[str, Any]:
        """See `Predictor`."""
        settings = self.settings
        found: dict[str, Any] = {"kind": self.pipeline.record.kind, **self._origin}
        if self.pipeline.record.kind == "diffusion":
            found |= {
                "num_inference_steps": settings.num_inference_steps,
                "num_draws": settings.num_draws,
                "seed": settings.seed,
                "is_stochastic": settings.is_stochastic,
            }
        found |= {
            "precision": str(self.pipeline.dtype).removeprefix("torch."),
            "device": _device_words(self.pipeline.device),
            "batch_size": settings.batch_size,
            "window": settings.window,
            "condition": list(self.pipeline.record.encoding.names),
            "buildings": "level 0 but at walls" if settings.is_masked else "as predicted",
        }
        if self.num_maps:
            found["seconds_per_map"] = self.seconds / self.num_maps
            if self._clock is not None and self._clock.num_maps:
                found["condition_ms_per_map"] = round(1000.0 * self._clock.seconds / self._clock.num_maps, 2)
                found["seconds_per_map"] += self._clock.seconds / self._clock.num_maps
        return found


def _has_same_target(first: Batch, second: Batch) -> bool:
    """Whether two batches have the same true maps; on two scales, whether these are the same thresholded."""
    if first.scale == second.scale:
        return torch.equal(first.target, second.target)
    ours, theirs = (on_scale(levels_of(one.target.numpy()), one.scale, "thresholded") for one in (first, second))
    return np.allclose(ours, theirs, rtol=0.0, atol=1e-5)


def _device_words(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    count = torch.get_num_threads()
    return f"{device.type} with {count} {'thread' if count == 1 else 'threads'}"
