"""Predictions of a trained model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from radiodiff.data.loader import Batch, ExampleSource, collate
from radiodiff.diffusion.noise import seed_of
from radiodiff.errors import InputError
from radiodiff.evaluation.levels import levels_of
from radiodiff.pipeline.base import RadioMapPipeline

__all__ = ["DrawSettings", "PipelinePredictor", "map_generators"]


@dataclass(frozen=True)
class DrawSettings:
    """How maps are drawn.

    Attributes:
        num_inference_steps: Steps of a draw; a regression has one.
        num_draws: Draws of each map; a regression has one.
        seed: Seed of all draws.
        is_stochastic: Which sampler.
        batch_size: Draws that go through a network at a time.
        window: Whether large maps are cut, see `radiodiff.pipeline.config.PredictConfig`.
    """

    num_inference_steps: int = 1
    num_draws: int = 1
    seed: int = 0
    is_stochastic: bool = True
    batch_size: int = 16
    window: Literal["auto", "whole"] | int = "auto"


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

    Attributes:
        label: Short name.
        pipeline: The model.
        settings: How maps are drawn.
        seconds: Time spent in the model.
        num_maps: Maps predicted in that time.
    """

    def __init__(
        self,
        label: str,
        pipeline: RadioMapPipeline,
        source: ExampleSource | None = None,
        settings: DrawSettings | None = None,
    ) -> None:
        self.label = label
        self.pipeline = pipeline
        self.settings = settings or DrawSettings()
        self.seconds = 0.0
        self.num_maps = 0
        self._source = source

    @property
    def scale(self) -> str:
        """See `Predictor`."""
        return self.pipeline.record.scale

    def predict(self, batch: Batch) -> list[NDArray[np.float64]]:
        """See `Predictor`.

        Raises:
            InputError: The model's examples are other maps than those of the batch.
            RadiodiffError: What data set and model raise.
        """
        return list(self.levels(batch if self._source is None else self._own(self._source, batch))[:, :, 0])

    def _own(self, source: ExampleSource, batch: Batch) -> Batch:
        """The same maps with the model's condition."""
        own = collate([source[draw] for draw in batch.draws], source.encoding, source.scale, batch.draws)
        is_same = own.names == batch.names and own.target.shape == batch.target.shape
        if own.scale == batch.scale:
            is_same = is_same and torch.equal(own.target, batch.target)
        if not is_same:
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
            num_inference_steps=settings.num_inference_steps,
            num_draws=settings.num_draws,
            is_stochastic=settings.is_stochastic,
            batch_size=settings.batch_size,
            window=settings.window,
        )
        found = levels_of(drawn.cpu().numpy())
        self.seconds += perf_counter() - started
        self.num_maps += len(batch)
        return found

    def facts(self) -> Mapping[str, Any]:
        """See `Predictor`."""
        settings = self.settings
        found: dict[str, Any] = {"kind": self.pipeline.record.kind}
        if self.pipeline.record.kind == "diffusion":
            found |= {
                "num_inference_steps": settings.num_inference_steps,
                "num_draws": settings.num_draws,
                "seed": settings.seed,
                "is_stochastic": settings.is_stochastic,
            }
        if self.num_maps:
            found["seconds_per_map"] = self.seconds / self.num_maps
        return found
