"""Examples of an evaluation."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from evaluation_cases import examples_of
from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.icassp.dataset import IcasspDataSet
from radiodiff.data.radiomapseer.pack import PackSettings, pack_data_set
from radiodiff.errors import InputError
from radiodiff.evaluation.examples import file_names


def test_files_are_named_by_the_examples(cities: Path) -> None:
    source = examples_of(cities).source
    assert file_names(source, [0, 3, 7]) == [source[number].name for number in (0, 3, 7)]
    assert file_names(SimpleNamespace(example_names=("train/a", "validation/b")), [1, 0]) == ["b", "a"]
    with pytest.raises(InputError, match=r"must have different names.*1 names of several examples, first a"):
        file_names(SimpleNamespace(example_names=("train/a", "validation/a")), [0, 1])


def test_maps_that_several_tasks_share_need_one_task(tmp_path: Path) -> None:
    for _ in write_fake_icassp(tmp_path, FakeIcasspSettings(buildings=3, samples=1, seed=1, smallest=40, largest=40)):
        pass
    first = IcasspDataSet(IcasspConfig(root=tmp_path, part="all", crop="none"))
    assert file_names(first, [0, 2]) == [first[number].name for number in (0, 2)]
    both = IcasspDataSet(IcasspConfig(root=tmp_path, part="all", crop="none", tasks=(1, 2)))
    with pytest.raises(InputError, match=r"first B1_Ant1_f1_S0\. .*data\.tasks=\[1\]"):
        file_names(both, range(len(both)))


def test_a_packed_data_set_keeps_its_origin(cities: Path, tmp_path: Path) -> None:
    for _ in pack_data_set(cities, tmp_path / "packed", PackSettings()):
        pass
    facts = examples_of(tmp_path / "packed").facts()
    assert (facts.origin, facts.split) == ("fake", "fake")


def test_a_target_of_several_channels_is_for_autoencoders(cities: Path) -> None:
    examples = examples_of(cities)
    batch = next(examples.batches(2))
    with pytest.raises(InputError, match="target of one channel; got 2 channels"):
        examples.true_maps(replace(batch, target=torch.zeros(2, 2, 48, 48)), "raw")
