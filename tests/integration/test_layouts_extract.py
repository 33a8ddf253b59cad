"""`radiodiff layouts extract`: what it writes, prints and refuses."""

import json
import shutil
from pathlib import Path

import geopandas
import numpy as np
import pytest
from PIL import Image
from shapely import Polygon, box

from city_meshes import level, prism, rectangle, write_mitsuba, write_obj
from command_line import Run, tree
from radiodiff.formats import read_layouts

CRS = "EPSG:32633"
SMALL = ("--size", 32, "--stride", 16)


def houses(seed: int) -> list[tuple[float, float, float, float, float]]:
    """x, y, width, depth and height of houses on 100 m x 80 m."""
    rng = np.random.default_rng(seed)
    places = [(float(x), float(y)) for x in range(0, 100, 12) for y in range(0, 80, 12)]
    return [(x, y, *rng.uniform(3, 9, 2).round(1).tolist(), round(rng.uniform(4, 20), 1)) for x, y in places]


def write_layer(path: Path, seed: int = 1, shapes: list | None = None, heights: list | None = None) -> Path:
    shapes = shapes or [box(x, y, x + w, y + d) for x, y, w, d, _ in houses(seed)]
    heights = heights or [house[-1] for house in houses(seed)]
    moved = geopandas.GeoSeries(shapes, crs=CRS).translate(390_000.0, 5_820_000.0)
    geopandas.GeoDataFrame({"height": heights}, geometry=moved, crs=CRS).to_file(path)
    return path


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    return write_layer(tmp_path / "town.gpkg")


def test_crops_of_a_layer(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    outcome = radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "a", *SMALL, "--licence", "CC0")
    assert (outcome.code, outcome.err) == (0, "")
    layouts = read_layouts(tmp_path / "a")
    disjoint = sum(layout.is_disjoint for layout in layouts)
    assert len(layouts) > disjoint >= 6
    lines = outcome.out.splitlines()
    assert lines[0].startswith("note: town: 63 building outlines (EPSG:32633), 63 of them with a height.")
    assert lines[-2:] == [
        f"town: {len(layouts)} crops, {disjoint} of them disjoint",
        f"a: {len(layouts)} layouts of 32 x 32 cells, {disjoint} of them disjoint",
    ]
    assert {(one.city, one.licence, one.scene.grid.shape, one.scene.grid.crs) for one in layouts} == {
        ("town", "CC0", (32, 32), None)
    }
    assert all(footprint.height_m >= 4.0 for one in layouts for footprint in one.scene.footprints)
    content = json.loads((tmp_path / "a/layouts.json").read_text())
    assert content["sources"][0]["file"] == "town.gpkg"


def test_the_same_command_gives_the_same_files(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    for out in ("a", "b"):
        assert radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", out, *SMALL).code == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_a_copy_of_a_layer_adds_nothing(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    shutil.copy(layer, tmp_path / "again.gpkg")
    radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "a", *SMALL)
    both = ("--scene", "town.gpkg", "--scene", "again.gpkg")
    assert radiodiff("layouts", "extract", *both, "--out", "b", *SMALL).code == 0
    assert [one.name for one in read_layouts(tmp_path / "b")] == [one.name for one in read_layouts(tmp_path / "a")]


def test_a_mesh_gives_the_crops_of_its_outlines(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    objects = {f"b{i}": prism(rectangle(*house[:4]), 0, house[4]) for i, house in enumerate(houses(1))}
    write_obj(tmp_path / "town.obj", objects)
    for scene, out in (("town.gpkg", "a"), ("town.obj", "b")):
        assert radiodiff("layouts", "extract", "--scene", scene, "--out", out, *SMALL).code == 0
    for one, other in zip(read_layouts(tmp_path / "a"), read_layouts(tmp_path / "b"), strict=True):
        assert one.name == other.name
        assert np.allclose(one.scene.roof_height_m, other.scene.roof_height_m, atol=1e-3)


def test_a_figure_of_the_crops(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    options = (*SMALL, "--limit", 2, "--plot", "a.png")
    outcome = radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "a", *options)
    assert outcome.out.splitlines()[-1] == "a.png: their roofs by height, disjoint ones framed"
    with Image.open(tmp_path / "a.png") as image:
        assert image.width > 200


def test_limit_and_coverage(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "a", *SMALL, "--limit", 3)
    assert [one.is_disjoint for one in read_layouts(tmp_path / "a")] == [True, True, True]
    options = ("--min-coverage", 0.25, "--max-coverage", 0.3)
    radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "b", *SMALL, *options)
    assert all(0.25 <= one.scene.coverage <= 0.3 for one in read_layouts(tmp_path / "b"))


