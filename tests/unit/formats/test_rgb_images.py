import cv2
import numpy as np
import pytest
from PIL import Image

from radiodiff.errors import FormatError
from radiodiff.formats import read_rgb_image


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["i.png", "i.bmp", "i.ppm", "i.tiff"])
def test_rgb_as_pillow_wrote_it(tmp_path, pixels, name):
    Image.fromarray(pixels).save(tmp_path / name)
    assert np.array_equal(read_rgb_image(tmp_path / name), pixels)


def test_rgb_as_opencv_wrote_it(tmp_path, pixels):
    cv2.imwrite(str(tmp_path / "i.png"), pixels[..., ::-1])
    assert np.array_equal(read_rgb_image(tmp_path / "i.png"), pixels)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA"])
def test_other_modes_are_refused(tmp_path, pixels, mode):
    Image.fromarray(pixels).convert(mode).save(tmp_path / "i.png")
    with pytest.raises(FormatError, match=rf"i\.png, mode {mode}\b"):
        read_rgb_image(tmp_path / "i.png")


def test_sixteen_bits_are_refused(tmp_path, pixels):
    cv2.imwrite(str(tmp_path / "i.png"), pixels.astype(np.uint16) * 257)
    with pytest.raises(FormatError, match="16 bits per channel"):
        read_rgb_image(tmp_path / "i.png")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_truncated_image_is_refused(tmp_path, pixels, share):
    Image.fromarray(pixels).save(tmp_path / "i.png")
    content = (tmp_path / "i.png").read_bytes()
    (tmp_path / "i.png").write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError, match="readable by Pillow"):
        read_rgb_image(tmp_path / "i.png")


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match="must exist"):
        read_rgb_image(tmp_path / "i.png")
