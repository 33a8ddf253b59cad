"""Every fault that can be planted in a sound data set is found, and nothing else is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.inspect import KINDS, Finding, ValidationReport, validate_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError, InputError
from radiodiff.layouts import CitySettings

SIZE = 64
SETTINGS = FakeRadioMapSeerSettings(maps=3, tx_per_map=3, seed=2, size=SIZE, missing_layers=False)


def validated(root: Path, **options: object) -> ValidationReport:
    steps = validate_data_set(root, **options)
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            report = end.value
            break
    wanted = seen[0][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (wanted, wanted) == (report.num_files, wanted)
    return report


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound") / "set"
    list(write_fake_radiomapseer(root, SETTINGS))
    # One of the 48 layers with missing buildings: tests copy this folder.
    shutil.copytree(root / "png/buildings_complete", root / "png/buildings_missing2/5")
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "split.json")
    return root


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "set")


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def change(file: str, make: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """A planter that changes the pixels of an image."""

    def plant(root: Path) -> None:
        Image.fromarray(make(read(root / file))).save(root / file)

    return plant


def write(file: str, content: bytes | str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        (root / file).parent.mkdir(exist_ok=True, parents=True)
        (root / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    return plant


def remove(file: str) -> Callable[[Path], None]:
    return lambda root: (root / file).unlink()


def copy(file: str, to: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        shutil.copy(root / file, root / to)

    return plant


def cut_short(file: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        whole = (root / file).read_bytes()
        (root / file).write_bytes(whole[: len(whole) // 2])

    return plant


def save_as(file: str, mode: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        with Image.open(root / file) as image:
            converted = image.convert(mode)
        converted.save(root / file)

    return plant


def move_tx(place: Callable[[Path], tuple[int, int]]) -> Callable[[Path], None]:
    """A planter that moves transmitter 0 of map 1 to a cell (col, row), in all that names it."""

    def plant(root: Path) -> None:
        (col, row), file = place(root), root / "antenna/1.json"
        cells = json.loads(file.read_text())
        cells[0] = [col, SIZE - 1 - row]
        file.write_text(json.dumps(cells))
        for image in root.glob("png/antennas/1_0.png"):
            image.unlink()
        antenna = np.zeros((SIZE, SIZE), np.uint8)
        if 0 <= row < SIZE and 0 <= col < SIZE:
            antenna[row, col] = 255
        Image.fromarray(antenna).save(root / "png/antennas/1_0.png")
        lines = (root / "dataset.csv").read_text().splitlines()
        index = next(i for i, line in enumerate(lines) if line.startswith("1,0,"))
        lines[index] = ",".join(["1", "0", str(col), str(row), *lines[index].split(",")[4:]])
        (root / "dataset.csv").write_text("\n".join(lines) + "\n")
        for gain in root.glob("gain/*/1_0.png"):
            pixels = np.roll(read(gain), (row - tx_of(root)[1], col - tx_of(root)[0]), axis=(0, 1))
            Image.fromarray(pixels).save(gain)

    return plant


def tx_of(root: Path, map_id: int = 1) -> tuple[int, int]:
    x, y = json.loads((root / f"antenna/{map_id}.json").read_text())[0]
    return x, SIZE - 1 - y


def edit_index(edit: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        lines = (root / "dataset.csv").read_text().splitlines()
        (root / "dataset.csv").write_text("\n".join(edit(lines)) + "\n")

    return plant


def manifest(parts: dict[str, list[int]], **keys: bool) -> Callable[[Path], None]:
    content = {"format": "radiodiff-split", "format_version": 1, "name": "s", **keys, "parts": parts}
    return write("split.json", json.dumps(content))


def same_buildings(root: Path) -> None:
    """Map 2 gets the buildings of map 0, as image and as outlines."""
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        shutil.copy(root / f"{layer}/buildings_complete/0.{suffix}", root / f"{layer}/buildings_complete/2.{suffix}")


def thresholded(pixels: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip((pixels / 255 - 0.2) / 0.8, 0, 1)).astype(np.uint8)


def grey16(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint16) * 257


GAIN, BUILDINGS, ANTENNA, ANTENNA_IMAGE = (
    "gain/DPM/1_0.png",
    "png/buildings_complete/1.png",
    "antenna/1.json",
    "png/antennas/1_0.png",
)

PLANTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a gain cut short": (cut_short(GAIN), "unreadable", GAIN),
    "an empty gain": (write(GAIN, b""), "unreadable", GAIN),
    "a gain that is no image": (write(GAIN, b"<html>"), "unreadable", GAIN),
    "a building image cut short": (cut_short(BUILDINGS), "unreadable", BUILDINGS),
    "a gain in colours": (save_as(GAIN, "RGB"), "image-mode", GAIN),
    "a gain with a palette": (save_as(GAIN, "P"), "image-mode", GAIN),
    "a gain of 16 bits": (change(GAIN, grey16), "image-mode", GAIN),
    "a gain of another size": (change(GAIN, lambda p: p[:48]), "image-size", GAIN),
    "buildings of another size": (change(BUILDINGS, lambda p: p[:, :60]), "image-size", BUILDINGS),
    "smoothed buildings": (
        change(BUILDINGS, lambda p: np.where(p > 0, p - np.arange(SIZE, dtype=np.uint8), p)),
        "not-binary",
        BUILDINGS,
    ),
    "cars without a 0": (
        change("png/roads/1.png", lambda p: np.where(p > 0, 255, 9).astype(np.uint8)),
        "not-binary",
        "png/roads/1.png",
    ),
    "buildings of level 1": (change(BUILDINGS, lambda p: p // 255), "mask-level", BUILDINGS),
    "no buildings": (change(BUILDINGS, np.zeros_like), "zero-image", BUILDINGS),
    "no cars": (change("png/cars/1.png", np.zeros_like), "empty-layer", "png/cars/1.png"),
    "a gain of zeros": (change(GAIN, np.zeros_like), "zero-image", GAIN),
    "a dimmed gain": (change(GAIN, lambda p: p // 2), "value-range", GAIN),
    "a gain of 0 and 1": (change(GAIN, lambda p: (p > 128).astype(np.uint8)), "value-range", GAIN),
    "another antenna schema": (write(ANTENNA, '{"tx": [[1, 2]]}'), "json-schema", ANTENNA),
    "an antenna file cut short": (cut_short(ANTENNA), "json-schema", ANTENNA),
    "antennas between cells": (write(ANTENNA, "[[20.5, 20], [30, 30], [40, 40]]"), "json-schema", ANTENNA),
    "another polygon schema": (
        write("polygon/cars/1.json", '{"type": "FeatureCollection"}'),
        "json-schema",
        "polygon/cars/1.json",
    ),
    "no antenna file": (remove(ANTENNA), "missing-antenna", ANTENNA),
    "a gain of a map that is not there": (
        copy("gain/IRT2/1_0.png", "gain/DPM/9_0.png"),
        "missing-antenna",
        "antenna/9.json",
    ),
    "cars of a map that is not there": (copy("png/cars/1.png", "png/cars/9.png"), "missing-antenna", "antenna/9.json"),
    "no building image": (remove(BUILDINGS), "missing-buildings", BUILDINGS),
    "a missing gain": (remove(GAIN), "missing-gain", GAIN),
    "a missing gain of IRT4": (remove("gain/IRT4/1_1.png"), "missing-gain", "gain/IRT4/1_1.png"),
    "no gain of a simulation": (
        lambda root: [p.unlink() for p in root.glob("gain/IRT2/1_*.png")] and None,
        "missing-gain",
        "gain/IRT2/1_0.png",
    ),
    "no gain at all": (
        lambda root: [p.unlink() for p in root.glob("gain/*/1_*.png")] and None,
        "missing-gain",
        ANTENNA,
    ),
    "a missing antenna image": (remove(ANTENNA_IMAGE), "missing-antenna-image", ANTENNA_IMAGE),
    "a map without roads": (remove("png/roads/1.png"), "missing-layer", "png/roads/1.png"),
    "a map without a missing layer": (
        remove("png/buildings_missing2/5/1.png"),
        "missing-layer",
        "png/buildings_missing2/5/1.png",
    ),
    "a map without outlines": (remove("polygon/cars/1.json"), "missing-layer", "polygon/cars/1.json"),
    "a gain beyond the count": (
        lambda root: Image.fromarray(read(root / GAIN) // 2 * 2).save(root / "gain/DPM/1_3.png"),
        "tx-beyond-count",
        "gain/DPM/1_3.png",
    ),
    "IRT4 of a third transmitter": (
        copy("gain/IRT2/1_2.png", "gain/IRT4/1_2.png"),
        "tx-beyond-count",
        "gain/IRT4/1_2.png",
    ),
    "an antenna image beyond the count": (
        copy(ANTENNA_IMAGE, "png/antennas/1_3.png"),
        "tx-beyond-count",
        "png/antennas/1_3.png",
    ),
    "an antenna image of two pixels": (
        change(ANTENNA_IMAGE, lambda p: np.maximum(p, p.T)),
        "antenna-image",
        ANTENNA_IMAGE,
    ),
    "an antenna image of none": (change(ANTENNA_IMAGE, np.zeros_like), "antenna-image", ANTENNA_IMAGE),
    "an antenna image elsewhere": (
        change(ANTENNA_IMAGE, lambda p: np.roll(p, 1, axis=1)),
        "antenna-image",
        ANTENNA_IMAGE,
    ),
    "a moved gain": (change(GAIN, lambda p: np.roll(p, (5, 9), axis=(0, 1))), "gain-peak", GAIN),
    "a gain upside down": (change(GAIN, lambda p: p[::-1]), "tx-mirrored", GAIN),
    "a gain left to right": (change(GAIN, lambda p: p[:, ::-1]), "tx-mirrored", GAIN),
    "a gain turned by 180 degrees": (change(GAIN, lambda p: p[::-1, ::-1]), "tx-mirrored", GAIN),
    "a transposed gain": (change(GAIN, lambda p: p.T), "tx-transposed", GAIN),
    "an inverted gain": (change(GAIN, lambda p: 255 - p), "inverted", GAIN),
    "a thresholded gain": (change(GAIN, thresholded), "scale", GAIN),
    "a thresholded IRT4 gain": (change("gain/carsIRT4/1_1.png", thresholded), "scale", "gain/carsIRT4/1_1.png"),
    "a gain of noise around a peak": (change(GAIN, lambda p: np.where(p == p.max(), p, p // 4)), "scale-unclear", GAIN),
    "outlines of another map": (
        copy("polygon/buildings_complete/0.json", "polygon/buildings_complete/1.json"),
        "outlines",
        "polygon/buildings_complete/1.json",
    ),
    "a foreign file": (write("gain/DPM/1_0 (1).png", b"x"), "foreign-file", "gain/DPM/1_0 (1).png"),
    "a manifest of another schema": (write("split.json", '{"train": [0]}'), "split", "split.json"),
    "a map in two parts": (manifest({"train": [0, 1], "test": [1]}), "split", "split.json"),
    "shared maps that are declared": (
        manifest({"train": [0, 1], "test": [1]}, overlapping=True),
        "split",
        "split.json",
    ),
    "a manifest with an absent map": (manifest({"train": [0, 7]}), "split", "split.json"),
    "an index without its columns": (edit_index(lambda lines: ["a,b", *lines[1:]]), "index", "dataset.csv"),
    "an index without lines": (edit_index(lambda lines: lines[:1]), "index", "dataset.csv"),
    "an index that is not text": (write("dataset.csv", b"\xff\xfe\xff"), "index", "dataset.csv"),
    "an index that lacks a line": (edit_index(lambda lines: lines[:-1]), "index", "dataset.csv"),
    "an index with a line without numbers": (edit_index(lambda lines: [*lines, "a,b,c,d"]), "index", "dataset.csv"),
    "an index of an absent map": (edit_index(lambda lines: [*lines, "9,0,1,1"]), "index", "dataset.csv"),
    "an index with another position": (
        edit_index(lambda lines: [lines[0], "0,0,1,1," + lines[1].split(",", 4)[4], *lines[2:]]),
        "index",
        "dataset.csv",
    ),
    "an index of a transmitter too many": (edit_index(lambda lines: [*lines, "0,3,1,1"]), "index", "dataset.csv"),
    "an index that names another gain": (
        edit_index(lambda lines: [lines[0], lines[1].replace("gain/DPM/0_0", "gain/DPM/0_1"), *lines[2:]]),
        "index",
        "dataset.csv",
    ),
}


def indoors(root: Path) -> tuple[int, int]:
    """A cell (col, row) with buildings all around."""
    from scipy.ndimage import binary_erosion

    row, col = np.argwhere(binary_erosion(read(root / BUILDINGS) > 0, np.ones((3, 3))))[0]
    return int(col), int(row)


def on_the_rim(root: Path) -> tuple[int, int]:
    from scipy.ndimage import binary_erosion

    mask = read(root / BUILDINGS) > 0
    row, col = np.argwhere(mask & ~binary_erosion(mask, np.ones((3, 3)), border_value=1))[0]
    return int(col), int(row)


@pytest.mark.parametrize(("plant", "kind", "file"), PLANTS.values(), ids=PLANTS)
def test_a_planted_fault_is_found_and_nothing_else(
    root: Path, plant: Callable[[Path], None], kind: str, file: str
) -> None:
    plant(root)
    report = validated(root)
    assert [(finding.kind, finding.file) for finding in report.findings] == [(kind, file)], report.findings
    assert bool(report.faults) == (KINDS[kind][0] == "fault")
    assert report.findings[0].reason
    assert str(root) not in report.findings[0].reason or kind in ("json-schema", "split", "outlines")


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (indoors, "tx-in-building"),
        (on_the_rim, "tx-on-rim"),
        (lambda root: (5, SIZE), "tx-outside-grid"),
        (lambda root: (-1, 5), "tx-outside-grid"),
    ],
    ids=["indoors", "rim", "below", "left"],
)
def test_a_transmitter_where_none_can_stand(root: Path, place: Callable[[Path], tuple[int, int]], kind: str) -> None:
    move_tx(place)(root)
    found = [(finding.kind, finding.file) for finding in validated(root).findings if finding.kind.startswith("tx-")]
    assert found == [(kind, ANTENNA)]


def test_the_same_buildings_in_two_parts_are_a_leak(root: Path) -> None:
    same_buildings(root)
    found = {(finding.kind, finding.file) for finding in validated(root).findings}
    assert ("leak", "png/buildings_complete/2.png") in found
    assert ("duplicate-buildings", "png/buildings_complete/2.png") in found


def test_the_same_buildings_in_one_part_are_a_note(root: Path) -> None:
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        shutil.copy(root / f"{layer}/buildings_complete/0.{suffix}", root / f"{layer}/buildings_complete/1.{suffix}")
    kinds = {finding.kind for finding in validated(root).findings}
    assert "duplicate-buildings" in kinds
    assert "leak" not in kinds


def test_a_gain_twice(root: Path) -> None:
    shutil.copy(root / "gain/DPM/1_0.png", root / "gain/DPM/1_1.png")
    found = [f for f in validated(root).findings if f.kind == "duplicate-gain"]
    assert [(f.file, f.reason) for f in found] == [("gain/DPM/1_1.png", "same pixels as gain/DPM/1_0.png")]


def test_an_antenna_file_of_flipped_rows_is_told_by_every_gain(root: Path) -> None:
    """The common mistake: y taken as the row."""
    cells = json.loads((root / ANTENNA).read_text())
    (root / ANTENNA).write_text(json.dumps([[x, SIZE - 1 - y] for x, y in cells]))
    # A transmitter near the middle row is its own mirror image.
    moved = [tx for tx, (_, y) in enumerate(cells) if abs(2 * y - SIZE + 1) > 4]
    assert moved
    found = {f.file for f in validated(root).findings if f.kind == "tx-mirrored"}
    assert found == {str(p.relative_to(root)) for tx in moved for p in root.glob(f"gain/*/1_{tx}.png")}


def test_every_kind_of_a_radiomapseer_folder_is_planted() -> None:
    planted = {kind for _, kind, _ in PLANTS.values()}
    elsewhere = {"tx-in-building", "tx-on-rim", "tx-outside-grid", "leak", "duplicate-buildings", "duplicate-gain"}
    others = {"unfinished", "missing-pair", "positions", "pattern", "distance", "tx-off-map"}
    assert planted | elsewhere | others == set(KINDS)
    assert not planted & others


@pytest.mark.parametrize("scale", ["raw", "thresholded"])
@pytest.mark.parametrize("seed", [0, 5])
def test_untouched_fakes_are_clean_and_their_scale_is_told(tmp_path: Path, scale: str, seed: int) -> None:
    settings = FakeRadioMapSeerSettings(3, 5, seed, size=96, missing_layers=False, thresholded=scale == "thresholded")
    list(write_fake_radiomapseer(tmp_path / "set", settings))
    report = validated(tmp_path / "set")
    assert report.findings == ()
    assert (report.layout, report.scale) == ("fake", scale)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generated") / "city"
    list(create_data_set(root, CreateSettings(3, 4, 1, cars=True, city=CitySettings(rows=96, cols=96))))
    return root


def test_a_generated_data_set_is_clean(generated: Path) -> None:
    report = validated(generated)
    assert report.findings == ()
    assert (report.layout, report.scale) == ("generated", "raw")


@pytest.mark.parametrize(
    ("plant", "kind", "file"),
    [
        (remove("dataset.csv"), "unfinished", "dataset.csv"),
        (write("dataset.json", "{"), "json-schema", "dataset.json"),
        (write("dataset.json", "[]"), "json-schema", "dataset.json"),
    ],
    ids=["no index", "damaged record", "another record"],
)
def test_an_unfinished_or_damaged_run(
    generated: Path, tmp_path: Path, plant: Callable[[Path], None], kind: str, file: str
) -> None:
    root = shutil.copytree(generated, tmp_path / "city")
    plant(root)
    assert [(finding.kind, finding.file) for finding in validated(root).findings] == [(kind, file)]


def test_columns_of_a_foreign_index_are_no_fault(root: Path) -> None:
    """The download has an index of its own."""
    (root / "fake.json").unlink()
    (root / "dataset.csv").write_text("name,city\n1,Berlin\n")
    report = validated(root)
    assert (report.layout, report.findings) == ("radiomapseer", ())


def test_a_named_split_that_does_not_fit(root: Path) -> None:
    found = [(f.kind, f.file) for f in validated(root, split="disjoint").findings]
    assert found == [("split", "disjoint")]


def test_a_published_split_is_reported_for_its_shared_maps(root: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "other.json"
    Split("mine", {"train": (0, 1), "test": (2,)}).write(manifest)
    assert validated(root, split=str(manifest)).findings == ()
    Split("mine", {"train": (0, 1), "test": (1, 2)}, overlapping=True).write(manifest)
    assert [(f.kind, f.file) for f in validated(root, split=str(manifest)).findings] == [("split", str(manifest))]


def test_workers_find_the_same(root: Path) -> None:
    change(GAIN, lambda p: p[::-1])(root)
    cut_short("gain/IRT2/2_1.png")(root)
    assert validated(root, workers=2) == validated(root)


def test_faults_come_first_and_the_report_is_json(root: Path) -> None:
    for plant in (write("gain/DPM/x.png", b""), remove(GAIN), cut_short("gain/DPM/2_0.png")):
        plant(root)
    report = validated(root)
    assert [finding.kind for finding in report.findings] == ["unreadable", "missing-gain", "foreign-file"]
    assert report.counts == {"unreadable": 1, "missing-gain": 1, "foreign-file": 1}
    content = json.loads(json.dumps(report.to_dict()))
    assert (content["num_faults"], len(content["findings"])) == (2, 3)
    assert content["findings"][2]["severity"] == "note"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="must be one of unreadable"):
        Finding("odd", "a", "b")


@pytest.mark.parametrize("folders", [[], ["gain"], ["inputs"]], ids=str)
def test_a_folder_that_is_no_data_set(tmp_path: Path, folders: list[str]) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    with pytest.raises(DataSetError, match=r"10\.21227/0gtx-6v30"):
        validated(tmp_path)


def test_empty_folders_are_no_data_set(tmp_path: Path) -> None:
    for name in ("antenna", "gain", "png"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataSetError, match="must hold maps"):
        validated(tmp_path)


def test_an_unknown_split_and_no_workers_are_refused(sound: Path) -> None:
    with pytest.raises(DataSetError, match="named split must be one of"):
        validated(sound, split="fair")
    with pytest.raises(InputError, match="workers must be at least 1"):
        validated(sound, workers=0)
