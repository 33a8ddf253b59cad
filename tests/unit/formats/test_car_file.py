"""Cars from every kind of file, onto scenes whose buildings are there."""

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely import box

from radiodiff.errors import FormatError
from radiodiff.formats import SceneFile, add_cars, write_mask_png
from radiodiff.scene import Grid, Scene

UTM = "EPSG:32633"
WEST, NORTH = 390_000.0, 5_820_000.0
PLAIN = SceneFile(Scene.empty(Grid(20, 30)), ("earlier.",))
PLACED = SceneFile(Scene.empty(Grid(20, 30, 1.0, UTM, WEST, NORTH)))

CARS = np.zeros((20, 30), dtype=bool)
CARS[4:6, 10:14] = True
RING = [[10.5, 16.5], [14.5, 16.5], [14.5, 14.5], [10.5, 14.5]]
"""The same rectangle in the coordinates of RadioMapSeer: x - 0.5 and 20.5 - y."""


def test_an_image(tmp_path: Path) -> None:
    write_mask_png(tmp_path / "cars.png", CARS)
    found = add_cars(PLAIN, tmp_path / "cars.png")
    np.testing.assert_array_equal(found.scene.cars, CARS)
    assert found.scene.car_footprints is None
    assert found.notes == ("earlier.",)


def test_a_polygon_file(tmp_path: Path) -> None:
    (tmp_path / "7.json").write_text(json.dumps([RING]))
    found = add_cars(PLAIN, tmp_path / "7.json")
    np.testing.assert_array_equal(found.scene.cars, CARS)
    assert found.notes == ("earlier.", "1 car outlines.")


def test_a_layer_in_the_frame_of_the_buildings(tmp_path: Path) -> None:
    shapes = [box(WEST + 10, NORTH - 6, WEST + 14, NORTH - 4), box(WEST - 9, NORTH, WEST - 5, NORTH + 2)]
    layer = geopandas.GeoDataFrame(geometry=shapes, crs=UTM)
    layer.to_crs("EPSG:4326").to_file(tmp_path / "cars.geojson", COORDINATE_PRECISION=12)
    found = add_cars(PLACED, tmp_path / "cars.geojson")
    np.testing.assert_array_equal(found.scene.cars, CARS)
    # The one beside the map is left out.
    assert found.notes == ("1 car outlines, 0 of them repaired.",)


def test_a_folder_and_the_outlines_beside_an_image(tmp_path: Path) -> None:
    for part in ("png", "polygon"):
        (tmp_path / part / "cars").mkdir(parents=True)
    (tmp_path / "polygon/cars/7.json").write_text(json.dumps([RING]))
    write_mask_png(tmp_path / "png/cars/7.png", ~CARS)
    for path, map_id in ((tmp_path, 7), (tmp_path / "png/cars/7.png", None)):
        found = add_cars(PLAIN, path, map_id)
        np.testing.assert_array_equal(found.scene.cars, CARS)
    assert "read in place of 7.png" in found.notes[1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("small.png", r"must have the 20 x 30 cells .*small\.png of 19 x 30"),
        ("none.png", r"Cars must stand on the map; got .*none\.png with none"),
        ("none.json", "Cars must stand on the map"),
        ("cars.txt", r"must be a RadioMapSeer folder or end in \.png, .*cars\.txt"),
        ("cars.geojson", "over buildings whose grid has a CRS.*Give an image"),
        ("absent.png", "must exist"),
        (".", "needs the number of a map"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, text: str) -> None:
    write_mask_png(tmp_path / "small.png", CARS[1:])
    write_mask_png(tmp_path / "none.png", CARS & False)
    (tmp_path / "none.json").write_text("[]")
    for other in ("cars.txt", "cars.geojson"):
        (tmp_path / other).write_text("{}")
    with pytest.raises(FormatError, match=text):
        add_cars(PLAIN, tmp_path / name)
