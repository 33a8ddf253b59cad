"""Encoding: against the formulas of the field, and back."""

import json

import numpy as np
import pytest

from radiodiff.encoding import CHANNELS, Channel, Encoding, encode_geometry, grey_table, path_loss_channel
from radiodiff.errors import InputError
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation import GEOMETRY_CHANNELS, geometry_channels
from radiodiff.scene import Grid, Scene, Transmitter


def test_a_raw_grey_level_becomes_two_g_minus_one() -> None:
    levels = np.arange(256)
    np.testing.assert_allclose(grey_table(path_loss_channel("raw")), 2 * levels / 255 - 1, atol=1e-6)


def test_a_raw_grey_level_on_the_thresholded_scale() -> None:
    levels = np.arange(256) / 255
    expected = 2 * np.maximum(0, (levels - 0.2) / 0.8) - 1
    np.testing.assert_allclose(grey_table(path_loss_channel("thresholded")), expected, atol=1e-6)


def test_a_thresholded_grey_level_on_its_own_scale() -> None:
    table = grey_table(path_loss_channel("thresholded"), thresholded=True)
    np.testing.assert_allclose(table, 2 * np.arange(256) / 255 - 1, atol=1e-6)


@pytest.mark.parametrize("scale", ["raw", "thresholded"])
def test_decoding_comes_back_within_rounding(scale: str) -> None:
    encoding = Encoding((), path_loss_channel(scale))  # type: ignore[arg-type]
    path_loss_db = np.linspace(50.0, 120.0, 400).reshape(20, 20)
    decoded = encoding.decode_target(encoding.encode_target(path_loss_db))
    np.testing.assert_allclose(decoded[0], path_loss_db, atol=1e-4)


def test_the_least_loss_is_the_brightest() -> None:
    channel = path_loss_channel("raw")
    assert channel.encode([47.84, 147.0]) == pytest.approx([1.0, -1.0])


def test_what_lies_outside_is_clipped_and_nan_indoors_is_the_weakest() -> None:
    encoding = Encoding((), path_loss_channel("raw"))
    encoded = encoding.encode_target(np.array([[20.0, 300.0, np.nan]]))
    assert encoded.tolist() == [[[1.0, -1.0, -1.0]]]
    assert encoding.decode_target([3.0, -3.0]) == pytest.approx([47.84, 147.0])


def test_masks_become_minus_one_and_one() -> None:
    assert CHANNELS["buildings"].encode(np.array([False, True])).tolist() == [-1.0, 1.0]
    assert CHANNELS["buildings"].encode(np.array([False, True])).dtype == np.float32


def test_geometry_channels_have_ranges_that_real_ones_keep() -> None:
    assert set(GEOMETRY_CHANNELS) <= set(CHANNELS)
    buildings = np.zeros((64, 64), dtype=bool)
    buildings[20:40, 20:40] = True
    grid = Grid(64, 64)
    channels = geometry_channels(Scene(grid, buildings), Transmitter.at_cell(grid, 5, 30))
    for name, values in zip(GEOMETRY_CHANNELS, channels, strict=True):
        channel, outdoors = CHANNELS[name], values[~buildings]
        decoded = channel.decode(channel.encode(outdoors))
        np.testing.assert_allclose(decoded, outdoors, atol=1e-3, err_msg=name)


def test_geometry_is_at_the_low_end_indoors() -> None:
    # Zero, which stands for indoors before the encoding, would be the strongest gain.
    buildings = np.array([[True, False]])
    channels = np.array([[[0.0, -80.0]], [[0.0, 1.0]]])
    encoded = encode_geometry(["log_distance_gain_db", "los_mask"], channels, buildings)
    assert encoded[:, 0, 0].tolist() == [-1.0, -1.0]
    assert encoded[0, 0, 1] == pytest.approx(2 * (147 - 80) / 99.16 - 1)
    assert encoded[1, 0, 1] == 1.0


def test_a_condition_keeps_the_order_of_its_channels() -> None:
    encoding = Encoding.of_names(["cars", "buildings"], path_loss_channel())
    condition = encoding.encode_condition({"buildings": np.ones((2, 3)), "cars": np.zeros((2, 3))})
    assert condition.shape == (2, 2, 3)
    assert condition[0].max() == -1.0
    assert condition[1].min() == 1.0


def test_an_encoding_travels_as_json() -> None:
    encoding = Encoding.of_names(["buildings", "los_mask"], path_loss_channel("thresholded"))
    assert Encoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


@pytest.mark.parametrize("ends", [(1.0, 1.0), (0.0, float("nan")), (float("inf"), 0.0)])
def test_a_range_needs_two_ends(ends: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="two finite ends"):
        Channel("x", *ends)


def test_nan_is_refused() -> None:
    with pytest.raises(InputError, match=r"must not hold NaN.*1 of 2"):
        CHANNELS["k2"].encode([0.5, np.nan])


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"buildings": np.zeros((2, 2))}, "needs the channels buildings, cars; got buildings"),
        ({"buildings": np.zeros((2, 2)), "cars": np.zeros((2, 2)), "k2": np.zeros((2, 2))}, "got buildings, cars, k2"),
        ({"buildings": np.zeros((2, 2)), "cars": np.zeros((2, 3))}, "one size"),
    ],
)
def test_a_condition_of_other_channels_or_sizes_is_refused(values: dict[str, np.ndarray], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Encoding.of_names(["buildings", "cars"], path_loss_channel()).encode_condition(values)


def test_a_target_without_two_dimensions_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(rows, cols\)"):
        Encoding((), path_loss_channel()).encode_target(np.zeros((1, 2, 2)))


def test_channels_with_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="different names"):
        Encoding.of_names(["cars", "cars"], path_loss_channel())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"must be one of buildings.*got carz"):
        Encoding.of_names(["carz"], path_loss_channel())


@pytest.mark.parametrize("content", [{}, {"condition": [], "target": {"name": "x"}}, {"condition": [{"a": 1}]}])
def test_a_foreign_record_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"Encoding\.to_dict"):
        Encoding.from_dict(content)


def test_the_scale_of_the_target_is_that_of_the_grey_scale() -> None:
    assert path_loss_channel("thresholded").low == pytest.approx(-(-147 + 99.16 * 0.2))
    assert path_loss_channel("raw", RADIOMAPSEER_GREY).high == pytest.approx(47.84)


@pytest.mark.parametrize(
    ("channel", "span_db", "label"),
    [
        (path_loss_channel("raw"), pytest.approx(99.16), "path loss [dB]"),
        (path_loss_channel("thresholded"), pytest.approx(79.328), "path loss [dB]"),
        (Channel("distance_m", 0.0, 128.0), None, "distance [m]"),
        (CHANNELS["los_mask"], None, "los mask"),
    ],
)
def test_channels_know_their_decibels_and_their_label(channel: Channel, span_db: object, label: str) -> None:
    assert (channel.span_db, channel.label) == (span_db, label)
