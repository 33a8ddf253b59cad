import json
import shutil

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from shapely import box

from radiodiff.errors import FormatError
from radiodiff.formats import (
    PNG_SAMPLE_OFFSET,
    SceneOptions,
    read_radiomapseer_polygons,
    read_scene,
    write_mask_png,
)
from radiodiff.scene import Grid, rasterize

MASK = np.zeros((40, 50), dtype=bool)
MASK[10:20, 10:30] = True
RING = [[11, 21], [21, 21], [21, 41], [11, 41], [11, 21]]


@pytest.fixture
def folder(tmp_path):
    """One file of every kind."""
    write_mask_png(tmp_path / "a.png", MASK)
    Image.fromarray(MASK).save(tmp_path / "a.bmp")
    layer = geopandas.GeoDataFrame(geometry=[box(13.4, 52.5, 13.401, 52.501)], crs="EPSG:4326")
    for suffix in ("geojson", "gpkg", "shp"):
        layer.to_file(tmp_path / f"a.{suffix}")
    shutil.copy(tmp_path / "a.geojson", tmp_path / "b.json")
    (tmp_path / "a.json").write_text(json.dumps([RING]))
    profile = {"height": 40, "width": 50, "count": 1, "dtype": "uint8", "crs": "EPSG:32633"}
    transform = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 40.0)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", transform=transform, **profile) as raster:
        raster.write(MASK.astype(np.uint8), 1)
    for kind in ("png", "polygon"):
        (tmp_path / "seer" / kind / "buildings_complete").mkdir(parents=True)
    grid = Grid(40, 50)
    outlines = [f.polygon for f in read_radiomapseer_polygons(tmp_path / "a.json", grid=grid).footprints]
    drawn = rasterize(grid, outlines, sample_offset=PNG_SAMPLE_OFFSET)
    write_mask_png(tmp_path / "seer/png/buildings_complete/7.png", drawn)
    (tmp_path / "seer/polygon/buildings_complete/7.json").write_text(json.dumps([RING]))
    return tmp_path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_rasters(folder, name):
    assert np.array_equal(read_scene(folder / name).scene.buildings, MASK)


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "b.json"])
def test_vector_layers(folder, name):
    found = read_scene(folder / name, SceneOptions(margin_m=10.0, cell_size_m=2.0))
    assert found.scene.grid.crs == "EPSG:32633"
    assert found.scene.grid.cell_size_m == 2.0
    assert found.notes[0].startswith("1 building outlines (reprojected")


def test_polygon_file_of_radiomapseer(folder):
    found = read_scene(folder / "a.json")
    assert found.scene.buildings.sum() == 200
    assert found.notes == ("1 building outlines.",)


def test_folder_of_radiomapseer(folder):
    found = read_scene(folder / "seer", SceneOptions(map_id=7))
    assert len(found.scene.footprints) == 1
    assert found.scene.grid.shape == (40, 50)


def test_the_outlines_beside_an_image_take_its_place(folder):
    image = folder / "seer/png/buildings_complete/7.png"
    found = read_scene(image)
    assert len(found.scene.footprints) == 1
    assert str(folder / "seer/polygon/buildings_complete/7.json") in found.notes[0]
    alone = read_scene(image, SceneOptions(image_only=True))
    assert alone.scene.footprints is None
    assert alone.notes == ()
    assert read_scene(folder / "a.png").notes == ()


def test_the_image_beside_outlines_gives_their_grid(folder):
    assert read_scene(folder / "seer/polygon/buildings_complete/7.json").scene.grid.shape == (40, 50)
    assert read_scene(folder / "a.json").scene.grid.shape == (256, 256)


@pytest.mark.parametrize("shape", [(40, 50), (60, 50)])
def test_an_image_of_another_map_is_refused(folder, shape):
    image = folder / "seer/png/buildings_complete/7.png"
    write_mask_png(image, np.zeros(shape, dtype=bool))
    for path, options in ((image, None), (folder / "seer", SceneOptions(map_id=7))):
        with pytest.raises(FormatError, match="must show the same buildings"):
            read_scene(path, options)


def test_options_for_the_image_alone_are_noted(folder):
    found = read_scene(folder / "seer/png/buildings_complete/7.png", SceneOptions(cell_size_m=2.0))
    assert found.scene.footprints is None
    assert "was not read" in found.notes[0]


def test_a_layer_in_web_mercator_moves_to_its_utm_zone(folder):
    layer = geopandas.GeoDataFrame(geometry=[box(13.4, 52.5, 13.41, 52.51)], crs="EPSG:4326").to_crs("EPSG:3857")
    layer.to_file(folder / "mercator.gpkg")
    assert read_scene(folder / "mercator.gpkg").scene.grid.crs == "EPSG:32633"


def test_options_arrive(folder):
    found = read_scene(folder / "a.png", SceneOptions(invert=True, cell_size_m=0.5))
    assert np.array_equal(found.scene.buildings, ~MASK)
    assert found.scene.grid.cell_size_m == 0.5
    assert np.array_equal(read_scene(folder / "a.tif", SceneOptions(invert=True)).scene.buildings, ~MASK)
    assert read_scene(folder / "a.tif", SceneOptions(raster_kind="height")).scene.coverage == 0.0
    options = SceneOptions(raster_kind="height", min_height_m=0.5)
    assert np.array_equal(read_scene(folder / "a.tif", options).scene.buildings, MASK)


@pytest.mark.parametrize(
    ("name", "options", "foreign"),
    [
        ("a.png", SceneOptions(map_id=7, layer="x"), "layer, map_id"),
        ("a.json", SceneOptions(cell_size_m=2.0), "cell_size_m"),
        ("a.geojson", SceneOptions(invert=True), "invert"),
        ("a.tif", SceneOptions(source_crs="EPSG:4326"), "source_crs"),
        ("seer", SceneOptions(map_id=7, bounds=(0.0, 0.0, 1.0, 1.0)), "bounds"),
    ],
)
def test_options_that_do_not_apply(folder, name, options, foreign):
    with pytest.raises(FormatError, match=f"these options only.*got {foreign} for"):
        read_scene(folder / name, options)


def test_unknown_suffix(folder):
    (folder / "a.dwg").write_text("x")
    with pytest.raises(FormatError, match=r"must be a RadioMapSeer folder or end in \.png"):
        read_scene(folder / "a.dwg")


def test_absent(folder):
    with pytest.raises(FormatError, match="must exist"):
        read_scene(folder / "absent.png")


def test_every_option_belongs_to_a_kind():
    from dataclasses import fields

    from radiodiff.formats.read_scene import KINDS, OPTIONS

    assert set().union(*OPTIONS.values()) == {field.name for field in fields(SceneOptions)}
    assert set(KINDS.values()) <= set(OPTIONS)
