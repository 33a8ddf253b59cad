"""Files that vanish or break while a data set is read: named, never a crash, never a silent zero image."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from radiodiff.data.array_file import ArrayFile
from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.edges import EdgeDataSetConfig
from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.icassp import FakeIcasspSettings, IcasspConfig, write_fake_icassp
from radiodiff.data.loader import BatchLoader, BatchStream, ExampleSource
from radiodiff.data.radiomapseer import PackSettings, RadioMapSeerConfig, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import DataConfig, open_data_set
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.errors import DataSetError, FormatError

SIZE = 48


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def read(source: ExampleSource) -> None:
    list(BatchLoader(source, 1, threads=1))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets that no test may change."""
    root = tmp_path_factory.mktemp("whole")
    list(write_fake_radiomapseer(root / "city", FakeRadioMapSeerSettings(3, 2, seed=5, size=SIZE)))
    list(pack_data_set(root / "city", root / "packed", PackSettings()))
    list(write_fake_icassp(root / "indoor", FakeIcasspSettings(buildings=1, antennas=2, samples=1)))
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """Copies to break."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def edges(root: Path, scene: Path | None = None) -> EdgeDataSetConfig:
    levels = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    for folder in ("edge", "image"):
        (root / folder).mkdir(parents=True)
        for name in ("0_0.png", "0_1.png"):
            Image.fromarray(levels).save(root / folder / name)
    return EdgeDataSetConfig(root=root, part="all", scene=scene)


def check_named(config: DataConfig, path: Path, damage: Callable[[Path], None]) -> None:
    source = open_data_set(config)
    damage(path)
    with pytest.raises((DataSetError, FormatError)) as error:
        read(source)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("damage", [Path.unlink, make_folder, cut])
@pytest.mark.parametrize("name", ["gain/DPM/1_1.png", "png/buildings_complete/2.png", "png/cars/0.png"])
def test_outdoor_images(root: Path, name: str, damage: Callable[[Path], None]) -> None:
    check_named(RadioMapSeerConfig(root=root / "city", part="all", cars_channel="cars"), root / "city" / name, damage)


@pytest.mark.parametrize("damage", [Path.unlink, make_folder, cut])
def test_images_of_another_simulation(root: Path, damage: Callable[[Path], None]) -> None:
    config = AutoencoderExamplesConfig(input="IRT2", crop_size=8)
    source = AutoencoderExamples(RadioMapSeerConfig(root=root / "city", part="all"), config)
    damage(root / "city/gain/IRT2/2_0.png")
    with pytest.raises(FormatError, match=r"IRT2.2_0\.png"):
        read(source)


@pytest.mark.parametrize("damage", [Path.unlink, make_folder, cut])
@pytest.mark.parametrize("kind", ["Inputs", "Outputs", "Positions", "Radiation_Patterns"])
def test_indoor_files(root: Path, kind: str, damage: Callable[[Path], None]) -> None:
    config = IcasspConfig(root=root / "indoor", part="all", size=16, margin_px=2)
    files = sorted(
        path
        for path in (root / "indoor" / kind).rglob("*Ant1_*")
        if "Task_" not in path.parent.name or "1" in path.parent.name
    )
    check_named(config, files[0], damage)


@pytest.mark.parametrize("damage", [Path.unlink, make_folder, cut])
@pytest.mark.parametrize("name", ["edge/0_1.png", "image/0_1.png"])
def test_edge_images(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    check_named(edges(tmp_path / "edges"), tmp_path / "edges" / name, damage)


@pytest.mark.parametrize("damage", [Path.unlink, make_folder, cut])
def test_scenes_of_edges(tmp_path: Path, root: Path, damage: Callable[[Path], None]) -> None:
    check_named(edges(tmp_path / "edges", scene=root / "city"), root / "city/png/buildings_complete/0.png", damage)


@pytest.mark.parametrize("is_shorter", [True, False])
def test_a_packed_file_that_changes_its_size_is_named(root: Path, is_shorter: bool) -> None:
    """Without the check, reading what is cut off ends the process by a signal."""
    source = open_data_set(RadioMapSeerConfig(root=root / "packed"))
    path = root / "packed/train.safetensors"
    os.truncate(path, 100 if is_shorter else path.stat().st_size + 1)
    with pytest.raises(FormatError, match=r"must keep its \d+ bytes while it is read; got .*train\.safetensors of"):
        read(source)


@pytest.mark.parametrize("lost", [1, 1000])
def test_a_packed_file_cut_short_is_refused_when_it_is_opened(root: Path, lost: int) -> None:
    path = root / "packed/train.safetensors"
    os.truncate(path, path.stat().st_size - lost)
    with pytest.raises(FormatError, match=r"whole safetensors file.*train\.safetensors"):
        open_data_set(RadioMapSeerConfig(root=root / "packed"))


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_packed_file_that_is_deleted_or_replaced_stays_readable(root: Path, is_replaced: bool) -> None:
    path = root / "packed/train.safetensors"
    file = ArrayFile(path)
    expected = file["gain/DPM", 0]
    path.unlink()
    if is_replaced:
        path.write_bytes(b"something else")
    np.testing.assert_array_equal(file["gain/DPM", 0], expected)


class Failing:
    """A data set whose disk fails."""

    encoding, scale = Encoding.of_names(["buildings"], path_loss_channel()), "raw"

    def __init__(self, error: OSError) -> None:
        self.error = error

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int | Draw) -> Example:
        numbered(index, 4)
        raise self.error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EIO, "Input/output error", "maps/3_1.png"), r"got maps/3_1.png \(Input/output error\)"),
        (PermissionError(errno.EACCES, "Permission denied", "3.csv"), r"got 3.csv \(Permission denied\)"),
        (OSError("broken data stream"), r"got a file \(broken data stream\)"),
    ],
)
@pytest.mark.parametrize("kind", [BatchLoader, BatchStream])
def test_what_the_system_refuses_is_an_error_of_the_data_set(kind: Any, error: OSError, text: str) -> None:
    with pytest.raises(DataSetError, match=f"must stay readable while it is used; {text}"):
        next(iter(kind(Failing(error), 2, threads=1)))
