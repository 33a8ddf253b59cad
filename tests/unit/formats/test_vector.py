import geopandas
import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer
from shapely import LineString, MultiPolygon, Point, Polygon, box

from radiodiff.errors import FormatError, GridError, InputError, SceneError
from radiodiff.formats import SceneOptions, checks, local_position, read_footprints

UTM = "EPSG:32633"
X, Y = 390_000.0, 5_820_000.0


def square(x, y, size=10.0):
    return box(X + x, Y + y, X + x + size, Y + y + size)


def write(path, shapes, crs=UTM, **columns):
    geopandas.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def test_a_layer_that_geopandas_wrote(tmp_path):
    path = write(tmp_path / "a.gpkg", [square(3, 4), square(33, 44)], height=[12.0, None])
    scene, report = read_footprints(path)
    assert scene.grid.crs == UTM
    assert scene.grid.bounds == (X + 3, Y + 4, X + 43, Y + 54)
    assert scene.grid.shape == (50, 40)
    # The first square is in the lower left corner: y grows downwards in local metres.
    assert scene.footprints[0].polygon.bounds == (0.0, 40.0, 10.0, 50.0)
    assert [f.height_m for f in scene.footprints] == [12.0, None]
    assert scene.buildings[40:, :10].all()
    assert scene.buildings[:10, 30:].all()
    assert scene.buildings.sum() == 200
    assert (report.outlines, report.with_height, report.crs) == (2, 1, UTM)
    assert report.notes() == (f"2 building outlines ({UTM}), 1 of them with a height.",)
    assert scene.source == "a.gpkg"


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_formats_and_degrees(tmp_path, suffix):
    corners = geopandas.GeoSeries([square(3, 4), square(33, 44)], crs=UTM).to_crs("EPSG:4326")
    scene, report = read_footprints(write(tmp_path / f"a{suffix}", list(corners), "EPSG:4326"))
    assert scene.grid.crs == UTM
    assert report.source_crs == "EPSG:4326"
    assert "reprojected from EPSG:4326 to EPSG:32633" in report.notes()[0]
    # Back in metres the corners are whole again, up to the digits of GeoJSON.
    assert scene.grid.bounds == pytest.approx((X + 3, Y + 4, X + 43, Y + 54), abs=1.0)
    x, y = scene.grid.cells_to_map(0, 0)
    west, south, east, north = scene.footprints[0].polygon.bounds
    assert (x + west, y - south, x + east, y - north) == pytest.approx((X + 3, Y + 14, X + 13, Y + 4), abs=0.02)


def test_another_crs_on_request(tmp_path):
    scene, _ = read_footprints(write(tmp_path / "a.gpkg", [square(0, 0)]), SceneOptions(target_crs="EPSG:25832"))
    corner = Transformer.from_crs(UTM, "EPSG:25832", always_xy=True).transform(X, Y)
    assert scene.grid.crs == "EPSG:25832"
    assert scene.grid.bounds[0] == pytest.approx(corner[0], abs=2.0)


def test_feet_become_metres(tmp_path):
    # New York Long Island, US survey feet.
    path = write(
        tmp_path / "a.gpkg",
        [box(1e6, 2e5, 1e6 + 100, 2e5 + 50), box(1e6 + 200, 2e5, 1e6 + 300, 2e5 + 1)],
        2263,
    )
    scene, _ = read_footprints(path)
    assert scene.grid.crs == "EPSG:32618"
    assert scene.footprints[0].polygon.area == pytest.approx(100 * 50 * 0.3048006**2, rel=1e-3)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "nonsense"])
def test_a_target_without_metres_is_refused(tmp_path, crs):
    with pytest.raises(GridError, match=r"Grid\.crs must be"):
        read_footprints(write(tmp_path / "a.gpkg", [square(0, 0)]), SceneOptions(target_crs=crs))


