"""Batches, and a sampler that resumes where it was."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.example import Example
from radiodiff.data.loader import (
    Batch,
    BatchLoader,
    ShuffleSampler,
    collate,
    non_finite_examples,
    spread,
)
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.errors import FormatError, InputError
from radiodiff.layouts import CitySettings

ENCODING = Encoding.of_names(["buildings"], path_loss_channel())


def example(size: int = 4, weight: bool = False, mask: bool = False) -> Example:
    array = np.zeros((1, size, size), dtype=np.float32)
    counting = array > 0 if mask else None
    return Example(array, array, (1, 2), 3, 4, "3_4", (size, size), array if weight else None, counting)


def with_latents(value: float = 0.5) -> Example:
    """An example whose target was not read."""
    bare = example()
    return replace(bare, target=bare.target[:0], latents=np.full((4, 2, 2), value, dtype=np.float32))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> RadioMapSeer:
    root = tmp_path_factory.mktemp("loader") / "data"
    for _ in create_data_set(root, CreateSettings(2, 3, 1, city=CitySettings(rows=64, cols=64))):
        pass
    return RadioMapSeer(RadioMapSeerConfig(root=root, part="all", augment=True))


def test_a_batch_holds_its_examples(dataset: RadioMapSeer) -> None:
    batch = next(iter(BatchLoader(dataset, 4)))
    assert len(batch) == 4
    assert batch.target.shape == (4, 1, 64, 64)
    assert batch.condition.shape == (4, 3, 64, 64)
    assert batch.target.dtype == torch.float32
    assert batch.encoding == dataset.encoding
    assert batch.scale == "raw"
    for number in range(4):
        single = dataset[number]
        assert torch.equal(batch.condition[number], torch.from_numpy(single.condition))
        assert batch.tx[number].tolist() == list(single.tx)
        assert (int(batch.map_id[number]), int(batch.tx_id[number])) == (single.map_id, single.tx_id)
        assert batch.names[number] == single.name
        assert batch.content[number].tolist() == [64, 64]


def test_batches_do_not_depend_on_the_threads(dataset: RadioMapSeer) -> None:
    def batches(threads: int) -> list[Batch]:
        loader = BatchLoader(dataset, 4, sampler=ShuffleSampler(len(dataset), seed=3), threads=threads)
        return [*loader, *loader]

    alone, helped = batches(0), batches(3)
    assert len(alone) == len(helped) == 4
    for one, two in zip(alone, helped, strict=True):
        assert one.names == two.names
        assert torch.equal(one.condition, two.condition)
        assert torch.equal(one.target, two.target)


def test_a_data_set_works_with_a_loader_of_processes(dataset: RadioMapSeer) -> None:
    def collated(examples: list[Example]) -> Batch:
        return collate(examples, dataset.encoding, dataset.scale)

    loader = torch.utils.data.DataLoader(dataset, 4, collate_fn=collated, num_workers=1)  # type: ignore[arg-type]
    for one, two in zip(loader, BatchLoader(dataset, 4), strict=True):
        assert one.names == two.names
        assert torch.equal(one.condition, two.condition)


@pytest.mark.parametrize("threads", [0, 2])
def test_a_last_batch_that_is_not_full_can_be_left_out(dataset: RadioMapSeer, threads: int) -> None:
    for drop_last, sizes in ((False, [4, 2]), (True, [4])):
        loader = BatchLoader(dataset, 4, drop_last=drop_last, threads=threads)
        assert len(loader) == len(sizes)
        assert [len(batch) for batch in loader] == sizes


def test_an_epoch_left_half_way_leaves_no_thread(dataset: RadioMapSeer) -> None:
    batches = iter(BatchLoader(dataset, 1, threads=2))
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if "radiodiff-loader" in thread.name]


def test_reading_ahead_is_bounded() -> None:
    class Counted:
        encoding, scale, asked = ENCODING, "raw", 0

        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int | tuple[int, int]) -> Example:
            self.asked += 1
            return example()

    source = Counted()
    batches = iter(BatchLoader(source, 1, threads=2))
    next(batches)
    next(batches)
    assert source.asked <= 2 + 2 + 1


def test_an_epoch_is_a_new_order_and_a_new_draw() -> None:
    sampler = ShuffleSampler(50, seed=1)
    first, second = list(sampler), list(sampler)
    assert sorted(i for i, _ in first) == sorted(i for i, _ in second) == list(range(50))
    assert [i for i, _ in first] != [i for i, _ in second]
    assert {draw for _, draw in first} == {0}
    assert {draw for _, draw in second} == {1}
    assert list(ShuffleSampler(50, seed=1)) == first
    assert list(ShuffleSampler(50, seed=2)) != first


def test_a_sampler_resumes_in_the_middle_of_an_epoch() -> None:
    sampler = ShuffleSampler(10, seed=4)
    list(sampler)
    second = list(sampler)
    resumed = ShuffleSampler(10, seed=4, epoch=1, start=6)
    assert len(resumed) == 4
    assert list(resumed) == second[6:]
    assert list(resumed) == list(ShuffleSampler(10, seed=4, epoch=2))
    assert list(ShuffleSampler(10, seed=4, epoch=1, start=10)) == list(ShuffleSampler(10, seed=4, epoch=2))


def test_a_sampler_without_shuffle_keeps_the_order() -> None:
    assert [i for i, _ in ShuffleSampler(5, shuffle=False)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("bad", [{"num_examples": 0}, {"start": 6}, {"start": -1}, {"epoch": -1}, {"seed": -1}])
def test_a_position_outside_the_data_set_is_refused(bad: dict[str, int]) -> None:
    settings = {"num_examples": 5} | bad
    with pytest.raises(InputError, match="sampler needs examples"):
        ShuffleSampler(settings.pop("num_examples"), **settings)


def test_batches_move_with_their_tensors() -> None:
    batch = collate([example(weight=True, mask=True), example(weight=True, mask=True)], ENCODING, "raw")
    moved = batch.to("meta")
    assert moved.target.device.type == "meta"
    assert moved.weight is not None
    assert moved.weight.device.type == "meta"
    assert batch.mask is not None
    assert (batch.mask.shape, batch.mask.dtype) == ((2, 1, 4, 4), torch.bool)
    assert moved.mask is not None
    assert moved.mask.device.type == "meta"
    assert moved.names == batch.names


@pytest.mark.parametrize(
    "examples",
    [
        [],
        [example(4), example(5)],
        [example(), example(weight=True)],
        [example(mask=True), example()],
        [with_latents(), example()],
    ],
)
def test_examples_of_different_kinds_are_no_batch(examples: list[Example]) -> None:
    with pytest.raises(InputError, match="one size and the same channels"):
        collate(examples, ENCODING, "raw")


def test_a_batch_says_the_draws_of_its_examples(dataset: RadioMapSeer) -> None:
    sampler = ShuffleSampler(len(dataset), seed=1, epoch=2)
    (first, _) = BatchLoader(dataset, 4, sampler=sampler)
    assert first.draws == tuple(ShuffleSampler(len(dataset), seed=1, epoch=2))[:4]
    assert {draw for _, draw in first.draws} == {2}
    assert collate([example(), example()], ENCODING, "raw").draws == ((0, 0), (1, 0))
    with pytest.raises(InputError, match="one draw for each example; got 1 draws, 2 examples"):
        collate([example(), example()], ENCODING, "raw", [(3, 0)])


def test_a_loader_takes_a_list_of_numbers(dataset: RadioMapSeer) -> None:
    loader = BatchLoader(dataset, 2, sampler=[4, (1, 3), 0])
    assert len(loader) == 2
    for _ in range(2):
        batches = list(loader)
        assert [batch.draws for batch in batches] == [((4, 0), (1, 3)), ((0, 0),)]
        assert torch.equal(batches[0].condition[1], torch.from_numpy(dataset[1, 3].condition))
    assert list(BatchLoader(dataset, 2, sampler=[])) == []


@pytest.mark.parametrize(("num_examples", "wanted"), [(10, 3), (7, 7), (5, 9), (8000, 256), (3, 1), (101, 100)])
def test_examples_are_spread_evenly(num_examples: int, wanted: int) -> None:
    numbers = spread(num_examples, wanted)
    wanted = min(wanted, num_examples)
    assert len(set(numbers)) == len(numbers) == wanted
    assert numbers == sorted(numbers)
    steps = np.diff([*numbers, numbers[0] + num_examples])
    assert set(steps) <= {num_examples // wanted, -(-num_examples // wanted)}
    # As much is left at the beginning as at the end.
    assert abs(numbers[0] - (num_examples - 1 - numbers[-1])) <= 1


@pytest.mark.parametrize(("num_examples", "wanted"), [(0, 1), (1, 0)])
def test_there_must_be_examples_to_spread(num_examples: int, wanted: int) -> None:
    with pytest.raises(InputError, match="at least one is wanted"):
        spread(num_examples, wanted)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["target", "condition", "weight", "latents"])
def test_examples_with_values_that_are_not_finite_are_named(name: str, value: float) -> None:
    whole = np.ones((1, 4, 4), np.float32)
    examples = [replace(example(), name=str(number), weight=whole, latents=whole) for number in range(4)]
    assert non_finite_examples(collate(examples, ENCODING, "raw")) == ()
    broken = np.zeros((1, 4, 4), dtype=np.float32)
    broken[0, 3, 2] = value
    examples[1] = replace(examples[1], **{name: broken})
    examples[3] = replace(examples[3], **{name: broken})
    assert non_finite_examples(collate(examples, ENCODING, "raw")) == ("1", "3")


def test_latents_may_stand_for_targets() -> None:
    batch = collate([with_latents(0.5), with_latents(2.0)], ENCODING, "raw").to("cpu")
    assert batch.target.shape == (2, 0, 4, 4)
    assert batch.latents is not None
    assert batch.latents.shape == (2, 4, 2, 2)
    assert batch.latents[:, 0, 0, 0].tolist() == [0.5, 2.0]
    assert non_finite_examples(batch) == ()
    assert collate([example()], ENCODING, "raw").latents is None


def test_a_batch_without_weights_can_be_checked() -> None:
    assert non_finite_examples(collate([example()], ENCODING, "raw")) == ()


@pytest.mark.parametrize("bad", [{"batch_size": 0}, {"threads": -1}])
def test_counts_must_be_positive(dataset: RadioMapSeer, bad: dict[str, int]) -> None:
    settings = {"batch_size": 2} | bad
    with pytest.raises(InputError, match="loader needs"):
        BatchLoader(dataset, settings.pop("batch_size"), **settings)


@pytest.mark.parametrize("threads", [0, 2])
def test_a_missing_file_is_named_at_its_batch(dataset: RadioMapSeer, threads: int, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(dataset.config.root, root)
    broken = RadioMapSeer(dataset.config.replaced(root=root))
    first = broken[0].name
    (root / "gain" / "DPM" / f"{first}.png").unlink()
    with pytest.raises(FormatError, match=rf"must exist; got .*gain.DPM.{first}\.png"):
        next(iter(BatchLoader(broken, 2, threads=threads)))
