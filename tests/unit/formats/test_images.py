import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from radiodiff.errors import FormatError, GridError, SceneError
from radiodiff.formats import (
    checks,
    read_building_png,
    read_grey_image,
    read_mask_image,
    write_grey_png,
    write_mask_png,
)


def save(array, path, mode=None):
    Image.fromarray(array).convert(mode or "L").save(path)
    return path


@pytest.fixture
def buildings():
    mask = np.zeros((20, 30), dtype=bool)
    mask[3:9, 4:12] = True
    return mask


def test_building_image_as_pillow_wrote_it(tmp_path, buildings):
    path = save(buildings.astype(np.uint8) * 255, tmp_path / "b.png")
    scene = read_building_png(path, cell_size_m=0.5)
    assert np.array_equal(scene.buildings, buildings)
    assert scene.grid.cell_size_m == 0.5
    assert scene.footprints is None
    assert scene.source == "b.png"


@pytest.mark.parametrize("name", ["b.png", "b.bmp", "b.pbm", "b.tiff"])
def test_one_bit_images(tmp_path, buildings, name):
    path = save(buildings.astype(np.uint8) * 255, tmp_path / name, "1")
    assert np.array_equal(read_building_png(path).buildings, buildings)


@pytest.mark.parametrize("level", [1, 128, 254])
def test_any_second_level_is_a_building(tmp_path, buildings, level):
    path = save(buildings.astype(np.uint8) * level, tmp_path / "b.png")
    assert np.array_equal(read_building_png(path).buildings, buildings)


def test_inverted(tmp_path, buildings):
    path = save(np.where(buildings, 0, 255).astype(np.uint8), tmp_path / "b.png")
    assert np.array_equal(read_building_png(path, invert=True).buildings, buildings)


def test_an_image_without_buildings_is_a_scene(tmp_path):
    assert read_building_png(save(np.zeros((4, 5), np.uint8), tmp_path / "b.png")).coverage == 0.0


@pytest.mark.parametrize(("level", "invert", "remedy"), [(255, False, "--invert"), (0, True, "inversion out")])
def test_all_buildings_are_refused(tmp_path, level, invert, remedy):
    path = save(np.full((4, 5), level, np.uint8), tmp_path / "b.png")
    with pytest.raises(SceneError, match=f"all 20 cells are indoors.*{remedy}"):
        read_building_png(path, invert=invert)


def test_a_bad_cell_size_is_refused(tmp_path, buildings):
    path = save(buildings.astype(np.uint8), tmp_path / "b.png")
    with pytest.raises(GridError, match="cell_size_m"):
        read_building_png(path, cell_size_m=-1.0)


def test_values_between_are_refused_by_name(tmp_path, buildings):
    grey = buildings.astype(np.uint8) * 255
    grey[0, :3] = 17
    with pytest.raises(FormatError, match=r"3 levels: 0 \(549x\), 17 \(3x\), 255 \(48x\)"):
        read_mask_image(save(grey, tmp_path / "b.png"))


def test_many_values_are_cut_short(tmp_path):
    with pytest.raises(FormatError, match=r"20 levels: .*7 \(1x\), \.\.\."):
        read_mask_image(save(np.arange(20, dtype=np.uint8)[None], tmp_path / "b.png"))


