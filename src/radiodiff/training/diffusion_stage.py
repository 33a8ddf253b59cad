"""The second stage: a conditional U-Net on the latents of a frozen autoencoder.

Random numbers of a step follow from the seed of the run, the examples and their draws, in streams of their own for the
posterior, the times and the noise. A validation draws maps as the exported model does, from noise that follows from the
example alone, and measures the loss at fixed times with fixed noise.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from radiodiff.data.loader import Batch, ExampleSource
from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.diffusion.noise import normal_noise, training_times
from radiodiff.diffusion.objective import weighted_losses
from radiodiff.diffusion.process import noisy_latents
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.errors import CheckpointError, ConfigError, InputError, TrainingError
from radiodiff.models.radio_unet import RadioUnet
from radiodiff.models.unet import ConditionalUnet
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.prior import Prior
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.diffusion_config import SamplingConfig
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.latent_weights import latent_weights
from radiodiff.training.model_inputs import check_data, padded_condition
from radiodiff.training.noise import Stream, example_generators, example_noise
from radiodiff.training.precision import without_float16
from radiodiff.training.reconstructed_maps import draw_maps
from radiodiff.training.reconstruction import evaluate_reconstructions
from radiodiff.training.stage import Autocast, Objective, Pass, Stage, Validation
from radiodiff.training.trained_unet import TrainedUnet

__all__ = ["VALIDATION_TIMES", "DiffusionParts", "DiffusionStage"]

UNET = "unet"
PIPELINE = "pipeline"

VALIDATION_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Times that the loss of a validation is a mean over."""


@dataclass(frozen=True)
class DiffusionParts:
    """What the second stage is made of.

    Attributes:
        unet: The network.
        autoencoder: The first stage; it stays as it is.
        record: What is stored with the model: its encoding and scale are those of the data. How it samples follows from
            `sampling`.
        diffusion: The process.
        loss: What is minimised.
        sampling: How maps are drawn in validations.
        optimizer: Optimizer of the U-Net.
        scaling_factor: Factor on the latents; None takes that of the checkpoint that the run goes on from.
        is_sampled: Draw latents from the posterior; otherwise take its mean.
        source: Training examples, with targets or (`CachedExamples`) with latents.
        validation_source: Held-out examples, whole, with targets.
        validation_part: Name of their part, and what windows they are.
        shows_all_buildings: Whether their conditions show all buildings.
        num_previews: Held-out maps in the picture of a validation.
        seed: Seed of all random numbers.
        prior: What maps are drawn as the difference to, that of the record; None draws them themselves.
    """

    unet: ConditionalUnet
    autoencoder: AutoencoderKL
    record: PipelineRecord
    diffusion: DiffusionConfig
    loss: DiffusionLossConfig
    sampling: SamplingConfig
    optimizer: OptimizerConfig
    scaling_factor: float | None
    is_sampled: bool
    source: ExampleSource
    validation_source: ExampleSource
    validation_part: str
    shows_all_buildings: bool
    num_previews: int
    seed: int
    prior: Prior | None = None


