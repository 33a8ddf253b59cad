"""Levels and their scales."""

import numpy as np
import pytest

from radiodiff.encoding import Channel, grey_table, path_loss_channel
from radiodiff.errors import InputError
from radiodiff.evaluation.levels import half_step, levels_of, on_scale, scale_channel
from radiodiff.grey_scale import RADIOMAPSEER_GREY


def test_levels_are_those_of_the_grey_scale() -> None:
    path_loss_db = np.linspace(40.0, 150.0, 300)
    for scale in ("raw", "thresholded"):
        encoded = path_loss_channel(scale).encode(path_loss_db)
        expected = RADIOMAPSEER_GREY.to_level(path_loss_db, thresholded=scale == "thresholded")
        np.testing.assert_allclose(levels_of(encoded), expected, atol=1e-7)
    assert levels_of([-1.5, 1.5]).tolist() == [0.0, 1.0]


def test_raw_levels_are_thresholded_as_path_loss_is() -> None:
    """Every stored grey level, by its path loss."""
    raw, expected = (levels_of(grey_table(path_loss_channel(scale))) for scale in ("raw", "thresholded"))
    found = on_scale(raw, "raw", "thresholded")
    np.testing.assert_allclose(found, expected, atol=2e-7)
    # Level 51 of 255 is the threshold.
    assert (found[:52] < 1e-7).all()
    assert found[52] > 1e-3


def test_half_steps_are_those_of_the_files() -> None:
    """RadioMapSeer has 99.16 dB in 255 steps on either scale; the challenge has whole decibels; edges are exact."""
    for scale in ("raw", "thresholded"):
        channel = path_loss_channel(scale)
        assert half_step(channel, scale) * channel.span_db == pytest.approx(0.5 * 99.16 / 255)
    assert half_step(Channel("path_loss_db", 160.0, 13.0), "db") == pytest.approx(0.5 / 147)
    assert half_step(Channel("edge", 0.0, 1.0), "binary") == 0.0


@pytest.mark.parametrize("scale", ["raw", "thresholded", "db", "binary"])
def test_a_scale_is_kept_as_it_is(scale: str) -> None:
    levels = np.array([0.1, 0.9])
    assert on_scale(levels, scale, scale) is levels
    channel = Channel("anything", 0.0, 1.0)
    assert scale_channel(channel, scale, scale) is channel


@pytest.mark.parametrize(("scale", "wanted"), [("thresholded", "raw"), ("db", "raw"), ("raw", "db"), ("raw", "binary")])
def test_other_changes_of_scale_are_refused(scale: str, wanted: str) -> None:
    message = rf"the {wanted} scale for maps on the {scale} scale\. .*must not be mixed"
    with pytest.raises(InputError, match=message):
        on_scale(np.zeros(3), scale, wanted)
    with pytest.raises(InputError, match=message):
        scale_channel(path_loss_channel("raw"), scale, wanted)


def test_only_path_loss_of_the_images_is_thresholded() -> None:
    assert scale_channel(path_loss_channel("raw"), "raw", "thresholded") == path_loss_channel("thresholded")
    with pytest.raises(InputError, match=r"Only path loss on RadioMapSeer's raw scale.*edge 0\.\.1"):
        scale_channel(Channel("edge", 0.0, 1.0), "raw", "thresholded")
