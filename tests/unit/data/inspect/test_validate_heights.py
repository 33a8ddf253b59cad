"""Data sets with heights, roof transmitters and traced rays: sound ones pass, planted faults are found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from planted_faults import change, read, remove, write
from scipy.ndimage import binary_erosion

from radiodiff.data.inspect import ValidationReport, describe_data_set, validate_data_set
from radiodiff.data.radiomapseer import pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiodiff.formats import write_grey_png
from radiomapseer_examples import add_heights, add_traced


def validated(root: Path) -> ValidationReport:
    steps = validate_data_set(root)
    while True:
        try:
            done, wanted = next(steps)
            assert done <= wanted
        except StopIteration as end:
            report: ValidationReport = end.value
            return report


def on_a_roof(root: Path) -> None:
    """Move transmitter 2 of map 0, 40 m high, onto a roof: no value at its place, a weak map around it."""
    mask = read(root / "png/buildings_complete/0.png") > 0
    inner = binary_erosion(mask, np.ones((3, 3)))
    roofs = read(root / "png/heights/0.png")
    row, col = np.argwhere(inner & (roofs > 0))[0].tolist()
    path = root / "antenna/0.json"
    cells = json.loads(path.read_text())
    cells[2] = [col, mask.shape[0] - 1 - row]
    path.write_text(json.dumps(cells))
    antenna = np.zeros(mask.shape, dtype=np.uint8)
    antenna[row, col] = 255
    write_grey_png(root / "png/antennas/0_2.png", antenna)
    for simulation in ("DPM", "RT"):
        file = root / f"gain/{simulation}/0_2.png"
        write_grey_png(file, np.where(mask, 0, read(file) // 2).astype(np.uint8))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("heights") / "set"
    settings = FakeRadioMapSeerSettings(3, 3, 2, size=64, cars=False, missing_layers=False, simulations=("DPM",))
    list(write_fake_radiomapseer(root, settings))
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "split.json")
    add_heights(root)
    add_traced(root)
    on_a_roof(root)
    # Transmitters have moved.
    (root / "dataset.csv").unlink()
    return root


@pytest.fixture
def own(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "set"))


def test_a_sound_data_set_has_no_faults(sound: Path, tmp_path: Path) -> None:
    assert validated(sound).faults == ()
    for _ in pack_data_set(sound, tmp_path / "packed"):
        pass
    assert validated(tmp_path / "packed").faults == ()


def test_a_transmitter_in_a_building_is_found(own: Path, tmp_path: Path) -> None:
    (own / "antenna_heights/0.json").write_text("[1.5, 2.5, 3.0]")
    for _ in pack_data_set(own, tmp_path / "packed"):
        pass
    for root in (own, tmp_path / "packed"):
        assert "tx-in-building" in validated(root).counts


@pytest.mark.parametrize(
    ("plant", "kind", "file"),
    [
        (write("antenna_heights/1.json", "[1.5]"), "json-schema", "antenna_heights/1.json"),
        (write("polygon/heights/1.json", "[1.5]"), "json-schema", "polygon/heights/1.json"),
        (write("png/heights/1.png", b"no image"), "unreadable", "png/heights/1.png"),
        (change("png/heights/1.png", lambda grey: grey + 1), "heights", "png/heights/1.png"),
        (change("png/heights/1.png", lambda grey: grey[:32]), "image-size", "png/heights/1.png"),
        (remove("png/heights/1.png"), "missing-layer", "png/heights/1.png"),
        (remove("antenna_heights/1.json"), "missing-layer", "antenna_heights/1.json"),
        (write("png/heights/one.png", b""), "foreign-file", "png/heights/one.png"),
        (change("gain/RT/1_0.png", lambda grey: 0 * grey), "zero-image", "gain/RT/1_0.png"),
        (change("gain/RT/1_0.png", lambda grey: grey[::-1, ::-1]), "tx-mirrored", "gain/RT/1_0.png"),
    ],
)
def test_a_planted_fault_is_found(own: Path, plant: Callable[[Path], None], kind: str, file: str) -> None:
    before = {(finding.kind, finding.file) for finding in validated(own).findings}
    plant(own)
    found = {(finding.kind, finding.file) for finding in validated(own).findings} - before
    assert (kind, file) in found
    # Outlines cannot be read with heights that are not theirs.
    assert found - {(kind, file)} <= {("outlines", "polygon/buildings_complete/1.json")}


def test_arrays_of_another_shape_are_found(sound: Path, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    for _ in pack_data_set(sound, tmp_path / "packed"):
        pass
    path = tmp_path / "packed/test.safetensors"
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    arrays = load_file(path)
    for name in ("roof_heights_m", "tx_heights_m", "outline_starts", "outline_heights_m"):
        save_file(arrays | {name: arrays[name][:-1]}, path, metadata)
        faults = [finding for finding in validated(tmp_path / "packed").faults if finding.kind == "damaged"]
        assert [name in finding.reason for finding in faults] == [True]


def test_rays_are_not_measured_by_the_profile_of_dominant_paths(own: Path) -> None:
    for path in (own / "gain/RT").glob("*.png"):
        # 12 levels above the line of sight of dominant paths, as free space is in places.
        brighter = read(path).astype(int)
        brighter[brighter > 0] += 12
        write_grey_png(path, np.minimum(brighter, 255).astype(np.uint8))
    assert "scale-unknown" not in validated(own).counts
    assert not [finding for finding in validated(own).findings if finding.kind.startswith("scale")]


def test_heights_are_described(sound: Path, tmp_path: Path) -> None:
    folders = {folder.folder: folder for folder in describe_data_set(sound).folders}
    for name in ("png/heights", "polygon/heights", "antenna_heights"):
        assert (folders[name].files, folders[name].maps) == (3, 3)
    assert "png/heights" not in {name.removesuffix("*") for name in folders if name.endswith("*")}
    for _ in pack_data_set(sound, tmp_path / "packed"):
        pass
    assert "png/heights" in {folder.folder for folder in describe_data_set(tmp_path / "packed").folders}
