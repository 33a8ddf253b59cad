"""Batches of tensors from a data set, in an order whose position can be stored."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol, TypeVar

from radiodiff.data.batch import Batch, collate, non_finite_examples
from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.sampler import Position, ShuffleSampler, spread
from radiodiff.encoding import Encoding
from radiodiff.errors import DataSetError, InputError

__all__ = [
    "Batch",
    "BatchLoader",
    "BatchStream",
    "ExampleSource",
    "Position",
    "ShuffleSampler",
    "collate",
    "non_finite_examples",
    "spread",
]

Asked = TypeVar("Asked")
Read = TypeVar("Read")


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


class BatchLoader:
    """Batches of a data set, read ahead by threads. Iterating gives one epoch of the sampler.

    Threads instead of the worker processes of PyTorch's DataLoader: reading and encoding release the interpreter's lock
    most of the time, and batches need not cross to another process (docs/decisions/008). Data sets work with a
    DataLoader as well; `collate` makes its batches.

    Args:
        source: The data set.
        batch_size: Examples in a batch.
        sampler: Which examples, in which order: a sampler or a list of numbers (or of numbers and draws); by default
            each once, in the order of the data set.
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
        sampler: ShuffleSampler | Sequence[int | Draw] | None = None,
        threads: int = 2,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        _check_counts(batch_size, threads)
        self.source = source
        self.batch_size = batch_size
        self.sampler = ShuffleSampler(len(source), shuffle=False) if sampler is None else sampler
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
            DataSetError: The system refuses a file.
        """
        draws = iter(self.sampler)
        groups = iter(lambda: list(islice(draws, self.batch_size)), [])
        groups = (group for group in groups if len(group) == self.batch_size or not self.drop_last)
        yield from _read_ahead(groups, self._read, self.threads)

    def _read(self, group: list[int | Draw]) -> Batch:
        return _read_batch(self.source, group, pin_memory=self.pin_memory)


class BatchStream:
    """Batches of a data set without end, epoch after epoch, read ahead by threads, each with the position after it.

    Several processes share a data set: of every `world * batch_size` examples in the sampler's order, process `rank`
    gets the part from `rank * batch_size` on. All of them together see what one process with `batch_size * world` sees,
    and have the same position. What is left of an epoch after its last whole group is not used.

    Iterating begins at the sampler's position, each time anew, and does not move it. A run that stores the position of
    its last batch goes on with `ShuffleSampler(..., epoch=position[0], start=position[1])`.

    Args:
        source: The data set.
        batch_size: Examples in a batch of one process.
        sampler: The order, and where to begin; by default that of seed 0, from the start.
        threads: Threads that read ahead; 0 reads when a batch is asked for.
        shard: Number of this process (rank) and how many there are (world).
        pin_memory: Give tensors in page-locked memory, for a GPU.

    Raises:
        InputError: A count is not positive, the rank is none of the world's, or the sampler is for another number of
            examples.
        DataSetError: The data set is smaller than one batch of all processes.
    """

    def __init__(
        self,
        source: ExampleSource,
        batch_size: int,
        *,
        sampler: ShuffleSampler | None = None,
        threads: int = 2,
        shard: tuple[int, int] = (0, 1),
        pin_memory: bool = False,
    ) -> None:
        _check_counts(batch_size, threads)
        rank, world = shard
        if not 0 <= rank < world:
            raise InputError(
                "A shard is the number of a process, from 0, and how many there are",
                value=shard,
                remedy="Pass (rank, world), such as (0, 1) for one process.",
            )
        if not len(source) >= batch_size * world:
            raise DataSetError(
                "A data set must hold at least one batch of all processes",
                value=f"{len(source)} examples; {batch_size} for each of {world} processes",
                remedy="Take a smaller batch_size, or a larger part of the data set.",
            )
        sampler = sampler or ShuffleSampler(len(source))
        if sampler.num_examples != len(source):
            raise InputError(
                "A sampler must be made for the examples of the data set",
                value=f"{sampler.num_examples} in the sampler, {len(source)} in the data set",
                remedy="Make the sampler with len(source).",
            )
        self.source = source
        self.batch_size = batch_size
        self.sampler = sampler
        self.threads = threads
        self.shard = shard
        self.pin_memory = pin_memory

    def __iter__(self) -> Generator[tuple[Batch, Position], None, None]:
        """Read on and on.

        Raises:
            RadiodiffError: What the data set raises, at the batch that it belongs to.
            DataSetError: The system refuses a file.
        """
        return _read_ahead(self._groups(), self._read, self.threads)

    def _groups(self) -> Iterator[tuple[list[Draw], Position]]:
        rank, world = self.shard
        epoch, start = self.sampler.epoch, self.sampler.start
        while True:
            order = self.sampler.order(epoch)
            for first in range(start, len(order) - self.batch_size * world + 1, self.batch_size * world):
                mine = first + rank * self.batch_size
                yield order[mine : mine + self.batch_size], (epoch, first + self.batch_size * world)
            epoch, start = epoch + 1, 0

    def _read(self, group: tuple[list[Draw], Position]) -> tuple[Batch, Position]:
        draws, position = group
        return _read_batch(self.source, draws, pin_memory=self.pin_memory), position


def _check_counts(batch_size: int, threads: int) -> None:
    if not (batch_size >= 1 and threads >= 0):
        raise InputError(
            "A loader needs batch_size of at least 1 and threads of at least 0",
            value=f"batch_size={batch_size}, threads={threads}",
            remedy="Correct the count.",
        )


def _read_batch(source: ExampleSource, group: Sequence[int | Draw], *, pin_memory: bool) -> Batch:
    draws = [numbered(index, len(source)) for index in group]
    try:
        examples = [source[draw] for draw in draws]
    except OSError as error:
        raise DataSetError(
            "The files of a data set must stay readable while it is used",
            value=f"{error.filename or 'a file'} ({error.strerror or error})",
            remedy="Check the disk and the rights, then go on from the last checkpoint.",
        ) from error
    batch = collate(examples, source.encoding, source.scale, draws)
    return batch.pin_memory() if pin_memory else batch


def _read_ahead(groups: Iterable[Asked], read: Callable[[Asked], Read], threads: int) -> Generator[Read, None, None]:
    """What `read` makes of each group, in order; threads work on the next ones meanwhile."""
    if threads == 0:
        yield from map(read, groups)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="radiodiff-loader")
    try:
        waiting: deque[Future[Read]] = deque()
        for group in groups:
            waiting.append(pool.submit(read, group))
            # One batch more than threads: none waits for the consumer, and memory stays small.
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
