"""Channels and weights of RadioMapSeer examples: measurements, geometry, curvature, edges."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from radiodiff.data.edges.detect import DetectOptions, detect_edges
from radiodiff.data.placement import turn_array
from radiodiff.errors import ConfigError, DataSetError, FormatError
from radiodiff.formats import read_radiomapseer_scene, read_radiomapseer_transmitters
from radiodiff.propagation import geometry_channels
from radiodiff.scene import Transmitter
from radiomapseer_examples import SIZE, channel, data, image


def test_random_points_are_outdoors_and_true(fake_root: Path) -> None:
    dataset = data(fake_root, measurements={"kind": "random", "num_points": (5, 9)})
    assert dataset.encoding.names[3:] == ("measured_path_loss_db", "measurement_mask")
    counts = set()
    for draw in range(30):
        example = dataset[0, draw]
        known = example.condition[4] == 1.0
        counts.add(int(known.sum()))
        assert (example.condition[3][known] == example.target[0][known]).all()
        assert (example.condition[3][~known] == -1.0).all()
        assert (example.condition[0][known] == -1.0).all()
    assert counts == {5, 6, 7, 8, 9}


@pytest.mark.parametrize(("half", "area"), [("left", np.s_[:, :32]), ("bottom", np.s_[32:])])
def test_half_a_map_is_known(fake_root: Path, half: str, area: Any) -> None:
    dataset = data(fake_root, measurements={"kind": "half", "half": half})
    example = dataset[0]
    expected = np.zeros((SIZE, SIZE), dtype=bool)
    expected[area] = True
    buildings = example.condition[0] > 0
    rim = binary_dilation(buildings, np.ones((3, 3))) & ~buildings
    expected &= ~buildings & ~(rim & (example.target[0] == -1.0))
    np.testing.assert_array_equal(example.condition[4] > 0, expected)


def test_a_random_half_is_every_half(fake_root: Path) -> None:
    dataset = data(fake_root, measurements={"kind": "half"})
    assert len({(dataset[0, draw].condition[4]).tobytes() for draw in range(40)}) == 4


def test_vertices_are_outdoor_cells_beside_building_corners(fake_root: Path) -> None:
    dataset = data(fake_root, measurements={"kind": "vertices"})
    example = dataset[0]
    known = example.condition[4] > 0
    buildings = example.condition[0] > 0
    scene = read_radiomapseer_scene(fake_root, 12)
    rings = [ring for f in scene.footprints or () for ring in (f.polygon.exterior, *f.polygon.interiors)]
    corners = np.concatenate([np.asarray(ring.coords)[:, :2] for ring in rings])
    near = np.zeros((SIZE, SIZE), dtype=bool)
    col, row = np.clip(np.floor(corners), 0, SIZE - 1).astype(int).T
    near[row, col] = True
    assert known.sum() > 10
    assert not (known & buildings).any()
    assert not (known & ~binary_dilation(near, np.ones((3, 3)))).any()


def test_noise_has_its_deviation(fake_root: Path) -> None:
    dataset = data(fake_root, measurements={"kind": "half", "half": "left", "noise_db": 2.0})
    example = dataset[0]
    channel_db = dataset.encoding.condition[3]
    known = (example.condition[4] > 0) & (example.condition[3] > -0.9) & (example.target[0] > -0.8)
    known &= example.condition[3] < 0.95
    error_db = channel_db.decode(example.condition[3]) - dataset.encoding.target.decode(example.target[0])
    assert known.sum() > 300
    assert np.std(error_db[known]) == pytest.approx(2.0, rel=0.15)


def test_geometry_channels_are_those_of_the_input_buildings(own_root: Path) -> None:
    names = ("los_mask", "turning_angle_deg", "dominant_path_gain_db")
    dataset = data(own_root, geometry=names, simulation="IRT2")
    example = dataset[1]
    scene = read_radiomapseer_scene(own_root, 12)
    col, row = read_radiomapseer_transmitters(own_root, 12)[1]
    assert example.tx == (row, col)
    truth = geometry_channels(scene, Transmitter.at_cell(scene.grid, col, row))
    for name, number in zip(names, (0, 4, 5), strict=True):
        stored = channel(example, dataset, name)
        expected = dataset.encoding.condition[dataset.encoding.names.index(name)].encode(truth[number])
        expected[scene.buildings] = -1.0
        np.testing.assert_allclose(stored, expected, atol=1.01 / 65535, err_msg=name)


def test_channels_that_hold_the_answer_must_be_asked_for(own_root: Path) -> None:
    with pytest.raises(ConfigError, match=r"must not hold the answer.*dominant_path_gain_db"):
        data(own_root, geometry=("los_mask", "dominant_path_gain_db"))
    with pytest.raises(ConfigError, match=r"must not hold the answer.*k2"):
        data(own_root, k2="dominant-path")
    for allowed in (
        {"geometry": ("los_mask", "log_distance_gain_db", "obstructed_length_m")},
        {"geometry": ("turning_angle_deg",), "allow_answer_channels": True},
        {"geometry": ("turning_angle_deg",), "simulation": "IRT2"},
        {"geometry": ("turning_angle_deg",), "buildings": {"layer": "missing"}},
    ):
        assert len(data(own_root, **allowed)) > 0


def test_curvature_comes_from_a_prediction_and_not_from_the_target(own_root: Path) -> None:
    simple = data(own_root, k2="log-distance")
    assert simple.encoding.names[-1] == "k2"
    # The prediction knows the buildings only as cells that are left out.
    curved = channel(simple[0], simple, "k2")
    assert (curved[simple[0].condition[0] > 0] == -1.0).all()
    before = channel(simple[0], simple, "k2").copy()
    other = Image.open(own_root / "gain/DPM/12_1.png")
    other.save(own_root / "gain/DPM/12_0.png")
    np.testing.assert_array_equal(channel(data(own_root, k2="log-distance")[0], simple, "k2"), before)


def test_curvature_of_given_predictions(own_root: Path) -> None:
    dataset = data(own_root, k2=own_root / "gain/IRT2")
    assert channel(dataset[0], dataset, "k2").max() > 0
    with pytest.raises(DataSetError, match=r"k2 must be one of the known names or a folder.*nowhere"):
        data(own_root, k2="nowhere")
    with pytest.raises(DataSetError, match="edge_weights must be one of the known names or a folder"):
        data(own_root, edge_weights="other")
    (own_root / "empty").mkdir()
    with pytest.raises(FormatError, match=r"empty.12_0\.png"):
        data(own_root, k2=own_root / "empty")[0]
    Image.new("L", (8, 8), 3).save(own_root / "gain/IRT2/12_0.png")
    with pytest.raises(DataSetError, match=r"64 x 64 cells; got .*12_0\.png of 8 x 8"):
        dataset[0]


def test_curvature_of_the_dominant_path_sees_shadow_borders(own_root: Path) -> None:
    dataset = data(own_root, k2="dominant-path", simulation="IRT2", geometry=("los_mask",))
    example = dataset[0]
    los = channel(example, dataset, "los_mask") > 0
    outdoors = example.condition[0] < 0
    border = binary_dilation(los) & binary_dilation(~los & outdoors) & outdoors
    curved = (channel(example, dataset, "k2") + 1) / 2
    assert curved[border].mean() > 3 * curved[outdoors & ~border].mean()


@pytest.mark.parametrize("kind", ["sobel", "canny", "k2"])
def test_weights_mark_edges_of_the_target(fake_root: Path, kind: str) -> None:
    example = data(fake_root, edge_weights=kind)[0]
    assert example.weight is not None
    assert example.weight.shape == example.target.shape
    assert 0.0 <= example.weight.min() < example.weight.max() <= 1.0
    buildings = example.condition[0] > 0
    rim = binary_dilation(buildings, iterations=2) & ~buildings
    far = ~binary_dilation(buildings, iterations=2)
    assert kind == "k2" or example.weight[0][rim].mean() > example.weight[0][far].mean()


def test_weights_come_from_a_folder(own_root: Path) -> None:
    (own_root / "edges").mkdir()
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    mask[3, 4] = 255
    Image.fromarray(mask).save(own_root / "edges/12_0.png")
    weight = data(own_root, edge_weights=own_root / "edges")[0].weight
    assert weight is not None
    assert np.argwhere(weight[0] > 0).tolist() == [[3, 4]]


def test_weights_turn_with_the_target(fake_root: Path) -> None:
    # Detectors choose one of two equal cells by a fixed order, so weights are those of the turned target.
    turned = data(fake_root, augment=True, edge_weights="gradient")
    plain = data(fake_root, edge_weights="gradient")[0]
    example = turned[0, 3]
    (match,) = [k for k in range(8) if (turn_array(plain.target, k) == example.target).all()]
    assert plain.weight is not None
    np.testing.assert_array_equal(turn_array(plain.weight, match), example.weight)


def test_measured_points_survive_another_size(fake_root: Path) -> None:
    settings: dict[str, Any] = {"measurements": {"kind": "random", "num_points": (20, 20)}}
    assert (data(fake_root, **settings)[0].condition[4] > 0).sum() == 20
    assert (data(fake_root, size=96, **settings)[0].condition[4] > 0).sum() == 20
    half = data(fake_root, size=96, measurements={"kind": "half", "half": "left"})[0].condition[4] > 0
    assert half[:, :48][half.any(axis=1)].mean() > 0.5


def test_curvature_never_comes_from_the_target(own_root: Path) -> None:
    for settings in ({}, {"simulation": "mix"}):
        with pytest.raises(DataSetError, match=r"from a prediction, not from the target.*DPM.12_0\.png"):
            data(own_root, k2=own_root / "gain/DPM", **settings)[0]
    allowed = data(own_root, k2=own_root / "gain/DPM", allow_answer_channels=True)
    assert channel(allowed[0], allowed, "k2").max() > 0


def test_weights_of_resized_targets_are_edges_of_what_is_given(fake_root: Path) -> None:
    for size in (96, 32):
        example = data(fake_root, size=size, edge_weights="canny")[0]
        grey = np.rint((example.target[0] + 1) * 127.5).astype(np.uint8)
        assert example.weight is not None
        np.testing.assert_array_equal(example.weight[0] > 0, detect_edges(grey, "canny"))
    padded = data(fake_root, size=96, fit="pad", edge_weights="canny")[0]
    assert padded.weight is not None
    assert padded.weight[0, SIZE:].max() == padded.weight[0, :, SIZE:].max() == 0.0
    np.testing.assert_array_equal(padded.weight[:, :SIZE, :SIZE], data(fake_root, edge_weights="canny")[0].weight)


def test_contours_of_weights_are_on_the_scale_of_the_target(fake_root: Path) -> None:
    example = data(fake_root, scale="thresholded", edge_weights="contour")[0]
    grey = np.rint((example.target[0] + 1) * 127.5).astype(np.uint8)
    assert example.weight is not None
    expected = detect_edges(grey, "contour", DetectOptions(contour_scale="thresholded"))
    np.testing.assert_array_equal(example.weight[0] > 0, expected)


def test_measured_points_are_outside_the_complete_buildings(fake_root: Path) -> None:
    dataset = data(fake_root, buildings={"layer": "missing", "count": 4}, measurements={"kind": "half"})
    complete = image(fake_root, "png/buildings_complete/12.png") > 0
    for draw in range(8):
        assert not (complete & (dataset[0, draw].condition[4] > 0)).any()


def test_the_curvature_of_weights_leaves_out_the_complete_buildings(fake_root: Path) -> None:
    one = data(fake_root, edge_weights="k2")[0]
    other = data(fake_root, edge_weights="k2", buildings={"layer": "missing", "count": 4, "variant": 1})[0]
    np.testing.assert_array_equal(one.weight, other.weight)


def test_the_transmitter_has_no_curvature(own_root: Path) -> None:
    for settings in ({"k2": "log-distance"}, {"k2": "dominant-path", "simulation": "IRT2"}):
        dataset = data(own_root, **settings)
        example = dataset[0]
        row, col = example.tx
        around = channel(example, dataset, "k2")[row - 1 : row + 2, col - 1 : col + 2]
        assert around[1].max() == around[:, 1].max() == -1.0
