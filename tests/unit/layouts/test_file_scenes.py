"""Scenes of the user's own, as sources of layouts."""

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely import Polygon, box

from city_meshes import prism, rectangle, write_obj
from radiodiff.errors import FormatError, LayoutError
from radiodiff.formats import Layout, SceneOptions, write_layouts
from radiodiff.layouts import file_scene

UTM = "EPSG:32633"
X, Y = 390_000.0, 5_820_000.0


def write(path: Path, shapes: list, **columns: list) -> Path:
    moved = geopandas.GeoSeries(shapes, crs=UTM).translate(X, Y)
    geopandas.GeoDataFrame(columns, geometry=moved, crs=UTM).to_file(path)
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_outlines_in_local_metres(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"old town{suffix}", [box(0, 0, 10, 20), box(30, 0, 60, 40)], height=[12.0, 7.5])
    source = file_scene(path, licence="CC0")
    scene = source.scene
    assert (source.city, source.licence) == ("old_town", "CC0")
    assert (scene.grid.shape, scene.grid.crs) == ((40, 60), None)
    # y points down: the lower left building ends at the bottom.
    assert scene.roof_height_m[39, 0] == 12.0
    assert scene.roof_height_m[0, 0] == 0.0
    assert scene.roof_height_m[20, 45] == 7.5
    assert scene.buildings.sum() == 200 + 1200


def test_a_mesh(tmp_path: Path) -> None:
    objects = {"a": prism(rectangle(0, 0, 10, 20), 0, 12), "b": prism(rectangle(30, 0, 30, 40), 0, 7.5)}
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    source = file_scene(write_obj(tmp_path / "town.obj", objects), SceneOptions(cell_size_m=0.5))
    assert (source.city, source.licence, source.scene.grid.shape) == ("town", "unknown", (80, 120))
    assert source.scene.coverage == (200 + 1200) / 2400
    assert "2 buildings" in source.notes[0]


def test_outlines_that_overlap_are_parted_and_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.gpkg", [box(0, 0, 20, 20), box(10, 0, 40, 20), box(60, 0, 70, 60)], height=[5.0, 9.0, 6.0]
    )
    source = file_scene(path)
    assert source.notes[-1] == "Outlines overlap on 200 m2 of 1400 m2: the higher one keeps it."
    assert {f.height_m: f.polygon.area for f in source.scene.footprints} == {5.0: 200.0, 9.0: 600.0, 6.0: 600.0}


def test_a_layout_is_no_scene_to_cut(tmp_path: Path) -> None:
    """It would be read upside down."""
    scene = file_scene(write(tmp_path / "a.gpkg", [box(0, 0, 10, 20), box(30, 0, 60, 40)], height=[12.0, 7.5])).scene
    write_layouts(tmp_path / "layouts", [Layout("a", "a", scene, 0, 0, "", "a", is_disjoint=True)])
    with pytest.raises(LayoutError, match=r"not from layouts, .*got .*layouts/a\.json"):
        file_scene(tmp_path / "layouts/a.json", SceneOptions(source_crs=UTM))


def test_storeys_are_heights(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", [box(0, 0, 10, 20), box(30, 0, 60, 40)], **{"building:levels": [4, 2]})
    assert {f.height_m for f in file_scene(path).scene.footprints} == {12.0, 6.0}


@pytest.mark.parametrize(
    ("heights", "found"),
    [
        ([12.0, None], "1 outlines have none and 0 heights are no positive number"),
        ([12.0, 0.0], "1 outlines have none and 1 heights"),
        ([12.0, -3.0], "1 outlines have none and 1 heights"),
        (["12", "tall"], "1 outlines have none and 1 heights"),
    ],
    ids=["no height", "a zero height", "a negative height", "a word"],
)
def test_buildings_without_a_height(tmp_path: Path, heights: list, found: str) -> None:
    path = write(tmp_path / "a.gpkg", [box(0, 0, 10, 20), box(30, 0, 60, 40)], height=heights)
    with pytest.raises(LayoutError, match=f"must have a height above 0 .*{found}.*--height 12"):
        file_scene(path)
    assert {f.height_m for f in file_scene(path, height_m=8.0).scene.footprints} == {12.0, 8.0}


@pytest.mark.parametrize("height_m", [0.0, -1.0, float("nan"), float("inf")])
def test_a_height_that_is_none(tmp_path: Path, height_m: float) -> None:
    path = write(tmp_path / "a.gpkg", [box(0, 0, 10, 20), box(30, 0, 60, 40)])
    with pytest.raises(LayoutError, match="height of buildings must be finite and above 0"):
        file_scene(path, height_m=height_m)


def test_outlines_that_cross_themselves(tmp_path: Path) -> None:
    bow_tie = Polygon([(0, 0), (20, 20), (20, 0), (0, 20)])
    path = write(tmp_path / "a.gpkg", [bow_tie, box(30, 0, 60, 40)], height=[5.0, 6.0])
    with pytest.raises(LayoutError, match=r"must not cross itself; got .*where 1 do.*--repair"):
        file_scene(path)
    repaired = file_scene(path, is_repaired=True)
    assert [f.polygon.area for f in repaired.scene.footprints if f.height_m == 5.0] == [100.0, 100.0]


def test_an_outline_that_is_not_closed(tmp_path: Path) -> None:
    ring = [[13.4, 52.5], [13.401, 52.5], [13.401, 52.501], [13.4, 52.501]]
    feature = {"type": "Feature", "properties": {"height": 5}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(FormatError, match=r"a\.geojson"):
        file_scene(path)


def test_files_without_outlines(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"cut from files that end in \.geojson.*got .*city\.png"):
        file_scene(tmp_path / "city.png")
    with pytest.raises(FormatError, match="must exist"):
        file_scene(tmp_path / "city.geojson")


def test_rows_of_crops_are_those_of_the_layer(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", [box(0.3, 0.2, 10, 20), box(30, 0, 60, 40)], height=[5.0, 6.0])
    scene = file_scene(path, SceneOptions(cell_size_m=2.0)).scene
    assert scene.grid.shape == (20, 30)
    assert np.array_equal(np.unique(scene.roof_height_m), [0.0, 5.0, 6.0])
