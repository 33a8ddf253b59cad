"""Layers with missing buildings: what is drawn, what adds it to a data set that is there, and what the reader shows."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import tree
from radiodiff.data.create import CreateSettings, RunOptions, create_data_set, read_manifest
from radiodiff.data.missing_layers import draw_missing, missing_layers
from radiodiff.data.radiomapseer import PackSettings, add_missing_layers, fill_geometry, pack_data_set
from radiodiff.data.splits import Split
from radiodiff.encoding import CHANNELS
from radiodiff.errors import ConfigError, DataSetError, FormatError, InputError
from radiodiff.formats import PNG_SAMPLE_OFFSET, read_mask_image, read_radiomapseer_scene
from radiodiff.formats.radiomapseer_heights import roof_heights_grey
from radiodiff.layouts import CitySettings
from radiodiff.scene import Scene, rasterize
from radiomapseer_examples import channel, data

WITHOUT = CreateSettings(2, 2, 5, city=CitySettings(rows=64, cols=64, style="houses"), scenario="street")
WITH = replace(WITHOUT, missing_variants=2)


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with two variants of each layer. Not to be changed."""
    root = tmp_path_factory.mktemp("created") / "data"
    list(create_data_set(root, WITH))
    Split("all", {"all": (0, 1)}).write(root / "split.json")
    return root


