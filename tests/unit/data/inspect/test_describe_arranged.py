"""Descriptions and figures of an arrangement, against the files on the disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted_faults import change, write

from radiodiff.data.icassp import ArrangeSettings, FakeIcasspSettings, arrange_icassp, write_fake_icassp
from radiodiff.data.inspect import describe_data_set, draw_item
from radiodiff.errors import DataSetError, FormatError, InputError

CONDITIONS = [f"condition/{name}" for name in ("reflectance", "transmittance", "distance", "free_space_loss")]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arranged")
    list(write_fake_icassp(folder / "raw", FakeIcasspSettings(3, 2, 1, 24, 40, seed=1)))
    list(arrange_icassp(folder / "raw", folder / "squares", ArrangeSettings(task=3, size=48)))
    return folder / "squares"


@pytest.fixture
def squares(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "squares")


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_counts_and_values(sound: Path) -> None:
    found = describe_data_set(sound, samples=99)
    assert (found.layout, found.maps, found.map_ids, found.transmitters) == ("arranged", 3, (1, 3), {6: 3})
    names = {str(path.parent.relative_to(sound)) for path in sound.rglob("*.png")}
    assert {folder.folder: (folder.files, folder.maps) for folder in found.folders} == dict.fromkeys(names, (18, 3))
    assert set(found.shapes) == {(48, 48)}
    assert (found.settings["size"], found.settings["bands"]) == (48, ["f1", "f2", "f3"])
    assert [(fit.source, fit.parts, fit.absent, fit.unused) for fit in found.splits] == [
        ("split.json", {"train": 1, "validation": 1, "test": 1}, 0, 0)
    ]
    assert found.notes == ()
    pixels = np.concatenate([read(path).ravel() for path in (sound / "image").iterdir()])
    histogram = next(histogram for histogram in found.histograms if histogram.folder == "image")
    assert histogram.counts == tuple(np.histogram(pixels, bins=16, range=(0, 256))[0])


def test_what_is_not_whole_is_said(squares: Path) -> None:
    (squares / "mask/B1_Ant1_f1_S0.png").unlink()
    note = "1 names, tables or records do not fit: run radiodiff dataset validate."
    assert describe_data_set(squares).notes == (note,)
    (squares / "manifest.csv").unlink()
    assert "has not ended" in describe_data_set(squares).notes[0]
    for path in squares.rglob("*.png"):
        path.unlink()
    with pytest.raises(DataSetError, match="arrangement must hold images"):
        describe_data_set(squares)


def test_a_damaged_record(squares: Path) -> None:
    write("arranged.json", "[]")(squares)
    with pytest.raises(FormatError, match=r"arranged\.json must hold the settings"):
        describe_data_set(squares)


def shown(figure: object, panel: int) -> np.ma.MaskedArray:
    return np.ma.masked_invalid(figure.axes[panel].images[0].get_array())


def test_the_figure_shows_the_images_on_the_map(sound: Path) -> None:
    item = draw_item(sound, 7)
    assert item.name == "B2_Ant1_f2_S0"
    on_map = read(sound / "mask/B2_Ant1_f2_S0.png") > 0
    for panel, folder in enumerate([*CONDITIONS, "image"]):
        values = shown(item.figure, panel)
        assert np.array_equal(~np.ma.getmaskarray(values), on_map)
        np.testing.assert_array_equal(values[on_map], read(sound / folder / f"{item.name}.png")[on_map])
    np.testing.assert_array_equal(item.figure.axes[5].images[0].get_array(), on_map)
    assert "transmitter at row 24, column 24" in item.caption


def test_items_that_cannot_be_drawn(squares: Path) -> None:
    with pytest.raises(DataSetError, match=r"radio maps with all their images must be one of 0\.\.17; got 18"):
        draw_item(squares, 18)
    change("antenna/B2_Ant1_f2_S0.png", np.zeros_like)(squares)
    with pytest.raises(DataSetError, match="transmitter be one pixel; got B2_Ant1_f2_S0"):
        draw_item(squares, 7)
    change("image/B1_Ant1_f1_S0.png", lambda pixels: pixels[1:])(squares)
    with pytest.raises(DataSetError, match=r"must have one size.*; got B1_Ant1_f1_S0"):
        draw_item(squares, 0)
    (squares / "image/B1_Ant1_f1_S0.png").unlink()
    assert draw_item(squares, 0).name == "B1_Ant1_f2_S0"


@pytest.mark.parametrize("simulation", ["DPM", "nonsense"])
def test_only_radiomapseer_has_simulations(sound: Path, tmp_path: Path, simulation: str) -> None:
    (tmp_path / "edge").mkdir()
    for root in (sound, sound.parent / "raw", tmp_path):
        with pytest.raises(InputError, match=rf"can be chosen for RadioMapSeer.*; got '{simulation}' for {root}, "):
            draw_item(root, 0, simulation=simulation)
