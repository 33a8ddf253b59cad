"""What is trained, as the engine sees it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from radiodiff.data.loader import Batch, ExampleSource
from radiodiff.training.config import OptimizerConfig

__all__ = ["Autocast", "Objective", "Pass", "Stage", "Validation"]

Autocast = Callable[[], AbstractContextManager[None]]
"""Gives the precision of a forward pass."""


@dataclass(frozen=True)
class Objective:
    """A loss that one network goes down.

    Attributes:
        network: Name of the network whose optimizer steps.
        loss: Scalar to differentiate.
        terms: Detached scalars to log, by name.
        judged: Scalar that the guard looks at, detached; None takes the loss.
    """

    network: str
    loss: Tensor
    terms: Mapping[str, Tensor]
    judged: Tensor | None = None


class Pass(Protocol):
    """What the engine lends to a stage for one pass over a batch."""

    @property
    def step(self) -> int:
        """Number of the step, from 1."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The prepared networks: a forward through them synchronises gradients between processes."""

    @property
    def loss_scale(self) -> float:
        """Factor that keeps float16 gradients from vanishing; 1 in other precisions."""

    def autocast(self) -> AbstractContextManager[None]:
        """The precision of forward passes."""

    def mean_over_processes(self, tensor: Tensor) -> Tensor:
        """Mean of a tensor over all processes; the tensor itself where there is one."""


@dataclass(frozen=True)
class Validation:
    """What a stage finds on held-out examples.

    Attributes:
        per_example: Metrics by name of the example.
        protocol: How they were measured.
        preview: File of the picture, or None.
    """

    per_example: Mapping[str, Mapping[str, float]]
    protocol: str
    preview: Path | None = None


class Stage(ABC):
    """Networks, their objectives, and what is looked at while they learn.

    Attributes:
        networks: The networks by name; each has an optimizer of its own and a file of its own in a checkpoint.
        optimizers: Settings of the optimizer of each.
        averaged: Name of the network whose moving average is kept, validated and exported.
        source: Training examples.
        validation_source: Held-out examples, whole and without augmentation.
        best_metric: The metric whose least value makes the best checkpoint.
        prior: What its maps are learnt as the difference to (`PriorRecord.identity`), or None.
    """

    networks: Mapping[str, nn.Module]
    optimizers: Mapping[str, OptimizerConfig]
    averaged: str
    source: ExampleSource
    validation_source: ExampleSource
    best_metric: str
    prior: Mapping[str, Any] | None = None

    @abstractmethod
    def to(self, device: torch.device) -> None:
        """Move what belongs to no network, such as the features of a perceptual loss."""

    @abstractmethod
    def objectives(self, batch: Batch, current: Pass) -> Iterator[Objective]:
        """The losses of one pass, one after another; the engine differentiates each before it asks for the next."""

    @abstractmethod
    def validate(self, batches: Iterable[Batch], *, autocast: Autocast, preview: Path | None) -> Validation:
        """Metrics of held-out examples; `networks[averaged]` holds the averaged weights meanwhile.

        Args:
            batches: What to look at, on the device of the networks.
            autocast: The precision of forward passes.
            preview: Where to draw the first examples, or None.
        """

    @abstractmethod
    def export(self, run_dir: Path, training: Mapping[str, object]) -> Path:
        """Write what users load into a run's folder, and give its path; `networks[averaged]` is averaged meanwhile."""
