"""Splits: no map twice, the published lists, manifests."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiodiff.data.splits import PARTS, Split, find_split, named_split, proportional_split
from radiodiff.errors import DataSetError, FormatError


def test_disjoint_covers_all_maps_once() -> None:
    split = named_split("disjoint")
    assert [len(split.ids(part)) for part in PARTS] == [500, 100, 101]
    assert split.ids("all") == tuple(range(701))


def test_radiounet_has_the_published_sizes_and_test_map() -> None:
    split = named_split("radiounet")
    assert [len(split.ids(part)) for part in PARTS] == [501, 100, 99]
    # Map 419 is shown as a test map by code that publishes samples of the data set.
    assert 419 in split.ids("test")
    assert 0 not in split.ids("all")


def test_a_model_trained_on_disjoint_may_be_tested_on_radiounet() -> None:
    ours, theirs = named_split("disjoint"), named_split("radiounet")
    assert set(ours.ids("train")) <= set(theirs.ids("train"))
    assert set(theirs.ids("test")) <= set(ours.ids("test"))


def test_radiodiff_overlaps_and_says_so() -> None:
    with pytest.warns(UserWarning, match="share maps"):
        split = named_split("radiodiff")
    assert [len(split.ids(part)) for part in PARTS] == [601, 51, 100]
    assert len(split.shared_maps()[("validation", "test")]) == 51


def test_named_splits_do_not_touch_the_global_generator() -> None:
    before = np.random.get_state()  # noqa: NPY002
    named_split("radiounet")
    after = np.random.get_state()  # noqa: NPY002
    assert str(before) == str(after)


@given(st.integers(3, 400))
def test_proportional_parts_are_disjoint_complete_and_near_their_shares(count: int) -> None:
    split = proportional_split("p", range(count))
    assert split.ids("all") == tuple(range(count))
    assert split.shared_maps() == {}
    for part, share in zip(PARTS, (0.70, 0.15, 0.15), strict=True):
        assert len(split.ids(part)) >= 1
        assert abs(len(split.ids(part)) - share * count) <= 2.0


@given(st.integers(3, 100), st.integers(1, 50))
def test_a_data_set_that_grows_moves_no_map(count: int, more: int) -> None:
    small, large = proportional_split("p", range(count)), proportional_split("p", range(count + more))
    for part in PARTS:
        assert set(small.ids(part)) <= set(large.ids(part))


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (float("nan"), 0.5, 0.5)])
def test_shares_must_sum_to_one(shares: tuple[float, float, float]) -> None:
    with pytest.raises(DataSetError, match="sum to 1"):
        proportional_split("p", range(9), shares)


def test_two_maps_cannot_be_split() -> None:
    with pytest.raises(DataSetError, match=r"at least three maps.*got 2 maps"):
        proportional_split("p", range(2))


def test_a_map_in_two_parts_is_refused() -> None:
    with pytest.raises(DataSetError, match="two parts; got map 5 in train and test"):
        Split("mine", {"train": (1, 5), "test": (5, 6)})


@pytest.mark.parametrize("ids", [(), (1, 1)])
def test_an_empty_part_and_a_doubled_map_are_refused(ids: tuple[int, ...]) -> None:
    with pytest.raises(DataSetError, match="at least one map, and each once"):
        Split("mine", {"train": ids})


def test_absent_maps_are_named() -> None:
    split = Split("mine", {"train": tuple(range(10)), "test": (50,)})
    split.check_maps(range(60), "here")
    with pytest.raises(DataSetError, match="here without maps 3, 4, 5, 6, 7 and 3 more"):
        split.check_maps([0, 1, 2], "here")


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(DataSetError, match="parts train, test; got 'val'"):
        Split("mine", {"train": (1,), "test": (2,)}).ids("val")


def test_a_manifest_comes_back(tmp_path: Path) -> None:
    split = proportional_split("mine", [4, 9, 2, 7])
    split.write(tmp_path / "split.json")
    assert Split.read(tmp_path / "split.json") == split
    assert find_split(tmp_path, None) == split
    assert find_split(tmp_path, "radiounet").name == "radiounet"
    assert find_split(tmp_path / "elsewhere", str(tmp_path / "split.json")) == split
    assert find_split(tmp_path / "elsewhere", None).name == "disjoint"


def test_an_overlapping_manifest_comes_back(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'old' share maps"):
        split = Split("old", {"train": (1, 2), "test": (2,)}, overlapping=True)
    split.write(tmp_path / "split.json")
    with pytest.warns(UserWarning, match="'old' share maps"):
        assert Split.read(tmp_path / "split.json") == split


@pytest.mark.parametrize("name", ["../x", "a/b", "", "all"])
def test_names_of_parts_are_file_names(name: str) -> None:
    with pytest.raises(DataSetError, match="name of a part must be letters"):
        Split("mine", {"train": (1,), name: (2,)})


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"format_version": 2},
        {"name": 3},
        {"parts": []},
        {"parts": {}},
        {"parts": {"train": [1, -1]}},
        {"parts": {"train": [1, "2"]}},
        {"parts": {"train": [True]}},
        {"parts": {"train": 3}},
    ],
)
def test_a_manifest_of_another_schema_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    good = {"format": "radiodiff-split", "format_version": 1, "name": "x", "parts": {"train": [1]}}
    path = tmp_path / "split.json"
    path.write_text(json.dumps(good))
    assert Split.read(path).ids("train") == (1,)
    path.write_text(json.dumps(good | change))
    with pytest.raises(FormatError, match="split manifest must hold"):
        Split.read(path)


def test_a_manifest_that_is_a_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text("[1, 2]")
    with pytest.raises(FormatError, match="split manifest must hold"):
        Split.read(tmp_path / "split.json")


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="radiounet, radiodiff, all; got 'radionet'"):
        find_split(tmp_path, "radionet")
