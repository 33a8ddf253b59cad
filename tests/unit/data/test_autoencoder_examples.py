"""What an autoencoder is given, against the files that it comes from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chisquare

from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.edges import EdgeDataSetConfig
from radiodiff.data.example import Example
from radiodiff.data.icassp import FakeIcasspSettings, IcasspConfig, write_fake_icassp
from radiodiff.data.loader import BatchLoader, ShuffleSampler
from radiodiff.data.radiomapseer import PackSettings, RadioMapSeerConfig, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import open_data_set
from radiodiff.encoding import Encoding
from radiodiff.errors import ConfigError, DataSetError

SIZE = 64
MAPS = 3
TX = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outdoor maps, indoor maps and edges. Not to be changed."""
    root = tmp_path_factory.mktemp("examples")
    list(write_fake_radiomapseer(root / "city", FakeRadioMapSeerSettings(MAPS, TX, seed=5, size=SIZE)))
    list(write_fake_icassp(root / "indoor", FakeIcasspSettings(buildings=3, samples=1, smallest=30, largest=50)))
    random = np.random.default_rng(1)
    for folder in ("edge", "image"):
        (root / "edges" / folder).mkdir(parents=True)
        levels = np.where(random.random((20, 24)) < 0.3, 255, 0).astype(np.uint8)
        Image.fromarray(levels).save(root / "edges" / folder / "a.png")
    return root


def city(root: Path, **settings: Any) -> RadioMapSeerConfig:
    return RadioMapSeerConfig(root=root / "city", **({"part": "all"} | settings))


def indoor(root: Path, **settings: Any) -> IcasspConfig:
    return IcasspConfig(root=root / "indoor", **({"part": "all", "size": 32, "margin_px": 4} | settings))


def examples(source: Any, **settings: Any) -> AutoencoderExamples:
    return AutoencoderExamples(source, AutoencoderExamplesConfig(**settings))


def stored(root: Path, folder: str, name: str) -> np.ndarray:
    """A grey image of the city, as values of the raw scale in [-1, 1]."""
    return 2.0 * np.asarray(Image.open(root / "city/gain" / folder / f"{name}.png")) / 255.0 - 1.0


def turned(array: np.ndarray, k: int) -> np.ndarray:
    array = np.rot90(array, k, axes=(-2, -1))
    return array[..., ::-1] if k >= 4 else array


def test_the_target_alone_goes_in(root: Path) -> None:
    data = examples(city(root, augment=True))
    plain = open_data_set(city(root, augment=True))
    assert len(data) == len(plain) == MAPS * TX
    assert (data.num_inputs, data.num_targets, data.scale) == (1, 1, "raw")
    assert data.encoding == data.input_encoding == Encoding((plain.encoding.target,), plain.encoding.target)
    assert data.buildings_index is None
    for index in ((0, 0), (7, 3)):
        example, expected = data[index], plain[index]
        np.testing.assert_array_equal(example.condition, expected.target)
        np.testing.assert_array_equal(example.target, expected.target)
        assert (example.name, example.tx, example.content) == (expected.name, expected.tx, (SIZE, SIZE))


@pytest.mark.parametrize("name", ["target", "IRT2"])
def test_the_condition_follows_the_input_where_it_is_wanted(root: Path, name: str) -> None:
    source = city(root, cars=True, augment=True)
    data, plain = examples(source, input=name, with_condition=True), open_data_set(source)
    assert data.num_inputs == 1
    assert data.encoding.names[1:] == plain.encoding.names == ("buildings", "transmitter", "cars")
    assert data.input_encoding.condition == data.encoding.condition[:1]
    assert data.buildings_index == 1
    example = data[5, 2]
    assert example.condition.shape == (4, SIZE, SIZE)
    np.testing.assert_array_equal(example.condition[1:], plain[5, 2].condition)
    assert example.condition[2][example.tx] == 1.0


