"""Layers with missing buildings of packed data sets, drawn from the outlines: those that `dataset missing` writes."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.missing_layers import draw_missing, missing_layers
from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.radiomapseer.packed import PackedMaps
from radiodiff.data.radiomapseer.store import PngTree
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError
from radiodiff.layouts import CitySettings
from radiomapseer_examples import data

CITY = CitySettings(rows=64, cols=64, style="houses")


def missing(count: int, variant: int = 1) -> dict[str, Any]:
    """Settings of the buildings."""
    return {"layer": "missing", "count": count, "variant": variant}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of seed 0 with a variant of each layer, and packed without and with some. Not to be changed."""
    root = tmp_path_factory.mktemp("drawn")
    list(create_data_set(root / "tree", CreateSettings(2, 2, 0, city=CITY, scenario="rooftop", missing_variants=1)))
    Split("all", {"one": (1,), "two": (0,)}).write(root / "tree/split.json")
    list(pack_data_set(root / "tree", root / "packed"))
    list(pack_data_set(root / "tree", root / "some", PackSettings(layers=("buildings_missing2/1",))))
    return root


def test_drawn_layers_are_those_of_the_folder(trees: Path) -> None:
    tree, packed = PngTree(trees / "tree"), PackedMaps(trees / "packed", "all")
    for layer in missing_layers(1):
        assert not packed.has_layer(layer)
        assert packed.can_draw(layer)
        for map_id in range(2):
            np.testing.assert_array_equal(packed.mask(layer, map_id), tree.mask(layer, map_id))
            np.testing.assert_array_equal(packed.roof_heights_m(map_id, layer), tree.roof_heights_m(map_id, layer))
            mine, theirs = packed.scene(layer, map_id), tree.scene(layer, map_id)
            assert mine is not None
            assert mine.footprints == theirs.footprints
    count = len(tree.scene("buildings_complete", 0).footprints or ())
    draws = {tuple(draw_missing(count, *which, (0, 0))) for which in missing_layers(6).values()}
    assert len({packed.digest(layer, 0) for layer in (*missing_layers(6), "buildings_complete")}) == len(draws) + 1
    again = pickle.loads(pickle.dumps(packed))
    np.testing.assert_array_equal(again.mask("buildings_missing2/1", 0), tree.mask("buildings_missing2/1", 0))


def test_conditions_are_those_of_the_folder(trees: Path) -> None:
    settings: dict[str, Any] = {
        "part": "all",
        "heights": True,
        "geometry": ("over_roofs_gain_db",),
        "buildings": missing(4),
    }
    one, two = data(trees / "tree", **settings), data(trees / "packed", **settings)
    assert [one[i].name for i in range(4)] == [two[i].name for i in range(4)]
    whole = data(trees / "packed", **settings | {"buildings": {}})
    for number in range(4):
        np.testing.assert_array_equal(two[number].condition, one[number].condition)
        np.testing.assert_array_equal(two[number].target, whole[number].target)
        assert not np.array_equal(two[number].condition, whole[number].condition)


def test_layers_that_are_packed_are_not_drawn(trees: Path, tmp_path: Path) -> None:
    # Another draw than that of the seed.
    root = Path(shutil.copytree(trees / "tree", tmp_path / "tree"))
    for kind in ("png", "polygon"):
        shutil.rmtree(root / kind / "buildings_missing2/1")
        shutil.copytree(root / kind / "buildings_missing4/1", root / kind / "buildings_missing2/1")
    list(pack_data_set(root, tmp_path / "packed", PackSettings(layers=("buildings_missing2/1",))))
    packed = PackedMaps(tmp_path / "packed", "all")
    assert packed.has_layer("buildings_missing2/1")
    assert not packed.can_draw("buildings_missing2/1")
    np.testing.assert_array_equal(
        packed.mask("buildings_missing2/1", 0), PngTree(trees / "tree").mask("buildings_missing4/1", 0)
    )
    assert packed.scene("buildings_missing2/1", 0) is None


def test_examples_that_draw_a_layer_take_those_that_are_packed(trees: Path) -> None:
    found = data(trees / "some", part="all", buildings={"layer": "missing"})
    expected = data(trees / "some", part="all", buildings=missing(2))[0].condition
    assert all(np.array_equal(found[0, draw].condition, expected) for draw in range(8))
    for buildings in ({"layer": "missing"}, missing(2) | {"variant": "random"}, missing(2) | {"count": "random"}):
        with pytest.raises(DataSetError, match=r"must have the layer .*name count and variant"):
            data(trees / "packed", part="all", buildings=buildings)


def test_layers_of_the_download_alone_are_not_drawn(trees: Path) -> None:
    assert not PackedMaps(trees / "packed", "all").can_draw("buildings_removed2/1")
    assert not PngTree(trees / "tree").can_draw("buildings_missing2/5")
    with pytest.raises(DataSetError, match="must have the layer buildings_removed2/1"):
        data(trees / "packed", part="all", buildings=missing(2) | {"layer": "removed"})


def test_nothing_is_drawn_without_outlines(trees: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(trees / "tree", tmp_path / "tree"))
    shutil.rmtree(root / "polygon")
    list(pack_data_set(root, tmp_path / "packed"))
    with pytest.raises(DataSetError, match="must have the layer buildings_missing2/1"):
        data(tmp_path / "packed", part="all", buildings=missing(2))


def test_without_heights_the_buildings_alone_are_drawn(fake_root: Path, tmp_path: Path) -> None:
    list(pack_data_set(fake_root, tmp_path / "packed"))
    settings: dict[str, Any] = {"part": "test", "buildings": missing(1)}
    shown = data(tmp_path / "packed", **settings)
    assert (shown[0].condition[0] > 0).sum() < (data(tmp_path / "packed", part="test")[0].condition[0] > 0).sum()
    with pytest.raises(DataSetError, match="must have heights"):
        data(tmp_path / "packed", heights=True, **settings)
