"""`radiodiff dataset edges` on a generated data set."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from command_line import Run, tree
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.edges import EDGE_METHODS, EdgeDataSet, EdgeDataSetConfig
from radiodiff.layouts import CitySettings

MAPS, SIZE = 3, 64
EDGES = ("dataset", "edges")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `radiodiff dataset create --maps 3 --tx-per-map 1 --seed 1 --size 64` makes it."""
    root = tmp_path_factory.mktemp("reference") / "city"
    for _ in create_data_set(root, CreateSettings(MAPS, 1, 1, city=CitySettings(rows=SIZE, cols=SIZE))):
        pass
    return root


@pytest.fixture
def city(reference: Path, tmp_path: Path) -> Path:
    """A copy of the data set, in the folder where commands run."""
    return shutil.copytree(reference, tmp_path / "city")


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_from_the_command_to_a_data_set(radiodiff: Run, tmp_path: Path) -> None:
    create = ("dataset", "create", "--out", "city", "--maps", MAPS, "--tx-per-map", 1, "--seed", 1, "--size", SIZE)
    assert radiodiff(*create, "--workers", 1).code == 0
    command = (*EDGES, "city/gain/DPM", "--out", "edges", "--method", "canny", "--split", 0.7, "--workers", 1)
    outcome = radiodiff(*command)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "edges: edges of 3 of 3 images, 0 there already; 1 in test, 2 in train, split by map\n"
    assert "3 there already" in radiodiff(*command).out
    data = EdgeDataSet(EdgeDataSetConfig(root=tmp_path / "edges", scene=tmp_path / "city"))
    assert len(data) == 2
    for example in data:
        gain = read(tmp_path / f"city/gain/DPM/{example.name}.png")
        np.testing.assert_array_equal(example.target[0] > 0, cv2.Canny(gain, 50, 150) > 0)
        assert gain[example.tx] == 255


@pytest.mark.parametrize("method", EDGE_METHODS)
def test_every_method_draws_walls_and_little_else(radiodiff: Run, city: Path, tmp_path: Path, method: str) -> None:
    outcome = radiodiff(*EDGES, "city/gain/DPM", "--out", "edges", "--method", method, "--preserve", "--workers", 1)
    assert (outcome.code, outcome.err) == (0, "")
    for path in (city / "gain/DPM").iterdir():
        edges = read(tmp_path / "edges" / path.name)
        assert set(np.unique(edges)) == {0, 255}
        assert 0.02 < (edges > 0).mean() < 0.25
        # Bright cells beside a building: most have an edge in their neighbourhood.
        gain = read(path)
        walls = (gain > 60) & (cv2.erode(gain, np.ones((3, 3), np.uint8)) == 0)
        assert (cv2.dilate(edges, np.ones((3, 3), np.uint8))[walls] > 0).mean() > 0.8