def test_the_condition_goes_in(root: Path) -> None:
    data, plain = examples(indoor(root), input="condition"), open_data_set(indoor(root))
    assert data.encoding == data.input_encoding == plain.encoding
    assert (data.num_inputs, data.num_targets, data.scale) == (3, 1, "db")
    np.testing.assert_array_equal(data[1, 4].condition, plain[1, 4].condition)
    np.testing.assert_array_equal(data[1, 4].target, plain[1, 4].target)
    assert examples(city(root), input="condition").buildings_index == 0


@pytest.mark.parametrize(
    ("view", "names"),
    [
        ("building", ("reflectance_db", "transmittance_db")),
        ("antenna", ("free_space_loss_db",)),
        ("radio", ("path_loss_db",)),
        ("condition", ("reflectance_db", "transmittance_db", "distance_m")),
        ("multi-condition", ("path_loss_db",)),
    ],
)
def test_all_channels_of_a_view_go_in(root: Path, view: str, names: tuple[str, ...]) -> None:
    data = examples(indoor(root, view=view))
    assert data.encoding.names == names
    assert (data.num_inputs, data.num_targets) == (len(names), len(names))
    example = data[0, 1]
    np.testing.assert_array_equal(example.condition, example.target)
    assert example.target.shape == (len(names), 32, 32)


@pytest.mark.parametrize(("target", "other"), [("DPM", "IRT2"), ("IRT2", "DPM"), ("DPM", "IRT4"), ("IRT4", "DPM")])
@pytest.mark.parametrize("cars", [False, True])
def test_another_simulation_belongs_to_the_same_scene_transmitter_and_symmetry(
    root: Path, target: str, other: str, cars: bool
) -> None:
    data = examples(city(root, simulation=target, cars=cars, augment=True), input=other)
    assert data.encoding.names == (f"{other.lower()}_path_loss_db",)
    prefix = "cars" if cars else ""
    seen = set()
    for number in range(len(data)):
        for draw in (0, 1, 2):
            example = data[number, draw]
            pair = np.concatenate([example.condition, example.target])
            files = np.stack([stored(root, prefix + name, example.name) for name in (other, target)])
            found = [k for k in range(8) if np.allclose(turned(files, k), pair, atol=1e-6)]
            assert len(found) == 1
            seen.add(found[0])
    assert len(seen) > 3


def test_a_mix_can_be_learned_from_one_of_its_simulations(root: Path) -> None:
    data = examples(city(root, simulation="mix", mix_weight=0.25), input="DPM")
    example = data[2]
    dpm, irt2 = (stored(root, name, example.name) for name in ("DPM", "IRT2"))
    np.testing.assert_allclose(example.condition[0], dpm, atol=1e-6)
    np.testing.assert_allclose(example.target[0], 0.25 * irt2 + 0.75 * dpm, atol=1e-5)


def test_irt4_leaves_the_first_two_transmitters_of_each_map(root: Path) -> None:
    data = examples(city(root), input="IRT4")
    assert len(data) == 2 * MAPS
    assert [(data[i].map_id, data[i].tx_id) for i in range(len(data))] == [(m, t) for m in range(MAPS) for t in (0, 1)]
    with pytest.raises(IndexError, match="example 6 of 6"):
        data[6]
    # Numbers and draws of the data set, not of what is left of it.
    plain = open_data_set(city(root, augment=True))
    turned_data = examples(city(root, augment=True), input="IRT4")
    for draw in range(6):
        np.testing.assert_array_equal(turned_data[3, draw].target, plain[TX + 1, draw].target)


def test_another_simulation_has_the_size_and_scale_of_the_target(root: Path) -> None:
    data = examples(city(root, scale="thresholded", size=96, fit="pad"), input="IRT2")
    example = data[0]
    assert data.scale == "thresholded"
    grey = (stored(root, "IRT2", example.name) + 1.0) / 2.0
    np.testing.assert_allclose(example.condition[0, :SIZE, :SIZE], 2 * np.clip((grey - 0.2) / 0.8, 0, 1) - 1, atol=1e-6)
    assert (example.condition[0, SIZE:] == -1.0).all()
    assert example.content == (SIZE, SIZE)


