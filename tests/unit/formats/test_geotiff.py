import numpy as np
import pytest
import rasterio
from affine import Affine

from radiodiff.errors import FormatError, SceneError
from radiodiff.formats import checks, read_building_geotiff

UTM = "EPSG:32633"
NORTH_UP = Affine(2.0, 0.0, 390_000.0, 0.0, -2.0, 5_820_000.0)


def write(path, values, *, crs=UTM, transform=NORTH_UP, nodata=None, count=1):
    rows, cols = values.shape
    profile = {"height": rows, "width": cols, "count": count, "dtype": values.dtype, "nodata": nodata}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **profile) as raster:
        for band in range(count):
            raster.write(values, band + 1)
    return path


@pytest.fixture
def mask():
    values = np.zeros((20, 30), dtype=np.uint8)
    values[3:9, 4:12] = 1
    return values


def test_mask(tmp_path, mask):
    path = write(tmp_path / "a.tif", mask)
    scene = read_building_geotiff(path)
    assert np.array_equal(scene.buildings, mask > 0)
    assert scene.footprints is None
    with rasterio.open(path) as raster:
        assert scene.grid.bounds == tuple(raster.bounds)
        assert scene.grid.crs == raster.crs.to_string()
    assert scene.grid.cell_size_m == 2.0


def test_no_data_is_free(tmp_path, mask):
    mask[10:12] = 255
    path = write(tmp_path / "a.tif", mask, nodata=255)
    assert np.array_equal(read_building_geotiff(path).buildings, mask == 1)
    assert np.array_equal(read_building_geotiff(path, invert=True).buildings, mask == 0)


def test_heights(tmp_path):
    heights = np.array([[0.0, 1.9, 2.0, 30.0, np.nan, -9999.0]], dtype=np.float32)
    path = write(tmp_path / "a.tif", heights, nodata=-9999.0)
    assert read_building_geotiff(path, kind="height").buildings.tolist() == [[False, False, True, True, False, False]]
    assert read_building_geotiff(path, kind="height", min_height_m=10.0).buildings.sum() == 1


def test_heights_are_no_mask(tmp_path):
    path = write(tmp_path / "a.tif", np.array([[0.0, 3.5, 7.0]], dtype=np.float32))
    with pytest.raises(FormatError, match=r"binary.*3 values: 0, 3.5, 7\. Heights are read with kind='height'"):
        read_building_geotiff(path)


def test_two_values_without_zero_are_no_mask(tmp_path, mask):
    with pytest.raises(FormatError, match="2 values: 1, 2"):
        read_building_geotiff(write(tmp_path / "a.tif", mask + np.uint8(1)))


def test_many_values_are_cut_short(tmp_path):
    with pytest.raises(FormatError, match=r"9 values: .*7, \.\.\."):
        read_building_geotiff(write(tmp_path / "a.tif", np.arange(9, dtype=np.uint8)[None]))


def test_several_bands(tmp_path, mask):
    with pytest.raises(FormatError, match="must have one band"):
        read_building_geotiff(write(tmp_path / "a.tif", mask, count=3))


def test_without_a_crs(tmp_path, mask):
    with pytest.raises(FormatError, match="must name its coordinate reference system"):
        read_building_geotiff(write(tmp_path / "a.tif", mask, crs=None))


def test_without_any_position(tmp_path, mask):
    from PIL import Image

    Image.fromarray(mask).save(tmp_path / "a.tif")
    with pytest.raises(FormatError, match="must name its coordinate reference system"):
        read_building_geotiff(tmp_path / "a.tif")


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263"])
def test_without_metres(tmp_path, mask, crs):
    with pytest.raises(FormatError, match=r"a\.tif: Grid\.crs must be .*gdalwarp"):
        read_building_geotiff(write(tmp_path / "a.tif", mask, crs=crs))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Affine(2.0, 0.1, 390_000.0, 0.0, -2.0, 5_820_000.0), "north-up"),
        (Affine(2.0, 0.0, 390_000.0, 0.1, -2.0, 5_820_000.0), "north-up"),
        (Affine(2.0, 0.0, 390_000.0, 0.0, 2.0, 5_820_000.0), "north-up"),
        (Affine(-2.0, 0.0, 390_000.0, 0.0, -2.0, 5_820_000.0), "north-up"),
        (Affine(2.0, 0.0, 390_000.0, 0.0, -2.002, 5_820_000.0), "square pixels; got .* 2 x 2.002"),
    ],
)
def test_rotated_flipped_oblong(tmp_path, mask, transform, message):
    with pytest.raises(FormatError, match=message):
        read_building_geotiff(write(tmp_path / "a.tif", mask, transform=transform))


def test_all_buildings(tmp_path):
    path = write(tmp_path / "a.tif", np.full((3, 4), 9.0, dtype=np.float32))
    with pytest.raises(SceneError, match="change the inversion"):
        read_building_geotiff(path)
    with pytest.raises(SceneError, match="Raise min_height_m"):
        read_building_geotiff(path, kind="height")


def test_too_large(tmp_path, mask, monkeypatch):
    monkeypatch.setattr(checks, "MAX_CELLS", 599)
    with pytest.raises(FormatError, match="at most 599 cells"):
        read_building_geotiff(write(tmp_path / "a.tif", mask))


@pytest.mark.parametrize("size", [3, 100, 500])
def test_damaged(tmp_path, mask, size):
    path = write(tmp_path / "a.tif", mask)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FormatError, match="readable by rasterio"):
        read_building_geotiff(path)


def test_settings_that_make_no_sense(tmp_path, mask):
    path = write(tmp_path / "a.tif", mask)
    with pytest.raises(FormatError, match="'mask' or 'height'; got 'roof'"):
        read_building_geotiff(path, kind="roof")
    with pytest.raises(FormatError, match="Only a mask can be inverted"):
        read_building_geotiff(path, kind="height", invert=True)