def test_a_layer_without_a_crs(tmp_path):
    path = write(tmp_path / "a.shp", [square(0, 0), square(30, 0)])
    path.with_suffix(".prj").unlink()
    with pytest.raises(FormatError, match=r"must name its coordinate reference system.*source_crs"):
        read_footprints(path)
    assert read_footprints(path, SceneOptions(source_crs=UTM))[0].grid.crs == UTM


def test_metres_in_geojson_need_a_crs(tmp_path):
    text = '{"type": "Polygon", "coordinates": [[[500, 0], [510, 0], [510, 10], [500, 0]]]}'
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(FormatError, match=r"must be degrees.*x 500..510"):
        read_footprints(tmp_path / "a.geojson")
    assert read_footprints(tmp_path / "a.geojson", SceneOptions(source_crs=UTM))[0].grid.crs == UTM


def test_a_source_crs_that_is_none(tmp_path):
    with pytest.raises(FormatError, match="source_crs must be a CRS that pyproj knows; got 'nonsense'"):
        read_footprints(write(tmp_path / "a.gpkg", [square(0, 0)]), SceneOptions(source_crs="nonsense"))


def test_where_the_target_is_not_defined(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(10, -81, 11, -80)], "EPSG:4326")
    gnomonic = "+proj=gnom +lat_0=90 +datum=WGS84 +units=m"
    with pytest.raises(FormatError, match="All outlines must lie where"):
        read_footprints(path, SceneOptions(target_crs=gnomonic))


def test_no_utm_zone_on_the_moon(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(10, 10, 11, 11)], "IAU_2015:30100")
    with pytest.raises(FormatError, match="convertible to the UTM zone"):
        read_footprints(path)


HEIGHTS = {
    "12": 12.0,
    "12.5 m": 12.5,
    "12.5m": 12.5,
    " 3 metres ": 3.0,
    None: None,
    "-4": None,
    "0": None,
    "high": None,
    "40 ft": None,
}


def test_heights_as_text(tmp_path):
    shapes = [square(20 * i, 0) for i in range(len(HEIGHTS))]
    scene, report = read_footprints(write(tmp_path / "a.gpkg", shapes, height=list(HEIGHTS)))
    assert [f.height_m for f in scene.footprints] == list(HEIGHTS.values())
    assert report.unreadable_heights == 4
    assert "4 heights could not be read" in report.notes()[-1]


def test_heights_as_numbers(tmp_path):
    shapes = [square(20 * i, 0) for i in range(4)]
    scene, report = read_footprints(write(tmp_path / "a.gpkg", shapes, height=[3.5, np.nan, -1.0, np.inf]))
    assert [f.height_m for f in scene.footprints] == [3.5, None, None, None]
    assert report.unreadable_heights == 2


def test_storeys_where_the_height_says_nothing(tmp_path):
    shapes = [square(20 * i, 0) for i in range(4)]
    columns = {"height": ["10", None, "high", None], "building:levels": ["1", "2", "3", "many"]}
    path = write(tmp_path / "a.gpkg", shapes, **columns)
    scene, report = read_footprints(path, SceneOptions(level_height_m=4.0))
    assert [f.height_m for f in scene.footprints] == [10.0, 8.0, 12.0, None]
    assert report.unreadable_heights == 2


def test_storeys_alone(tmp_path):
    path = write(tmp_path / "a.gpkg", [square(0, 0), square(20, 0)], **{"building:levels": [2, 3]})
    assert [f.height_m for f in read_footprints(path)[0].footprints] == [6.0, 9.0]


def test_a_crossed_outline_is_repaired_and_counted(tmp_path):
    bow_tie = Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])
    scene, report = read_footprints(write(tmp_path / "a.gpkg", [bow_tie, square(30, 0)], height=[5.0, 6.0]))
    assert (report.outlines, report.repaired) == (3, 1)
    assert [f.height_m for f in scene.footprints] == [5.0, 5.0, 6.0]
    assert "1 outlines crossed themselves" in report.notes()[1]