def test_packed_data_give_the_same(root: Path, tmp_path: Path) -> None:
    settings = PackSettings(simulations=("DPM", "IRT2"))
    list(pack_data_set(root / "city", tmp_path / "city", settings))
    data, packed = (examples(city(place, part="train", augment=True), input="IRT2") for place in (root, tmp_path))
    np.testing.assert_array_equal(data[0, 3].condition, packed[0, 3].condition)
    with pytest.raises(DataSetError, match="must have the simulation IRT4"):
        examples(city(tmp_path, part="train"), input="IRT4")


def test_a_simulation_without_files_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    for path in (root / "city").iterdir():
        if path.name != "gain":
            (tmp_path / "city" / path.name).symlink_to(path)
    (tmp_path / "city/gain").mkdir()
    (tmp_path / "city/gain/DPM").symlink_to(root / "city/gain/DPM")
    with pytest.raises(DataSetError, match="must have the simulation IRT2"):
        examples(city(tmp_path), input="IRT2")


def whole_and_window(source: Any, index: tuple[int, int], **settings: Any) -> tuple[Example, Example, tuple[int, int]]:
    """An example, a window on it, and the only place where the window fits."""
    whole = examples(source, **settings)[index]
    window = examples(source, crop_size=16, **settings)[index]
    stack = np.concatenate([whole.condition, whole.target])
    part = np.concatenate([window.condition, window.target])
    rows, cols = whole.content
    places = [
        (row, col)
        for row in range(rows - 15)
        for col in range(cols - 15)
        if np.array_equal(stack[:, row : row + 16, col : col + 16], part)
    ]
    assert len(places) == 1
    return whole, window, places[0]


@pytest.mark.parametrize("draw", range(4))
def test_a_window_is_the_same_for_all_arrays(root: Path, draw: int) -> None:
    source = city(root, augment=True, edge_weights="gradient", geometry=("log_distance_gain_db",))
    whole, window, (row, col) = whole_and_window(source, (6, draw), input="IRT2", with_condition=True)
    assert window.target.shape == (1, 16, 16)
    assert window.condition.shape == (1 + 4, 16, 16)
    assert window.content == (16, 16)
    assert window.tx == (whole.tx[0] - row, whole.tx[1] - col)
    assert whole.weight is not None
    np.testing.assert_array_equal(window.weight, whole.weight[:, row : row + 16, col : col + 16])
    assert (window.name, window.map_id, window.tx_id) == (whole.name, whole.map_id, whole.tx_id)


@pytest.mark.parametrize("crop", ["none", "tx-centred"])
def test_a_window_keeps_the_cells_that_count(root: Path, crop: str) -> None:
    """A window of a whole map lies on it; of one that overhangs the map it may have cells that do not count."""
    source = indoor(root, crop=crop, size=96, multiple=64, augment=True)
    shares = []
    for number in range(3):
        whole, window, (row, col) = whole_and_window_at(source, (number, 2))
        assert whole.mask is not None
        assert window.mask is not None
        np.testing.assert_array_equal(window.mask, whole.mask[:, row : row + 16, col : col + 16])
        assert (window.target[~window.mask] == -1.0).all()
        shares.append(window.mask.mean())
    assert crop != "none" or shares == [1.0, 1.0, 1.0]
    assert examples(source, crop_size=16, input="condition").windows == "windows of 16 x 16 cells" + (
        "" if crop == "none" else " of tx-centred windows of 96 x 96 cells"
    )
    assert examples(city(root)).windows == ""


def whole_and_window_at(source: Any, index: tuple[int, int]) -> tuple[Example, Example, tuple[int, int]]:
    """An example, a window on it, and where that begins, by the transmitter."""
    whole, window = examples(source)[index], examples(source, crop_size=16)[index]
    return whole, window, (whole.tx[0] - window.tx[0], whole.tx[1] - window.tx[1])


def test_left_out_buildings_are_said(root: Path) -> None:
    assert examples(city(root), with_condition=True).shows_all_buildings
    assert examples(indoor(root)).shows_all_buildings
    missing = city(root, buildings={"layer": "missing", "count": 1, "variant": 1})
    assert not examples(missing, with_condition=True).shows_all_buildings


