"""The regression beside the second stage: a U-Net from the condition to the map, by the same engine."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from radiodiff.data.loader import Batch, ExampleSource
from radiodiff.models.radio_unet import RadioUnet
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.diffusion_config import RegressionLossConfig
from radiodiff.training.model_inputs import check_data, padded_condition
from radiodiff.training.reconstructed_maps import draw_maps
from radiodiff.training.reconstruction import evaluate_reconstruction
from radiodiff.training.stage import Autocast, Objective, Pass, Stage, Validation

__all__ = ["RegressionParts", "RegressionStage"]

NETWORK = "network"
PIPELINE = "pipeline"


@dataclass(frozen=True)
class RegressionParts:
    """What the regression is made of.

    Attributes:
        network: The network.
        record: What is stored with the model: its encoding and scale are those of the data.
        loss: What is minimised.
        optimizer: Optimizer of the network.
        source: Training examples.
        validation_source: Held-out examples, whole.
        validation_part: Name of their part, and what windows they are.
        shows_all_buildings: Whether their conditions show all buildings.
        num_previews: Held-out maps in the picture of a validation.
    """

    network: RadioUnet
    record: PipelineRecord
    loss: RegressionLossConfig
    optimizer: OptimizerConfig
    source: ExampleSource
    validation_source: ExampleSource
    validation_part: str
    shows_all_buildings: bool
    num_previews: int


class RegressionStage(Stage):
    """Training of the regression network.

    Args:
        parts: What it is made of.

    Attributes:
        parts: The same.

    Raises:
        ConfigError: Record and data are of different encodings or scales.
        InputError: Network and record do not fit together.
    """

    def __init__(self, parts: RegressionParts) -> None:
        self.parts = parts
        check_data(parts.record, parts.source, parts.validation_source)
        self.source = parts.source
        self.validation_source = parts.validation_source
        self.networks = {NETWORK: parts.network}
        self.optimizers = {NETWORK: parts.optimizer}
        self.averaged = NETWORK
        self.best_metric = "rmse"
        # What does not fit should come out before a run has begun.
        self._prior = RegressionPipeline(parts.network, parts.record).prior
        self.prior = None if self._prior is None else self._prior.record.identity

    def to(self, device: torch.device) -> None:
        """Nothing to move: the network is the engine's."""

    def objectives(self, batch: Batch, current: Pass) -> Iterator[Objective]:
        """The loss of the network."""
        with current.autocast():
            prediction = self._predicted(current.networks[NETWORK], batch)
        losses = self._losses(prediction, batch)
        loss = losses.loss.mean()
        terms = {"total": loss.detach(), "mse": losses.mse.mean(), "l1": losses.l1.mean()}
        yield Objective(NETWORK, loss, terms)

    def _predicted(self, network: nn.Module, batch: Batch) -> Tensor:
        """Maps (B, 1, rows, cols) float32 of a batch."""
        parts = self.parts
        rows, cols = batch.condition.shape[-2:]
        output: Tensor = network(padded_condition(batch.condition, parts.network.size_multiple, parts.record))
        output = output[..., :rows, :cols].float()
        return output if self._prior is None else self._prior.added(output, self._prior.maps(batch.condition))

    def _losses(self, prediction: Tensor, batch: Batch) -> "_Losses":
        weights = self.parts.loss
        difference = prediction - batch.target
        mse, l1 = (_mean_of_each(values, batch.mask) for values in (difference.square(), difference.abs()))
        return _Losses(weights.mse_weight * mse + weights.l1_weight * l1, mse.detach(), l1.detach())

    def validate(self, batches: Iterable[Batch], *, autocast: Autocast, preview: Path | None) -> Validation:
        """Figures of predicted maps; `loss` is the validation loss."""
        parts = self.parts
        losses: list[float] = []

        @torch.no_grad()
        def predict(batch: Batch) -> Tensor:
            with autocast():
                prediction = self._predicted(parts.network, batch)
            losses.extend(self._losses(prediction, batch).loss.tolist())
            return prediction

        parts.network.eval()
        try:
            report = evaluate_reconstruction(
                predict,
                batches,
                part=parts.validation_part,
                num_previews=parts.num_previews if preview else 0,
                shows_all_buildings=parts.shows_all_buildings,
            )
        finally:
            parts.network.train()
        if preview is not None:
            draw_maps(report.previews, preview)
        rows = zip(report.per_example.items(), losses, strict=True)
        return Validation({name: {**figures, "loss": loss} for (name, figures), loss in rows}, report.protocol, preview)

    def export(self, run_dir: Path, training: Mapping[str, object]) -> Path:
        """Write `run_dir/pipeline`."""
        folder = run_dir / PIPELINE
        record = replace(self.parts.record, training=dict(training))
        RegressionPipeline(self.parts.network, record).save_pretrained(folder)
        return folder


@dataclass(frozen=True, eq=False)
class _Losses:
    """Losses (B,) of each example: what is minimised, and its terms without weights, detached."""

    loss: Tensor
    mse: Tensor
    l1: Tensor


def _mean_of_each(values: Tensor, mask: Tensor | None) -> Tensor:
    """Mean (B,) of the values (B, 1, rows, cols) of each example that count; 0 where none does."""
    if mask is None:
        return values.flatten(1).mean(dim=1)
    totals = torch.where(mask, values, 0.0).flatten(1).sum(dim=1)
    return totals / mask.flatten(1).sum(dim=1).clamp(min=1)