def test_two_levels_without_zero_are_refused(tmp_path, buildings):
    with pytest.raises(FormatError, match="0 and one other level"):
        read_mask_image(save(np.where(buildings, 255, 1).astype(np.uint8), tmp_path / "b.png"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_colours_are_refused_with_a_way_to_convert(tmp_path, buildings, mode):
    path = save(buildings.astype(np.uint8) * 255, tmp_path / "b.png", mode)
    with pytest.raises(FormatError, match=rf"mode {mode} .*convert\('L'\)"):
        read_mask_image(path)


def test_sixteen_bits_are_refused(tmp_path, buildings):
    path = tmp_path / "b.png"
    Image.fromarray(buildings.astype(np.uint16) * 65535).save(path)
    with pytest.raises(FormatError, match=r"16 or 32 bits.*threshold"):
        read_mask_image(path)


def test_absent_empty_folder(tmp_path):
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(FormatError, match="must not be empty"):
        read_mask_image(tmp_path / "b.png")
    with pytest.raises(FormatError, match=r"must exist.*nothing there"):
        read_mask_image(tmp_path / "c.png")
    with pytest.raises(FormatError, match=r"must exist.*a folder"):
        read_mask_image(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_truncated_images_are_refused(tmp_path, share):
    path = tmp_path / "b.png"
    save(np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.uint8) * 255, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError, match="readable by Pillow"):
        read_mask_image(path)


def test_text_is_no_image(tmp_path):
    (tmp_path / "b.png").write_text("not an image")
    with pytest.raises(FormatError, match="readable by Pillow"):
        read_mask_image(tmp_path / "b.png")


def test_a_large_image_is_refused_before_it_is_read(tmp_path, buildings, monkeypatch):
    path = save(buildings.astype(np.uint8), tmp_path / "b.png")
    monkeypatch.setattr(checks, "MAX_CELLS", 599)
    with pytest.raises(FormatError, match="at most 599 cells; got 20 x 30"):
        read_mask_image(path)


@pytest.mark.parametrize("pixels", [599, 200])
def test_an_image_that_pillow_fears_is_refused(tmp_path, buildings, monkeypatch, pixels):
    path = save(buildings.astype(np.uint8), tmp_path / "b.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels)
    with pytest.raises(FormatError, match="pixels"):
        read_mask_image(path)


def test_mask_as_pillow_reads_it(tmp_path, buildings):
    write_mask_png(tmp_path / "m.png", buildings)
    with Image.open(tmp_path / "m.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.array(image), buildings * np.uint8(255))
    assert np.array_equal(read_mask_image(tmp_path / "m.png"), buildings)


def test_grey_image_with_text_as_pillow_reads_it(tmp_path):
    grey = np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8)
    write_grey_png(tmp_path / "g.png", grey, text={"key": "value"})
    with Image.open(tmp_path / "g.png") as image:
        assert np.array_equal(np.array(image), grey)
        assert image.text == {"key": "value"}


@pytest.mark.parametrize("array", [np.zeros((3, 4)), np.zeros((3, 4, 3), np.uint8)])
def test_only_grey_bytes_are_written(tmp_path, array):
    with pytest.raises(FormatError, match="two-dimensional uint8"):
        write_grey_png(tmp_path / "g.png", array)
    assert list(tmp_path.iterdir()) == []


def test_writing_a_gain_image_is_fast(tmp_path, sample):
    with Image.open(sample / "gain_thresholded" / "DPM" / "419_0.png") as image:
        grey = np.array(image)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        write_grey_png(tmp_path / "g.png", grey)
        times.append(time.perf_counter() - start)
    # Measured 1.2 ms; the bound leaves room for a busy machine.
    assert min(times) < 0.004


@pytest.mark.parametrize("chunk", [b"pHYs", b"gAMA", b"cHRM", b"tRNS", b"acTL"])
def test_a_damaged_chunk_is_a_damaged_image(tmp_path, chunk):
    path = tmp_path / "a.png"
    Image.new("L", (4, 4), 3).save(path)
    content = path.read_bytes()
    # After the signature and the header chunk: a chunk that is cut to one byte, with its right checksum.
    short = (1).to_bytes(4, "big") + chunk + b"x" + zlib.crc32(chunk + b"x").to_bytes(4, "big")
    path.write_bytes(content[:33] + short + content[33:])
    with pytest.raises(FormatError, match="readable by Pillow"):
        read_grey_image(path)


def test_reading_leaves_the_filters_of_warnings_alone(tmp_path, monkeypatch):
    # They belong to the whole process, and several threads read.
    Image.new("L", (4, 4), 3).save(tmp_path / "a.png")
    monkeypatch.setattr(warnings, "catch_warnings", lambda *_: pytest.fail("filters were changed"))
    assert read_grey_image(tmp_path / "a.png")[0].max() == 3
