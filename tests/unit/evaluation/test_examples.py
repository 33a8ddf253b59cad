"""Examples of an evaluation."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evaluation_cases import examples_of
from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.icassp.dataset import IcasspDataSet
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.radiomapseer.pack import PackSettings, pack_data_set
from radiodiff.errors import InputError
from radiodiff.evaluation.examples import file_names, has_level_0_indoors, indoor_cells, measured_words


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


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, True), ({"size": 48}, True), ({"size": 64, "fit": "pad"}, True), ({"size": 32}, False)],
    ids=str,
)
def test_maps_that_are_not_resampled_have_level_0_indoors(cities: Path, settings: dict, expected: bool) -> None:
    examples = examples_of(cities, **settings)
    assert has_level_0_indoors(examples.source) is expected
    batch = next(examples.batches(8))
    indoors = indoor_cells(batch)
    assert indoors.any()
    assert not (indoors & ~(batch.condition[:, 0].numpy() > 0)).any()
    assert bool((batch.target[:, 0].numpy()[indoors] == -1).all()) or not expected


def test_cells_at_walls_are_not_indoors() -> None:
    buildings = torch.full((1, 1, 6, 7), -1.0)
    buildings[..., 1:, 1:5] = 1.0
    batch = SimpleNamespace(condition=buildings, encoding=SimpleNamespace(names=["buildings"]))
    expected = np.zeros((1, 6, 7), dtype=bool)
    expected[:, 2:5, 2:4] = True
    np.testing.assert_array_equal(indoor_cells(batch), expected)
    assert indoor_cells(SimpleNamespace(encoding=SimpleNamespace(names=["walls"]))) is None


def test_other_data_sets_may_have_any_level_indoors() -> None:
    assert has_level_0_indoors(SimpleNamespace()) is False


@pytest.mark.parametrize(
    ("measurements", "expected"),
    [
        (None, ""),
        ({"kind": "random", "num_points": (3, 9)}, "3 to 9 random cells of the true map, which count in the figures"),
        (
            {"kind": "half", "half": "left", "noise_db": 2.5},
            "half of the cells (left) of the true map with noise of 2.5 dB, which count in the figures",
        ),
        ({"kind": "vertices"}, "cells at building corners of the true map, which count in the figures"),
    ],
)
def test_measured_points_are_said(measurements: dict | None, expected: str) -> None:
    assert measured_words(RadioMapSeerConfig(root=Path("unknown"), measurements=measurements)) == expected
