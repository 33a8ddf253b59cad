"""Folders of layouts: what is written comes back, and nothing is half written."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shapely import box

from command_line import tree
from radiodiff.errors import FormatError, InputError, SceneError
from radiodiff.formats import Layout, SceneOptions, read_layouts, read_scene, write_layouts
from radiodiff.formats.layout_folder import read_layout_scene
from radiodiff.scene import Footprint, Grid, Scene

GRID = Grid(40, 40, 2.0)
YARD = box(10.1, 10.2, 60, 70) - box(20, 20, 30.7, 50)


def layout(name: str = "munich_r0000_c0128", **changes: object) -> Layout:
    scene = Scene.from_footprints(GRID, [Footprint(YARD, 12.3), Footprint(box(60, 0, 80, 30), 1.0 / 3.0)])
    values = {
        "scene": scene,
        "city": "munich",
        "row": 0,
        "col": 128,
        "licence": "ODbL",
        "group": name,
        "is_disjoint": True,
    }
    return Layout(name, **(values | changes))


def test_layouts_come_back(tmp_path: Path) -> None:
    written = [layout(), layout("b", row=7, is_disjoint=False, similar_to="munich_r0000_c0128", group="g")]
    assert write_layouts(tmp_path / "a/layouts", written, [{"city": "munich"}]) == tmp_path / "a/layouts"
    found = read_layouts(tmp_path / "a/layouts")
    for old, new in zip(written, found, strict=True):
        assert vars(replace(new, scene=old.scene)) == vars(old)
        assert new.scene.grid == GRID
        assert np.array_equal(new.scene.buildings, old.scene.buildings)
        assert np.array_equal(new.scene.roof_height_m, old.scene.roof_height_m)
        for one, other in zip(old.scene.footprints, new.scene.footprints, strict=True):
            assert one.polygon.equals_exact(other.polygon, 0.0)
            assert one.height_m == other.height_m


def test_the_list_says_what_each_layout_is(tmp_path: Path) -> None:
    write_layouts(tmp_path / "a", [layout()], [{"city": "munich", "notes": ["two"]}])
    content = json.loads((tmp_path / "a/layouts.json").read_text())
    assert content["grid"] == {"rows": 40, "cols": 40, "cell_size_m": 2.0}
    assert content["sources"] == [{"city": "munich", "notes": ["two"]}]
    (record,) = content["layouts"]
    assert record["corner_m"] == [256.0, 0.0]
    assert record["coverage"] == pytest.approx(layout().scene.coverage, abs=1e-4)
    assert (record["buildings"], record["highest_m"], record["licence"]) == (2, 12.3, "ODbL")
    assert "crs" not in json.loads((tmp_path / "a" / record["file"]).read_text())


def test_the_same_layouts_give_the_same_bytes(tmp_path: Path) -> None:
    write_layouts(tmp_path / "a", [layout()])
    write_layouts(tmp_path / "b", [layout()])
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_a_layout_without_buildings(tmp_path: Path) -> None:
    write_layouts(tmp_path / "a", [layout(scene=Scene.empty(GRID))])
    assert read_layouts(tmp_path / "a")[0].scene.coverage == 0.0


@pytest.mark.parametrize(
    "layouts",
    [
        [],
        [layout(), layout()],
        [layout(), layout("b", scene=Scene.empty(Grid(40, 40)))],
        [layout(scene=Scene.empty(Grid(40, 40, 2.0, "EPSG:32632")))],
        [layout(scene=Scene(GRID, np.zeros((40, 40), dtype=bool)))],
    ],
    ids=["none", "one name", "two grids", "a CRS", "no outlines"],
)
def test_what_cannot_be_written(tmp_path: Path, layouts) -> None:
    with pytest.raises(InputError, match="with names of their own, one grid, outlines and no CRS"):
        write_layouts(tmp_path / "a", layouts)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/notes.txt").write_text("mine")
    (tmp_path / "b").write_text("a file")
    with pytest.raises(FormatError, match=r"empty or absent; got .*a, which holds something"):
        write_layouts(tmp_path / "a", [layout()])
    with pytest.raises(FormatError, match=r"empty or absent; got .*b, which is a file"):
        write_layouts(tmp_path / "b", [layout()])
    assert tree(tmp_path) == {"a": None, "a/notes.txt": b"mine", "b": b"a file"}


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(FormatError, match=r"must be writable; got .*No space left on device"):
        write_layouts(tmp_path / "a", [layout()])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_list(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"must hold layouts\.json; got .*radiodiff layouts extract"):
        read_layouts(tmp_path)


@pytest.mark.parametrize("content", [[], {"kind": "x", "version": 1}, {"kind": "radiodiff layouts", "version": 2}])
def test_a_list_of_another_kind_or_version(tmp_path: Path, content) -> None:
    (tmp_path / "layouts.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match="must be of kind 'radiodiff layouts', version 1"):
        read_layouts(tmp_path)


@pytest.mark.parametrize("key", ["layouts", "name", "file", "group", "sha256"])
def test_a_list_that_lacks_something(tmp_path: Path, key: str) -> None:
    write_layouts(tmp_path / "a", [layout()])
    content = json.loads((tmp_path / "a/layouts.json").read_text())
    content.pop(key, None)
    content.get("layouts", [{}])[0].pop(key, None)
    (tmp_path / "a/layouts.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match=f"must hold the records of its layouts; got .*{key}"):
        read_layouts(tmp_path / "a")


def test_a_layout_that_was_changed_or_lost(tmp_path: Path) -> None:
    write_layouts(tmp_path / "a", [layout()])
    file = tmp_path / "a/munich_r0000_c0128.json"
    file.write_bytes(file.read_bytes().replace(b"12.3", b"12.4"))
    with pytest.raises(FormatError, match=r"must be as it was written .*which was changed"):
        read_layouts(tmp_path / "a")
    file.unlink()
    with pytest.raises(FormatError, match="must exist"):
        read_layouts(tmp_path / "a")


def test_the_file_of_a_layout_is_a_scene_of_its_own(tmp_path: Path) -> None:
    write_layouts(tmp_path / "a", [layout()])
    found = read_scene(tmp_path / "a/munich_r0000_c0128.json")
    assert found.scene.grid == GRID
    assert np.array_equal(found.scene.roof_height_m, layout().scene.roof_height_m)
    assert found.scene.source == "layout munich_r0000_c0128"
    with pytest.raises(FormatError, match="A layout is read with these options only: none"):
        read_scene(tmp_path / "a/munich_r0000_c0128.json", SceneOptions(cell_size_m=2.0))


@pytest.mark.parametrize("key", ["grid", "name", "geometry", "height"])
def test_the_file_of_a_layout_that_lacks_something(tmp_path: Path, key: str) -> None:
    write_layouts(tmp_path / "a", [layout()])
    file = tmp_path / "a/munich_r0000_c0128.json"
    content = json.loads(file.read_text())
    for part in (content, content["features"][0], content["features"][0]["properties"]):
        part.pop(key, None)
    file.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=f"must hold a name, a grid and outlines with heights; got .*{key}"):
        read_scene(file)


@pytest.mark.parametrize(
    "rings", [[], [[[0, 0], [1, 1]]], [[["a", 0], [1, 1], [2, 2]]]], ids=["none", "a line", "text"]
)
def test_the_file_of_a_layout_with_another_outline(tmp_path: Path, rings: list) -> None:
    write_layouts(tmp_path / "a", [layout()])
    file = tmp_path / "a/munich_r0000_c0128.json"
    content = json.loads(file.read_text())
    content["features"][0]["geometry"]["coordinates"] = rings
    file.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=r"must hold a name, a grid and outlines with heights; got .*ValueError"):
        read_scene(file)
    content["features"][0]["geometry"]["coordinates"] = [[[0, 0], [40, 40], [40, 0], [0, 40]]]
    file.write_text(json.dumps(content))
    with pytest.raises(SceneError, match="A footprint must be one valid polygon"):
        read_scene(file)


def test_another_file_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(FormatError, match="must be as radiodiff layouts extract writes it"):
        read_layout_scene(tmp_path / "a.json")
