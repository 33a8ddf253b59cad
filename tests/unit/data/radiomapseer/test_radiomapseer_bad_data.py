"""Damaged RadioMapSeer folders: every fault is named, none becomes a silent zero image."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig
from radiodiff.errors import DataSetError, FormatError, RadiodiffError


def first(root: Path, **settings: Any) -> Any:
    return RadioMapSeer(RadioMapSeerConfig(root=root, **settings))[0]


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, Path.touch])
def test_a_folder_that_is_none_says_what_it_must_be(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "data")
    with pytest.raises(DataSetError) as error:
        first(tmp_path / "data")
    for part in ("antenna/<map>.json", str(tmp_path / "data"), "IEEE DataPort", "10.21227/0gtx-6v30"):
        assert part in str(error.value)


def test_a_folder_without_maps_says_so(own_root: Path) -> None:
    for path in (own_root / "antenna").iterdir():
        path.unlink()
    with pytest.raises(DataSetError, match="must hold antenna"):
        first(own_root)


def test_a_map_without_transmitters_is_named(own_root: Path) -> None:
    (own_root / "antenna/10.json").write_text("[]")
    with pytest.raises(DataSetError, match="Every map of a data set must have transmitters; got map 10"):
        first(own_root)


def test_a_simulation_that_is_absent_is_named_at_opening(own_root: Path) -> None:
    for name in ("carsDPM", "IRT4"):
        shutil.rmtree(own_root / "gain" / name)
    fault = r"must have the simulation carsDPM .*which has DPM, IRT2, carsIRT2, carsIRT4\. .*data\.cars.*--cars"
    for settings in ({"cars": True}, {"cars": True, "simulation": "mix"}):
        with pytest.raises(DataSetError, match=fault):
            RadioMapSeer(RadioMapSeerConfig(root=own_root, **settings))
    with pytest.raises(DataSetError, match="must have the simulation IRT4"):
        RadioMapSeer(RadioMapSeerConfig(root=own_root)).numbers_with("IRT4")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def save(mode: str, shape: tuple[int, int] = (64, 64)) -> Callable[[Path], None]:
    return lambda path: Image.new(mode, shape[::-1]).save(path)


@pytest.mark.parametrize(
    ("file", "damage", "parts"),
    [
        ("gain/DPM/12_0.png", truncate, ["readable by Pillow", "damaged, cut short"]),
        ("gain/DPM/12_0.png", Path.unlink, []),
        ("gain/DPM/12_0.png", lambda path: path.write_bytes(b""), []),
        ("gain/DPM/12_0.png", save("RGB"), ["8-bit grey", "mode RGB"]),
        ("gain/DPM/12_0.png", save("I;16"), ["8-bit grey", "16 or 32 bits"]),
        ("gain/DPM/12_0.png", save("L"), ["must hold a map", "0 everywhere"]),
        ("gain/DPM/12_0.png", save("L", (64, 32)), ["one size, here 64 x 64", "64 x 32"]),
        ("png/buildings_complete/12.png", save("RGB"), ["8-bit grey"]),
        ("png/buildings_complete/12.png", save("L", (32, 64)), ["one size, here 64 x 64", "32 x 64"]),
        ("antenna/12.json", truncate, []),
        ("antenna/12.json", lambda path: path.write_text('{"a": 1}'), ["list of [x, y]"]),
        ("antenna/12.json", lambda path: path.write_text("[[3, 4"), ["must hold JSON"]),
        ("antenna/12.json", lambda path: path.write_text("[[3, 64]]"), ["64 x 64 cells", "row -1, column 3"]),
        ("antenna/12.json", lambda path: path.write_text("[[-1, 2]]"), ["transmitter 0 at row 61, column -1"]),
    ],
)
def test_a_damaged_file_is_named(own_root: Path, file: str, damage: Callable[[Path], Any], parts: list[str]) -> None:
    assert first(own_root).name == "12_0"
    if damage is truncate and file.endswith(".json"):
        (own_root / file).write_text((own_root / file).read_text()[:5])
    else:
        damage(own_root / file)
    with pytest.raises(RadiodiffError) as error:
        first(own_root)
    for part in (*parts, file):
        assert part in str(error.value)


def test_grey_where_a_mask_is_expected_is_refused(own_root: Path) -> None:
    levels = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    Image.fromarray(levels).save(own_root / "png/buildings_complete/12.png")
    with pytest.raises(FormatError, match="must be binary"):
        first(own_root)


def test_a_split_that_names_absent_maps_is_refused(own_root: Path) -> None:
    manifest = json.loads((own_root / "split.json").read_text())
    manifest["parts"]["train"].append(99)
    (own_root / "split.json").write_text(json.dumps(manifest))
    with pytest.raises(DataSetError, match=r"Every map of split fake .* without map 99"):
        first(own_root)


def test_a_simulation_that_is_not_there_is_named(own_root: Path) -> None:
    for path in (own_root / "gain/IRT4").iterdir():
        path.unlink()
    with pytest.raises(FormatError, match=r"gain.IRT4.12_0\.png"):
        first(own_root, simulation="IRT4")


def test_an_unknown_part_is_refused(own_root: Path) -> None:
    with pytest.raises(DataSetError, match="train, validation, test; got 'val'"):
        first(own_root, part="val")
