"""Examples of RadioMapSeer against the files that they come from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.placement import turn_array
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.errors import ConfigError, DataSetError, FormatError, InputError
from radiodiff.layouts import CitySettings
from radiomapseer_examples import SIZE, data, image


def test_an_example_is_what_its_files_hold(fake_root: Path) -> None:
    dataset = data(fake_root)
    assert dataset.encoding.names == ("buildings", "transmitter", "cars")
    assert len(dataset) == 6
    example = dataset[1]
    assert (example.map_id, example.tx_id, example.name, example.weight) == (12, 1, "12_1", None)
    assert example.target.shape == (1, SIZE, SIZE)
    assert example.condition.shape == (3, SIZE, SIZE)
    assert example.content == (SIZE, SIZE)
    assert example.target.dtype == example.condition.dtype == np.float32
    # All of these in [-1, 1] by x = 2 g / 255 - 1.
    np.testing.assert_allclose(example.target[0], 2 * image(fake_root, "gain/DPM/12_1.png") / 255 - 1, atol=1e-6)
    np.testing.assert_array_equal(example.condition[0], 2 * image(fake_root, "png/buildings_complete/12.png") / 255 - 1)
    np.testing.assert_array_equal(example.condition[1], 2 * image(fake_root, "png/antennas/12_1.png") / 255 - 1)
    assert example.condition[2].max() == -1.0
    # DPM is brightest at the transmitter.
    assert example.target[0][example.tx] == example.target.max() == 1.0


def test_parts_are_those_of_the_manifest(fake_root: Path) -> None:
    assert [data(fake_root)[i].name for i in (0, 3)] == ["12_0", "10_0"]
    assert data(fake_root, part="test")[0].map_id == 13
    assert len(data(fake_root, part="all")) == 12


def test_a_folder_without_a_manifest_is_read_as_a_whole(own_root: Path) -> None:
    (own_root / "split.json").unlink()
    assert len(data(own_root, part="all")) == 12
    with pytest.raises(DataSetError, match="Every map of split disjoint must be in the data set"):
        data(own_root)


@pytest.mark.parametrize("number", [-1, 6])
def test_there_is_no_example_beyond_the_last(fake_root: Path, number: int) -> None:
    with pytest.raises(IndexError):
        data(fake_root)[number]


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ({"simulation": "IRT2"}, "IRT2"),
        ({"simulation": "IRT4"}, "IRT4"),
        ({"simulation": "IRT2", "cars": True}, "carsIRT2"),
        ({"cars": True}, "carsDPM"),
    ],
)
def test_simulations_come_from_their_folders(fake_root: Path, settings: dict[str, Any], folder: str) -> None:
    example = data(fake_root, **settings)[1]
    np.testing.assert_allclose(example.target[0], 2 * image(fake_root, f"gain/{folder}/12_1.png") / 255 - 1, atol=1e-6)


def test_irt4_has_two_transmitters_of_each_map(fake_root: Path) -> None:
    dataset = data(fake_root, simulation="IRT4", part="all")
    assert [dataset[i].tx_id for i in range(len(dataset))] == [0, 1] * 4
    assert len(data(fake_root, tx_per_map=1)) == 2


def test_a_mix_lies_between_its_simulations(fake_root: Path) -> None:
    irt2, dpm = (image(fake_root, f"gain/{name}/12_0.png") for name in ("IRT2", "DPM"))
    fixed = data(fake_root, simulation="mix", mix_weight=0.25)[0]
    np.testing.assert_allclose(fixed.target[0], 2 * (0.25 * irt2 + 0.75 * dpm) / 255 - 1, atol=1e-5)
    dataset = data(fake_root, simulation="mix")
    for draw in range(3):
        grey = (dataset[0, draw].target[0] + 1) * 127.5
        weight = np.median((grey - dpm)[irt2 != dpm] / (irt2 - dpm)[irt2 != dpm])
        assert 0 <= weight <= 1
        np.testing.assert_allclose(grey, weight * irt2 + (1 - weight) * dpm, atol=1e-2)
    assert (dataset[0, 0].target != dataset[0, 1].target).any()


def test_a_thresholded_target_follows_from_the_raw_files(fake_root: Path) -> None:
    example = data(fake_root, scale="thresholded")[0]
    level = image(fake_root, "gain/DPM/12_0.png") / 255
    np.testing.assert_allclose(example.target[0], 2 * np.maximum(0, (level - 0.2) / 0.8) - 1, atol=1e-6)


def test_thresholded_files_are_read_on_their_scale(tmp_path: Path) -> None:
    settings = FakeRadioMapSeerSettings(3, 1, seed=5, size=SIZE, cars=False, missing_layers=False, thresholded=True)
    for _ in write_fake_radiomapseer(tmp_path / "data", settings):
        pass
    dataset = data(tmp_path / "data", part="all", stored_scale="thresholded", scale="thresholded")
    expected = 2 * image(tmp_path / "data", "gain/DPM/0_0.png") / 255 - 1
    np.testing.assert_allclose(dataset[0].target[0], expected, atol=1e-6)
    with pytest.raises(ConfigError, match="must be 'thresholded' where the files are"):
        data(tmp_path / "data", part="all", stored_scale="thresholded")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"cars": True}, "png/cars/12.png"),
        ({"cars_channel": "cars"}, "png/cars/12.png"),
        ({"cars": True, "cars_channel": "buildings"}, "png/buildings_complete/12.png"),
        ({"cars": True, "cars_channel": "empty"}, None),
    ],
)
def test_what_the_third_channel_shows(fake_root: Path, settings: dict[str, Any], expected: str | None) -> None:
    cars = data(fake_root, **settings)[0].condition[2]
    shown = np.zeros((SIZE, SIZE)) if expected is None else image(fake_root, expected)
    np.testing.assert_array_equal(cars, 2 * shown / 255 - 1)


def test_the_third_channel_can_be_absent(fake_root: Path) -> None:
    assert data(fake_root, cars_channel="absent").encoding.names == ("buildings", "transmitter")


def test_missing_buildings_are_fixed_or_drawn(fake_root: Path) -> None:
    fixed = data(fake_root, buildings={"layer": "missing", "count": 2, "variant": 5})[0]
    expected = image(fake_root, "png/buildings_missing2/5/12.png")
    np.testing.assert_array_equal(fixed.condition[0], 2 * expected / 255 - 1)
    drawn = data(fake_root, buildings={"layer": "removed"})
    seen = {drawn[0, draw].condition[0].tobytes() for draw in range(40)}
    layers = [
        2 * image(fake_root, f"png/buildings_removed{count}/{variant}/12.png") / 255 - 1
        for count in range(1, 5)
        for variant in range(1, 7)
    ]
    possible = {layer.astype(np.float32).tobytes() for layer in layers}
    assert seen <= possible
    assert len(seen) > 5


def test_augmentation_moves_everything_together(fake_root: Path) -> None:
    settings: dict[str, Any] = {"cars": True, "measurements": {"kind": "vertices"}, "edge_weights": "sobel"}
    plain, turned = data(fake_root, **settings)[0], data(fake_root, augment=True, **settings)
    seen = set()
    for draw in range(40):
        example = turned[0, draw]
        matches = [k for k in range(8) if (turn_array(plain.target, k) == example.target).all()]
        assert len(matches) == 1
        seen |= set(matches)
        np.testing.assert_array_equal(turn_array(plain.condition, matches[0]), example.condition)
        assert np.argwhere(example.condition[1] > 0).tolist() == [list(example.tx)]
        assert example.target[0][example.tx] == 1.0
    assert seen == set(range(8))


def test_draws_follow_from_seed_and_number_alone(fake_root: Path) -> None:
    settings: dict[str, Any] = {"augment": True, "measurements": {"kind": "random"}, "simulation": "mix"}
    one, two = data(fake_root, **settings), data(fake_root, **settings)
    two[3, 9]
    np.testing.assert_array_equal(one[2, 4].condition, two[2, 4].condition)
    np.testing.assert_array_equal(one[2, 4].target, two[2, 4].target)
    other = data(fake_root, seed=1, **settings)
    assert (one[2, 4].condition != other[2, 4].condition).any()


@pytest.mark.parametrize("size", [96, 80, 32])
def test_another_size_by_resampling(fake_root: Path, size: int) -> None:
    example = data(fake_root, size=size, augment=True)[0]
    assert example.target.shape == (1, size, size)
    assert example.content == (size, size)
    assert (example.condition[1] > 0).sum() == 1
    assert example.condition[1][example.tx] == 1.0
    row, col = example.tx
    brightest = np.unravel_index(example.target[0].argmax(), (size, size))
    assert abs(brightest[0] - row) <= 1
    assert abs(brightest[1] - col) <= 1


def test_another_size_by_padding(fake_root: Path) -> None:
    plain, padded = data(fake_root)[0], data(fake_root, size=96, fit="pad")[0]
    assert padded.content == (SIZE, SIZE)
    np.testing.assert_array_equal(padded.target[:, :SIZE, :SIZE], plain.target)
    assert padded.target[:, SIZE:].max() == padded.condition[:, :, SIZE:].max() == -1.0
    assert padded.tx == plain.tx
    with pytest.raises(InputError, match="at least its own size"):
        data(fake_root, size=32, fit="pad")[0]


def test_settings_that_contradict_each_other_are_refused(fake_root: Path) -> None:
    with pytest.raises(ConfigError, match="mix_weight belongs to simulation 'mix'"):
        data(fake_root, mix_weight=0.5)
    with pytest.raises(ConfigError, match="num_points must be the fewest and the most"):
        data(fake_root, measurements={"kind": "random", "num_points": (5, 2)})


def test_files_on_another_scale_are_refused(tmp_path: Path) -> None:
    settings = FakeRadioMapSeerSettings(3, 1, seed=5, size=SIZE, cars=False, missing_layers=False, thresholded=True)
    for _ in write_fake_radiomapseer(tmp_path / "fake", settings):
        pass
    with pytest.raises(DataSetError, match=r"stored_scale='raw', .*fake\.json says 'thresholded'"):
        data(tmp_path / "fake", part="all")
    for _ in create_data_set(tmp_path / "city", CreateSettings(1, 1, 1, city=CitySettings(rows=SIZE, cols=SIZE))):
        pass
    assert data(tmp_path / "city", part="all")[0].name == "0_0"
    thresholded = data(tmp_path / "city", part="all", stored_scale="thresholded", scale="thresholded")
    with pytest.raises(FormatError, match=r"0_0\.png, which says raw"):
        thresholded[0]


def test_a_mix_of_thresholded_files_is_read_on_their_scale(tmp_path: Path) -> None:
    settings = FakeRadioMapSeerSettings(3, 1, seed=5, size=SIZE, cars=False, missing_layers=False, thresholded=True)
    root = tmp_path / "data"
    for _ in write_fake_radiomapseer(root, settings):
        pass
    scale: dict[str, Any] = {"stored_scale": "thresholded", "scale": "thresholded"}
    dataset = data(root, part="all", simulation="mix", mix_weight=0.5, **scale)
    expected = (image(root, "gain/DPM/0_0.png") + image(root, "gain/IRT2/0_0.png")) / 255 - 1
    np.testing.assert_allclose(dataset[0].target[0], expected, atol=1e-5)


@pytest.mark.parametrize("index", [0.0, "a", (0, -1), (0, 0.5), (0, 1, 2), None])
def test_an_index_is_one_whole_number_or_two(fake_root: Path, index: Any) -> None:
    with pytest.raises(InputError, match="by its number, or by number and draw"):
        data(fake_root)[index]
