"""The fake RadioMapSeer download: the layout, and the features that readers could stumble over."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import tree
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.errors import DataSetError, InputError, LayoutError
from radiodiff.formats import read_radiomapseer_scene, read_radiomapseer_transmitters
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation import DominantPath
from radiodiff.scene import Transmitter

SETTINGS = FakeRadioMapSeerSettings(maps=2, tx_per_map=3, seed=4, size=64, first_map_id=7)


def grey(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.mode, getattr(image, "text", {})) == ("L", {})
        return np.array(image)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fake") / "set"
    assert list(write_fake_radiomapseer(root, SETTINGS)) == [(0, 2), (1, 2), (2, 2)]
    return root


def test_every_file_of_the_download_is_there(root: Path) -> None:
    found = Counter(str(path.parent.relative_to(root)) for path in root.rglob("*") if path.is_file())
    per_map = ["antenna", *(f"png/{name}" for name in ("buildings_complete", "cars", "roads"))]
    per_map += [f"polygon/{name}" for name in ("buildings_complete", "buildings_and_cars", "cars", "roads")]
    per_map += [f"png/buildings_{k}{n}/{v}" for k in ("missing", "removed") for n in range(1, 5) for v in range(1, 7)]
    expected = dict.fromkeys(per_map, 2)
    expected |= {f"gain/{name}": 6 for name in ("DPM", "IRT2", "carsDPM", "carsIRT2")} | {"png/antennas": 6}
    # Transmitters 0 and 1 only.
    expected |= {"gain/IRT4": 4, "gain/carsIRT4": 4}
    assert dict(found) == expected | {".": 2}
    assert {path.stem for path in (root / "gain/IRT4").iterdir()} == {"7_0", "7_1", "8_0", "8_1"}


def test_dpm_is_the_engine_on_the_scene_on_the_disk(root: Path) -> None:
    for folder, cars in (("DPM", False), ("carsDPM", True)):
        scene = read_radiomapseer_scene(root, 7, cars=cars)
        cells = read_radiomapseer_transmitters(root, 7)
        txs = [Transmitter.at_cell(scene.grid, *cell) for cell in cells]
        for tx, radio_map in enumerate(DominantPath().radio_maps(scene, txs)):
            expected = RADIOMAPSEER_GREY.to_grey(radio_map.path_loss_db, thresholded=False)
            np.testing.assert_array_equal(grey(root / f"gain/{folder}/7_{tx}.png"), expected)


@pytest.mark.parametrize("folder", ["IRT2", "IRT4", "carsIRT2", "carsIRT4"])
def test_ray_tracing_has_its_plateau_and_its_dark_streets(root: Path, folder: str) -> None:
    dpm_folder = folder.replace("IRT2", "DPM").replace("IRT4", "DPM")
    for map_id in (7, 8):
        for tx, (col, row) in enumerate(read_radiomapseer_transmitters(root, map_id)[:2]):
            image, dpm = (
                grey(root / f"gain/{folder}/{map_id}_{tx}.png"),
                grey(root / f"gain/{dpm_folder}/{map_id}_{tx}.png"),
            )
            plus = {(row, col), (row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)}
            assert {tuple(cell) for cell in np.argwhere(image == image.max())} == plus
            assert image.max() < 255
            assert not image[dpm == 0].any()
            assert not np.array_equal(image, dpm)
    sets = [
        sum((grey(path) == 0).sum() for path in (root / f"gain/{name}").glob("*_[01].png"))
        for name in (folder, dpm_folder)
    ]
    assert sets[0] >= sets[1]


def test_missing_layers_lack_that_many_buildings_and_add_none(root: Path) -> None:
    from scipy.ndimage import label

    complete = grey(root / "png/buildings_complete/7.png") > 0
    buildings = len(read_radiomapseer_scene(root, 7).footprints or ())
    for count in range(1, 5):
        images = [grey(root / f"png/buildings_missing{count}/{variant}/7.png") > 0 for variant in range(1, 7)]
        for image in images:
            assert not (image & ~complete).any()
            assert 1 <= label(complete & ~image, np.ones((3, 3)))[1] <= min(count, buildings)
        assert len({image.tobytes() for image in images}) > 1


def test_roads_lie_off_the_buildings(root: Path) -> None:
    roads, buildings = (grey(root / f"png/{name}/7.png") > 0 for name in ("roads", "buildings_complete"))
    assert roads.any()
    assert not (roads & buildings).any()
    assert json.loads((root / "polygon/roads/7.json").read_text())


def test_the_index_leaves_the_transmitters_out_that_irt4_lacks(root: Path) -> None:
    with (root / "dataset.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["map"], row["tx"]) for row in rows] == [(m, t) for m in "78" for t in "012"]
    for row in rows:
        assert bool(row["gain_IRT4"]) == (row["tx"] in "01")
        assert all((root / name).is_file() for key, name in row.items() if key.startswith("gain_") and name)


def test_a_part_of_it(tmp_path: Path, root: Path) -> None:
    part = FakeRadioMapSeerSettings(
        1, 3, 4, size=64, first_map_id=8, simulations=("DPM",), cars=False, missing_layers=False, thresholded=True
    )
    list(write_fake_radiomapseer(tmp_path / "part", part))
    found = {str(path.relative_to(tmp_path / "part")) for path in (tmp_path / "part").rglob("*") if path.is_dir()}
    assert found == {
        *("antenna", "gain", "gain/DPM", "polygon", "polygon/buildings_complete", "polygon/roads"),
        *("png", "png/antennas", "png/buildings_complete", "png/roads"),
    }
    # A map depends on the seed and its own number alone; the scale is the other one.
    raw, thresholded = grey(root / "gain/DPM/8_0.png"), grey(tmp_path / "part/gain/DPM/8_0.png")
    expected = np.rint(255 * np.clip((raw / 255.0 - 0.2) / 0.8, 0, 1))
    assert np.abs(thresholded - expected).max() <= 1
    assert not np.array_equal(raw, thresholded)


def test_the_same_seed_gives_the_same_files(tmp_path: Path, root: Path) -> None:
    list(write_fake_radiomapseer(tmp_path / "again", SETTINGS))
    assert tree(tmp_path / "again") == tree(root)


def test_a_folder_that_holds_something_is_left_alone(root: Path) -> None:
    before = tree(root)
    with pytest.raises(DataSetError, match="must be empty or absent"):
        list(write_fake_radiomapseer(root, SETTINGS))
    assert tree(root) == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataSetError, match="must be writable"):
        list(write_fake_radiomapseer(tmp_path / "file/set", SETTINGS))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"maps": 0}, "maps must be a whole number of at least 1"),
        ({"tx_per_map": 0}, "tx_per_map must be a whole number of at least 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"first_map_id": -1}, "first_map_id must be a whole number of at least 0"),
        ({"simulations": ("DPM", "carsDPM")}, "must be some of DPM, IRT2, IRT4; got carsDPM"),
        ({"simulations": ()}, "must be some of DPM, IRT2, IRT4; got none"),
    ],
    ids=str,
)
def test_settings_of_fakes_refuse(broken: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        FakeRadioMapSeerSettings(**({"maps": 1, "tx_per_map": 1, "seed": 0} | broken))


def test_a_map_too_small_for_a_city_is_refused() -> None:
    with pytest.raises(LayoutError, match="at least 48 m wide"):
        FakeRadioMapSeerSettings(1, 1, 0, size=32)