def test_settings_of_the_detector(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    options = ("--option", "canny_low=5", "--option", "canny_high=10", "--workers", 1)
    assert radiodiff(*EDGES, "city/gain/DPM", "--out", "edges", "--method", "canny", *options).code == 0
    expected = cv2.Canny(read(city / "gain/DPM/0_0.png"), 5, 10)
    np.testing.assert_array_equal(read(tmp_path / "edges/0_0.png"), expected)


def test_an_analysis_writes_nothing(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    outcome = radiodiff(*EDGES, "city/gain", "--analyze-only", "--workers", 1)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("3 images: 3 of 64x64\n")
    assert [line.split()[0] for line in outcome.out.splitlines()[3:]] == list(EDGE_METHODS)
    content = json.loads(radiodiff(*EDGES, "city", "--analyze-only", "--json", "--method", "canny").out)
    # Of a data set, the radio maps alone.
    assert (content["images"], content["other_files"], content["sizes"]) == (3, 0, {"64x64": 3})
    assert set(content["edge_share"]) == {"canny"}
    assert tree(tmp_path) == before


def test_bad_images_end_with_a_list(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(city / "gain/DPM/9_0.png")
    (city / "gain/DPM/8_0.png").write_bytes(b"")
    command = (*EDGES, "city/gain/DPM", "--out", "edges", "--method", "sobel", "--workers", 1)
    outcome = radiodiff(*command)
    assert outcome.out == "edges: edges of 3 of 5 images, 0 there already; 2 failed\n"
    outcome.check_refusal("2 of 5 that failed", "city/gain/DPM/8_0.png", "edges/failures.csv names each")
    report = (tmp_path / "edges/failures.csv").read_text(encoding="utf-8")
    assert [line.split(",")[0] for line in report.splitlines()] == [
        "path",
        "city/gain/DPM/8_0.png",
        "city/gain/DPM/9_0.png",
    ]
    content = json.loads(radiodiff(*command, "--json").out)
    assert [failure["path"] for failure in content["failures"]] == ["city/gain/DPM/8_0.png", "city/gain/DPM/9_0.png"]
    outcome = radiodiff(*EDGES, "city/gain/DPM", "--analyze-only", "--workers", 1)
    assert "failed: city/gain/DPM/8_0.png: " in outcome.out
    outcome.check_refusal("2 of 5 that failed", "The output above names each")


def test_a_bad_image_whose_name_is_no_utf8(radiodiff: Run, city: Path) -> None:
    (city / "gain/DPM" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    command = (*EDGES, "city/gain/DPM", "--workers", 1)
    outcome = radiodiff(*command, "--out", "edges", "--method", "canny")
    outcome.check_refusal("1 of 4 that failed", r"city/gain/DPM/caf\udce9.png", "edges/failures.csv names each")
    outcome = radiodiff(*command, "--analyze-only")
    assert r"failed: city/gain/DPM/caf\udce9.png: " in outcome.out
    outcome.check_refusal("1 of 4 that failed")


def test_a_split_by_file_says_so(radiodiff: Run, city: Path) -> None:
    outcome = radiodiff(*EDGES, "city/png/buildings_complete", "--out", "edges", "--method", "gradient", "--split", 0.5)
    assert "split by file; their names say no map" in outcome.out


REFUSED = {
    "two layouts": (["--split", 0.5, "--preserve"], ["either by --split or by --preserve"]),
    "no method": (["--method", ""], ["EdgeSettings.method must be 'canny', 'sobel'"]),
    "a wrong method": (["--method", "sobl"], ["Did you mean 'sobel'?"]),
    "a wrong share": (["--split", 1.0], ["EdgeSettings.train_share must be", "got 1.0"]),
    "a wrong part": (["--split", 0.5, "--rest", "train"], ["EdgeSettings.rest must be 'test' or 'validation'"]),
    "a wrong size": (["--size", 0], ["EdgeSettings.size must be"]),
    "a wrong option": (["--option", "thinn=1"], ["DetectOptions has no key 'thinn'", "Did you mean 'thin'?"]),
    "half an option": (["--option", "thin"], ["--option must be NAME=VALUE", "got thin."]),
    "an option twice": (["--option", "thin=true", "--option", "thin=false"], ["each name once"]),
    "no workers": (["--workers", 0], ["workers must be"]),
    "its own output": (["--out", "city/gain/DPM/edges"], ["must lie apart from the images"]),
    "a foreign folder": (["--out", "foreign"], ["must be empty or absent", "foreign, which holds other files"]),
    "a file": (["--out", "file"], ["must have a folder", "file, which is a file"]),
}


@pytest.mark.parametrize(("changes", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_refused_and_nothing_changes(
    radiodiff: Run, city: Path, tmp_path: Path, changes: list, parts: list[str]
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").touch()
    (tmp_path / "file").touch()
    before = tree(tmp_path)
    radiodiff(*EDGES, "city/gain/DPM", "--out", "edges", "--method", "canny", *changes).check_refusal(*parts)
    assert tree(tmp_path) == before


def test_a_method_and_a_folder_are_needed(radiodiff: Run, city: Path) -> None:
    radiodiff(*EDGES, "city", "--out", "edges").check_refusal("need a method", "--method not given")
    radiodiff(*EDGES, "city", "--method", "canny").check_refusal("need a method", "--out not given")
    radiodiff(*EDGES, "town", "--analyze-only").check_refusal("images of a folder", "town, which is not there")
