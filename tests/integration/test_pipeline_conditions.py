"""The condition of a scene is that of the data set's example."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radiodiff.data.create import CreateSettings, Scenario, create_data_set
from radiodiff.data.create.task import MapTask, draw_map
from radiodiff.data.missing_layers import draw_missing
from radiodiff.data.radiomapseer import BuildingsConfig, RadioMapSeer, RadioMapSeerConfig, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiodiff.formats import read_radiomapseer_scene, write_grey_png
from radiodiff.layouts import CitySettings
from radiodiff.pipeline.condition import scene_condition
from radiodiff.pipeline.measurements import Measurements
from radiodiff.propagation import GEOMETRY_CHANNELS
from radiodiff.scene import Scene, Transmitter

QUANTISED = 2.0 / 65535
"""The cache of a data set holds geometry channels in 65,536 steps."""


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fake")
    list(write_fake_radiomapseer(root, FakeRadioMapSeerSettings(2, 3, 4, size=96)))
    return root


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generated") / "data"
    city = CitySettings(rows=96, cols=96, cars_per_hectare=20.0)
    list(create_data_set(root, CreateSettings(2, 3, 1, cars=True, city=city)))
    return root


SETTINGS: list[dict[str, Any]] = [
    {},
    {"cars": True},
    {"cars_channel": "buildings"},
    {"cars_channel": "absent", "geometry": ("los_mask", "log_distance_gain_db", "obstructed_length_m")},
    {
        "geometry": ("shortest_path_length_m", "turning_angle_deg", "dominant_path_gain_db"),
        "allow_answer_channels": True,
    },
    {"k2": "log-distance"},
    {"k2": "dominant-path", "allow_answer_channels": True},
    {"cars": True, "geometry": GEOMETRY_CHANNELS, "k2": "dominant-path", "allow_answer_channels": True},
    {"scale": "thresholded", "measurements": {"kind": "random", "num_points": (5, 30)}},
    {"measurements": {"kind": "vertices"}},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: ",".join(settings) or "plain")
@pytest.mark.parametrize("name", ["fake", "generated"])
def test_the_condition_of_a_scene_is_that_of_the_example(
    name: str, settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(name)
    data = RadioMapSeer(RadioMapSeerConfig(root=root, part="all", split="all", **settings))
    plain = data.config.model_dump(mode="json", exclude={"root"})
    for number in range(len(data)):
        example = data[number]
        scene = read_radiomapseer_scene(root, example.map_id, cars=data.config.cars)
        tx = Transmitter.at_cell(scene.grid, example.tx[1], example.tx[0])
        points = None
        if data.config.measurements is not None:
            mask = example.condition[data.encoding.names.index("measurement_mask")] > 0
            cells = np.argwhere(mask & ~scene.buildings)
            path_loss_db = data.encoding.decode_target(example.target)[0]
            points = Measurements(cells, path_loss_db[cells[:, 0], cells[:, 1]])
        found = scene_condition(data.encoding, plain, scene, tx, points)
        assert found.dtype == np.float32
        for channel, mine, theirs in zip(data.encoding.names, found, example.condition, strict=True):
            if channel in ("measured_path_loss_db", "measurement_mask"):
                # Points at the rim of a building, half a cell beside the gain, are no cells outdoors.
                theirs = np.where(scene.buildings, -1.0, theirs)
            # A curvature of rounded levels, divided by small ones, shows the rounding of float32 as well.
            tolerance = 1e-3 if channel == "k2" else QUANTISED
            np.testing.assert_allclose(mine, theirs, atol=tolerance, err_msg=channel)


@pytest.mark.parametrize(
    ("scenario", "cell_m", "is_packed"), [("rooftop", 1.0, False), ("street", 2.0, True), ("rooftop", 2.0, False)]
)
def test_heights_and_cells_of_a_scene_are_those_of_the_example(
    tmp_path: Path, scenario: Scenario, cell_m: float, is_packed: bool
) -> None:
    root = tmp_path / "data"
    city = CitySettings(rows=64, cols=64, cell_size_m=cell_m)
    list(create_data_set(root, CreateSettings(2, 2, 1, city=city, scenario=scenario, frequency_hz=2e9)))
    if is_packed:
        Split("all", {"all": (0, 1)}).write(root / "split.json")
        list(pack_data_set(root, tmp_path / "packed"))
    options: dict[str, Any] = {
        "geometry": ("los_mask", "log_distance_gain_db"),
        "heights": True,
        "k2": "log-distance",
        "allow_answer_channels": True,
    }
    config = RadioMapSeerConfig(root=tmp_path / "packed" if is_packed else root, part="all", **options)
    data = RadioMapSeer(config)
    plain = data.config.model_dump(mode="json", exclude={"root"})
    for number in range(len(data)):
        example = data[number]
        task = MapTask(example.map_id)
        # The scene as it was drawn, not as it was written.
        scene, txs = draw_map(CreateSettings(2, 2, 1, city=city, scenario=scenario, frequency_hz=2e9), task)
        found = scene_condition(data.encoding, plain, scene.without_cars(), txs[example.tx_id])
        for channel, mine, theirs in zip(data.encoding.names, found, example.condition, strict=True):
            tolerance = 1e-3 if channel == "k2" else QUANTISED
            np.testing.assert_allclose(mine, theirs, atol=tolerance, err_msg=channel)
        assert txs[example.tx_id].height_m == data.store.tx_heights_m(example.map_id)[example.tx_id]


def test_unknown_heights_of_a_scene_are_those_of_the_example(tmp_path: Path) -> None:
    """A data set whose image of the heights lacks a building, and the scene that does not know it."""
    root = tmp_path / "data"
    city = CitySettings(rows=64, cols=64)
    list(create_data_set(root, CreateSettings(1, 1, 1, city=city, scenario="street")))
    scene = read_radiomapseer_scene(root, 0)
    first, *others = scene.footprints or ()
    scene = Scene.from_footprints(scene.grid, [replace(first, height_m=None), *others])
    write_grey_png(root / "png/heights/0.png", np.nan_to_num(np.rint(scene.roof_height_m)).astype(np.uint8))
    data = RadioMapSeer(RadioMapSeerConfig(root=root, part="all", heights=True, unknown_heights=1e-12))
    tx = Transmitter.at_cell(scene.grid, *reversed(data[0].tx), height_m=2.5)
    with pytest.warns(UserWarning, match="trained with such"):
        found = scene_condition(data.encoding, data.config.model_dump(mode="json"), scene, tx)
    np.testing.assert_array_equal(found, data[0].condition)


def test_missing_buildings_of_a_scene_are_those_of_the_example(tmp_path: Path) -> None:
    """The scene without them, as it was drawn; over the roofs go the heights of those that are left."""
    root = tmp_path / "data"
    city = CitySettings(rows=64, cols=64, style="houses")
    settings = CreateSettings(2, 2, 5, city=city, scenario="rooftop", missing_variants=1)
    list(create_data_set(root, settings))
    options: dict[str, Any] = {
        "geometry": ("los_mask", "obstructed_length_m", "over_roofs_gain_db"),
        "heights": True,
        "allow_answer_channels": True,
    }
    for count in (1, 4):
        layer = BuildingsConfig(layer="missing", count=count, variant=1)
        data = RadioMapSeer(RadioMapSeerConfig(root=root, part="all", buildings=layer, **options))
        plain = data.config.model_dump(mode="json", exclude={"root"})
        for number in range(len(data)):
            example = data[number]
            whole, txs = draw_map(settings, MapTask(example.map_id))
            houses = whole.footprints or ()
            left_out = draw_missing(len(houses), count, 1, (5, example.map_id))
            scene = Scene.from_footprints(whole.grid, [house for i, house in enumerate(houses) if i not in left_out])
            found = scene_condition(data.encoding, plain, scene, txs[example.tx_id])
            for channel, mine, theirs in zip(data.encoding.names, found, example.condition, strict=True):
                np.testing.assert_allclose(mine, theirs, atol=QUANTISED, err_msg=channel)
