"""The packed form gives what the PNG tree gives; what is interrupted or damaged is completed or named."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from command_line import tree
from radiodiff.data.array_file import ArrayFile, ArrayLayout, map_arrays
from radiodiff.data.radiomapseer import (
    PackSettings,
    RadioMapSeer,
    RadioMapSeerConfig,
    fill_geometry,
    pack_data_set,
)
from radiodiff.data.radiomapseer.packed import PACKED_FORMAT, PackedMaps
from radiodiff.errors import DataSetError, FormatError, InputError


def pack(root: Path, out: Path, settings: PackSettings | None = None) -> list[tuple[int, int]]:
    return list(pack_data_set(root, out, settings or PackSettings()))


@pytest.fixture(scope="module")
def packed(fake_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "data"
    layers = ("buildings_complete", "cars", "buildings_missing2/5")
    steps = pack(fake_root, out, PackSettings(layers=layers))
    assert steps[0] == (0, 4)
    assert steps[-1] == (4, 4)
    return out


@pytest.mark.parametrize("part", ["train", "test", "all"])
@pytest.mark.parametrize(
    "settings",
    [
        {"augment": True, "cars": True, "measurements": {"kind": "random"}},
        {"simulation": "IRT4", "measurements": {"kind": "vertices"}},
        {"simulation": "mix", "buildings": {"layer": "missing", "count": 2, "variant": 5}, "size": 80},
    ],
)
def test_packed_examples_are_those_of_the_tree(
    fake_root: Path, packed: Path, part: str, settings: dict[str, Any]
) -> None:
    one, two = (RadioMapSeer(RadioMapSeerConfig(root=root, part=part, **settings)) for root in (fake_root, packed))
    names = {one[i].name for i in range(len(one))}
    assert names == {two[i].name for i in range(len(two))}
    if part != "all":
        for number in range(len(one)):
            for draw in (0, 3):
                a, b = one[number, draw], two[number, draw]
                assert (a.name, a.tx) == (b.name, b.tx)
                np.testing.assert_array_equal(a.target, b.target)
                np.testing.assert_array_equal(a.condition, b.condition)


def test_the_library_reads_the_files(packed: Path) -> None:
    arrays = load_file(packed / "train.safetensors")
    assert arrays["map_ids"].tolist() == [12, 10]
    assert arrays["gain/DPM"].shape == (6, 64, 64)
    assert arrays["gain/IRT4"].shape == (4, 64, 64)
    assert arrays["gain_starts/IRT4"].tolist() == [0, 2, 4]


def test_packing_again_changes_nothing(fake_root: Path, tmp_path: Path) -> None:
    pack(fake_root, tmp_path / "out")
    before = tree(tmp_path / "out")
    assert pack(fake_root, tmp_path / "out")[-1] == (4, 4)
    assert tree(tmp_path / "out") == before


def test_an_interrupted_pack_is_completed(fake_root: Path, tmp_path: Path) -> None:
    pack(fake_root, tmp_path / "whole")
    steps = pack_data_set(fake_root, tmp_path / "out")
    while next(steps)[0] < 3:
        pass
    steps.close()
    assert not (tmp_path / "out/test.safetensors").exists()
    with pytest.raises(DataSetError, match=r"Part test must be packed.*without test\.safetensors.*pack again"):
        RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "out", part="test"))
    # What a killed run leaves behind is taken away.
    (tmp_path / "out/.radiodiff-rest.safetensors").write_bytes(b"half")
    pack(fake_root, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_other_settings_into_the_same_folder_are_refused(fake_root: Path, tmp_path: Path) -> None:
    pack(fake_root, tmp_path / "out", PackSettings(simulations=("DPM",)))
    with pytest.raises(DataSetError, match="settings it was begun with"):
        pack(fake_root, tmp_path / "out", PackSettings(simulations=("IRT2",)))
    (tmp_path / "split.json").write_text(
        json.dumps({"format": "radiodiff-split", "format_version": 1, "name": "fake", "parts": {"train": [10]}})
    )
    with pytest.raises(DataSetError, match="split_sha256"):
        pack(fake_root, tmp_path / "out", PackSettings(str(tmp_path / "split.json"), ("DPM",)))


def test_a_foreign_folder_is_left_alone(fake_root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/letter.txt").write_text("dear")
    with pytest.raises(DataSetError, match="empty or absent"):
        pack(fake_root, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (PackSettings(simulations=("DPN",)), "must have the folder gain/DPN.*There are: .*DPM"),
        (PackSettings(layers=("trees",)), "must have the folder png/trees"),
        (PackSettings(simulations=("../gain/DPM",)), "must have the folder gain/../gain/DPM"),
        (PackSettings(split="disjoint"), "Every map of split disjoint"),
    ],
)
def test_what_is_not_there_cannot_be_packed(
    fake_root: Path, tmp_path: Path, settings: PackSettings, match: str
) -> None:
    with pytest.raises(DataSetError, match=match):
        pack(fake_root, tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()


def test_a_damaged_image_ends_the_run_and_leaves_no_part(own_root: Path, tmp_path: Path) -> None:
    (own_root / "gain/IRT2/10_1.png").write_bytes(b"no image")
    with pytest.raises(FormatError, match=r"10_1\.png"):
        pack(own_root, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["packed.json", "split.json"]


def test_a_truncated_file_is_named(packed: Path, tmp_path: Path) -> None:
    for name in ("packed.json", "split.json"):
        (tmp_path / name).write_bytes((packed / name).read_bytes())
    content = (packed / "train.safetensors").read_bytes()
    (tmp_path / "train.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match=r"whole safetensors file.*train\.safetensors.*cut short"):
        RadioMapSeer(RadioMapSeerConfig(root=tmp_path))


def test_a_file_of_another_kind_is_refused(packed: Path, tmp_path: Path) -> None:
    for name in ("packed.json", "split.json"):
        (tmp_path / name).write_bytes((packed / name).read_bytes())
    for metadata in ({"format": "other"}, PACKED_FORMAT):
        map_arrays(tmp_path / "train.safetensors", {"x": ArrayLayout((2,))}, metadata)
        with pytest.raises(FormatError, match="A packed data set must say"):
            RadioMapSeer(RadioMapSeerConfig(root=tmp_path))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"buildings": {"layer": "removed", "count": 1, "variant": 1}}, "must have the layer buildings_removed1/1"),
        ({"buildings": {"layer": "removed"}}, "must have the layer buildings_removed1/1"),
        ({"buildings": {"layer": "missing", "variant": 1}}, "must have the layer buildings_missing1/1"),
        ({"split": "radiounet"}, "split that it was packed by, fake"),
        (
            {"geometry": ("los_mask",), "buildings": {"layer": "missing", "count": 2, "variant": 5}},
            "must be computed before.*Pack with --geometry",
        ),
    ],
)
def test_what_is_not_packed_is_named(packed: Path, settings: dict[str, Any], match: str) -> None:
    with pytest.raises(DataSetError, match=match):
        RadioMapSeer(RadioMapSeerConfig(root=packed, **settings))[0]


def test_a_simulation_that_is_not_packed_is_named(fake_root: Path, tmp_path: Path) -> None:
    pack(fake_root, tmp_path / "out", PackSettings(simulations=("DPM",)))
    with pytest.raises(DataSetError, match=r"must have the simulation IRT2 .*which has DPM\. .*pack --simulation"):
        RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "out", simulation="IRT2"))


def test_geometry_is_packed_along(fake_root: Path, own_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pack(fake_root, out, PackSettings(simulations=("IRT2",), layers=("buildings_complete", "buildings_missing1/1")))
    steps = list(fill_geometry(fake_root, out))
    assert steps[-1] == (8, 8)
    for layer in ({}, {"layer": "missing", "count": 1, "variant": 1}):
        settings = {"simulation": "IRT2", "geometry": ("los_mask", "shortest_path_length_m"), "buildings": layer}
        one, two = (RadioMapSeer(RadioMapSeerConfig(root=root, **settings)) for root in (own_root, out))
        np.testing.assert_array_equal(one[3].condition, two[3].condition)


def test_a_data_set_survives_the_way_to_another_process(packed: Path) -> None:
    dataset = RadioMapSeer(RadioMapSeerConfig(root=packed, cars=True))
    expected = dataset[2]
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[2].condition, expected.condition)


def test_arrays_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    layouts = {"a": ArrayLayout((3, 2)), "b": ArrayLayout((2,), "int64"), "e": ArrayLayout((0, 2), "uint16")}
    arrays = map_arrays(path, layouts, {"key": "value"})
    arrays["a"][...] = [[1, 2], [3, 4], [5, 6]]
    arrays["b"][...] = [-7, 2**40]
    file = ArrayFile(path)
    assert file.metadata == {"key": "value"}
    assert file["a", 1].tolist() == [3, 4]
    assert file["b", :].tolist() == [-7, 2**40]
    assert file.shape("e") == (0, 2)
    assert load_file(path)["a"].tolist() == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(DataSetError, match="must hold c; got only a, b, e"):
        file["c", 0]


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"must exist.*a\.safetensors"):
        ArrayFile(tmp_path / "a.safetensors")


def test_a_disk_without_room_is_refused_before_anything_is_mapped(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left|File too large"):
        map_arrays(tmp_path / "a.safetensors", {"a": ArrayLayout((2**58,))}, {})


def test_the_scale_of_a_packed_data_set_is_checked(fake_root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"fake\.json says 'raw'"):
        pack(fake_root, tmp_path / "out", PackSettings(stored_scale="thresholded"))
    pack(fake_root, tmp_path / "out", PackSettings(simulations=("DPM",)))
    with pytest.raises(DataSetError, match=r"train\.safetensors says 'raw'"):
        RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "out", stored_scale="thresholded", scale="thresholded"))
    with pytest.raises(InputError, match="stored_scale must be raw or thresholded; got 'grey'"):
        PackSettings(stored_scale="grey")  # type: ignore[arg-type]


def test_geometry_of_another_data_set_is_not_taken(fake_root: Path, own_root: Path, tmp_path: Path) -> None:
    for file in ("polygon/buildings_complete/{}.json", "png/buildings_complete/{}.png", "antenna/{}.json"):
        (own_root / file.format(10)).write_bytes((own_root / file.format(11)).read_bytes())
    settings = PackSettings(simulations=("IRT2",))
    for root, out in ((fake_root, "one"), (own_root, "other")):
        pack(root, tmp_path / out, settings)
        list(fill_geometry(root, tmp_path / out))
    wrong = {"root": tmp_path / "other", "geometry_cache": tmp_path / "one/geometry"}
    dataset = RadioMapSeer(RadioMapSeerConfig(**wrong, simulation="IRT2", geometry=("los_mask",)))
    right = RadioMapSeer(RadioMapSeerConfig(root=own_root, simulation="IRT2", geometry=("los_mask",)))
    other = RadioMapSeer(RadioMapSeerConfig(root=fake_root, simulation="IRT2", geometry=("los_mask",)))
    assert dataset[3].map_id == 10
    np.testing.assert_array_equal(dataset[3].condition, right[3].condition)
    assert not np.array_equal(dataset[3].condition, other[3].condition)


def test_maps_with_different_numbers_of_transmitters_are_packed_whole(own_root: Path, tmp_path: Path) -> None:
    first = json.loads((own_root / "antenna/12.json").read_text())
    (own_root / "antenna/12.json").write_text(json.dumps(first[:1]))
    pack(own_root, tmp_path / "out", PackSettings(simulations=("IRT2",)))
    list(fill_geometry(own_root, tmp_path / "out"))
    dataset = RadioMapSeer(
        RadioMapSeerConfig(root=tmp_path / "out", simulation="IRT2", geometry=("los_mask",), part="all")
    )
    assert sorted(dataset[i].map_id for i in range(len(dataset))) == [10, 10, 10, 11, 11, 11, 12, 13, 13, 13]


def test_a_damaged_record_is_named(fake_root: Path, tmp_path: Path) -> None:
    (tmp_path / "packed.json").write_text("{}")
    with pytest.raises(FormatError, match=r"packed\.json must hold the settings"):
        list(fill_geometry(fake_root, tmp_path))


def test_a_last_map_without_corners_is_packed(own_root: Path, tmp_path: Path) -> None:
    # Part test holds map 13 alone; a building without outline corners on the map has no corner cells.
    (own_root / "polygon/buildings_complete/13.json").write_text("[]")
    Image.new("L", (64, 64)).save(own_root / "png/buildings_complete/13.png")
    pack(own_root, tmp_path / "out", PackSettings(simulations=("IRT2",)))
    config = RadioMapSeerConfig(
        root=tmp_path / "out", part="test", simulation="IRT2", measurements={"kind": "vertices"}
    )
    assert RadioMapSeer(config)[0].condition[4].max() == -1.0


def test_empty_parts_of_an_array_are_empty(tmp_path: Path) -> None:
    map_arrays(tmp_path / "a.safetensors", {"a": ArrayLayout((4, 2), "int64")}, {})
    file = ArrayFile(tmp_path / "a.safetensors")
    for start in (0, 4):
        part = file["a", start:start]
        assert (part.shape, part.dtype) == ((0, 2), np.dtype("int64"))


def test_a_transmitter_beyond_the_last_is_refused(packed: Path) -> None:
    with pytest.raises(DataSetError, match="Map 12 has 3 transmitters in DPM; got transmitter 3"):
        PackedMaps(packed, "train").gain("DPM", 12, 3)


def test_parts_whose_sources_have_changed_are_packed_again(fake_root: Path, own_root: Path, tmp_path: Path) -> None:
    pack(fake_root, tmp_path / "out")
    # Map 10 is in part train.
    (own_root / "gain/DPM/10_0.png").write_bytes((own_root / "gain/DPM/10_1.png").read_bytes())
    validation = (tmp_path / "out/validation.safetensors").stat().st_mtime_ns
    pack(own_root, tmp_path / "out")
    pack(own_root, tmp_path / "alone")
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")
    assert (tmp_path / "out/validation.safetensors").stat().st_mtime_ns == validation


def test_a_mended_image_completes_the_pack(own_root: Path, tmp_path: Path) -> None:
    path = own_root / "gain/IRT2/10_1.png"
    whole = path.read_bytes()
    path.write_bytes(b"no image")
    with pytest.raises(FormatError, match=r"10_1\.png"):
        pack(own_root, tmp_path / "out")
    path.write_bytes(whole)
    assert pack(own_root, tmp_path / "out")[-1] == (4, 4)


@pytest.mark.parametrize("length", [0, 5000])
def test_a_shortened_part_is_packed_again(fake_root: Path, tmp_path: Path, length: int) -> None:
    pack(fake_root, tmp_path / "out")
    before = tree(tmp_path / "out")
    path = tmp_path / "out/train.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    pack(fake_root, tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_all_maps_can_be_packed_without_a_split(fake_root: Path, tmp_path: Path) -> None:
    pack(fake_root, tmp_path / "out", PackSettings(split="all", simulations=("DPM",)))
    assert [path.name for path in (tmp_path / "out").glob("*.safetensors")] == ["all.safetensors"]
    assert len(RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "out", part="all"))) == 12
    assert len(RadioMapSeer(RadioMapSeerConfig(root=fake_root, part="all", split="all"))) == 12


@pytest.mark.parametrize("cell", [(64, 3), (-1, 3)])
def test_a_packed_transmitter_off_the_map_is_named(packed: Path, tmp_path: Path, cell: tuple[int, int]) -> None:
    root = Path(shutil.copytree(packed, tmp_path / "data"))
    arrays = load_file(root / "train.safetensors")
    arrays["tx_cells"][1] = cell
    metadata = ArrayFile(root / "train.safetensors").metadata
    save_file(arrays, root / "train.safetensors", metadata)
    with pytest.raises(DataSetError, match=r"64 x 64 cells; got .*train\.safetensors, map 12, transmitter 1 at row"):
        RadioMapSeer(RadioMapSeerConfig(root=root))
