"""`radiodiff dataset pack`: what it writes, what it says, what it refuses."""

import json
from pathlib import Path

import pytest

from command_line import Run, tree
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig


@pytest.fixture
def city(radiodiff: Run, tmp_path: Path) -> Path:
    """A generated data set of five maps."""
    command = ("dataset", "create", "--out", "city", "--maps", 5, "--tx-per-map", 2, "--seed", 1, "--size", 64)
    assert radiodiff(*command, "--workers", 1).code == 0
    return tmp_path / "city"


def test_a_generated_data_set_is_packed_by_its_own_split(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    outcome = radiodiff("dataset", "pack", "city", "--out", "packed", "--geometry", "--workers", 1)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("packed: 8 files, ")
    assert json.loads((city / "split.json").read_text())["parts"] == {
        "train": [0, 3, 4],
        "validation": [1],
        "test": [2],
    }
    names = ("los_mask", "obstructed_length_m")
    for part, maps in (("train", {0, 3, 4}), ("validation", {1}), ("test", {2})):
        dataset = RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "packed", part=part, geometry=names))
        assert {dataset[i].map_id for i in range(len(dataset))} == maps
        assert dataset[0].condition.shape == (5, 64, 64)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("nowhere", "--out", "packed"), ("antenna/<map>.json", "nowhere, which is not there", "IEEE DataPort")),
        (("city", "--out", "packed", "--simulation", "IRT2"), ("must have the folder gain/IRT2", "There are: DPM")),
        (("city", "--out", "packed", "--split", "radiounet"), ("Every map of split radiounet", "city without maps")),
        (("city", "--out", "packed", "--split", "nope"), ("disjoint, radiounet, radiodiff", "'nope'")),
        (("city", "--out", "city"), ("empty or absent", "holds other files")),
        (("city", "--out", "city/dataset.csv"), ("must have a folder", "which is a file")),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_left(
    radiodiff: Run, city: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    before = tree(city.parent)
    radiodiff("dataset", "pack", *arguments).check_refusal(*parts)
    assert tree(city.parent) == before


def test_a_killed_run_is_completed_by_the_same_command(
    radiodiff: Run, radiodiff_process: Run, city: Path, tmp_path: Path
) -> None:
    assert radiodiff("dataset", "pack", "city", "--out", "whole").code == 0
    # The limit on file sizes stands for a full disk: packed.json and split.json fit, the arrays do not.
    outcome = radiodiff_process("dataset", "pack", "city", "--out", "packed", shell="ulimit -f 16")
    outcome.check_refusal("output file must be writable", "File too large", "free space")
    assert sorted(path.name for path in (tmp_path / "packed").iterdir()) == ["packed.json", "split.json"]
    assert radiodiff("dataset", "pack", "city", "--out", "packed").code == 0
    assert tree(tmp_path / "packed") == tree(tmp_path / "whole")