@pytest.fixture
def own(created: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    return Path(shutil.copytree(created, tmp_path / "data"))


@pytest.fixture
def plain(own: Path) -> Path:
    """The same data set as it was before there were missing buildings."""
    for folder in [*own.glob("png/buildings_missing*"), *own.glob("polygon/buildings_missing*")]:
        shutil.rmtree(folder)
    lines = [json.loads(line) for line in (own / "manifest.jsonl").read_text().splitlines()]
    for line in lines[1:]:
        line["sha256"] = {name: digest for name, digest in line["sha256"].items() if "missing" not in name}
        line["num_bytes"] = sum((own / name).stat().st_size for name in line["sha256"])
    (own / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    record = json.loads((own / "dataset.json").read_text())
    assert record.pop("missing_variants") == 2
    assert record == WITHOUT.identity()
    (own / "dataset.json").write_text(json.dumps(record, indent=1) + "\n")
    return own


def rings(root: Path, layer: str, map_id: int) -> list[Any]:
    """Outlines of a file."""
    found: list[Any] = json.loads((root / f"polygon/{layer}/{map_id}.json").read_text())
    return found


def test_layers_lack_that_many_buildings_and_show_the_others(created: Path) -> None:
    for map_id in range(2):
        complete, scene = rings(created, "buildings_complete", map_id), read_radiomapseer_scene(created, map_id)
        footprints = scene.footprints or ()
        assert len(complete) == len(footprints) > 4
        for layer, (count, _) in missing_layers(2).items():
            kept = rings(created, layer, map_id)
            places = [complete.index(ring) for ring in kept]
            assert places == sorted(places)
            assert len(kept) == max(len(complete) - count, 1)
            shown = rasterize(scene.grid, [footprints[i].polygon for i in places], sample_offset=PNG_SAMPLE_OFFSET)
            np.testing.assert_array_equal(read_mask_image(created / f"png/{layer}/{map_id}.png"), shown)


def test_one_building_stays_and_draws_do_not_depend_on_each_other() -> None:
    assert [len(draw_missing(3, count, 1, (5, 0))) for count in (1, 2, 3, 4)] == [1, 2, 2, 2]
    assert [draw_missing(count, 4, 1, 5) for count in (0, 1)] == [set(), set()]
    draws = [draw_missing(40, count, variant, (5, m)) for count in (3, 4) for variant in (1, 2) for m in (0, 1)]
    assert len({tuple(sorted(draw)) for draw in draws}) == len(draws)
    assert [draw_missing(40, count, variant, (5, 0)) for count, variant in missing_layers(6).values()][:8] == [
        draw_missing(40, count, variant, (5, 0)) for count, variant in missing_layers(2).values()
    ]
    assert set(map(len, (draw_missing(9, 2, 1, m) for m in range(20)))) == {2}
    assert set().union(*(draw_missing(9, 2, 1, m) for m in range(40))) == set(range(9))


def test_what_is_added_is_what_would_have_been_made(created: Path, plain: Path) -> None:
    assert list(add_missing_layers(plain, 2)) == [(0, 2), (1, 2), (2, 2)]
    mine, theirs = tree(plain), tree(created)
    assert set(mine) == set(theirs)
    assert {name for name in mine if mine[name] != theirs[name]} <= {"manifest.jsonl"}
    for one, other in zip(read_manifest(plain), read_manifest(created), strict=True):
        assert (one["sha256"], one["num_bytes"]) == (other["sha256"], other["num_bytes"])
    # The run that makes such data sets finds nothing to do.
    assert list(create_data_set(plain, WITH, options=RunOptions(verify=True))) == [(2, 2)]


def test_what_an_interrupted_run_left_is_completed_and_variants_are_added(created: Path, own: Path) -> None:
    (own / "png/buildings_missing2/1/1.png").write_bytes(b"")
    (own / "polygon/buildings_missing3/2/0.json").unlink()
    (own / "png/buildings_missing3/2/0.png").unlink()
    list(add_missing_layers(own, 1))
    assert tree(own) == tree(created)
    list(add_missing_layers(own, 3))
    assert json.loads((own / "dataset.json").read_text())["missing_variants"] == 3
    assert len(rings(own, "buildings_missing1/3", 1)) == len(rings(own, "buildings_complete", 1)) - 1
    assert {name: tree(own)[name] for name in tree(created) if "missing" in name} == {
        name: content for name, content in tree(created).items() if "missing" in name
    }


def test_layers_of_others_are_not_overwritten(own: Path, fake_root: Path) -> None:
    (own / "polygon/buildings_missing1/1/0.json").write_text("[]")
    with pytest.raises(DataSetError, match=r"must be those of the data set's seed; got .*missing1/1/0\.json"):
        list(add_missing_layers(own, 2))
    before = tree(fake_root)
    root = Path(shutil.copytree(fake_root, own.parent / "fake"))
    with pytest.raises(DataSetError, match=r"must be those of the data set's seed; got .*\.png"):
        list(add_missing_layers(root, 1))
    assert {name: content for name, content in tree(root).items() if content is not None} == {
        name: content for name, content in before.items() if content is not None
    }


def test_the_number_of_draws_is_part_of_a_data_set(plain: Path) -> None:
    with pytest.raises(DataSetError, match=r"missing_variants: None on disk, 2 asked for"):
        list(create_data_set(plain, WITH))
    list(add_missing_layers(plain, 1))
    # Left out, it would leave further maps without these layers, and the record, too.
    with pytest.raises(DataSetError, match=r"missing_variants: 1 on disk, None asked for"):
        list(create_data_set(plain, WITHOUT))


@pytest.mark.parametrize("variants", [-1, 7, 1.5])
def test_variants_out_of_range_are_refused(tmp_path: Path, variants: Any) -> None:
    for make in (
        lambda: CreateSettings(1, 1, 1, missing_variants=variants),
        lambda: list(add_missing_layers(tmp_path, variants)),
    ):
        with pytest.raises(InputError, match=r"variants must be"):
            make()
    with pytest.raises(InputError, match="at least 1"):
        list(add_missing_layers(tmp_path, 0))


def test_a_packed_data_set_is_refused(created: Path, tmp_path: Path) -> None:
    list(pack_data_set(created, tmp_path / "packed"))
    with pytest.raises(DataSetError, match="in folders alone"):
        list(add_missing_layers(tmp_path / "packed", 1))


def test_draws_are_among_the_layers_that_are_there(own: Path) -> None:
    for layer in ("2/1", "3/1", "3/2", "4/1", "4/2"):
        shutil.rmtree(own / f"png/buildings_missing{layer}")
    found = data(own, part="all", buildings={"layer": "missing"})
    there = {layer: read_mask_image(own / f"png/buildings_missing{layer}/0.png") for layer in ("1/1", "1/2", "2/2")}
    seen = {
        layer
        for draw in range(24)
        for layer, mask in there.items()
        if np.array_equal(channel(found[0, draw], found, "buildings") > 0, mask)
    }
    assert seen == set(there)
    assert np.array_equal(
        channel(data(own, part="all", buildings={"layer": "missing", "count": 2})[0], found, "buildings") > 0,
        there["2/2"],
    )
    with pytest.raises(DataSetError, match=r"must have the layer buildings_missing4/1.*dataset missing"):
        data(own, part="all", buildings={"layer": "missing", "count": 4})


def test_a_share_of_the_examples_shows_less_than_all_buildings(own: Path) -> None:
    found = data(own, part="all", buildings={"layer": "missing", "share": 0.3})
    complete = read_mask_image(own / "png/buildings_complete/0.png")
    shown = [np.array_equal(channel(found[0, draw], found, "buildings") > 0, complete) for draw in range(200)]
    # Three standard deviations of 200 draws.
    assert abs(np.mean(shown) - 0.7) < 0.1
    assert not any(
        np.array_equal(channel(one, found, "buildings") > 0, complete)
        for one in (data(own, part="all", buildings={"layer": "missing"})[0, draw] for draw in range(8))
    )


def test_a_share_of_complete_layers_is_refused(own: Path) -> None:
    with pytest.raises(ConfigError, match=r"share belongs to the layers 'missing'"):
        data(own, buildings={"share": 0.5})


def test_examples_that_show_all_buildings_must_not_hold_the_answer(own: Path) -> None:
    answer = {"simulation": "DPM", "geometry": ("dominant_path_gain_db",)}
    data(own, part="all", buildings={"layer": "missing"}, **answer)
    with pytest.raises(ConfigError, match="must not hold the answer"):
        data(own, part="all", buildings={"layer": "missing", "share": 0.5}, **answer)


@pytest.mark.parametrize("simulation", ["DPM", "RL"])
def test_launched_rays_are_the_answer_of_both_plane_engines(own: Path, simulation: str) -> None:
    with pytest.raises(ConfigError, match=r"must not hold the answer.*got ray_launching_gain_db"):
        data(own, part="all", simulation=simulation, geometry=("los_mask", "ray_launching_gain_db"))


def test_heights_are_those_of_the_buildings_that_are_shown(created: Path) -> None:
    for layer, (count, variant) in missing_layers(2).items():
        found = data(
            created, part="all", heights=True, buildings={"layer": "missing", "count": count, "variant": variant}
        )
        for number in (0, 2):
            map_id = found[number].map_id
            scene = read_radiomapseer_scene(created, map_id)
            left_out = draw_missing(len(scene.footprints or ()), count, variant, (5, map_id))
            kept = [one for i, one in enumerate(scene.footprints or ()) if i not in left_out]
            roofs_m = Scene.from_footprints(scene.grid, kept).roof_height_m
            shown = CHANNELS["building_height_m"].decode(channel(found[number], found, "building_height_m"))
            np.testing.assert_allclose(shown, roof_heights_grey(roofs_m), atol=1e-4, err_msg=layer)


def test_outlines_that_are_none_of_the_complete_ones_have_no_heights(own: Path) -> None:
    path = own / "polygon/buildings_missing1/1/0.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content[::-1]))
    with pytest.raises(FormatError, match=r"must be some of the complete ones, in their order"):
        read_radiomapseer_scene(own, 0, buildings="missing1/1")


def test_packed_layers_are_those_of_the_tree(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "packed"
    list(pack_data_set(own, out, PackSettings(layers=("buildings_missing*",))))
    list(fill_geometry(own, out))
    settings: dict[str, Any] = {
        "part": "all",
        "heights": True,
        "geometry": ("over_roofs_gain_db",),
        "buildings": {"layer": "missing"},
    }
    one, two = data(own, **settings), data(out, **settings)
    for number in range(len(one)):
        for draw in range(3):
            np.testing.assert_array_equal(one[number, draw].condition, two[number, draw].condition)
    with pytest.raises(DataSetError, match=r"png/buildings_lost\*"):
        list(pack_data_set(own, tmp_path / "other", PackSettings(layers=("buildings_lost*",))))
    # Other heights: packed again.
    heights = own / "polygon/heights/0.json"
    heights.write_text(json.dumps([height + 5.0 for height in json.loads(heights.read_text())]))
    list(pack_data_set(own, out, PackSettings(layers=("buildings_missing*",))))
    list(fill_geometry(own, out))
    np.testing.assert_array_equal(data(own, **settings)[0].condition, data(out, **settings)[0].condition)
    assert not np.array_equal(one[0].condition, data(out, **settings)[0].condition)