def test_a_city_of_the_package(radiodiff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    objects = {f"b{i}": prism(rectangle(*house[:4]), 0, house[4]) for i, house in enumerate(houses(2))}
    objects["ground"] = level(rectangle(-20, -20, 150, 150), 0.0)
    file = write_mitsuba(tmp_path / "munich", "munich", objects)
    monkeypatch.setattr("radiodiff.layouts.city_scenes.city_scene_file", lambda name: file)
    outcome = radiodiff("layouts", "extract", "--city", "munich", "--city", "munich", "--out", "a", *SMALL)
    assert (outcome.code, outcome.err) == (0, "")
    assert all("ODbL" in one.licence and one.city == "munich" for one in read_layouts(tmp_path / "a"))


REFUSED = {
    "an unknown city": (["--city", "berlin"], ["A city must be one of etoile", "'berlin'"]),
    "no crop that fits": (["--min-coverage", 0.97, "--max-coverage", 0.98], ["coverage is within the range"]),
    "an empty range": (["--min-coverage", 0.6, "--max-coverage", 0.1], ["(lowest, highest) within 0..1"]),
    "a crop larger than the scene": (["--size", 128], ["must lie within the scene of", "town.gpkg", "128 x 128"]),
    "no stride": (["--stride", 0], ["stride between crops must be at least 1"]),
    "no limit": (["--limit", 0], ["limit of layouts must be at least 1"]),
    "no cell size": (["--cell-size", 0], ["cell_size_m must be finite and above 0"]),
    "a height of zero": (["--height", 0], ["height of buildings must be finite and above 0"]),
    "a scene that is not there": (["--scene", "x.gpkg"], ["must exist", "x.gpkg"]),
    "a scene without outlines": (["--scene", "x.png"], ["cut from files that end in"]),
    "two scenes of one name": (["--scene", "other/town.gpkg"], ["a name of its own", "town more than once"]),
    "a figure of an unknown kind": (["--plot", "a.gif"], ["must end in .png"]),
}


@pytest.mark.parametrize(("arguments", "parts"), REFUSED.values(), ids=REFUSED)
def test_refused(radiodiff: Run, layer: Path, tmp_path: Path, arguments: list, parts: list) -> None:
    before = tree(tmp_path)
    outcome = radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "a", *SMALL, *arguments)
    outcome.check_refusal(*parts)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("shapes", "heights", "parts"),
    [
        ([Polygon([(0, 0), (40, 40), (40, 0), (0, 40)])], [5.0], ["must not cross itself", "--repair"]),
        ([box(0, 0, 40, 20), box(0, 30, 40, 40)], [5.0, 0.0], ["height above 0", "--height 12"]),
    ],
    ids=["crossing itself", "zero height"],
)
def test_bad_layers(radiodiff: Run, tmp_path: Path, shapes: list, heights: list, parts: list) -> None:
    write_layer(tmp_path / "bad.gpkg", shapes=shapes, heights=heights)
    before = tree(tmp_path)
    radiodiff("layouts", "extract", "--scene", "bad.gpkg", "--out", "a", *SMALL).check_refusal(*parts)
    assert tree(tmp_path) == before


def test_a_mesh_without_area(radiodiff: Run, tmp_path: Path) -> None:
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    write_obj(tmp_path / "flat.obj", {"ground": level(rectangle(0, 0, 90, 90), 0.0)})
    before = tree(tmp_path)
    outcome = radiodiff("layouts", "extract", "--scene", "flat.obj", "--out", "a", *SMALL)
    outcome.check_refusal("surfaces at least 1 m above their ground")
    assert tree(tmp_path) == before


def test_without_the_package(radiodiff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radiodiff.layouts.city_scenes.find_spec", lambda name: None)
    radiodiff("layouts", "extract", "--out", "a").check_refusal("sionna-rt", "pip install 'radiodiff[raytrace]'")
    assert list(tmp_path.iterdir()) == []


UNREAD = {
    "of cities": (["--city", "munich"], {"--height": 5, "--layer": "x", "--source-crs": "EPSG:4326", "--repair": None}),
    "of meshes": (["--scene", "town.obj"], {"--height": 5, "--repair": None}),
    "the terms of a city": (["--city", "munich"], {"--licence": "CC0"}),
}


@pytest.mark.parametrize(("scene", "options"), UNREAD.values(), ids=UNREAD)
def test_options_that_no_scene_reads(
    radiodiff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: list[str], options: dict[str, object]
) -> None:
    monkeypatch.setattr("radiodiff.layouts.city_scenes.city_scene_file", lambda name: tmp_path)
    for name, value in options.items():
        given = [name] if value is None else [name, value]
        radiodiff("layouts", "extract", "--out", "a", *scene, *given).check_refusal("must come with", f"got {name}")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something(radiodiff: Run, layer: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/mine.txt").write_text("mine")
    before = tree(tmp_path)
    outcome = radiodiff("layouts", "extract", "--scene", "town.gpkg", "--out", "a", *SMALL)
    outcome.check_refusal("--out must be a folder that is empty or absent")
    assert tree(tmp_path) == before
