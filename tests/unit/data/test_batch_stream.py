"""The endless stream of a training run: its position, its share of each process, its borders."""

import threading
import time
from itertools import islice

import numpy as np
import pytest
import torch

from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.loader import Batch, BatchStream, Position, ShuffleSampler
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.errors import DataSetError, FormatError, InputError


class Numbers:
    """Examples whose cells hold their number and draw."""

    encoding, scale = Encoding.of_names(["buildings"], path_loss_channel()), "raw"

    def __init__(self, length: int) -> None:
        self.length = length
        self.asked: list[Draw] = []
        self.broken: set[int] = set()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int | Draw) -> Example:
        number, draw = numbered(index, self.length)
        self.asked.append((number, draw))
        if number in self.broken:
            raise FormatError("An image must exist", value=f"{number}.png", remedy="Copy it again.")
        values = np.full((1, 2, 2), number, dtype=np.float32)
        return Example(values, values + draw, (0, 0), number, 0, str(number), (2, 2))


def taken(stream: BatchStream, count: int) -> list[tuple[Batch, Position]]:
    return list(islice(stream, count))


def draws(found: list[tuple[Batch, Position]]) -> list[tuple[Draw, ...]]:
    return [batch.draws for batch, _ in found]


def test_epochs_follow_one_another_in_the_order_of_the_sampler() -> None:
    found = taken(BatchStream(Numbers(7), 3, sampler=ShuffleSampler(7, seed=5)), 6)
    sampler = ShuffleSampler(7, seed=5)
    epochs = [list(sampler) for _ in range(3)]
    assert draws(found) == [tuple(epoch[i : i + 3]) for epoch in epochs for i in (0, 3)]
    assert [position for _, position in found] == [(0, 3), (0, 6), (1, 3), (1, 6), (2, 3), (2, 6)]
    for batch, _ in found:
        assert batch.names == tuple(str(number) for number, _ in batch.draws)
        expected = [[float(number), float(number + draw)] for number, draw in batch.draws]
        assert torch.stack([batch.target[:, 0, 0, 0], batch.condition[:, 0, 0, 0]], 1).tolist() == expected


@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize("num_examples", [6, 7, 8])
def test_a_run_goes_on_from_any_stored_position(num_examples: int, threads: int) -> None:
    source = Numbers(num_examples)
    found = taken(BatchStream(source, 2, sampler=ShuffleSampler(num_examples, seed=1)), 12)
    for used, (_, (epoch, start)) in enumerate(found[:6], 1):
        sampler = ShuffleSampler(num_examples, seed=1, epoch=epoch, start=start)
        resumed = taken(BatchStream(source, 2, sampler=sampler, threads=threads), 6)
        assert draws(resumed) == draws(found[used : used + 6])
        assert [position for _, position in resumed] == [position for _, position in found[used : used + 6]]


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("num_examples", [12, 13, 17])
def test_processes_together_see_what_one_sees(world: int, num_examples: int) -> None:
    def stream(batch_size: int, shard: tuple[int, int]) -> list[tuple[Batch, Position]]:
        sampler = ShuffleSampler(num_examples, seed=2)
        return taken(BatchStream(Numbers(num_examples), batch_size, sampler=sampler, shard=shard), 9)

    alone = stream(2 * world, (0, 1))
    shares = [stream(2, (rank, world)) for rank in range(world)]
    for step, (batch, position) in enumerate(alone):
        together = [share[step] for share in shares]
        assert sum((part.draws for part, _ in together), ()) == batch.draws
        assert torch.equal(torch.cat([part.target for part, _ in together]), batch.target)
        assert {place for _, place in together} == {position}


def test_each_iteration_begins_at_the_position_of_the_sampler() -> None:
    stream = BatchStream(Numbers(9), 2, sampler=ShuffleSampler(9, seed=3, epoch=4, start=5))
    once = taken(stream, 5)
    assert once[0][1] == (4, 7)
    assert draws(taken(stream, 5)) == draws(once)


def test_an_epoch_with_less_than_a_batch_left_is_over() -> None:
    ((_, position),) = taken(BatchStream(Numbers(9), 4, sampler=ShuffleSampler(9, epoch=1, start=6)), 1)
    assert position == (2, 4)


def test_threads_read_ahead_across_the_border_of_epochs() -> None:
    """With the last batch of an epoch given, the first ones of the next have been asked for."""
    source = Numbers(4)
    stream = iter(BatchStream(source, 2, threads=3))
    found = [next(stream), next(stream)]
    # Closing the stream cancels what no thread has begun.
    end = time.monotonic() + 30
    while not any(epoch == 1 for _, epoch in list(source.asked)) and time.monotonic() < end:
        time.sleep(0.01)
    stream.close()
    assert found[-1][1] == (0, 4)
    assert {0, 1} <= {epoch for _, epoch in source.asked}
    assert len(source.asked) <= 2 * (2 + 3)


def test_a_stream_that_is_closed_leaves_no_thread() -> None:
    stream = iter(BatchStream(Numbers(4), 2))
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if "radiodiff-loader" in thread.name]


@pytest.mark.parametrize("threads", [0, 2])
def test_a_file_that_vanishes_is_named_at_its_batch(threads: int) -> None:
    source = Numbers(6)
    order = ShuffleSampler(6).order(0)
    source.broken = {order[3][0]}
    stream = iter(BatchStream(source, 2, threads=threads))
    assert next(stream)[0].draws == tuple(order[:2])
    with pytest.raises(FormatError, match=rf"got {order[3][0]}\.png"):
        next(stream)


def test_a_data_set_smaller_than_a_batch_is_refused() -> None:
    assert taken(BatchStream(Numbers(8), 4, shard=(1, 2)), 2)[1][1] == (1, 8)
    with pytest.raises(DataSetError, match="at least one batch of all processes; got 7 examples; 4 for each of 2"):
        BatchStream(Numbers(7), 4, shard=(0, 2))


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"shard": (2, 2)}, "number of a process"),
        ({"shard": (-1, 2)}, "number of a process"),
        ({"shard": (0, 0)}, "number of a process"),
        ({"batch_size": 0}, "batch_size of at least 1"),
        ({"threads": -1}, "threads of at least 0"),
        ({"sampler": ShuffleSampler(7)}, "made for the examples of the data set; got 7 in the sampler, 8"),
    ],
)
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object], match: str) -> None:
    settings = {"batch_size": 2} | bad
    with pytest.raises(InputError, match=match):
        BatchStream(Numbers(8), settings.pop("batch_size"), **settings)  # type: ignore[arg-type]
