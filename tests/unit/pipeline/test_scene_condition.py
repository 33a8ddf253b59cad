"""Conditions of scenes: what each channel shows, and what a scene cannot give."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from shapely import box

from radiodiff.encoding import CHANNELS, Channel, Encoding, path_loss_channel
from radiodiff.errors import ConfigError, InputError, SceneError, TransmitterError
from radiodiff.pipeline.condition import SceneEncoder, scene_condition
from radiodiff.pipeline.measurements import Measurements
from radiodiff.propagation import GEOMETRY_CHANNELS, GeometrySolver, geometry_channels
from radiodiff.scene import Footprint, Grid, Scene, SectorAntenna, Transmitter, trace
from tiny_pipelines import SCENE_NAMES, tiny_encoding

GRID = Grid(24, 30)
BUILDINGS = (Footprint(box(4, 5, 12, 14)), Footprint(box(18, 12, 25, 20)))
CARS = (Footprint(box(14, 2, 18, 4)),)
SCENE = Scene.from_footprints(GRID, BUILDINGS)
TX = Transmitter.at_cell(GRID, 15, 8)
IMAGES = {"kind": "radiomapseer"}


def channels(names: tuple[str, ...], data: dict[str, Any], scene: Scene = SCENE, **given: Any) -> dict[str, Any]:
    found = scene_condition(tiny_encoding(names), data, scene, TX, **given)
    return dict(zip(names, found, strict=True))


def test_masks_without_a_data_set_are_those_of_the_scene() -> None:
    found = channels(("buildings", "transmitter"), {})
    np.testing.assert_array_equal(found["buildings"] > 0, SCENE.buildings)
    assert np.argwhere(found["transmitter"] == 1.0).tolist() == [[8, 15]]
    assert set(np.unique(found["transmitter"])) == {-1.0, 1.0}


def test_masks_of_radiomapseer_stand_half_a_cell_beside_the_gain() -> None:
    scene = Scene.from_footprints(GRID, [Footprint(box(4.6, 5.4, 12.6, 14.4))])
    assert scene.buildings[5:14, 5:13].all()
    assert scene.buildings.sum() == 9 * 8
    # The image samples half a cell right of and above the centre of a cell.
    shown = np.zeros(GRID.shape, dtype=bool)
    shown[6:15, 4:12] = True
    np.testing.assert_array_equal(channels(("buildings",), IMAGES, scene)["buildings"] > 0, shown)


def test_a_scene_without_outlines_is_traced() -> None:
    bare = replace(SCENE, footprints=None)
    with_outlines, without = (channels(("buildings",), IMAGES, scene)["buildings"] for scene in (SCENE, bare))
    np.testing.assert_array_equal(with_outlines, without)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"cars": True}, "cars"),
        ({"cars": False, "cars_channel": "cars"}, "cars"),
        ({"cars": True, "cars_channel": "empty"}, "empty"),
        ({"cars_channel": "buildings"}, "buildings"),
        ({}, "empty"),
    ],
)
def test_the_third_channel_is_that_of_the_training(data: dict[str, Any], shown: str) -> None:
    scene = SCENE.with_cars(CARS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = channels(("buildings", "cars"), data, scene)
    assert scene.cars is not None
    wanted = {"cars": scene.cars, "empty": np.zeros(GRID.shape, bool), "buildings": scene.buildings}[shown]
    np.testing.assert_array_equal(found["cars"] > 0, wanted)


def test_a_scene_without_cars_has_an_empty_channel() -> None:
    assert (channels(("cars",), {"cars": True})["cars"] == -1.0).all()


def test_cars_that_do_not_count_are_warned_of() -> None:
    encoder = SceneEncoder(tiny_encoding(("buildings", "cars")), {})
    with pytest.warns(UserWarning, match=r"does not see cars \(its third channel is 'empty'\).*left out"):
        encoder.check(SCENE.with_cars(CARS), TX, None)
    # Once is enough: warnings are errors here.
    encoder.check(SCENE.with_cars(CARS), TX, None)
    for data in ({}, {"cars_channel": "absent"}, {"cars_channel": "absent", "cars": True}):
        with pytest.warns(UserWarning, match="it has no channel for them") as caught:
            channels(("buildings",), data, SCENE.with_cars(CARS))
        assert len(caught) == 1
    channels(("cars",), {"cars": True}, SCENE.with_cars(CARS))


def test_geometry_channels_are_encoded_and_empty_indoors() -> None:
    found = channels(GEOMETRY_CHANNELS, {})
    physical = geometry_channels(SCENE, TX)
    for name, values in zip(GEOMETRY_CHANNELS, physical, strict=True):
        outdoors = ~SCENE.buildings
        np.testing.assert_array_equal(found[name][outdoors], CHANNELS[name].encode(values)[outdoors])
        assert (found[name][SCENE.buildings] == -1.0).all()


def test_geometry_is_that_of_the_training_whatever_drives_and_transmits() -> None:
    """Data sets compute it without cars and at one carrier: a network has learnt no other."""
    names = (*GEOMETRY_CHANNELS, "k2")
    settings = {"cars": True, "k2": "dominant-path"}
    plain = scene_condition(tiny_encoding(names), settings, SCENE, TX)
    with_cars = SCENE.with_cars([Footprint(box(13, 9, 18, 11))])
    with pytest.warns(UserWarning, match="does not see cars"):
        found = scene_condition(tiny_encoding(names), settings, with_cars, TX)
    np.testing.assert_array_equal(found, plain)
    other = replace(TX, frequency_hz=1.8e9, azimuth_deg=40.0, antenna=SectorAntenna())
    np.testing.assert_array_equal(scene_condition(tiny_encoding(names), settings, SCENE, other), plain)
    higher = scene_condition(tiny_encoding(names), settings, SCENE, replace(other, height_m=25.0))
    differs = [not np.array_equal(one, two) for one, two in zip(higher, plain, strict=True)]
    assert [name for name, is_other in zip(names, differs, strict=True) if is_other] == ["over_roofs_gain_db"]


def test_the_ranges_are_those_of_the_model() -> None:
    wide = Channel("shortest_path_length_m", 0.0, 2048.0)
    found = scene_condition(Encoding((wide,), path_loss_channel()), {}, SCENE, TX)[0]
    physical = geometry_channels(SCENE, TX)[3]
    np.testing.assert_allclose(found[0, 0], physical[0, 0] / 1024.0 - 1.0, atol=1e-6)


def test_transmitters_on_one_scene_share_its_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    original = GeometrySolver.__init__

    def count(self: GeometrySolver, scene: Scene, *arguments: Any) -> None:
        made.append(scene.footprints)
        original(self, scene, *arguments)

    monkeypatch.setattr(GeometrySolver, "__init__", count)
    encoder = SceneEncoder(tiny_encoding(), {})
    other = Scene.from_footprints(GRID, BUILDINGS[:1])
    for scene in (SCENE, SCENE, other):
        for col in (1, 15):
            encoder.condition(scene, Transmitter.at_cell(GRID, col, 8))
    assert made == [SCENE.footprints, other.footprints]


def test_cells_are_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    traced: list[object] = []
    original = trace.trace_footprints

    def count(grid: Grid, mask: NDArray[np.bool_]) -> tuple[Footprint, ...]:
        traced.append(mask)
        return original(grid, mask)

    monkeypatch.setattr(trace, "trace_footprints", count)
    encoder = SceneEncoder(tiny_encoding(), {"kind": "radiomapseer"})
    scene = Scene(GRID, SCENE.buildings)
    for col in (1, 15):
        encoder.condition(scene, Transmitter.at_cell(GRID, col, 8))
    assert len(traced) == 1


def test_only_the_channels_of_the_model_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    original = GeometrySolver.channels

    def note(self: GeometrySolver, tx: Transmitter, names: list[str]) -> NDArray[np.float32]:
        asked.append(names)
        return original(self, tx, names)

    monkeypatch.setattr(GeometrySolver, "channels", note)
    channels(("log_distance_gain_db", "buildings", "los_mask"), {})
    channels(("obstructed_length_m", "k2"), {"k2": "dominant-path"})
    assert asked == [["los_mask", "log_distance_gain_db"], ["obstructed_length_m", "dominant_path_gain_db"]]


def test_channels_without_geometry_need_no_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GeometrySolver, "__init__", lambda *_: 1 / 0)
    found = channels(("buildings", "transmitter", "k2"), {"k2": "log-distance"})
    assert found["k2"].max() > -1.0


def test_measured_points_are_a_value_and_a_mask() -> None:
    names = ("measured_path_loss_db", "measurement_mask")
    points = Measurements(np.array([[0, 3], [20, 29]]), np.array([80.0, 300.0]))
    with pytest.warns(UserWarning, match="lie far beyond"):
        found = channels(names, {}, measurements=points)
    target = path_loss_channel()
    assert found["measured_path_loss_db"][0, 3] == target.encode(80.0)
    assert found["measured_path_loss_db"][20, 29] == -1.0
    assert np.argwhere(found["measurement_mask"] == 1.0).tolist() == [[0, 3], [20, 29]]
    assert (found["measured_path_loss_db"] > -1.0).sum() == 1


def test_a_model_of_measured_points_needs_some() -> None:
    with pytest.raises(InputError, match="must be given measurements"):
        channels(("buildings", "measurement_mask"), {})


def test_channels_that_no_scene_gives_are_named() -> None:
    encoding = Encoding(
        (CHANNELS["buildings"], Channel("reflectance_db", 0, 40), Channel("distance_m", 0, 128)), path_loss_channel()
    )
    with pytest.raises(ConfigError, match="needs reflectance_db, distance_m of the data set 'icassp'"):
        SceneEncoder(encoding, {"kind": "icassp"})


@pytest.mark.parametrize("source", ["k2-images", None])
def test_a_curvature_from_a_folder_is_none_of_a_scene(source: str | None) -> None:
    with pytest.raises(ConfigError, match=rf"whose k2 was read from images \({source}\)"):
        SceneEncoder(tiny_encoding(("buildings", "k2")), {"k2": source})


def test_a_transmitter_stands_outdoors_and_on_the_map() -> None:
    with pytest.raises(TransmitterError, match=r"must stand outside the buildings.*got column 6, row 7"):
        scene_condition(tiny_encoding(), {}, SCENE, Transmitter.at_cell(GRID, 6, 7))
    with pytest.raises(TransmitterError, match="must stand on the grid"):
        scene_condition(tiny_encoding(), {}, SCENE, Transmitter(100.0, 3.0))


def test_a_scene_has_free_cells() -> None:
    full = Scene(GRID, np.ones(GRID.shape, dtype=bool))
    with pytest.raises(SceneError, match=r"must have cells outside buildings; got none of 24 x 30 cells"):
        scene_condition(tiny_encoding(SCENE_NAMES[:2]), {}, full, TX)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ([24, 3], "must be on the map of 24 x 30 cells; got row 24, column 3"),
        ([3, 30], "must be on the map of 24 x 30 cells; got row 3, column 30"),
        ([7, 6], "must be outside buildings; got row 7, column 6"),
    ],
)
def test_points_are_on_the_map_and_outdoors(cell: list[int], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        channels(("buildings",), {}, measurements=Measurements(np.array([cell]), np.array([80.0])))


HEIGHT_NAMES = ("building_height_m", "transmitter_height_m")


def test_heights_are_those_of_scene_and_transmitter() -> None:
    high = Scene.from_footprints(GRID, [replace(BUILDINGS[0], height_m=20.4), replace(BUILDINGS[1], height_m=150.0)])
    on_roof = Transmitter.at_cell(GRID, 8, 9, height_m=23.4)
    roofs, plane = scene_condition(tiny_encoding(HEIGHT_NAMES), IMAGES, high, on_roof)
    # In whole metres, as data sets hold them; what is above the range counts as its end.
    assert roofs[9, 8] == CHANNELS["building_height_m"].encode(20.0)
    assert roofs[15, 20] == 1.0
    assert (roofs[~high.buildings] == -1.0).all()
    np.testing.assert_array_equal(plane, CHANNELS["transmitter_height_m"].encode(np.full(GRID.shape, 23.4)))


@pytest.mark.parametrize(("share", "words"), [(0.2, "was trained with such"), (0.0, "has seen none")])
def test_a_height_that_nobody_knows_is_0(share: float, words: str) -> None:
    scene = Scene.from_footprints(GRID, [replace(BUILDINGS[0], height_m=20.0), BUILDINGS[1]])
    encoding = tiny_encoding(("buildings", *HEIGHT_NAMES))
    with pytest.warns(UserWarning, match=f"have no height: .* unknown, it {words}"):
        shown, roofs, _ = scene_condition(encoding, IMAGES | {"unknown_heights": share}, scene, TX)
    # That a building is there tells it from free ground.
    assert (roofs[9, 8], roofs[15, 20]) == (CHANNELS["building_height_m"].encode(20.0), -1.0)
    assert shown[15, 20] == 1.0


def test_geometry_of_a_transmitter_above_a_roof_is_found() -> None:
    high = Scene.from_footprints(GRID, [replace(footprint, height_m=20.0) for footprint in BUILDINGS])
    on_roof = Transmitter.at_cell(GRID, 8, 9, height_m=23.0)
    found = scene_condition(tiny_encoding(GEOMETRY_CHANNELS), {}, high, on_roof)
    assert np.isfinite(found).all()
