"""Heights and traced simulations: what the reader gives of them, from the tree and packed."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import label

from radiodiff.data.radiomapseer import GeometryCache, PackSettings, RadioMapSeer, pack_data_set
from radiodiff.data.radiomapseer.packed import PackedMaps
from radiodiff.data.radiomapseer.store import PngTree
from radiodiff.encoding import CHANNELS
from radiodiff.errors import ConfigError, DataSetError, FormatError
from radiodiff.formats import write_grey_png
from radiodiff.scene import Transmitter
from radiomapseer_examples import HOLES, TX_HEIGHTS_M, add_heights, add_traced, channel, data, image

MEASURED = {"kind": "random", "num_points": (300, 300)}


@pytest.fixture
def city_root(own_root: Path) -> Path:
    add_heights(own_root)
    add_traced(own_root)
    add_traced(own_root, "RL")
    return own_root


@pytest.fixture
def packed_root(city_root: Path, tmp_path: Path) -> Path:
    for _ in pack_data_set(city_root, tmp_path / "packed"):
        pass
    return tmp_path / "packed"


def test_heights_are_channels_of_one_range(city_root: Path) -> None:
    found = data(city_root, part="test", heights=True)
    assert found.encoding.names[-2:] == ("building_height_m", "transmitter_height_m")
    for example, height_m in zip((found[i] for i in range(3)), TX_HEIGHTS_M, strict=True):
        roofs_m = CHANNELS["building_height_m"].decode(channel(example, found, "building_height_m"))
        np.testing.assert_allclose(roofs_m, image(city_root, "png/heights/13.png"), atol=1e-4)
        assert roofs_m.max() >= 10.0
        plane_m = CHANNELS["transmitter_height_m"].decode(channel(example, found, "transmitter_height_m"))
        np.testing.assert_allclose(plane_m, height_m, atol=1e-4)
    roofs, tx = CHANNELS["building_height_m"], CHANNELS["transmitter_height_m"]
    assert (roofs.low, roofs.high) == (tx.low, tx.high)


def test_heights_turn_with_the_map_and_keep_to_their_cells(city_root: Path) -> None:
    found = data(city_root, part="test", heights=True, augment=True, size=96, fit="pad")
    for draw in range(4):
        example = found[2, draw]
        roofs = channel(example, found, "building_height_m")[:64, :64]
        plane = channel(example, found, "transmitter_height_m")
        buildings = channel(example, found, "buildings")[:64, :64]
        # The image of the buildings stands half a cell beside the roofs.
        assert ((roofs > -1) != (buildings > 0)).mean() < 0.1
        assert np.unique(plane[:64, :64]).size == 1
        assert (plane[64:] == -1.0).all()


def test_heights_of_the_download_are_those_of_its_description(fake_root: Path) -> None:
    tree = PngTree(fake_root)
    assert not tree.has_heights()
    assert tree.tx_heights_m(13).tolist() == [1.5, 1.5, 1.5]
    assert tree.frequency_hz == 5.9e9
    with pytest.raises(DataSetError, match="must have heights"):
        data(fake_root, heights=True)


def test_heights_of_a_layer_need_its_outlines(city_root: Path) -> None:
    """Those of the image would show the buildings that the layer leaves out."""
    with pytest.raises(DataSetError, match=r"must have heights of its buildings.*buildings_missing1/1"):
        data(city_root, heights=True, buildings={"layer": "missing"})


def test_scenes_of_a_data_set_have_its_heights(city_root: Path, packed_root: Path) -> None:
    tree, packed = PngTree(city_root), PackedMaps(packed_root, "all")
    for map_id in tree.map_ids():
        one, two = tree.scene("buildings_complete", map_id), packed.scene("buildings_complete", map_id)
        assert two is not None
        assert [f.height_m for f in one.footprints or ()] == [f.height_m for f in two.footprints or ()]
        assert all(a.polygon.equals(b.polygon) for a, b in zip(one.footprints or (), two.footprints or (), strict=True))
        np.testing.assert_array_equal(one.buildings, two.buildings)
        row, col = np.argwhere(one.buildings)[0].tolist()
        two.check_transmitter(Transmitter.at_cell(two.grid, col, row, height_m=60.0))


def test_packed_heights_are_those_of_the_tree(city_root: Path, packed_root: Path) -> None:
    tree, packed = PngTree(city_root), PackedMaps(packed_root, "all")
    assert packed.has_heights()
    for map_id in tree.map_ids():
        assert packed.tx_heights_m(map_id).tolist() == list(TX_HEIGHTS_M)
        np.testing.assert_array_equal(packed.roof_heights_m(map_id), tree.roof_heights_m(map_id))
    settings = {"simulation": "RT", "heights": True, "measurements": MEASURED, "augment": True}
    one, two = (data(root, **settings) for root in (city_root, packed_root))
    for number in range(len(one)):
        np.testing.assert_array_equal(one[number, 2].condition, two[number, 2].condition)
        np.testing.assert_array_equal(one[number, 2].mask, two[number, 2].mask)


def test_a_data_set_without_heights_is_packed_without(fake_root: Path, tmp_path: Path) -> None:
    for _ in pack_data_set(fake_root, tmp_path / "packed", PackSettings(simulations=("DPM",))):
        pass
    packed = PackedMaps(tmp_path / "packed", "train")
    assert not packed.has_heights()
    assert packed.tx_heights_m(12).tolist() == [1.5, 1.5, 1.5]
    with pytest.raises(DataSetError, match="must hold roof_heights_m"):
        packed.roof_heights_m(12)
    with pytest.raises(DataSetError, match="must have heights"):
        data(tmp_path / "packed", heights=True)


def test_heights_identify_the_data(city_root: Path) -> None:
    tree = PngTree(city_root)
    before = tree.digest("buildings_complete", 13)
    (city_root / "antenna_heights/13.json").write_text("[1.5, 2.5, 41.0]")
    assert tree.digest("buildings_complete", 13) != before


def test_damaged_heights_are_named(city_root: Path) -> None:
    (city_root / "antenna_heights/13.json").write_text("[1.5]")
    found = data(city_root, part="test", heights=True)
    with pytest.raises(FormatError, match="1 heights for 3"):
        found[0]
    (city_root / "antenna_heights/13.json").unlink()
    with pytest.raises(FormatError):
        found[0]


def test_the_carrier_of_a_data_set_is_on_record(city_root: Path, tmp_path: Path) -> None:
    (city_root / "dataset.json").write_text(json.dumps({"frequency_hz": 3.5e9}))
    assert PngTree(city_root).frequency_hz == 3.5e9
    for _ in pack_data_set(city_root, tmp_path / "packed"):
        pass
    assert PackedMaps(tmp_path / "packed", "all").frequency_hz == 3.5e9
    for damaged in ('{"frequency_hz": "3.5"}', "[]", '{"frequency_hz": 0}'):
        (city_root / "dataset.json").write_text(damaged)
        with pytest.raises(FormatError, match="frequency_hz"):
            _ = PngTree(city_root).frequency_hz


@pytest.mark.parametrize("simulation", ["RL", "RT"])
def test_cells_that_no_ray_has_found_do_not_count(city_root: Path, simulation: str) -> None:
    found = data(city_root, part="test", simulation=simulation)
    example = found[0]
    assert example.mask is not None
    gain, buildings = image(city_root, f"gain/{simulation}/13_0.png"), image(city_root, "png/buildings_complete/13.png")
    hole = np.zeros(gain.shape, dtype=bool)
    hole[HOLES] = True
    assert example.mask[0][gain > 0].all()
    assert example.mask[0][buildings > 0].all()
    far = np.ones_like(hole)
    for row, col in np.argwhere(buildings > 0):
        far[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2] = False
    assert (hole & far).any()
    assert not example.mask[0][hole & far].any()
    np.testing.assert_array_equal(example.mask, found.without_target(0).mask)
    assert data(city_root, part="test")[0].mask is None


def test_holes_are_filled_from_the_nearest_cell_with_a_value(city_root: Path) -> None:
    found, whole = (data(city_root, part="test", simulation=name) for name in ("RT", "DPM"))
    for number in range(3):
        example, full = found[number], whole[number].target[0]
        assert example.mask is not None
        target, holes = example.target[0], ~example.mask[0]
        gain = image(city_root, f"gain/RT/13_{number}.png")
        np.testing.assert_array_equal(target[~holes], np.where(gain > 0, full, -1.0)[~holes])
        places = np.argwhere(gain > 0)
        for row, col in np.argwhere(holes)[::9]:
            distance = np.hypot(*(places - (row, col)).T)
            near = places[distance <= distance.min() + 1e-9]
            assert target[row, col] in full[near[:, 0], near[:, 1]]
        # Buildings stay at the low end, also beside holes.
        walls = image(city_root, "png/buildings_complete/13.png") > 0
        assert (target[walls & (gain == 0)] == -1.0).all()


def test_a_map_without_holes_is_as_in_the_file(city_root: Path) -> None:
    for path in (city_root / "gain/DPM").glob("13_*.png"):
        grey = np.maximum(image(city_root, f"gain/DPM/{path.name}"), 1).astype(np.uint8)
        for simulation in ("DPM", "RT"):
            write_grey_png(city_root / "gain" / simulation / path.name, grey)
    found, whole = (data(city_root, part="test", simulation=name, augment=True) for name in ("RT", "DPM"))
    for draw in range(3):
        np.testing.assert_array_equal(found[0, draw].target, whole[0, draw].target)
        assert found[0, draw].mask is not None
        assert found[0, draw].mask.all()


def test_heights_can_be_left_unknown_in_a_share_of_the_buildings(city_root: Path) -> None:
    full = data(city_root, part="test", heights=True)
    known = channel(full[0], full, "building_height_m")
    buildings = channel(full[0], full, "buildings")
    shares = []
    for share in (0.3, 1.0):
        found = data(city_root, part="test", heights=True, unknown_heights=share)
        for draw in range(40 if share < 1 else 1):
            example = found[0, draw]
            roofs = channel(example, found, "building_height_m")
            assert ((roofs == known) | (roofs == -1.0)).all()
            np.testing.assert_array_equal(channel(example, found, "buildings"), buildings)
            np.testing.assert_array_equal(roofs, channel(found[0, draw], found, "building_height_m"))
            houses, count = label(known > -1)
            lost = [bool((roofs[houses == house] == -1.0).all()) for house in range(1, count + 1)]
            kept = [bool((roofs[houses == house] > -1.0).all()) for house in range(1, count + 1)]
            assert [not one for one in lost] == kept
            shares.append(np.mean(lost))
    assert shares[-1] == 1.0
    assert 0.2 < np.mean(shares[:-1]) < 0.4
    with pytest.raises(ConfigError, match="unknown_heights belongs to heights"):
        data(city_root, unknown_heights=0.5)


def test_cells_are_as_large_as_the_record_says(city_root: Path, tmp_path: Path) -> None:
    assert PngTree(city_root).cell_size_m == 1.0
    plain = PngTree(city_root)
    before = plain.digest("buildings_complete", 13)
    for record in ({"cell_size_m": 2.5}, {"city": {"cell_size_m": 2.5}}):
        (city_root / "dataset.json").write_text(json.dumps(record))
        tree = PngTree(city_root)
        assert tree.digest("buildings_complete", 13) != before
        out = tmp_path / next(iter(record))
        for _ in pack_data_set(city_root, out):
            pass
        for store in (tree, PackedMaps(out, "all")):
            assert store.cell_size_m == 2.5
            scene = store.scene("buildings_complete", 13)
            assert scene is not None
            assert scene.grid.cell_size_m == 2.5
            np.testing.assert_array_equal(scene.buildings, plain.scene("buildings_complete", 13).buildings)
    for damaged in ('{"cell_size_m": "2"}', '{"cell_size_m": 0}', '{"city": {"cell_size_m": null}}', "[]"):
        (city_root / "dataset.json").write_text(damaged)
        with pytest.raises(FormatError, match="cell_size_m"):
            _ = PngTree(city_root).cell_size_m


def test_a_cell_without_a_value_is_no_measurement(city_root: Path) -> None:
    found = data(city_root, part="test", simulation="RT", measurements=MEASURED)
    for number in range(3):
        measured = channel(found[number], found, "measurement_mask") > 0
        assert measured.sum() == 300
        assert (found[number].target[0][measured] > -1.0).all()


def test_dominant_paths_are_no_answer_to_rays(city_root: Path) -> None:
    for simulation in ("RL", "RT"):
        found = data(city_root, part="test", simulation=simulation, geometry=("dominant_path_gain_db",))
        assert "dominant_path_gain_db" in found.encoding.names
    with pytest.raises(ConfigError, match="must not hold the answer"):
        data(city_root, geometry=("dominant_path_gain_db",))


def test_maps_of_rays_are_inputs_for_other_maps(city_root: Path) -> None:
    found = data(city_root, part="test")
    wanted = data(city_root, part="test", simulation="RT")[1].target
    np.testing.assert_array_equal(found.other_map(1, "RT"), wanted)
    assert found.numbers_with("RL") == [0, 1, 2]


def test_outlines_that_are_packed_give_geometry_channels(city_root: Path, packed_root: Path, tmp_path: Path) -> None:
    settings = {"part": "test", "simulation": "RT", "geometry": ("los_mask",)}
    one = data(city_root, geometry_cache=tmp_path / "one", **settings)
    two = data(packed_root, geometry_cache=tmp_path / "two", **settings)
    np.testing.assert_array_equal(one[0].condition, two[0].condition)
    assert isinstance(one, RadioMapSeer)
    assert isinstance(two.geometry, GeometryCache)
