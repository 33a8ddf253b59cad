"""Batches of tensors from a data set, with a sampler whose position can be stored."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from radiodiff.data.example import Draw, Example
from radiodiff.encoding import Encoding
from radiodiff.errors import InputError

__all__ = ["Batch", "BatchLoader", "ExampleSource", "ShuffleSampler", "collate"]


class ExampleSource(Protocol):
    """What a loader reads from: a data set of examples of one encoding and scale."""

    @property
    def encoding(self) -> Encoding:
        """Channels of condition and target."""

    @property
    def scale(self) -> str:
        """What a target is: "raw" or "thresholded" grey, "db" for path loss itself, "binary" for edges."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, index: int | Draw) -> Example:
        """One example."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples of one size, stacked.

    Attributes:
        target: (B, 1, rows, cols) float32 in [-1, 1]; views for autoencoders may have more channels.
        condition: (B, C, rows, cols) float32 in [-1, 1].
        tx: (B, 2) int64, cell (row, col) of each transmitter.
        map_id: (B,) int64.
        tx_id: (B,) int64.
        content: (B, 2) int64, (rows, cols) of the map in the top-left corner; the rest is padding.
        names: Names of the examples.
        scale: What a target is: "raw" or "thresholded" grey, "db" for path loss itself, "binary" for edges.
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
        """The batch with its tensors in page-locked memory."""
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
        target=torch.from_numpy(np.stack([e.target for e in examples])),
        condition=torch.from_numpy(np.stack([e.condition for e in examples])),
        tx=torch.tensor([e.tx for e in examples]),
        map_id=torch.tensor([e.map_id for e in examples]),
        tx_id=torch.tensor([e.tx_id for e in examples]),
        content=torch.tensor([e.content for e in examples]),
        names=tuple(e.name for e in examples),
        scale=scale,
        encoding=encoding,
        weight=torch.from_numpy(np.stack(weights)) if weights else None,
    )


class ShuffleSampler:
    """Examples in an order that follows from seed and epoch alone, from any position on.

    Iterating gives the rest of an epoch; the next iteration gives the next one. Each epoch is a new draw of every
    example (`radiodiff.data.example.Draw`). A training run that stores the epoch it is in and how many of its examples
    it has used resumes there, however far threads had read ahead.

    Args:
        num_examples: Examples of the data set.
        seed: Seed of the order.
        shuffle: Draw an order; otherwise that of the data set.
        epoch: First epoch.
        start: Examples of the first epoch to leave out; all of them means the next epoch.

    Attributes:
        epoch: The epoch that the next iteration gives.
        start: How many of its examples are left out.

    Raises:
        InputError: There are no examples, or `start` is beyond the last.
    """

    def __init__(
        self, num_examples: int, *, seed: int = 0, shuffle: bool = True, epoch: int = 0, start: int = 0
    ) -> None:
        if not (num_examples > 0 and 0 <= start <= num_examples and epoch >= 0 and seed >= 0):
            raise InputError(
                "A sampler needs examples, a start among them, and an epoch and a seed of at least 0",
                value=f"{num_examples} examples, start={start}, epoch={epoch}, seed={seed}",
                remedy="Check the position that was stored, and that the data set is the same.",
            )
        self.num_examples = num_examples
        self.seed = seed
        self.shuffle = shuffle
        self.epoch, self.start = (epoch + 1, 0) if start == num_examples else (epoch, start)

    def __iter__(self) -> Iterator[Draw]:
        epoch, start = self.epoch, self.start
        order = np.arange(self.num_examples)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        self.epoch, self.start = epoch + 1, 0
        return ((int(index), epoch) for index in order[start:])

    def __len__(self) -> int:
        return self.num_examples - self.start


class BatchLoader:
    """Batches of a data set, read ahead by threads. Iterating gives one epoch of the sampler.

    Threads instead of the worker processes of PyTorch's DataLoader: reading and encoding release the interpreter's lock
    most of the time, and batches need not cross to another process (docs/decisions/008). Data sets work with a
    DataLoader as well; `collate` makes its batches.

    Args:
        source: The data set.
        batch_size: Examples in a batch.
        sampler: Which examples, in which order; by default each once, in the order of the data set.
        threads: Threads that read ahead; 0 reads when a batch is asked for.
        drop_last: Leave out a last batch that is not full.
        pin_memory: Give tensors in page-locked memory, for a GPU.

    Raises:
        InputError: A count is not positive.
    """

    def __init__(
        self,
        source: ExampleSource,
        batch_size: int,
        *,
        sampler: ShuffleSampler | None = None,
        threads: int = 2,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        if not (batch_size >= 1 and threads >= 0):
            raise InputError(
                "A loader needs batch_size of at least 1 and threads of at least 0",
                value=f"batch_size={batch_size}, threads={threads}",
                remedy="Correct the count.",
            )
        self.source = source
        self.batch_size = batch_size
        self.sampler = sampler or ShuffleSampler(len(source), shuffle=False)
        self.threads = threads
        self.drop_last = drop_last
        self.pin_memory = pin_memory

    def __len__(self) -> int:
        """Batches of the epoch that the next iteration gives."""
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (1 if rest and not self.drop_last else 0)

    def __iter__(self) -> Iterator[Batch]:
        """Read an epoch.

        Raises:
            RadiodiffError: What the data set raises, at the batch that it belongs to.
        """
        draws = iter(self.sampler)
        groups = iter(lambda: list(islice(draws, self.batch_size)), [])
        groups = (group for group in groups if len(group) == self.batch_size or not self.drop_last)
        if self.threads == 0:
            yield from map(self._batch, groups)
            return
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="radiodiff-loader")
        try:
            waiting: deque[Future[Batch]] = deque()
            for group in groups:
                waiting.append(pool.submit(self._batch, group))
                # One batch more than threads: none waits for the consumer, and memory stays small.
                if len(waiting) > self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _batch(self, draws: list[Draw]) -> Batch:
        batch = collate([self.source[draw] for draw in draws], self.source.encoding, self.source.scale)
        return batch.pin_memory() if self.pin_memory else batch
