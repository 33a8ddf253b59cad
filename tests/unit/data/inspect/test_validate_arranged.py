"""Faults planted in an arrangement are found; splits that are asked for are checked, or refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted_faults import Planter, change, copy, cut_short, manifest, remove, save_as, write

from radiodiff.cli.progress import counted_result
from radiodiff.data.icassp import ArrangeSettings, FakeIcasspSettings, arrange_icassp, write_fake_icassp
from radiodiff.data.inspect import ValidationReport, validate_data_set
from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError, InputError


def validated(root: Path, **options: object) -> ValidationReport:
    return counted_result(validate_data_set(root, **options), "", "")


def found(root: Path, **options: object) -> set[tuple[str, str]]:
    return {(finding.kind, finding.file) for finding in validated(root, **options).findings}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arranged")
    list(write_fake_icassp(folder / "raw", FakeIcasspSettings(3, 2, 2, 26, 40, seed=4)))
    list(arrange_icassp(folder / "raw", folder / "squares", ArrangeSettings(task=1, size=32)))
    return folder / "squares"


@pytest.fixture
def squares(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "squares")


def test_an_untouched_arrangement_is_clean(sound: Path) -> None:
    report = validated(sound)
    assert (report.layout, report.scale, report.findings) == ("arranged", "db", ())
    assert report.num_files == len(list(sound.rglob("*.png"))) == 42
    assert validated(sound, workers=2) == report


NAME = "B2_Ant1_f1_S1"
SQUARE, MASK, TX = f"image/{NAME}.png", f"mask/{NAME}.png", f"antenna/{NAME}.png"
WALLS = f"condition/reflectance/{NAME}.png"


def edit_line(edit: Callable[[list[str]], list[str]]) -> Planter:
    """A planter that changes the manifest's line of the radio map."""

    def plant(root: Path) -> None:
        lines = (root / "manifest.csv").read_text().splitlines()
        index = next(i for i, line in enumerate(lines) if line.startswith(NAME))
        lines[index] = ",".join(edit(lines[index].split(",")))
        (root / "manifest.csv").write_text("\n".join(filter(None, lines)) + "\n")

    return plant


def one_more(pixels: np.ndarray) -> np.ndarray:
    """A mask that shows a cell of the map less."""
    row, col = np.argwhere(pixels)[0]
    pixels = pixels.copy()
    pixels[row, col] = 0
    return pixels


def new_square(root: Path) -> None:
    with Image.open(root / SQUARE) as image:
        pixels = np.array(image)
    Image.fromarray(pixels[::-1]).save(root / "image/B2_Ant1_f1_S7.png")


PLANTS: dict[str, tuple[Planter, str, str]] = {
    "a square cut short": (cut_short(SQUARE), "unreadable", SQUARE),
    "a square in colours": (save_as(SQUARE, "RGB"), "image-mode", SQUARE),
    "a square of another size": (change(SQUARE, lambda p: p[1:]), "image-size", SQUARE),
    "walls of another size": (change(WALLS, lambda p: p[:, 1:]), "image-size", WALLS),
    "a square of zeros": (change(SQUARE, np.zeros_like), "zero-image", SQUARE),
    "a square above 160 dB": (change(SQUARE, lambda p: p + 20), "value-range", SQUARE),
    "a missing square": (remove(SQUARE), "missing-layer", SQUARE),
    "a missing condition": (remove(WALLS), "missing-layer", WALLS),
    "a square that is not listed": (new_square, "index", "image/B2_Ant1_f1_S7.png"),
    "a foreign file": (write("mask/notes.txt", "x"), "foreign-file", "mask/notes.txt"),
    "a square twice": (copy("image/B2_Ant1_f1_S0.png", SQUARE), "duplicate-gain", SQUARE),
    "a smooth mask": (change(MASK, lambda p: p - np.arange(32, dtype=np.uint8)), "not-binary", MASK),
    "an empty mask": (change(MASK, np.zeros_like), "zero-image", MASK),
    "another mask": (change(MASK, one_more), "index", MASK),
    "a transmitter of two pixels": (change(TX, lambda p: p | np.roll(p, 1)), "antenna-image", TX),
    "no transmitter": (change(TX, np.zeros_like), "antenna-image", TX),
    "a moved transmitter": (change(TX, lambda p: np.roll(p, 1, axis=1)), "antenna-image", TX),
    "another transmitter in the manifest": (
        edit_line(lambda line: [*line[:10], str(int(line[10]) + 1), *line[11:]]),
        "antenna-image",
        TX,
    ),
    "another map in the manifest": (edit_line(lambda line: [*line[:6], "3", *line[7:]]), "index", MASK),
    "a manifest without numbers": (edit_line(lambda line: [*line[:6], "x", *line[7:]]), "index", "manifest.csv"),
    "no manifest": (remove("manifest.csv"), "unfinished", "manifest.csv"),
    "no statistics": (remove("statistics.json"), "unfinished", "statistics.json"),
    "damaged statistics": (cut_short("statistics.json"), "json-schema", "statistics.json"),
    "another record": (write("arranged.json", "[]"), "json-schema", "arranged.json"),
    "no split": (remove("split.json"), "unfinished", "split.json"),
    "a damaged split": (cut_short("split.json"), "split", "split.json"),
    "a building in two parts": (manifest({"train": [1, 2], "test": [2, 3]}), "split", "split.json"),
    "a building in two parts, declared": (
        manifest({"train": [1, 2], "test": [2, 3]}, overlapping=True),
        "split",
        "split.json",
    ),
    "a split of a building that is not there": (manifest({"train": [1, 2], "test": [3, 4]}), "split", "split.json"),
}


