"""A stage of one small network, for tests of the engine."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.loader import Batch
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.stage import Autocast, Objective, Pass, Stage, Validation

__all__ = ["NoiseSource", "ToyStage"]


class NoiseSource:
    """Examples of noise, 8 x 8; `broken` ones hold a NaN."""

    encoding = Encoding.of_names(["buildings"], path_loss_channel())
    scale = "raw"

    def __init__(self, num_examples: int = 24, broken: frozenset[int] = frozenset()) -> None:
        self.num_examples = num_examples
        self.broken = broken

    def __len__(self) -> int:
        return self.num_examples

    def __getitem__(self, index: int | Draw) -> Example:
        number, draw = numbered(index, len(self))
        values = np.random.default_rng((number, draw)).normal(size=(1, 8, 8)).astype(np.float32)
        if number in self.broken:
            values[0, 3, 3] = np.nan
        return Example(np.tanh(values), values, (0, 0), number, 0, f"map{number}", (8, 8))


class ToyStage(Stage):
    """Learns tanh of its input, with dropout and batch normalisation.

    Args:
        source: The examples.
        optimizer: Settings of the optimizer.
        change_loss: Changes the loss of a step, to plant faults.
        norm: Normalise over the batch; its running means are state of a run.
    """

    def __init__(
        self,
        source: NoiseSource | None = None,
        *,
        optimizer: OptimizerConfig | None = None,
        change_loss: Callable[[int, torch.Tensor], torch.Tensor] = lambda step, loss: loss,
        norm: bool = True,
        dropout: float = 0.1,
    ) -> None:
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            layers = [nn.Conv2d(1, 8, 3, padding=1), nn.Dropout(dropout), nn.SiLU(), nn.Conv2d(8, 1, 3, padding=1)]
            if norm:
                layers.insert(1, nn.BatchNorm2d(8))
            self.networks: Mapping[str, nn.Module] = {"net": nn.Sequential(*layers)}
        self.optimizers = {"net": optimizer or OptimizerConfig(learning_rate=1e-2)}
        self.averaged = "net"
        self.best_metric = "rmse"
        self.source = self.validation_source = source or NoiseSource()
        self.change_loss = change_loss
        self.seen: list[str] = []

    def to(self, device: torch.device) -> None:
        """Nothing to move."""

    def objectives(self, batch: Batch, current: Pass) -> Iterator[Objective]:
        self.seen += batch.names
        with current.autocast():
            prediction = current.networks["net"](batch.condition).float()
        loss = self.change_loss(current.step, (prediction - batch.target).square().mean())
        yield Objective("net", loss, {"mse": loss.detach()})

    def validate(self, batches: Iterable[Batch], *, autocast: Autocast, preview: Path | None) -> Validation:
        network = self.networks["net"].eval()
        with torch.inference_mode():
            errors = {
                name: {"rmse": float((network(batch.condition[i : i + 1]) - batch.target[i]).square().mean().sqrt())}
                for batch in batches
                for i, name in enumerate(batch.names)
            }
        network.train()
        return Validation(errors, "all cells")

    def export(self, run_dir: Path, training: Mapping[str, object]) -> Path:
        folder = run_dir / "net"
        folder.mkdir(exist_ok=True)
        torch.save(self.networks["net"].state_dict(), folder / "weights.pt")
        return folder
