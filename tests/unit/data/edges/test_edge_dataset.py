"""Examples of edge data sets, against the files that they come from."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.edges import EdgeDataSet, EdgeDataSetConfig, EdgeSettings, generate_edges
from radiodiff.data.edges.dataset import UNKNOWN
from radiodiff.data.loader import BatchLoader
from radiodiff.data.splits import Split
from radiodiff.errors import ConfigError, DataSetError, FormatError
from radiodiff.formats import read_radiomapseer_transmitters
from radiodiff.layouts import CitySettings

SIZE = 64


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set of four maps with cars, and its edges: in parts, in its structure, and half as large."""
    root = tmp_path_factory.mktemp("edge_data_set")
    city = CitySettings(rows=SIZE, cols=SIZE)
    for _ in create_data_set(root / "city", CreateSettings(4, 2, 1, cars=True, city=city)):
        pass
    gain = root / "city" / "gain" / "carsDPM"
    for name, settings in {
        "parts": EdgeSettings(method="canny", train_share=0.75),
        "kept": EdgeSettings(method="canny"),
        "half": EdgeSettings(method="canny", train_share=0.75, size=SIZE // 2),
    }.items():
        for _ in generate_edges(gain, root / name, settings):
            pass
    return root


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made, tmp_path / "copy")


def read(path):
    with Image.open(path) as image:
        return np.array(image)


def opened(root, **values):
    return EdgeDataSet(EdgeDataSetConfig(root=root, **values))


@pytest.mark.parametrize("part", ["train", "test", "all"])
def test_pairs_are_the_files_of_the_part(made, part):
    data = opened(made / "parts", part=part)
    parts = ("test", "train") if part == "all" else (part,)
    files = [path for name in parts for path in sorted((made / "parts" / name / "edge").iterdir())]
    assert len(data) == len(files) == {"train": 6, "test": 2, "all": 8}[part]
    assert (data.scale, data.encoding.names, data.encoding.target.name) == ("binary", ("image_grey",), "edge")
    for index, file in enumerate(files):
        example = data[index]
        np.testing.assert_array_equal(example.target[0], np.where(read(file) == 255, 1.0, -1.0))
        image = read(made / "city/gain/carsDPM" / file.name)
        np.testing.assert_allclose(example.condition[0], 2.0 * image / 255 - 1, atol=1e-6)
        assert (example.name, f"{example.map_id}_{example.tx_id}") == (file.stem, file.stem)
        assert (example.tx, example.content, example.weight) == ((UNKNOWN, UNKNOWN), (SIZE, SIZE), None)
    with pytest.raises(IndexError):
        data[len(data)]
    with pytest.raises(IndexError):
        data[-1]


def test_edges_that_keep_the_structure_have_the_same_examples(made):
    parts = {example.name: example for example in opened(made / "parts", part="all")}
    kept = list(opened(made / "kept", part="all"))
    assert len(kept) == len(parts)
    for example in kept:
        np.testing.assert_array_equal(example.target, parts[example.name].target)
        np.testing.assert_array_equal(example.condition, parts[example.name].condition)


def test_images_may_have_moved(copy):
    (copy / "city/gain/carsDPM").rename(copy / "moved")
    record = json.loads((copy / "kept/edges.json").read_text())
    record["source"] = str(copy / "city/gain/carsDPM")
    (copy / "kept/edges.json").write_text(json.dumps(record))
    with pytest.raises(DataSetError, match=r"must have its image; got .*0_0\.png \(8 in all\)"):
        opened(copy / "kept", part="all")
    assert len(opened(copy / "kept", part="all", images=copy / "moved")) == 8


@pytest.mark.parametrize("root", ["parts", "kept"])
@pytest.mark.parametrize("cars", [True, False])
def test_scenes_are_the_condition(made, root, cars):
    data = opened(made / root, part="all", scene=made / "city", cars=cars)
    assert data.encoding.names == ("buildings", "transmitter", "cars")
    assert len(data) == 8
    seen_cars = False
    for example in data:
        buildings = read(made / f"city/png/buildings_complete/{example.map_id}.png") > 0
        antenna = read(made / f"city/png/antennas/{example.map_id}_{example.tx_id}.png") > 0
        driven = (read(made / f"city/png/cars/{example.map_id}.png") > 0) & cars
        seen_cars |= driven.any()
        np.testing.assert_array_equal(example.condition, np.where([buildings, antenna, driven], 1.0, -1.0))
        col, row = read_radiomapseer_transmitters(made / "city", example.map_id)[example.tx_id]
        assert example.tx == (row, col)
    assert seen_cars == cars