@pytest.mark.parametrize(("plant", "kind", "file"), PLANTS.values(), ids=PLANTS)
def test_a_fault_of_an_arrangement(squares: Path, plant: Planter, kind: str, file: str) -> None:
    plant(squares)
    assert found(squares) == {(kind, file)}


def test_a_line_that_is_gone(squares: Path) -> None:
    """Its images in seven folders belong to nothing."""
    edit_line(lambda line: [])(squares)
    folders = {str(path.parent.relative_to(squares)) for path in squares.rglob("*.png")}
    assert len(folders) == 7
    assert found(squares) == {("index", f"{folder}/{NAME}.png") for folder in folders}


def test_without_a_manifest_folders_are_compared(squares: Path) -> None:
    (squares / "manifest.csv").unlink()
    (squares / TX).unlink()
    assert found(squares) == {("unfinished", "manifest.csv"), ("missing-layer", TX)}


def test_a_building_under_two_numbers_is_a_leak(squares: Path) -> None:
    """The walls of a square of building 1 are those of one of building 2, in another part."""
    for layer in ("reflectance", "transmittance"):
        copy(f"condition/{layer}/B1_Ant1_f1_S0.png", f"condition/{layer}/{NAME}.png")(squares)
    assert found(squares) == {("leak", WALLS)}
    other = str(squares.parent / "split.json")
    for parts in ({"train": [1, 2], "test": [3]}, {"train": [1], "test": [3]}):
        manifest(parts)(squares.parent)
        assert found(squares, split=other) == set()
    manifest({"train": [1, 3], "test": [2]})(squares.parent)
    assert found(squares, split=other) == {("leak", WALLS)}


def test_squares_without_walls_are_no_leak(squares: Path) -> None:
    for layer in ("reflectance", "transmittance"):
        for path in (squares / "condition" / layer).iterdir():
            Image.fromarray(np.zeros((32, 32), np.uint8)).save(path)
    assert found(squares) == set()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maps 0 and 1 have the same buildings."""
    root = tmp_path_factory.mktemp("tree") / "set"
    list(write_fake_radiomapseer(root, FakeRadioMapSeerSettings(3, 2, 2, size=64, cars=False, missing_layers=False)))
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        copy(f"{layer}/buildings_complete/0.{suffix}", f"{layer}/buildings_complete/1.{suffix}")(root)
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "split.json")
    return root


def test_another_split_of_a_packed_folder(tree: Path, tmp_path: Path) -> None:
    packed, other = tmp_path / "packed", str(tmp_path / "split.json")
    list(pack_data_set(tree, packed, PackSettings()))

    def faults(split: str | None) -> set[str]:
        return {kind for kind, _ in found(packed, split=split)} & {"leak", "split"}

    assert faults(None) == set()
    manifest({"train": [0], "test": [1, 2]})(tmp_path)
    assert faults(other) == {"leak"}
    manifest({"train": [0, 7]})(tmp_path)
    assert faults(other) == faults("disjoint") == {"split"}
    with pytest.raises(DataSetError, match="named split must be one of"):
        validated(packed, split="fair")


@pytest.mark.parametrize("split", ["disjoint", "split.json", "nonsense"])
def test_folders_without_a_split_to_check(sound: Path, tmp_path: Path, split: str) -> None:
    (tmp_path / "edge").mkdir()
    for root in (sound.parent / "raw", tmp_path, *([] if split == "split.json" else [sound])):
        with pytest.raises(InputError, match=rf"split can be checked for .*; got '{split}' for {root}, "):
            validated(root, split=split)
