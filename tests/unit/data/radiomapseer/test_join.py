"""Data sets joined to one: which maps, which files, which parts; and what does not fit together."""

import errno
import json
import os
import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import tree
from radiodiff.data.create import CreateSettings, create_data_set, read_manifest
from radiodiff.data.create.manifest import file_sha256
from radiodiff.data.inspect import describe_data_set, validate_data_set
from radiodiff.data.missing_layers import missing_layers
from radiodiff.data.radiomapseer import JoinReport, JoinSettings, add_missing_layers, join_data_sets, pack_data_set
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError, FormatError, InputError
from radiodiff.layouts import CitySettings
from radiodiff.propagation import DominantPath, FreeSpace
from radiomapseer_examples import data

STREET = CreateSettings(4, 1, 1, city=CitySettings(rows=64, cols=64), scenario="street", missing_variants=1)
ROOFTOP = replace(
    STREET, maps=2, tx_per_map=2, seed=2, scenario="rooftop", engines={"RL": FreeSpace(), "DPM": DominantPath()}
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with a split, and one of two maps without. Not to be changed."""
    root = tmp_path_factory.mktemp("made")
    list(create_data_set(root / "street", STREET))
    list(create_data_set(root / "rooftop", ROOFTOP))
    return root


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of both that may be changed."""
    return Path(shutil.copytree(made, tmp_path / "made"))


def result_of(steps: Generator[Any, None, Any]) -> Any:
    """What a generator returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def joined(root: Path, names: tuple[str, ...] = ("street", "rooftop"), **settings: Any) -> JoinReport:
    """Join data sets of a folder into another one of it."""
    report: JoinReport = result_of(
        join_data_sets(root / "joined", [root / name for name in names], JoinSettings(**settings))
    )
    return report


def test_maps_keep_their_parts_and_what_all_sets_have(own: Path) -> None:
    report = joined(own)
    assert report == JoinReport({"train": 4, "validation": 1, "test": 1}, ("DPM",), ("RL",), 0)
    split, first = (Split.read(own / name / "split.json") for name in ("joined", "street"))
    # Maps of the first come first, in their order; those of the one without a split are for training.
    assert split.parts == {**first.parts, "train": (*first.parts["train"], 4, 5)}
    numbers = {("street", i): i for i in range(4)} | {("rooftop", i): 4 + i for i in range(2)}
    files = 0
    for (name, map_id), number in numbers.items():
        for path in (own / name).rglob(f"{map_id}*.*"):
            relative = path.relative_to(own / name)
            if path.stem.split("_")[0] != str(map_id) or relative.parts[:2] == ("gain", "RL"):
                continue
            files += 1
            target = own / "joined" / relative.with_name(relative.name.replace(str(map_id), str(number), 1))
            assert target.samefile(path), target
    lists = ("dataset.json", "dataset.csv", "split.json", "manifest.jsonl")
    assert sum(path.is_file() for path in (own / "joined").rglob("*")) == files + len(lists)


def test_readers_find_the_examples_of_the_sources(own: Path) -> None:
    joined(own)
    settings: dict[str, Any] = {"heights": True, "buildings": {"layer": "missing", "variant": 1, "count": 2}}
    found = data(own / "joined", part="train", **settings)
    sources = [data(own / "street", part="train", **settings), data(own / "rooftop", part="all", **settings)]
    wanted = [source[number] for source in sources for number in range(len(source))]
    assert len(found) == len(wanted)
    for number, example in enumerate(wanted):
        np.testing.assert_array_equal(found[number].condition, example.condition)
        np.testing.assert_array_equal(found[number].target, example.target)
    list(pack_data_set(own / "joined", own / "packed"))
    assert len(data(own / "packed", part="train", heights=True)) == len(wanted)


def test_the_result_is_sound_and_says_where_it_comes_from(own: Path) -> None:
    joined(own)
    root = own / "joined"
    assert not result_of(validate_data_set(root)).faults
    description = describe_data_set(root)
    assert (description.layout, description.maps, description.transmitters) == ("generated", 6, {1: 4, 2: 2})
    record = json.loads((root / "dataset.json").read_text())
    assert (record["frequency_hz"], record["cell_size_m"], record["rx_height_m"]) == (5.9e9, 1.0, 1.5)
    assert [one["name"] for one in record["sources"]] == ["street", "rooftop"]
    assert [one["num_maps"] for one in record["sources"]] == [4, 2]
    assert [one["record"]["seed"] for one in record["sources"]] == [1, 2]
    assert (
        [one["record"]["scenario"] for one in record["sources"]] == ["street", "rooftop"] == record["scenarios"][::-1]
    )
    assert record["sources"][1]["record"]["engines"]["RL"]["name"] == "free-space"
    lines = read_manifest(root)
    assert [line["joined_from"]["map"] for line in lines] == [0, 1, 2, 3, 0, 1]
    for line in lines:
        for name, digest in line["sha256"].items():
            assert file_sha256(root / name) == digest
    assert (root / "dataset.csv").read_text().count("\n") == 1 + 4 + 2 * 2


def test_joined_data_sets_can_be_joined_and_have_missing_buildings(own: Path) -> None:
    for folder in (own / "street").glob("*/buildings_missing*"):
        shutil.rmtree(folder)
    assert joined(own, maps=1).left_out == ("RL", *missing_layers(1))
    list(add_missing_layers(own / "joined", 2))
    again = result_of(join_data_sets(own / "again", [own / "joined"]))
    assert sum(again.parts.values()) == 2
    assert data(own / "again", part="all", buildings={"layer": "missing", "variant": 2}).split.name == "joined"
    # What was added stays where the same command runs again.
    joined(own, maps=1)
    assert json.loads((own / "joined/dataset.json").read_text())["missing_variants"] == 2


@pytest.mark.parametrize(("maps", "wanted"), [(1, [2]), (2, [1, 3]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3])])
def test_fewer_maps_are_spread_over_the_set(own: Path, maps: int, wanted: list[int]) -> None:
    (own / "street/split.json").unlink()
    report = joined(own, ("street",), maps=maps, part="test")
    assert report.parts == {"test": len(wanted)}
    assert [line["joined_from"]["map"] for line in read_manifest(own / "joined")] == wanted


def test_an_interrupted_run_is_completed(own: Path, tmp_path: Path) -> None:
    report = joined(own)
    whole = {name: content for name, content in tree(own / "joined").items() if "manifest" not in name}
    shutil.rmtree(own / "joined")
    steps = join_data_sets(own / "joined", [own / "street", own / "rooftop"])
    assert [next(steps) for _ in range(3)] == [(0, 6), (1, 6), (2, 6)]
    steps.close()
    assert not (own / "joined/split.json").exists()
    # A power cut may leave a file of no bytes.
    (own / "joined/antenna/1.json").unlink()
    (own / "joined/antenna/1.json").touch()
    assert joined(own) == report
    assert {name: content for name, content in tree(own / "joined").items() if "manifest" not in name} == whole
    (own / "street/gain/DPM/0_0.png").write_bytes((own / "street/gain/DPM/1_0.png").read_bytes())
    (own / "street/manifest.jsonl").unlink()
    with pytest.raises(DataSetError, match="with the settings it was begun with"):
        joined(own)


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.EPERM])
def test_files_are_copied_where_there_are_no_links(own: Path, monkeypatch: pytest.MonkeyPatch, reason: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", refuse)
    report = joined(own, ("rooftop",))
    assert report.num_copied == sum("." in name for name in tree(own / "joined")) - 4
    path = own / "joined/gain/RL/1_0.png"
    assert path.read_bytes() == (own / "rooftop/gain/RL/1_0.png").read_bytes()
    assert path.stat().st_nlink == 1


def test_a_full_disk_is_told(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(DataSetError, match=r"must be readable, and its folder writable; got .*No space"):
        joined(own)


def changed(path: Path, **values: Any) -> None:
    """Put other values into a record."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _another_size(root: Path) -> None:
    shutil.rmtree(root / "rooftop")
    list(create_data_set(root / "rooftop", replace(ROOFTOP, city=CitySettings(rows=96, cols=96), maps=1)))


def _without_heights(root: Path) -> None:
    for folder in ("png/heights", "polygon/heights", "antenna_heights"):
        shutil.rmtree(root / "rooftop" / folder)


def _same_buildings(root: Path) -> None:
    """Another number of transmitters on the same cities, in other parts."""
    shutil.copytree(root / "street", root / "other")
    parts = Split.read(root / "street/split.json").parts
    Split("turned", {"train": parts["test"], "test": parts["train"]}).write(root / "other/split.json")
    shutil.rmtree(root / "rooftop")
    (root / "other").rename(root / "rooftop")


CHANGES = {
    "size": (_another_size, r"one size; got .*street: 64 x 64 cells; .*rooftop: 96 x 96 cells"),
    "cells": (
        lambda root: changed(root / "rooftop/dataset.json", cell_size_m=2.0),
        r"one cell size; got .*street: 1 m; .*rooftop: 2 m",
    ),
    "carrier": (
        lambda root: changed(root / "rooftop/dataset.json", frequency_hz=2e9),
        r"one carrier; got .*street: 5\.9e\+09 Hz; .*rooftop: 2e\+09 Hz",
    ),
    "receivers": (lambda root: changed(root / "rooftop/dataset.json", rx_height_m=2.0), r"one height of receivers"),
    "scale": (lambda root: changed(root / "rooftop/dataset.json", grey={"scale": "thresholded"}), r"one grey scale"),
    "heights": (_without_heights, r"one kind of heights; got .*street: heights; .*rooftop: no heights"),
    "simulations": (
        lambda root: shutil.rmtree(root / "rooftop/gain/DPM"),
        r"a simulation that all of them have; got .*street: DPM; .*rooftop: RL",
    ),
    "parts": (_same_buildings, r"No buildings may be in two parts.*map \d of .*street in \w+, map \d of .*rooftop in"),
    "a file": (
        lambda root: (root / "rooftop/gain/DPM/1_1.png").unlink(),
        r"must be whole; got .*rooftop without gain/DPM/1_1\.png",
    ),
    "no record": (lambda root: (root / "rooftop/dataset.json").unlink(), r"must be generated, and say so in dataset"),
    "another record": (
        lambda root: changed(root / "rooftop/dataset.json", format="mine"),
        r"must be generated, and say so",
    ),
    "no folder": (lambda root: shutil.rmtree(root / "rooftop"), r"RadioMapSeer folder must hold.*not there"),
    "packed": (
        lambda root: (root / "rooftop/packed.json").touch(),
        r"must lie in folders; got .*rooftop, which is packed",
    ),
    "a map of the split": (
        lambda root: Split("own", {"train": (0, 7)}).write(root / "rooftop/split.json"),
        r"Every map of split own must be in the data set",
    ),
}


@pytest.mark.parametrize(("change", "match"), CHANGES.values(), ids=CHANGES)
def test_what_does_not_fit_together_is_refused_before_anything_is_written(own: Path, change: Any, match: str) -> None:
    change(own)
    with pytest.raises(DataSetError, match=match):
        joined(own)
    assert not (own / "joined").exists()


def test_a_damaged_record_is_named(own: Path) -> None:
    (own / "rooftop/dataset.json").write_text("[1]")
    with pytest.raises(FormatError, match="must hold settings"):
        joined(own)


def test_settings_that_make_no_sense_are_refused(own: Path) -> None:
    with pytest.raises(InputError, match=r"part must be one of train, validation, test; got 'training'"):
        JoinSettings("training")
    with pytest.raises(InputError, match=r"maps must be a whole number of at least 1; got 0"):
        JoinSettings(maps=0)
    for names in ((), ("street", "../made/street")):
        with pytest.raises(InputError, match="must be different ones"):
            joined(own, names)
