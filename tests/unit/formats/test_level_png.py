"""Grey images that say what their levels are."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from radiodiff.errors import FormatError
from radiodiff.formats import LevelMeaning, read_level_png, write_level_png, write_radio_map
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Grid

MEANING = LevelMeaning("raw", "path_loss_db", 147.0, 47.84)


def test_levels_come_back_to_half_a_step(tmp_path: Path) -> None:
    levels = np.random.default_rng(2).random((7, 9))
    write_level_png(tmp_path / "a.png", levels, MEANING)
    found, meaning = read_level_png(tmp_path / "a.png")
    assert np.abs(found - levels).max() <= 0.5 / 255
    assert meaning == MEANING
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "L"
        assert json.loads(image.text["radiodiff-channel"]) == {
            "scale": "raw",
            "channel": "path_loss_db",
            "grey_0": 147.0,
            "grey_255": 47.84,
        }


@pytest.mark.parametrize(("thresholded", "scale", "weakest"), [(False, "raw", 147.0), (True, "thresholded", 127.168)])
def test_radio_maps_say_it_too(tmp_path: Path, thresholded: bool, scale: str, weakest: float) -> None:
    path_loss = np.array([[47.84, weakest]], dtype=np.float32)
    write_radio_map(RadioMap(path_loss, Grid(1, 2), None, "test"), tmp_path / "a.png", thresholded=thresholded)
    levels, meaning = read_level_png(tmp_path / "a.png")
    assert levels.tolist() == [[1.0, 0.0]]
    assert meaning is not None
    assert (meaning.scale, meaning.channel) == (scale, "path_loss_db")
    assert (meaning.grey_0, meaning.grey_255) == pytest.approx((weakest, 47.84))


def test_other_images_say_nothing(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 51]], dtype=np.uint8)).save(tmp_path / "a.png")
    levels, meaning = read_level_png(tmp_path / "a.png")
    assert (levels.tolist(), meaning) == ([[0.0, 0.2]], None)


@pytest.mark.parametrize("bad", [-0.001, 1.001, np.nan])
def test_levels_outside_the_scale_are_refused(tmp_path: Path, bad: float) -> None:
    with pytest.raises(FormatError, match=r"lie in \[0, 1\].*got 1 of 2"):
        write_level_png(tmp_path / "a.png", np.array([[0.5, bad]]), MEANING)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]", '{"scale": "raw"}', '{"scale":"raw","channel":"a","grey_0":"x"}'])
def test_what_is_said_must_be_readable(tmp_path: Path, text: str) -> None:
    chunks = PngInfo()
    chunks.add_text("radiodiff-channel", text)
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "a.png", pnginfo=chunks)
    with pytest.raises(FormatError, match=r"scale, channel, grey_0 and grey_255.*a\.png"):
        read_level_png(tmp_path / "a.png")
