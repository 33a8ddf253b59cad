"""Batches, and a sampler that resumes where it was."""

import numpy as np
import pytest
import torch

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.example import Example
from radiodiff.data.loader import Batch, ShuffleSampler, collate, make_loader
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.errors import FormatError, InputError
from radiodiff.layouts import CitySettings

ENCODING = Encoding.of_names(["buildings"], path_loss_channel())


def example(size: int = 4, weight: bool = False) -> Example:
    array = np.zeros((1, size, size), dtype=np.float32)
    return Example(array, array, (1, 2), 3, 4, "3_4", (size, size), array if weight else None)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> RadioMapSeer:
    root = tmp_path_factory.mktemp("loader") / "data"
    for _ in create_data_set(root, CreateSettings(2, 3, 1, city=CitySettings(rows=64, cols=64))):
        pass
    return RadioMapSeer(RadioMapSeerConfig(root=root, part="all", augment=True))


def test_a_batch_holds_its_examples(dataset: RadioMapSeer) -> None:
    batch = next(iter(make_loader(dataset, 4)))
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


def test_batches_do_not_depend_on_the_workers(dataset: RadioMapSeer) -> None:
    def batches(workers: int) -> list[Batch]:
        sampler = ShuffleSampler(len(dataset), seed=3)
        loader = make_loader(dataset, 4, sampler=sampler, workers=workers)
        return [*loader, *loader]

    alone, helped = batches(0), batches(2)
    assert len(alone) == len(helped) == 4
    for one, two in zip(alone, helped, strict=True):
        assert one.names == two.names
        assert torch.equal(one.condition, two.condition)
        assert torch.equal(one.target, two.target)


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


def test_a_sampler_without_shuffle_keeps_the_order() -> None:
    assert [i for i, _ in ShuffleSampler(5, shuffle=False)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("bad", [{"num_examples": 0}, {"start": 5}, {"start": -1}, {"epoch": -1}, {"seed": -1}])
def test_a_position_outside_the_data_set_is_refused(bad: dict[str, int]) -> None:
    settings = {"num_examples": 5} | bad
    with pytest.raises(InputError, match="sampler needs examples"):
        ShuffleSampler(settings.pop("num_examples"), **settings)


def test_batches_move_with_their_tensors() -> None:
    batch = collate([example(weight=True), example(weight=True)], ENCODING, "raw")
    moved = batch.to("meta")
    assert moved.target.device.type == "meta"
    assert moved.weight is not None
    assert moved.weight.device.type == "meta"
    assert moved.names == batch.names


@pytest.mark.parametrize("examples", [[], [example(4), example(5)], [example(), example(weight=True)]])
def test_examples_of_different_kinds_are_no_batch(examples: list[Example]) -> None:
    with pytest.raises(InputError, match="one size and the same channels"):
        collate(examples, ENCODING, "raw")


@pytest.mark.parametrize("bad", [{"batch_size": 0}, {"workers": -1}])
def test_counts_must_be_positive(dataset: RadioMapSeer, bad: dict[str, int]) -> None:
    settings = {"batch_size": 2} | bad
    with pytest.raises(InputError, match="loader needs"):
        make_loader(dataset, settings.pop("batch_size"), **settings)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_missing_file_is_named_from_whatever_process(dataset: RadioMapSeer, workers: int) -> None:
    broken = RadioMapSeer(dataset.config.replaced(simulation="IRT2"))
    with pytest.raises(FormatError, match=r"must exist; got .*gain.IRT2.0_0\.png"):
        next(iter(make_loader(broken, 2, workers=workers)))