class DiffusionStage(Stage):
    """Training of the second stage.

    Args:
        parts: What it is made of.

    Attributes:
        parts: The same.

    Raises:
        CheckpointError: A weight of the autoencoder is not finite.
        ConfigError: Record and data are of different encodings or scales, or the scaling factor is not above 0.
        InputError: U-Net, autoencoder, record and prior do not fit together.
    """

    def __init__(self, parts: DiffusionParts) -> None:
        check_data(parts.record, parts.source, parts.validation_source)
        if parts.scaling_factor is not None and not parts.scaling_factor > 0:
            raise ConfigError(
                "The factor on latents must be above 0",
                value=parts.scaling_factor,
                remedy="1 / standard deviation of the latents is usual: radiodiff latents measures it.",
            )
        if parts.record.prior != (None if parts.prior is None else parts.prior.record):
            raise InputError(
                "The record of a model must name the prior that it is trained with",
                value=f"{parts.record.prior} in the record",
                remedy="Make the record from the prior.",
            )
        self.parts = parts
        self.source = parts.source
        self.validation_source = parts.validation_source
        self.averaged = UNET
        self.best_metric = "rmse"
        self.prior = None if parts.prior is None else parts.prior.record.identity
        self._encoder = LatentEncoder(parts.autoencoder, parts.unet.size_multiple, parts.prior)
        self._trained = TrainedUnet(parts.unet, parts.scaling_factor, self._encoder.fingerprint)
        self.networks = {UNET: self._trained}
        self.optimizers = {UNET: parts.optimizer}
        self._record = replace(
            parts.record,
            num_inference_steps=parts.sampling.num_inference_steps[0],
            is_stochastic=parts.sampling.is_stochastic,
        )
        # What does not fit should come out before a run has begun.
        self._pipeline(self._record)

    def to(self, device: torch.device) -> None:
        """Move the autoencoder and the prior, which are no networks of the run."""
        self._encoder.to(device)

    def objectives(self, batch: Batch, current: Pass) -> Iterator[Objective]:
        """The loss of the U-Net at a time of each example."""
        parts, draws, device = self.parts, batch.draws, batch.condition.device
        clean = self._latents(batch, is_sampled=parts.is_sampled)
        t = training_times(example_generators(draws, parts.seed, Stream.TIME), parts.diffusion, device)
        noise = example_noise(draws, clean.shape[1:], parts.seed, device, Stream.NOISE)
        noisy = noisy_latents(clean, noise, t)
        with current.autocast():
            output = current.networks[UNET](noisy, t, self._condition(batch))
        losses = weighted_losses(output, (clean, noise), t, (parts.diffusion, parts.loss), self._weights(batch))
        loss = losses.loss.mean()
        terms = {"total": loss.detach(), **{name: values.mean() for name, values in losses.terms.items()}}
        yield Objective(UNET, loss, terms)

    def _latents(self, batch: Batch, *, is_sampled: bool) -> Tensor:
        """Scaled latents (B, C, h, w) float32 of the targets, which are encoded where the batch has no latents."""
        posterior = batch.latents
        if posterior is None:
            posterior = self._encoder.posterior(batch.target, batch.condition)
        mean, std = posterior.chunk(2, dim=1)
        if is_sampled:
            mean = mean + std * example_noise(batch.draws, mean.shape[1:], self.parts.seed, mean.device)
        return self._trained.scaling_factor * mean

    def _condition(self, batch: Batch) -> Tensor:
        """The condition, padded as the latents are."""
        return padded_condition(batch.condition, self._encoder.size_multiple, self.parts.record)

    def _weights(self, batch: Batch) -> Tensor | None:
        return None if batch.mask is None else latent_weights(batch.mask, self._encoder)

    def validate(self, batches: Iterable[Batch], *, autocast: Autocast, preview: Path | None) -> Validation:
        """Figures of drawn maps, those of further numbers of steps as `steps_N/...`, and the validation loss, `loss`.

        Maps and losses of an example follow from the seed and its number, whatever it is batched with.
        """
        parts, (first, *further) = self.parts, self.parts.sampling.num_inference_steps
        pipeline = self._pipeline(self._record)
        losses: list[float] = []

        def draw(batch: Batch, steps: int) -> Tensor:
            # The decoder's activations may outgrow float16.
            with autocast(), without_float16(batch.condition.device):
                if steps == first:
                    losses.extend(self._validation_losses(batch))
                generators = example_generators(batch.draws, parts.seed, Stream.VALIDATION_DRAW)
                return _drawn(pipeline, batch, generators, steps)

        self._trained.eval()
        try:
            reports = evaluate_reconstructions(
                [partial(draw, steps=steps) for steps in (first, *further)],
                batches,
                part=parts.validation_part,
                num_previews=parts.num_previews if preview else 0,
                shows_all_buildings=parts.shows_all_buildings,
            )
        finally:
            self._trained.train()
        if preview is not None:
            draw_maps(reports[0].previews, preview)
        per_example = {
            name: {**figures, "loss": loss}
            for (name, figures), loss in zip(reports[0].per_example.items(), losses, strict=True)
        }
        for steps, report in zip(further, reports[1:], strict=True):
            for name, figures in report.per_example.items():
                per_example[name] |= {f"steps_{steps}/{key}": value for key, value in figures.items()}
        return Validation(per_example, f"{reports[0].protocol}, {self._protocol()}", preview)

    @torch.no_grad()
    def _validation_losses(self, batch: Batch) -> list[float]:
        """Loss of each example: mean over `VALIDATION_TIMES`, with one noise for each, of the mean of the posterior."""
        parts, device = self.parts, batch.condition.device
        clean = self._latents(batch, is_sampled=False)
        features = parts.unet.encode_condition(self._condition(batch))
        generators = example_generators(batch.draws, parts.seed, Stream.VALIDATION_NOISE)
        total = torch.zeros(len(batch), device=device)
        for time in VALIDATION_TIMES:
            t = torch.full((len(batch),), time, device=device)
            noise = normal_noise(generators, clean.shape[1:], device)
            output = parts.unet(noisy_latents(clean, noise, t), t, features=features)
            settings = parts.diffusion, parts.loss
            total += weighted_losses(output, (clean, noise), t, settings, self._weights(batch)).loss
        return [float(value) for value in (total / len(VALIDATION_TIMES)).tolist()]

    def _protocol(self) -> str:
        sampling = self.parts.sampling
        counts = " and ".join(map(str, sampling.num_inference_steps))
        kind = "stochastic" if sampling.is_stochastic else "deterministic"
        times = ", ".join(f"{time:g}" for time in VALIDATION_TIMES)
        return f"one draw of each map in {counts} steps, {kind}, loss: mean over t = {times}"

    def _pipeline(self, record: PipelineRecord) -> RadioDiffPipeline:
        """The model that users get, of the networks that are trained."""
        parts = self.parts
        scaling_factor = float(self._trained.scaling_factor)
        parts.autoencoder.register_to_config(scaling_factor=scaling_factor)  # type: ignore[no-untyped-call]
        scheduler = DecoupledScheduler(
            prediction_type=parts.diffusion.prediction_type,
            time_min=parts.diffusion.time_min,
            initial_noise=parts.diffusion.initial_noise,
            is_stochastic=parts.sampling.is_stochastic,
            time_power=parts.sampling.time_power,
        )
        model = None if parts.prior is None else parts.prior.model
        regression = None if model is None else cast(RadioUnet, model.networks["network"])
        return RadioDiffPipeline(parts.autoencoder, parts.unet, scheduler, record, regression)

    def export(self, run_dir: Path, training: Mapping[str, object]) -> Path:
        """Write `run_dir/pipeline`."""
        folder = run_dir / PIPELINE
        self._pipeline(replace(self._record, training=dict(training))).save_pretrained(folder)
        return folder


def _drawn(pipeline: RadioDiffPipeline, batch: Batch, generators: list[torch.Generator], steps: int) -> Tensor:
    """A draw (B, 1, rows, cols) of each map of a batch.

    Raises:
        TrainingError: A map is not finite.
    """
    try:
        maps = pipeline.predict(
            batch.condition, generators, num_inference_steps=steps, batch_size=len(batch), window="whole"
        )
    except CheckpointError as error:
        raise TrainingError(error.rule, value=error.value, remedy=error.remedy) from error
    return maps[:, 0]
