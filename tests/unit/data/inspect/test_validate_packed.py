"""Faults planted in packed data sets are found."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from planted_faults import change, check_only, copy, cut_short, remove, report_of, write
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split

Planter = Callable[[Path], None]


@pytest.fixture
def packed(tree: Path, tmp_path: Path) -> Path:
    list(pack_data_set(tree, tmp_path / "packed", PackSettings()))
    return tmp_path / "packed"


@pytest.fixture(scope="module")
def packed_with_cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cars")
    list(write_fake_radiomapseer(root / "set", FakeRadioMapSeerSettings(3, 2, 2, size=64, missing_layers=False)))
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "set/split.json")
    list(pack_data_set(root / "set", root / "packed", PackSettings()))
    assert report_of(root / "packed").findings == ()
    return root / "packed"


def test_an_untouched_packed_folder_is_clean(packed: Path) -> None:
    report = report_of(packed)
    assert (report.layout, report.scale, report.num_files, report.findings) == ("packed", "raw", 18, ())


@pytest.mark.parametrize(
    ("plant", "kind", "file"),
    [
        (write("packed.json", "[]"), "json-schema", "packed.json"),
        (write("split.json", "{}"), "split", "split.json"),
        (cut_short("train.safetensors"), "damaged", "train.safetensors"),
        (remove("test.safetensors"), "damaged", "test.safetensors"),
    ],
    ids=["record", "manifest", "cut short", "missing"],
)
def test_a_fault_of_a_packed_folder(packed: Path, plant: Planter, kind: str, file: str) -> None:
    plant(packed)
    check_only(packed, kind, file)


Arrays = dict[str, np.ndarray]


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, "numpy") as file:
        return file.metadata()


def edit_arrays(edit: Callable[[Arrays], object], file: str = "train.safetensors") -> Planter:
    """A planter that changes the arrays of a packed file, and leaves its metadata alone."""

    def plant(root: Path) -> None:
        arrays, metadata = load_file(root / file), metadata_of(root / file)
        edit(arrays)
        save_file(arrays, root / file, metadata)

    return plant


def put(name: str, place: object, value: object) -> Planter:
    return edit_arrays(lambda arrays: arrays[name].__setitem__(place, value))


def tx_indoors(arrays: Arrays) -> None:
    from scipy.ndimage import binary_erosion

    arrays["tx_cells"][1] = np.argwhere(binary_erosion(arrays["mask/buildings_complete"][0], np.ones((3, 3))))[0]


TRAIN = "train.safetensors"
PACKED_PLANTS: dict[str, tuple[Planter, str, str]] = {
    "a transmitter below the map": (put("tx_cells", (0, 0), 64), "tx-outside-grid", f"{TRAIN}, map 0"),
    "a transmitter left of the map": (put("tx_cells", (3, 1), -1), "tx-outside-grid", f"{TRAIN}, map 1"),
    "a building of level 2": (
        put("mask/buildings_complete", (1, 0, 0), 2),
        "not-binary",
        f"{TRAIN}, map 1, buildings_complete",
    ),
    "cars of level 255": (put("mask/cars", (0, 5, 5), 255), "not-binary", f"{TRAIN}, map 0, cars"),
    "cars everywhere": (put("mask/cars", 0, 1), "cars", f"{TRAIN}, map 0, cars"),
    "no buildings": (put("mask/buildings_complete", 1, 0), "zero-image", f"{TRAIN}, map 1, buildings_complete"),
    "no cars": (put("mask/cars", 1, 0), "empty-layer", f"{TRAIN}, map 1, cars"),
    "a corner off the map": (put("corner_cells", (0, 1), 64), "corner-cells", f"{TRAIN}, map 0"),
    "a corner left of the map": (put("corner_cells", (0, 0), -1), "corner-cells", f"{TRAIN}, map 0"),
    "corners indoors": (
        edit_arrays(
            lambda arrays: arrays["corner_cells"].__setitem__(0, np.argwhere(arrays["mask/buildings_complete"][0])[0])
        ),
        "corner-cells",
        f"{TRAIN}, map 0",
    ),
    **{
        f"no {name}": (edit_arrays(lambda arrays, name=name: arrays.pop(name)), "damaged", TRAIN)
        for name in (
            "map_ids",
            "tx_cells",
            "tx_starts",
            "corner_cells",
            "corner_starts",
            "mask/buildings_complete",
            "mask/cars",
            "gain/DPM",
            "gain_starts/IRT2",
        )
    },
    "starts that fall": (put("tx_starts", 1, 9), "damaged", TRAIN),
    "starts that end early": (put("gain_starts/DPM", -1, 3), "damaged", TRAIN),
    "starts that begin late": (put("corner_starts", 0, 1), "damaged", TRAIN),
    "a map twice": (put("map_ids", 1, 0), "damaged", TRAIN),
    "starts of too few maps": (
        edit_arrays(lambda arrays: arrays.__setitem__("tx_starts", arrays["tx_starts"][[0, 2]])),
        "damaged",
        TRAIN,
    ),
    "masks of too few maps": (
        edit_arrays(lambda arrays: arrays.__setitem__("mask/cars", arrays["mask/cars"][:1].copy())),
        "damaged",
        TRAIN,
    ),
    "gains of another size": (
        edit_arrays(lambda arrays: arrays.__setitem__("gain/DPM", arrays["gain/DPM"][:, :60].copy())),
        "damaged",
        TRAIN,
    ),
    "a gain without a transmitter": (
        edit_arrays(lambda arrays: arrays["gain_starts/DPM"].__setitem__(1, 1)),
        "missing-gain",
        f"{TRAIN}, map 0, DPM",
    ),
}


@pytest.mark.parametrize(("plant", "kind", "file"), PACKED_PLANTS.values(), ids=PACKED_PLANTS)
def test_a_fault_in_the_arrays_of_a_packed_folder(
    packed_with_cars: Path, tmp_path: Path, plant: Planter, kind: str, file: str
) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    plant(root)
    found = {(finding.kind, finding.file) for finding in report_of(root).findings}
    assert (kind, file) in found
    if kind in ("damaged", "not-binary", "corner-cells", "empty-layer", "cars", "tx-outside-grid"):
        assert found == {(kind, file)}


def test_metadata_of_another_origin_are_a_finding(packed_with_cars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    arrays, metadata = load_file(root / TRAIN), metadata_of(root / TRAIN)
    for digests in (None, "[]", "{"):
        changed = {key: value for key, value in metadata.items() if key != "digests"}
        save_file(arrays, root / TRAIN, changed if digests is None else {**changed, "digests": digests})
        check_only(root, "damaged", TRAIN)


def test_a_packed_transmitter_indoors(packed_with_cars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    edit_arrays(tx_indoors)(root)
    assert ("tx-in-building", f"{TRAIN}, map 0") in {(f.kind, f.file) for f in report_of(root).findings}


def test_a_thresholded_packed_folder_is_clean(tmp_path: Path) -> None:
    settings = FakeRadioMapSeerSettings(3, 2, 2, size=64, cars=False, missing_layers=False, thresholded=True)
    list(write_fake_radiomapseer(tmp_path / "set", settings))
    list(pack_data_set(tmp_path / "set", tmp_path / "packed", PackSettings(stored_scale="thresholded")))
    report = report_of(tmp_path / "packed")
    assert (report.scale, report.findings) == ("thresholded", ())


def test_geometry_channels_of_a_packed_folder(packed_with_cars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    file = "geometry/buildings_complete/0-0123456789abcdef.safetensors"
    (root / file).parent.mkdir(parents=True)
    channels = np.ones((2, 8, 64, 64), dtype=np.uint16)
    save_file({"channels": channels}, root / file)
    assert report_of(root).findings == ()
    cut_short(file)(root)
    check_only(root, "damaged", file)
    for arrays in ({"other": channels}, {"channels": channels[:, :5].copy()}, {"channels": channels[..., :60].copy()}):
        save_file(arrays, root / file)
        check_only(root, "damaged", file)


def test_parts_that_are_not_those_of_the_manifest(packed: Path) -> None:
    Split("mine", {"train": (0,), "test": (2,)}).write(packed / "split.json")
    check_only(packed, "split", "train.safetensors")


def test_bad_pixels_in_a_packed_folder(tree: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tree, tmp_path / "tree")
    change("gain/DPM/1_0.png", lambda p: np.roll(p, (9, 9), axis=(0, 1)))(root)
    change("gain/IRT2/2_1.png", lambda p: 255 - p)(root)
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        shutil.copy(root / f"{layer}/buildings_complete/0.{suffix}", root / f"{layer}/buildings_complete/2.{suffix}")
    list(pack_data_set(root, tmp_path / "packed", PackSettings()))
    found = {(finding.kind, finding.file) for finding in report_of(tmp_path / "packed").findings}
    assert found >= {
        ("gain-peak", "train.safetensors, map 1, DPM 0"),
        ("inverted", "test.safetensors, map 2, IRT2 1"),
    }
    assert "duplicate-buildings" in {kind for kind, _ in found}
    assert "leak" in {kind for kind, _ in found}


def test_copies_in_a_packed_folder(tree: Path, tmp_path: Path) -> None:
    """Radio maps of one simulation that are the same image; those of two simulations may be."""
    root = shutil.copytree(tree, tmp_path / "tree")
    copy("gain/DPM/0_0.png", "gain/DPM/1_1.png")(root)
    copy("gain/DPM/0_1.png", "gain/IRT2/0_1.png")(root)
    list(pack_data_set(root, tmp_path / "packed", PackSettings()))
    found = [f for f in report_of(tmp_path / "packed").findings if f.kind == "duplicate-gain"]
    assert [(finding.file, finding.reason) for finding in found] == [
        ("train.safetensors, map 1, DPM 1", "same pixels as train.safetensors, map 0, DPM 0")
    ]
