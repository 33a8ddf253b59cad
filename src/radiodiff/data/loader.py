"""Batches of tensors from a data set, with a sampler whose position can be stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from radiodiff.data.example import Draw, Example
from radiodiff.encoding import Encoding
from radiodiff.errors import InputError, RadiodiffError

__all__ = ["Batch", "BatchLoader", "ExampleSource", "ShuffleSampler", "collate", "make_loader"]


class ExampleSource(Protocol):
    """What a loader reads from: a data set of examples of one encoding and scale."""

    @property
    def encoding(self) -> Encoding:
        """Channels of condition and target."""

    @property
    def scale(self) -> str:
        """What the grey of the target means: "raw", "thresholded", or "db" where it is the path loss itself."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, index: int | Draw) -> Example:
        """One example."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples of one size, stacked.

    Attributes:
        target: (B, 1, rows, cols) float32 in [-1, 1].
        condition: (B, C, rows, cols) float32 in [-1, 1].
        tx: (B, 2) int64, cell (row, col) of each transmitter.
        map_id: (B,) int64.
        tx_id: (B,) int64.
        content: (B, 2) int64, (rows, cols) of the map in the top-left corner; the rest is padding.
        names: Names of the examples.
        scale: What the grey of the target means: "raw", "thresholded" or "db".
        encoding: Channels of condition and target.
        weight: (B, 1, rows, cols) float32 in [0, 1], or None.
    """

    target: Tensor
    condition: Tensor
    tx: Tensor
    map_id: Tensor
    tx_id: Tensor
    content: Tensor
    names: tuple[str, ...]
    scale: str
    encoding: Encoding
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """The batch with its tensors on a device."""
        return self._with_tensors(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """The batch with its tensors in page-locked memory; called by the DataLoader."""
        return self._with_tensors(Tensor.pin_memory)

    def _with_tensors(self, change: Any) -> Self:
        tensors = {name: change(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **tensors)


def collate(examples: Sequence[Example], encoding: Encoding, scale: str) -> Batch:
    """Stack examples.

    Raises:
        InputError: There are none, their sizes differ, or some have weights and others have not.
    """
    shapes = {(e.target.shape, e.condition.shape, None if e.weight is None else e.weight.shape) for e in examples}
    if len(shapes) != 1:
        raise InputError(
            "The examples of a batch must have one size and the same channels",
            value=f"{len(shapes)} kinds: {sorted(map(str, shapes))[:3]}",
            remedy="Give the data set a size, or use batches of 1.",
        )
    weights = [e.weight for e in examples if e.weight is not None]
    return Batch(
        target=_stacked([e.target for e in examples]),
        condition=_stacked([e.condition for e in examples]),
        tx=torch.tensor([e.tx for e in examples]),
        map_id=torch.tensor([e.map_id for e in examples]),
        tx_id=torch.tensor([e.tx_id for e in examples]),
        content=torch.tensor([e.content for e in examples]),
        names=tuple(e.name for e in examples),
        scale=scale,
        encoding=encoding,
        weight=_stacked(weights) if weights else None,
    )


def _stacked(arrays: Sequence[NDArray[np.float32]]) -> Tensor:
    # In a worker process the library's function stacks straight into shared memory.
    stacked: Tensor = default_collate([torch.from_numpy(array) for array in arrays])
    return stacked


class ShuffleSampler(Sampler[Draw]):
    """Examples in an order that follows from seed and epoch alone, from any position on.

    Iterating gives the rest of the current epoch and moves on to the next one; each epoch is a new draw of every
    example (`radiodiff.data.example.Draw`). A training run that stores `epoch` and the number of examples it has used
    resumes where it was, whatever the number of workers and however far they had read ahead.

    Args:
        num_examples: Examples of the data set.
        seed: Seed of the order.
        shuffle: Draw an order; otherwise that of the data set.
        epoch: First epoch.
        start: Examples of the first epoch to leave out.

    Raises:
        InputError: There are no examples, or `start` is not one of them.
    """

    def __init__(
        self, num_examples: int, *, seed: int = 0, shuffle: bool = True, epoch: int = 0, start: int = 0
    ) -> None:
        if not (num_examples > 0 and 0 <= start < num_examples and epoch >= 0 and seed >= 0):
            raise InputError(
                "A sampler needs examples, a start among them, and an epoch and a seed of at least 0",
                value=f"{num_examples} examples, start={start}, epoch={epoch}, seed={seed}",
                remedy="Check the position that was stored, and that the data set is the same.",
            )
        self.num_examples = num_examples
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = epoch
        self.start = start

    def __iter__(self) -> Iterator[Draw]:
        epoch, start = self.epoch, self.start
        order = np.arange(self.num_examples)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        self.epoch, self.start = epoch + 1, 0
        return ((int(index), epoch) for index in order[start:])

    def __len__(self) -> int:
        return self.num_examples - self.start


class BatchLoader(DataLoader[Batch]):
    """A DataLoader whose worker processes hand errors over as they are.

    PyTorch makes a new error of the same class from the text of the old one; ours have three parts, and would arrive as
    a RuntimeError with a stack trace.
    """

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, RadiodiffError):
                raise batch
            yield batch


def make_loader(
    source: ExampleSource,
    batch_size: int,
    *,
    sampler: Sampler[Draw] | None = None,
    workers: int = 0,
    drop_last: bool = False,
    pin_memory: bool = False,
) -> BatchLoader:
    """Loader of batches.

    Args:
        source: The data set.
        batch_size: Examples in a batch.
        sampler: Which examples, in which order; by default each once, in the order of the data set.
        workers: Processes that read ahead; 0 reads in this one.
        drop_last: Leave out a last batch that is not full.
        pin_memory: Give tensors in page-locked memory, for a GPU.

    Raises:
        InputError: A count is not positive.
    """
    if not (batch_size >= 1 and workers >= 0):
        raise InputError(
            "A loader needs batch_size of at least 1 and workers of at least 0",
            value=f"batch_size={batch_size}, workers={workers}",
            remedy="Correct the count.",
        )
    return BatchLoader(
        cast("Dataset[Any]", _Source(source)),
        batch_size=batch_size,
        sampler=sampler or ShuffleSampler(len(source), shuffle=False),
        num_workers=workers,
        collate_fn=_Collate(source.encoding, source.scale),
        drop_last=drop_last,
        pin_memory=pin_memory,
        persistent_workers=workers > 0,
        # Fresh processes: forking one that has threads (numba, torch) can deadlock.
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_use_one_thread if workers else None,
        # The default draws a seed from the global generator of torch.
        generator=torch.Generator().manual_seed(0),
    )


@dataclass(frozen=True)
class _Source:
    """Examples, or the errors that came instead."""

    examples: ExampleSource

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: Draw) -> Example | RadiodiffError:
        try:
            return self.examples[index]
        except RadiodiffError as error:
            return error


@dataclass(frozen=True)
class _Collate:
    """`collate` as worker processes take it; the first error instead of a batch."""

    encoding: Encoding
    scale: str

    def __call__(self, items: Sequence[Example | RadiodiffError]) -> Batch | RadiodiffError:
        for item in items:
            if isinstance(item, RadiodiffError):
                return item
        return collate(cast("Sequence[Example]", items), self.encoding, self.scale)


def _use_one_thread(worker: int) -> None:
    torch.set_num_threads(1)