def test_windows_lie_anywhere_on_the_map_and_not_on_the_padding(root: Path) -> None:
    """Each start of a window along a row and along a column is as likely as any other: tested at 1 in 10,000."""
    data = examples(city(root, size=72, fit="pad"), crop_size=60)
    whole = examples(city(root, size=72, fit="pad"))
    starts = np.array(
        [
            np.subtract(whole[number].tx, data[number, draw].tx)
            for draw in range(60)
            for number in range(0, len(data), 4)
        ]
    )
    assert starts.min() == 0
    assert starts.max() == SIZE - 60
    for along in starts.T:
        assert chisquare(np.bincount(along, minlength=5)).pvalue > 1e-4


def test_windows_follow_from_seed_number_and_draw(root: Path) -> None:
    one, two = (examples(city(root), crop_size=16) for _ in range(2))
    two[3, 1]
    for index in ((3, 0), (3, 1), (4, 1)):
        np.testing.assert_array_equal(one[index].target, two[index].target)
    np.testing.assert_array_equal(one[3].target, one[3, 0].target)
    assert len({one[3, draw].target.tobytes() for draw in range(8)}) > 5
    other = examples(city(root, seed=1), crop_size=16)
    assert any(one[3, draw].target.tobytes() != other[3, draw].target.tobytes() for draw in range(3))


def test_an_unknown_transmitter_stays_unknown(root: Path) -> None:
    source = EdgeDataSetConfig(root=root / "edges", part="all", augment=True, uncertain="ignored")
    assert examples(source, with_condition=True)[0].tx == (-1, -1)
    assert examples(source, with_condition=True).encoding.names == ("edge", "image_grey")
    whole, window, _ = whole_and_window(source, (0, 5), with_condition=True)
    assert window.tx == whole.tx == (-1, -1)
    assert window.mask is not None
    assert window.mask.shape == window.target.shape
    assert examples(source).scale == "binary"


def test_a_window_larger_than_a_map_is_refused(root: Path) -> None:
    data = examples(indoor(root, crop="none", multiple=64), crop_size=52)
    rows, cols = examples(indoor(root, crop="none", multiple=64))[0].content
    with pytest.raises(ConfigError, match=rf"crop_size must not be larger .* got 52 for B1_.* of {rows} x {cols}"):
        data[0]


def test_batches(root: Path) -> None:
    data = examples(city(root, augment=True), with_condition=True, crop_size=32)
    loader = BatchLoader(data, 4, sampler=ShuffleSampler(len(data), seed=1))
    batch = next(iter(loader))
    assert batch.condition.shape == (4, 4, 32, 32)
    assert batch.encoding == data.encoding
    for row, draw in enumerate(batch.draws):
        np.testing.assert_array_equal(batch.target[row].numpy(), data[draw].target)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"input": "IRT3"}, "input must be 'target', 'condition', 'DPM', 'IRT2', 'IRT4', 'RL' or 'RT'"),
        ({"crop_size": 0}, "crop_size must be"),
        ({"input": "condition", "with_condition": True}, "with_condition belongs to other inputs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        AutoencoderExamplesConfig(**settings)


def test_settings_that_do_not_fit_the_data_are_refused_before_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not 'radiomapseer'; got 'DPM' with data\.kind='icassp'"):
        examples(indoor(tmp_path), input="DPM")
    with pytest.raises(ConfigError, match=r"data\.kind='edges'"):
        examples(EdgeDataSetConfig(root=tmp_path), input="IRT2")
    with pytest.raises(
        ConfigError, match=r"another simulation than RadioMapSeerConfig\.simulation; got 'DPM' for both"
    ):
        examples(city(tmp_path), input="DPM")
    with pytest.raises(ConfigError, match=r"a condition that is not the target.*view='radio'"):
        examples(indoor(tmp_path, view="radio"), with_condition=True)


def test_a_data_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="RadioMapSeer folder must hold"):
        examples(city(tmp_path))