def test_scenes_shrink_with_edges_that_were_resized(made):
    for example in opened(made / "half", part="all", scene=made / "city"):
        assert example.condition.shape == (3, SIZE // 2, SIZE // 2)
        assert np.argwhere(example.condition[1] == 1).tolist() == [list(example.tx)]
        antenna = read(made / f"city/png/antennas/{example.map_id}_{example.tx_id}.png")
        assert (np.argwhere(antenna)[0] // 2).tolist() == list(example.tx)
        buildings = read(made / f"city/png/buildings_complete/{example.map_id}.png") > 0
        assert abs((example.condition[0] == 1).mean() - buildings.mean()) < 0.05


def test_a_split_by_name_chooses_maps(copy):
    Split("mine", {"train": (3, 0), "test": (1, 2)}).write(copy / "mine.json")
    values = {"part": "train", "split": str(copy / "mine.json"), "scene": copy / "city"}
    data = opened(copy / "kept", **values)
    assert [example.map_id for example in data] == [0, 0, 3, 3]
    (copy / "mine.json").rename(copy / "city/split.json")
    assert len(opened(copy / "kept", part="test", scene=copy / "city")) == 4
    with pytest.raises(DataSetError, match=r"Every map of split disjoint must be in the data set"):
        opened(copy / "kept", part="train", split="disjoint")


def grey_pair(root):
    """A pair whose edges are probabilities: 0, 64, 128, 192, 255."""
    for folder in ("edge", "image"):
        (root / folder).mkdir(parents=True)
    Image.fromarray(np.array([[0, 64, 128], [192, 255, 1]], np.uint8)).save(root / "edge/photo.png")
    Image.fromarray(np.full((2, 3), 51, np.uint8)).save(root / "image/photo.png")
    return root


@pytest.mark.parametrize(
    ("threshold", "edge", "certain"),
    [
        (0.5, [[0, 0, 1], [1, 1, 0]], [[1, 0, 1], [1, 1, 0]]),
        (0.75, [[0, 0, 0], [1, 1, 0]], [[1, 0, 0], [1, 1, 0]]),
        (1.0, [[0, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]]),
        (0.002, [[0, 1, 1], [1, 1, 1]], [[1, 1, 1], [1, 1, 1]]),
    ],
)
def test_threshold_and_uncertain_cells(tmp_path, threshold, edge, certain):
    root = grey_pair(tmp_path / "pairs")
    example = opened(root, part="all", threshold=threshold)[0]
    np.testing.assert_array_equal(example.target[0], 2.0 * np.array(edge) - 1)
    assert example.mask is None
    assert (example.map_id, example.tx_id, example.tx) == (UNKNOWN, UNKNOWN, (UNKNOWN, UNKNOWN))
    np.testing.assert_allclose(example.condition, 2 * 51 / 255 - 1, atol=1e-6)
    example = opened(root, part="all", threshold=threshold, uncertain="ignored")[0]
    np.testing.assert_array_equal(example.target[0], 2.0 * np.array(edge) - 1)
    np.testing.assert_array_equal(example.mask, np.array([certain]) == 1)
    assert example.mask.dtype == np.bool_
    # They do not count; they are no edges to emphasise.
    assert example.weight is None


def symmetries(array):
    return [turned for k in range(4) for turned in (np.rot90(array, k), np.fliplr(np.rot90(array, k)))]


def test_edges_and_condition_are_turned_alike(made):
    plain = opened(made / "parts", part="all", scene=made / "city", cars=True)
    turned = opened(made / "parts", part="all", scene=made / "city", cars=True, augment=True, uncertain="ignored")
    seen = set()
    for draw in range(40):
        example = turned[0, draw]
        stack = np.concatenate([plain[0].target, plain[0].condition])
        found = np.concatenate([example.target, example.condition])
        fits = [
            k
            for k, candidate in enumerate(zip(*(symmetries(layer) for layer in stack), strict=True))
            if np.array_equal(np.stack(candidate), found)
        ]
        assert len(fits) == 1
        assert np.argwhere(example.condition[1] == 1).tolist() == [list(example.tx)]
        seen.add(fits[0])
    assert seen == set(range(8))
    np.testing.assert_array_equal(turned[0, 7].target, turned[0, 7].target)
    assert not np.array_equal(turned[0].target, opened(made / "parts", part="all", augment=True, seed=1)[0].target)


def test_oblong_maps_keep_their_shape(tmp_path):
    data = opened(grey_pair(tmp_path / "pairs"), part="all", augment=True)
    targets = {data[0, draw].target.tobytes() for draw in range(30)}
    assert {data[0, draw].target.shape for draw in range(30)} == {(1, 2, 3)}
    assert len(targets) == 4


def test_a_loader_makes_batches(made):
    data = opened(made / "parts", uncertain="ignored", augment=True)
    batches = list(BatchLoader(data, 4))
    assert [len(batch) for batch in batches] == [4, 2]
    batch = batches[0]
    assert batch.target.shape == batch.condition.shape == batch.mask.shape == (4, 1, SIZE, SIZE)
    assert (batch.scale, batch.encoding) == ("binary", data.encoding)
    np.testing.assert_array_equal(batch.target[1], data[1].target)


def test_a_lost_file_is_named(copy):
    name = next((copy / "parts/train/edge").iterdir()).name
    (copy / "parts/train/image" / name).rename(copy / "aside.png")
    with pytest.raises(DataSetError, match=rf"must have its image; got .*edge/{name} without .*image/{name} \(1 in"):
        opened(copy / "parts")
    (copy / "aside.png").rename(copy / "parts/train/image" / name)
    (copy / "parts/train/edge" / name).unlink()
    with pytest.raises(DataSetError, match=rf"must have edges; got .*image/{name} without .*edge/{name} \(1 in all\)"):
        opened(copy / "parts")
    (copy / "parts/train/image" / name).unlink()
    with pytest.raises(DataSetError, match=r"its record says, 6 edge maps; got .* with 5"):
        opened(copy / "parts")
    with pytest.raises(DataSetError, match=r"its record says, 8 edge maps; got .* with 7"):
        opened(copy / "parts", part="all")
    (copy / "kept" / name).unlink()
    with pytest.raises(DataSetError, match=r"its record says, 8 edge maps; got .* with 7"):
        opened(copy / "kept", part="all")


def test_damaged_files_are_named(copy):
    for folder in ("edge", "image"):
        path = sorted((copy / f"parts/train/{folder}").iterdir())[1]
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        data = opened(copy / "parts")
        assert data[0].name
        with pytest.raises(FormatError, match=rf"readable by Pillow; got .*train/{folder}/{path.name}"):
            data[1]
        path.write_bytes(whole)


def test_sizes_must_agree(copy):
    path = sorted((copy / "parts/train/image").iterdir())[0]
    Image.fromarray(np.zeros((SIZE, 8), np.uint8)).save(path)
    with pytest.raises(DataSetError, match=rf"must have one size; got .*{path.name} of 64 x 8, .* of 64 x 64"):
        opened(copy / "parts")[0]
    Image.fromarray(np.zeros((SIZE, 8), np.uint8)).save(path.parents[1] / "edge" / path.name)
    with pytest.raises(DataSetError, match=rf"size of their scenes, 64 x 64; got .*{path.name} of 64 x 8"):
        opened(copy / "parts", scene=copy / "city")[0]


def test_scenes_must_hold_every_map_and_transmitter(copy):
    (copy / "city/antenna/2.json").write_text("[[1, 1]]")
    with pytest.raises(DataSetError, match=r"must hold the map and the transmitter.*2_1\.png, with 1 transmitters"):
        opened(copy / "kept", part="all", scene=copy / "city")
    (copy / "city/antenna/2.json").unlink()
    with pytest.raises(DataSetError, match=r"2_0\.png, with 0 transmitters on map 2"):
        opened(copy / "kept", part="all", scene=copy / "city")


def test_names_without_numbers_have_no_scene(copy):
    root = grey_pair(copy / "pairs")
    with pytest.raises(DataSetError, match=r"must be <map>_<tx>\.png .*photo\.png"):
        opened(root, part="all", scene=copy / "city")


@pytest.mark.parametrize(
    ("root", "part", "message"),
    [
        ("parts", "validation", r"must be one of test, train, all; got 'validation'"),
        ("pairs", "train", r"must be one of all; got 'train'"),
        ("absent", "all", "which is not there"),
        ("file", "all", "which is a file"),
        ("city/gain/DPM", "all", r"must hold edges\.json, or edge/ and image/"),
    ],
)
def test_folders_that_are_no_such_data_set(copy, root, part, message):
    grey_pair(copy / "pairs")
    (copy / "file").touch()
    with pytest.raises(DataSetError, match=message):
        opened(copy / root, part=part)


def test_an_unfinished_data_set_is_refused(copy):
    steps = generate_edges(copy / "city/gain/DPM", copy / "new", EdgeSettings(method="canny"))
    next(steps)
    next(steps)
    with pytest.raises(DataSetError, match=r"must be complete; got .*new, whose making was interrupted"):
        opened(copy / "new", part="all")
    for _ in steps:
        pass
    assert len(opened(copy / "new", part="all")) == 8


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("counts", {}),
        ("counts", 3),
        ("counts", {"edges": 8}),
        ("counts", {"edges": 8, "parts": {"train": "6", "test": 2}}),
        ("counts", {"edges": True, "parts": {"train": 6, "test": 2}}),
        ("counts", {"edges": 8, "parts": ["train"]}),
        ("source", None),
        ("size", "64"),
    ],
    ids=str,
)
def test_a_record_without_what_is_counted_on(copy, key, value):
    record = json.loads((copy / "parts/edges.json").read_text())
    (copy / "parts/edges.json").write_text(json.dumps(record | {key: value}))
    with pytest.raises(FormatError, match=r"must hold the folder of the images.*; got .*parts/edges\.json"):
        opened(copy / "parts")


@pytest.mark.parametrize("text", ["[]", '{"format": "other"}', '{"format": "radiodiff-edges", "format_version": 2}'])
def test_a_strange_record_is_refused(copy, text):
    (copy / "kept/edges.json").write_text(text)
    with pytest.raises(FormatError, match=r"must hold the record of an edge data set; got .*kept/edges\.json"):
        opened(copy / "kept", part="all")


@pytest.mark.parametrize(
    "broken", [{"threshold": 0.0}, {"threshold": 1.1}, {"uncertain": "maybe"}, {"seed": -1}, {"treshold": 0.5}], ids=str
)
def test_configuration_refuses(tmp_path, broken):
    with pytest.raises(ConfigError, match="EdgeDataSetConfig"):
        EdgeDataSetConfig(root=tmp_path, **broken)