def test_what_is_no_polygon_is_dropped_and_counted(tmp_path):
    parts = MultiPolygon([square(0, 0), square(30, 0)])
    flat = Polygon([(X, Y), (X, Y + 9), (X, Y + 9), (X, Y)])
    shapes = [Point(X, Y), LineString([(X, Y), (X, Y + 9)]), None, Polygon(), flat, parts]
    path = tmp_path / "a.geojson"
    geopandas.GeoDataFrame(geometry=shapes, crs=UTM).to_crs(4326).to_file(path)
    _, report = read_footprints(path)
    assert (report.outlines, report.dropped, report.repaired) == (2, 5, 0)
    assert "5 features are no polygons with an area" in report.notes()[1]


def test_heights_of_the_third_dimension_do_not_matter(tmp_path):
    solid = Polygon([(X, Y, 5), (X + 10, Y, 5), (X + 10, Y + 10, 5)])
    scene, _ = read_footprints(write(tmp_path / "a.gpkg", [solid]))
    assert not scene.footprints[0].polygon.has_z


def test_a_layer_without_polygons(tmp_path):
    with pytest.raises(FormatError, match="with 1 features and no such polygon"):
        read_footprints(write(tmp_path / "a.gpkg", [Point(X, Y)]))


def test_an_empty_layer(tmp_path):
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(FormatError, match="with 0 features and no such polygon"):
        read_footprints(tmp_path / "a.geojson")


def test_a_table_without_geometry(tmp_path):
    import pyogrio

    pyogrio.write_dataframe(pd.DataFrame({"height": [1.0]}), tmp_path / "a.gpkg", layer="t")
    with pytest.raises(FormatError, match="with 1 features and no such polygon"):
        read_footprints(tmp_path / "a.gpkg")


def test_outlines_without_an_area(tmp_path):
    flat = Polygon([(X, Y), (X + 5, Y + 5), (X + 9, Y + 9)])
    with pytest.raises(FormatError, match="polygons with an area"):
        read_footprints(write(tmp_path / "a.gpkg", [flat]))


def test_several_layers(tmp_path):
    path = tmp_path / "a.gpkg"
    for name, x in (("houses", 0), ("sheds", 100)):
        geopandas.GeoDataFrame(geometry=[square(x, 0)], crs=UTM).to_file(path, layer=name)
    with pytest.raises(FormatError, match=r"needs the name of one; got .*houses, sheds"):
        read_footprints(path)
    with pytest.raises(FormatError, match=r"Layer 'huts' must be in the file; got .*houses, sheds"):
        read_footprints(path, SceneOptions(layer="huts"))
    options = SceneOptions(layer="sheds", margin_m=5)
    assert read_footprints(path, options)[0].grid.bounds == (X + 95, Y - 5, X + 115, Y + 15)


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp"])
def test_damaged_files(tmp_path, name):
    (tmp_path / name).write_text('{"type": "FeatureCollection", "features": [{"ty')
    with pytest.raises(FormatError, match="readable by GeoPandas"):
        read_footprints(tmp_path / name)


def test_the_grid_is_snapped_outwards(tmp_path):
    path = write(tmp_path / "a.gpkg", [square(0.25, 0.25), square(19.5, 10.5)])
    assert read_footprints(path)[0].grid.bounds == (X, Y, X + 30, Y + 21)
    assert read_footprints(path, SceneOptions(cell_size_m=4.0))[0].grid.bounds == (X, Y, X + 32, Y + 24)
    options = SceneOptions(margin_m=2.0)
    assert read_footprints(path, options)[0].grid.bounds == (X - 2, Y - 2, X + 32, Y + 23)


def test_bounds_cut_the_outlines(tmp_path):
    path = write(tmp_path / "a.gpkg", [square(0, 0), square(100, 0)])
    scene, report = read_footprints(path, SceneOptions(bounds=(X + 5.0, Y - 5.0, X + 25.5, Y + 5.0)))
    assert scene.grid.bounds == (X + 5, Y - 5, X + 26, Y + 5)
    assert report.outlines == 1
    assert scene.footprints[0].polygon.bounds == (0.0, 0.0, 5.0, 5.0)
    assert scene.buildings.sum() == 25


