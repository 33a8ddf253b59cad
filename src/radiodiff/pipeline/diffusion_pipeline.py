"""The diffusion model: draws of radio maps from noise, through latents."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import ClassVar

import torch
from diffusers.configuration_utils import ConfigMixin
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from radiodiff.diffusion.noise import initial_noise
from radiodiff.diffusion.sampling import sample_latents
from radiodiff.models.autoencoder import autoencoder_config
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.components import AutoencoderKL, ConditionalUnet, DecoupledScheduler, RadioUnet
from radiodiff.pipeline.prediction import Sizes, Task
from radiodiff.pipeline.prior import MeanModel
from radiodiff.pipeline.record import PipelineKind, PipelineRecord
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from radiodiff.pipeline.windows import Pair, WindowPlan, blended

__all__ = ["RadioDiffPipeline"]

Features = tuple[Tensor, ...]


class RadioDiffPipeline(RadioMapPipeline):
    """Draws radio maps by decoupled diffusion in the latents of an autoencoder, given a condition.

    N steps of a draw are N evaluations of the U-Net. The condition is encoded once for each map, whatever the number of
    steps and draws. Draw j of map i follows from the generator of map i and from j: neither the other maps and draws of
    a batch nor its size change it, but for rounding (about 1e-6 on [-1, 1]: kernels add up in another order for batches
    of other sizes). With measured points, one draw alone is special: it is pulled to the measured values themselves.

    Args:
        autoencoder: The first stage; `autoencoder.config.scaling_factor` scales its latents.
        unet: The network of the second stage.
        scheduler: The sampler.
        record: What the model was trained for.
        regression: Network of the regression whose maps it draws residuals to; None where its record has no such prior.

    Raises:
        InputError: The components do not fit together, or the record does not fit them.
    """

    kind: ClassVar[PipelineKind] = "diffusion"
    autoencoder: AutoencoderKL
    unet: ConditionalUnet
    scheduler: DecoupledScheduler
    regression: RadioUnet | None
    _optional_components = ["regression"]  # noqa: RUF012 (the base class has it so)

    def __init__(
        self,
        autoencoder: AutoencoderKL,
        unet: ConditionalUnet,
        scheduler: DecoupledScheduler,
        record: PipelineRecord | None = None,
        regression: RadioUnet | None = None,
    ) -> None:
        super().__init__()
        self._compiled_encoder: Callable[[Tensor], Features] | None = None
        self._set_up(record, autoencoder=autoencoder, unet=unet, scheduler=scheduler, regression=regression)

    @classmethod
    def component_classes(cls) -> Mapping[str, type[ConfigMixin]]:
        """See `RadioMapPipeline`."""
        return {"autoencoder": AutoencoderKL, "unet": ConditionalUnet, "scheduler": DecoupledScheduler}

    @classmethod
    def optional_component_classes(cls) -> Mapping[str, type[ConfigMixin]]:
        """See `SavedPipeline`."""
        return {"regression": RadioUnet}

    def _mean_model(self) -> MeanModel | None:
        known = self.record.prior
        if known is None or known.model is None or self.regression is None:
            return None
        return RegressionPipeline(self.regression, known.model)

    @property
    def sizes(self) -> Sizes:
        """See `RadioMapPipeline`."""
        return Sizes(self.unet.size_multiple, self.unet.config["latent_factor"])

    def _compile(self) -> None:
        self.unet.compile()
        self._compiled_encoder = torch.compile(self.unet.encode_condition)
        self.autoencoder.decoder.compile()

    def _channel_counts(self) -> Mapping[str, tuple[object, object]]:
        unet, first_stage = self.unet.config, autoencoder_config(self.autoencoder)
        return {
            "channels of the condition, in the U-Net and in the record": (
                unet["condition_channels"],
                len(self.record.encoding.names),
            ),
            "channels of the latents, in the U-Net and in the autoencoder": (
                unet["latent_channels"],
                first_stage.latent_channels,
            ),
            "cells of the map along a latent cell, in the U-Net and in the autoencoder": (
                unet["latent_factor"],
                first_stage.factor,
            ),
            "channels of a map, in the autoencoder and always": (first_stage.out_channels, 1),
            "prediction type, in the U-Net and in the scheduler": (
                unet["diffusion"].get("prediction_type", "pred_KC"),
                self.scheduler.config["prediction_type"],
            ),
        }

    def _draw_maps(self, task: Task) -> Tensor:
        draws = []
        for numbers in task.map_chunks():
            features = self._encode(task, numbers)
            for rows in task.draw_chunks(numbers):
                draws.append(self._draw_rows(task, rows, features, numbers.start))
        maps = torch.cat(draws)
        return maps.reshape(len(task.condition), task.num_draws, *maps.shape[1:])

    def _encode(self, task: Task, maps: range) -> Features:
        """Features of the condition, for each window of each map: the rows are (map, window)."""
        plan, conditions = task.plan.times(self.sizes.unit), task.condition[maps.start : maps.stop]
        found = [self._features(plan.cut(conditions, pairs)) for pairs in plan.batches(len(maps), task.batch_size)]
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    def _draw_rows(self, task: Task, draws: Sequence[tuple[int, int]], features: Features, first: int) -> Tensor:
        """Maps (R, 1, rows, cols) of (map, draw) by number; `first` is the map of the first features."""
        generators = [task.generators[number][draw] for number, draw in draws]
        channels = self.unet.config["latent_channels"]
        noise = initial_noise(
            self.scheduler.config["initial_noise"], generators, (channels, *task.plan.shape), task.condition.device
        )
        num_windows = len(task.plan.corners)

        def denoise(noisy: Tensor, t: Tensor) -> Tensor:
            def apply(windows: Tensor, pairs: Sequence[Pair]) -> Tensor:
                places = [(draws[row][0] - first) * num_windows + window for row, window in pairs]
                times = t[[row for row, _ in pairs]]
                return self._prediction(windows, times, tuple(part[places] for part in features))

            # Predictions are blended: estimates are a straight function of them.
            return blended(task.plan, noisy, apply, batch_size=task.batch_size)

        def decode(latents: Tensor, draws: Sequence[tuple[int, int]]) -> Tensor:
            outputs = self._decode(latents, plan=task.plan, batch_size=task.batch_size)
            return task.maps_of(outputs, [number for number, _ in draws])

        guide = task.guide
        # `from_config` would lose what was not given by keyword.
        scheduler = copy(self.scheduler)
        scheduler.is_stochastic = task.is_stochastic
        latents = noise
        for step in sample_latents(
            denoise,
            noise,
            scheduler,
            task.num_inference_steps,
            generators,
            correct=None if guide is None else lambda clean, _: guide.corrected_latents(clean, draws, decode),
        ):
            latents = step.latents
            task.advance(len(draws))
        return decode(latents, draws)

    def _features(self, conditions: Tensor) -> Features:
        if self.graphs is not None:
            rows, cols = conditions.shape[2:]
            return self.graphs.run("condition_encoder", (rows, cols), conditions)
        return (self._compiled_encoder or self.unet.encode_condition)(conditions)

    def _prediction(self, noisy: Tensor, times: Tensor, features: Features) -> Tensor:
        if self.graphs is not None:
            return self.graphs.run("unet", self._map_shape(noisy), noisy, times, *features)[0]
        predicted: Tensor = self.unet(noisy, times, features=features)
        return predicted

    def _map_shape(self, latents: Tensor) -> tuple[int, int]:
        rows, cols = latents.shape[2:]
        return rows * self.sizes.unit, cols * self.sizes.unit

    def _decode(self, latents: Tensor, plan: WindowPlan, batch_size: int) -> Tensor:
        """What the decoder gives (R, 1, rows, cols) of scaled latents.

        With gradients, windows are computed again on the way back.
        """
        scale = float(self.autoencoder.config["scaling_factor"])
        dtype = self.autoencoder.dtype

        def decode(unscaled: Tensor) -> Tensor:
            decoded: Tensor = self.autoencoder.decode(unscaled, return_dict=False)[0]
            return decoded

        def apply(windows: Tensor, _: Sequence[Pair]) -> Tensor:
            # Graphs have no gradient, which measured points need.
            if self.graphs is not None and not torch.is_grad_enabled():
                return self.graphs.run("decoder", self._map_shape(windows), windows)[0]
            unscaled = (windows / scale).to(dtype)
            if torch.is_grad_enabled() and not plan.is_whole:
                recomputed: Tensor = checkpoint(decode, unscaled, use_reentrant=False)
                return recomputed
            return decode(unscaled)

        return blended(plan, latents, apply, batch_size=batch_size, factor=self.sizes.unit)
