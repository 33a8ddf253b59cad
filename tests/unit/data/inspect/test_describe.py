"""Descriptions against counts made by hand, and figures of items against the pixels on the disk."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted_faults import change, cut_short, manifest

from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.edges.generate import EdgeSettings, generate_edges
from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.inspect import describe_data_set, draw_item
from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError, FormatError, InputError
from radiodiff.layouts import CitySettings


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fake") / "set"
    list(write_fake_radiomapseer(root, FakeRadioMapSeerSettings(3, 4, 2, size=64, first_map_id=5)))
    Split("mine", {"train": (5, 6), "test": (7,)}).write(root / "split.json")
    return root


@pytest.fixture
def root(fake: Path, tmp_path: Path) -> Path:
    return shutil.copytree(fake, tmp_path / "set")


def test_counts_of_a_radiomapseer_folder(fake: Path) -> None:
    found = describe_data_set(fake)
    assert (found.layout, found.maps, found.map_ids, found.transmitters) == ("fake", 3, (5, 7), {4: 3})
    counts = {folder.folder: (folder.files, folder.maps) for folder in found.folders}
    assert counts["gain/DPM"] == counts["gain/carsIRT2"] == counts["png/antennas"] == (12, 3)
    assert counts["gain/IRT4"] == (6, 3)
    assert counts["png/buildings_missing3/6"] == counts["polygon/roads"] == counts["antenna"] == (3, 3)
    on_disk = len([path for path in fake.rglob("*/*") if path.is_file()])
    assert sum(files for files, _ in counts.values()) == on_disk
    assert set(found.shapes) == {(64, 64)}
    assert found.settings["seed"] == 2
    json.dumps(found.to_dict())


def test_histograms_are_those_of_the_pixels(fake: Path) -> None:
    found = {histogram.folder: histogram for histogram in describe_data_set(fake, samples=99, bins=32).histograms}
    pixels = np.concatenate([np.array(Image.open(path)).ravel() for path in (fake / "gain/IRT2").glob("*.png")])
    histogram = found["gain/IRT2"]
    assert histogram.counts == tuple(np.histogram(pixels, bins=32, range=(0, 256))[0])
    assert histogram.edges == tuple(range(0, 257, 8))
    assert (histogram.images, histogram.lowest, histogram.highest) == (12, pixels.min(), pixels.max())
    assert histogram.zero_share == pytest.approx((pixels == 0).mean())
    assert found["png/buildings_missing*"].images == 72


def test_samples_follow_the_seed(fake: Path) -> None:
    def counts(seed: int) -> tuple:
        found = describe_data_set(fake, samples=3, seed=seed)
        assert found.histograms[0].images == 3
        return tuple(histogram.counts for histogram in found.histograms)

    assert counts(0) == counts(0) != counts(1)


def test_splits_that_fit(fake: Path, root: Path) -> None:
    (fit,) = describe_data_set(fake).splits
    assert (fit.name, fit.source, fit.parts, fit.absent, fit.unused) == (
        "mine",
        "split.json",
        {"train": 2, "test": 1},
        0,
        0,
    )
    Split("other", {"train": (5,), "test": (9,)}).write(root / "split.json")
    (fit,) = describe_data_set(root).splits
    assert (fit.absent, fit.unused) == (1, 2)
    manifest({"train": [5, 6], "test": [6, 7]}, overlapping=True)(root)
    (fit,) = describe_data_set(root).splits
    assert fit.shared == {"train and test": 1}


def test_named_splits_fit_the_real_map_numbers(tmp_path: Path) -> None:
    """Only names count: 701 empty files in the folders are enough for the splits."""
    for folder in ("antenna", "png/buildings_complete"):
        (tmp_path / folder).mkdir(parents=True)
    for map_id in range(701):
        (tmp_path / f"antenna/{map_id}.json").write_text("[[1, 1]]")
        (tmp_path / f"png/buildings_complete/{map_id}.png").touch()
    found = describe_data_set(tmp_path, samples=1)
    shared = {fit.name: fit.shared for fit in found.splits}
    assert set(shared) == {"disjoint", "radiounet", "radiodiff"}
    assert not shared["disjoint"]
    assert not shared["radiounet"]
    assert sum(shared["radiodiff"].values()) > 0
    parts = {fit.name: (tuple(fit.parts.values()), fit.unused) for fit in found.splits}
    assert parts["disjoint"] == ((500, 100, 101), 0)
    assert parts["radiounet"] == ((501, 100, 99), 1)
    assert found.notes == ("1 of 1 images of png/buildings_complete cannot be read: run radiodiff dataset validate.",)


def test_damaged_files_are_said_and_not_counted(root: Path) -> None:
    cut_short("gain/DPM/5_0.png")(root)
    (root / "antenna/6.json").write_text("{}")
    found = describe_data_set(root)
    assert found.transmitters == {4: 2}
    assert {histogram.folder: histogram.images for histogram in found.histograms}["gain/DPM"] == 11
    assert len(found.notes) == 2
    assert "gain/DPM" in found.notes[0]
    assert "antenna" in found.notes[1]


def test_a_generated_data_set(tmp_path: Path) -> None:
    list(create_data_set(tmp_path / "city", CreateSettings(2, 2, 1, city=CitySettings(rows=64, cols=64))))
    found = describe_data_set(tmp_path / "city")
    assert (found.layout, found.maps, found.settings["engine"]["name"]) == ("generated", 2, "dominant-path")
    (tmp_path / "city/dataset.csv").unlink()
    assert "has not ended" in describe_data_set(tmp_path / "city").notes[0]
    (tmp_path / "city/dataset.json").write_text("[]")
    with pytest.raises(FormatError, match=r"dataset\.json must hold the settings"):
        describe_data_set(tmp_path / "city")


@pytest.fixture
def packed(fake: Path, tmp_path: Path) -> Path:
    list(pack_data_set(fake, tmp_path / "packed", PackSettings()))
    return tmp_path / "packed"


def test_a_packed_data_set_has_the_values_of_its_images(fake: Path, packed: Path) -> None:
    tree = {h.folder: h for h in describe_data_set(fake, samples=99).histograms}
    found = describe_data_set(packed, samples=99)
    assert (found.layout, found.maps, found.map_ids, found.transmitters) == ("packed", 3, (5, 7), {4: 3})
    assert {h.folder for h in found.histograms} == {name for name in tree if name.startswith("gain/")}
    assert all(histogram == tree[histogram.folder] for histogram in found.histograms)
    (packed / "test.safetensors").unlink()
    with pytest.raises(DataSetError, match=r"must be whole; got .*test\.safetensors"):
        describe_data_set(packed)


@pytest.fixture(scope="module")
def icassp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("icassp") / "set"
    list(write_fake_icassp(root, FakeIcasspSettings(buildings=2, antennas=2, samples=1, smallest=40, largest=56)))
    return root


def test_an_icassp_folder(icassp: Path) -> None:
    found = describe_data_set(icassp, samples=99)
    # Task 1: 1 map of each building; task 2: 3 bands; task 3: 2 antennas and 3 bands.
    assert {folder.folder: folder.files for folder in found.folders if folder.folder.startswith("Out")} == {
        "Outputs/Task_1_ICASSP": 2,
        "Outputs/Task_2_ICASSP": 6,
        "Outputs/Task_3_ICASSP": 12,
    }
    assert (found.layout, found.maps, found.transmitters) == ("icassp", 2, {10: 2})
    histograms = {histogram.folder: histogram for histogram in found.histograms}
    paths = sorted((icassp / "Inputs/Task_2_ICASSP").glob("*.png"))
    distance = np.concatenate([np.array(Image.open(path))[..., 2].ravel() for path in paths])
    assert histograms["Inputs/Task_2_ICASSP, distance_m"].highest == distance.max()
    assert histograms["Outputs/Task_3_ICASSP, path_loss_db"].lowest >= 13


def test_folders_without_anything_in_them(tmp_path: Path) -> None:
    for name in ("Inputs/Task_1_ICASSP", "Outputs/Task_1_ICASSP", "Positions", "Radiation_Patterns"):
        (tmp_path / "ic" / name).mkdir(parents=True)
    with pytest.raises(DataSetError, match="must hold images"):
        describe_data_set(tmp_path / "ic")
    for name in ("gain", "png"):
        (tmp_path / "rms" / name).mkdir(parents=True)
    with pytest.raises(DataSetError, match="must hold maps"):
        describe_data_set(tmp_path / "rms")
    (tmp_path / "ed/edge").mkdir(parents=True)
    with pytest.raises(DataSetError, match="must hold pairs"):
        describe_data_set(tmp_path / "ed")
    (tmp_path / "file").touch()
    with pytest.raises(DataSetError, match=r"is a file\..*10\.21227/0gtx-6v30"):
        describe_data_set(tmp_path / "file")


@pytest.fixture
def edges(fake: Path, tmp_path: Path) -> Path:
    list(generate_edges(fake / "gain/DPM", tmp_path / "edges", EdgeSettings(method="sobel", train_share=0.5)))
    return tmp_path / "edges"


def test_an_edge_folder(edges: Path) -> None:
    found = describe_data_set(edges)
    assert (found.layout, found.maps, found.map_ids) == ("edges", 3, (5, 7))
    assert sum(folder.files for folder in found.folders) == 12
    assert found.histograms[0].counts[1:15] == (0,) * 14
    assert (found.splits[0].absent, found.splits[0].unused) == (0, 0)
    assert found.settings["method"] == "sobel"


@pytest.mark.parametrize("broken", [{"samples": 0}, {"bins": 10}], ids=str)
def test_samples_and_bins_are_checked(fake: Path, broken: dict) -> None:
    with pytest.raises(InputError, match="at least one sample and 8, 16"):
        describe_data_set(fake, **broken)


def pixels_of(figure: object, panel: int) -> np.ma.MaskedArray:
    return np.ma.masked_invalid(figure.axes[panel].images[0].get_array())


def test_the_figure_of_a_radio_map_shows_its_path_loss(fake: Path) -> None:
    item = draw_item(fake, 5, simulation="carsDPM")
    assert item.name == "carsDPM_6_1"
    grey = np.array(Image.open(fake / "gain/carsDPM/6_1.png"))
    shown = pixels_of(item.figure, 1)
    assert np.array_equal(np.ma.getmaskarray(shown), grey == 0)
    np.testing.assert_allclose(shown[grey > 0], 147 - 99.16 * grey[grey > 0] / 255)
    assert "read as raw" in item.figure.axes[1].get_title()
    assert "scale raw" in item.caption


def test_the_figure_says_a_thresholded_scale(root: Path) -> None:
    change("gain/DPM/5_0.png", lambda p: np.rint(255 * np.clip((p / 255 - 0.2) / 0.8, 0, 1)).astype(np.uint8))(root)
    item = draw_item(root, 0)
    assert "read as thresholded" in item.figure.axes[1].get_title()
    grey = np.array(Image.open(root / "gain/DPM/5_0.png"))
    np.testing.assert_allclose(pixels_of(item.figure, 1)[grey > 0], 147 - 99.16 * (0.2 + 0.8 * grey[grey > 0] / 255))


def test_the_figure_of_a_packed_map_is_that_of_its_image(fake: Path, packed: Path) -> None:
    for index in (0, 11):
        one, other = draw_item(fake, index), draw_item(packed, index)
        assert one.name == other.name
        np.testing.assert_array_equal(pixels_of(one.figure, 1), pixels_of(other.figure, 1))


def test_the_figure_of_an_icassp_sample(icassp: Path) -> None:
    item = draw_item(icassp, 3)
    # Task 1 holds two samples; then those of task 2 by building and band.
    assert item.name == "task2_B1_Ant1_f2_S0"
    inputs = np.array(Image.open(icassp / "Inputs/Task_2_ICASSP/B1_Ant1_f2_S0.png"))
    for channel in range(3):
        np.testing.assert_array_equal(item.figure.axes[channel].images[0].get_array(), inputs[..., channel])
    output = np.array(Image.open(icassp / "Outputs/Task_2_ICASSP/B1_Ant1_f2_S0.png"))
    np.testing.assert_array_equal(item.figure.axes[3].images[0].get_array(), output)


def test_the_figure_of_edges(edges: Path) -> None:
    item = draw_item(edges, 0)
    edge = sorted(edges.glob("*/edge/*.png"))[0]
    np.testing.assert_array_equal(item.figure.axes[1].images[0].get_array(), np.array(Image.open(edge)) > 0)
    image = np.array(Image.open(edge.parent.parent / "image" / edge.name))
    np.testing.assert_array_equal(item.figure.axes[0].images[0].get_array(), image)


@pytest.mark.parametrize(
    ("index", "simulation", "message"),
    [
        (12, "DPM", "index of radio maps of DPM must be one of 0..11; got 12"),
        (-1, "DPM", "must be one of 0..11; got -1"),
        (0, "IRT3", "simulation must be one of DPM, IRT2, IRT4, carsDPM"),
    ],
)
def test_items_that_are_not_there(fake: Path, packed: Path, index: int, simulation: str, message: str) -> None:
    for root in (fake, packed):
        with pytest.raises(DataSetError, match=message):
            draw_item(root, index, simulation=simulation)


def test_a_radio_map_without_transmitter_is_not_drawn(root: Path) -> None:
    (root / "antenna/5.json").write_text("[[20, 20]]")
    with pytest.raises(DataSetError, match="Map 5 has 1 transmitters"):
        draw_item(root, 1)