def test_bounds_beside_the_outlines(tmp_path):
    path = write(tmp_path / "a.gpkg", [square(0, 0)])
    with pytest.raises(FormatError, match="inside the bounds"):
        read_footprints(path, SceneOptions(bounds=(0.0, 0.0, 10.0, 10.0)))


def test_a_grid_too_large(tmp_path, monkeypatch):
    path = write(tmp_path / "a.gpkg", [square(0, 0), square(1000, 1000)])
    monkeypatch.setattr(checks, "MAX_CELLS", 1_000_000)
    with pytest.raises(FormatError, match=r"at most 1,000,000 cells; got 1,010 x 1,010 .*larger cells"):
        read_footprints(path)
    assert read_footprints(path, SceneOptions(cell_size_m=2.0))[0].grid.shape == (505, 505)


def test_nothing_but_a_building(tmp_path):
    with pytest.raises(SceneError, match="margin_m"):
        read_footprints(write(tmp_path / "a.gpkg", [square(0, 0)]))


@pytest.mark.parametrize("name", ["cell_size_m", "level_height_m", "min_height_m"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_lengths_must_be_positive(name, value):
    with pytest.raises(InputError, match=f"{name} must be finite and above 0"):
        SceneOptions(**{name: value})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_margins_must_not_be_negative(value):
    with pytest.raises(InputError, match="margin_m must be finite and at least 0"):
        SceneOptions(margin_m=value)


@pytest.mark.parametrize("bounds", [(1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 1.0), (0.0, 0.0, 1.0, float("nan"))])
def test_bounds_must_hold_something(bounds):
    with pytest.raises(InputError, match="bounds must be finite"):
        SceneOptions(bounds=bounds)


def test_text_that_is_not_utf_8(tmp_path):
    path = write(tmp_path / "a.geojson", [box(13, 52, 13.1, 52.1)], "EPSG:4326", height=["high"])
    path.write_bytes(path.read_bytes().replace(b"high", b"hi\x8eh"))
    with pytest.raises(FormatError, match="readable by GeoPandas"):
        read_footprints(path)


def test_an_outline_that_is_not_closed(tmp_path):
    text = '{"type": "Polygon", "coordinates": [[[13, 52], [13.1, 52], [13.1, 52.1], [13, 52.1]]]}'
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(FormatError, match="closed linestring"):
        read_footprints(tmp_path / "a.geojson")


def test_what_gdal_remarks_is_told(tmp_path):
    text = '{"type": "Feature", "properties": {}, "geometry": {"type": "Mesh", "coordinates": []}}'
    good = '{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": '
    good += "[[[13, 52], [13.001, 52], [13.001, 52.001], [13, 52]]]}}"
    (tmp_path / "a.geojson").write_text(f'{{"type": "FeatureCollection", "features": [{text}, {good}]}}')
    _, report = read_footprints(tmp_path / "a.geojson")
    assert report.dropped == 1
    assert "Unsupported geometry type" in report.notes()[-1]


# Positions.


def test_a_position_in_degrees_as_pyproj_moves_it(tmp_path):
    scene, _ = read_footprints(write(tmp_path / "a.gpkg", [square(0, 0), square(90, 90)]))
    lon, lat = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True).transform(X + 30, Y + 80)
    assert local_position(scene.grid, lon, lat, crs="EPSG:4326") == pytest.approx((30.0, 20.0), abs=1e-3)
    assert local_position(scene.grid, X + 30, Y + 80) == (30.0, 20.0)


def test_positions_that_cannot_be_converted(tmp_path, utm_map, plain_map):
    with pytest.raises(GridError, match="needs a grid with a CRS"):
        local_position(plain_map.grid, 13.0, 52.0, crs="EPSG:4326")
    with pytest.raises(GridError, match="convertible from 'nonsense'"):
        local_position(utm_map.grid, 13.0, 52.0, crs="nonsense")
    with pytest.raises(GridError, match="order: x"):
        local_position(utm_map.grid, 13.0, 95.0, crs="EPSG:4326")
