import json
import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from PIL import Image

from radiodiff.errors import FormatError
from radiodiff.formats import check_radio_map_path, read_radio_map, write_radio_map
from radiodiff.grey_scale import RADIOMAPSEER_GREY, GreyScale
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Antenna, Grid, IsotropicAntenna, Scene, SectorAntenna, TableAntenna, Transmitter


def same_facts(a, b):
    return (a.grid, a.tx, a.producer, a.meta) == (b.grid, b.tx, b.producer, b.meta)


@pytest.fixture(params=["utm_map", "plain_map"])
def radio_map(request):
    return request.getfixturevalue(request.param)


# All formats.


@pytest.mark.parametrize("suffix", [".npz", ".tif", ".TIFF"])
def test_exact_round_trip(tmp_path, radio_map, suffix):
    write_radio_map(radio_map, tmp_path / f"a{suffix}")
    back = read_radio_map(tmp_path / f"a{suffix}")
    assert np.array_equal(back.path_loss_db, radio_map.path_loss_db, equal_nan=True)
    assert back.path_loss_db.dtype == np.float32
    assert same_facts(back, radio_map)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize(
    "antenna",
    [IsotropicAntenna(), SectorAntenna(90.0, 25.0), TableAntenna(tuple(np.linspace(0, -9, 360).tolist()))],
)
@pytest.mark.parametrize("suffix", [".npz", ".tif", ".png"])
def test_antennas_come_back(tmp_path, plain_map, antenna, suffix):
    tx = Transmitter(1.5, 2.5, 10.0, 3.5e9, 40.0, antenna, 120.0)
    write_radio_map(replace(plain_map, tx=tx), tmp_path / f"a{suffix}")
    assert read_radio_map(tmp_path / f"a{suffix}").tx == tx


@pytest.mark.parametrize("suffix", [".npz", ".tif", ".png"])
def test_without_a_transmitter(tmp_path, plain_map, suffix):
    write_radio_map(replace(plain_map, tx=None), tmp_path / f"a{suffix}")
    assert read_radio_map(tmp_path / f"a{suffix}").tx is None


@pytest.mark.parametrize("suffix", [".npz", ".tif", ".png"])
def test_numpy_numbers_are_numbers(tmp_path, suffix):
    radio_map = RadioMap(
        np.zeros((2, 3), np.float32), Grid(np.int64(2), np.int64(3)), Transmitter(np.float32(1.5), 1), "x",
        meta={"n": np.float32(0.5)},
    )  # fmt: skip
    write_radio_map(radio_map, tmp_path / f"a{suffix}")
    assert same_facts(read_radio_map(tmp_path / f"a{suffix}"), radio_map)


@pytest.mark.parametrize("suffix", [".npz", ".tif", ".png"])
@pytest.mark.parametrize("bad", [float("nan"), {1, 2}, object()])
def test_meta_must_be_json_and_nothing_is_left(tmp_path, plain_map, suffix, bad):
    with pytest.raises(FormatError, match="JSON types only"):
        write_radio_map(replace(plain_map, meta={"a": bad}), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_an_antenna_of_its_own_class(tmp_path, plain_map):
    @dataclass(frozen=True)
    class Odd(Antenna):
        def relative_gain_db(self, offset_deg):
            return np.zeros_like(offset_deg)

    with pytest.raises(FormatError, match="isotropic, sector, table; got Odd"):
        write_radio_map(replace(plain_map, tx=Transmitter(1, 1, antenna=Odd())), tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.npy"])
def test_unknown_suffix(tmp_path, plain_map, name):
    with pytest.raises(FormatError, match=r"must end in \.npz, \.png"):
        write_radio_map(plain_map, tmp_path / name)
    (tmp_path / name).write_text("x")
    with pytest.raises(FormatError, match=r"can be read from \.npz"):
        read_radio_map(tmp_path / name)


def test_missing_folder(tmp_path):
    with pytest.raises(FormatError, match="folder of an output file must exist"):
        check_radio_map_path(tmp_path / "absent" / "a.npz")
    assert check_radio_map_path(tmp_path / "a.npz") == tmp_path / "a.npz"


def test_missing_file(tmp_path):
    with pytest.raises(FormatError, match="must exist"):
        read_radio_map(tmp_path / "a.npz")


@pytest.mark.parametrize("suffix", [".npz", ".tif", ".png"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated(tmp_path, plain_map, suffix, share):
    path = tmp_path / f"a{suffix}"
    write_radio_map(plain_map, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError, match="must"):
        read_radio_map(path)


@pytest.mark.parametrize("suffix", [".npz", ".tif", ".csv"])
def test_grey_is_for_png(tmp_path, plain_map, suffix):
    for options in ({"thresholded": False}, {"grey_scale": RADIOMAPSEER_GREY}):
        with pytest.raises(FormatError, match=r"applies to \.png files only"):
            write_radio_map(plain_map, tmp_path / f"a{suffix}", **options)
    write_radio_map(plain_map, tmp_path / f"a{suffix}")
    with pytest.raises(FormatError, match=r"applies to \.png files only"):
        read_radio_map(tmp_path / f"a{suffix}", thresholded=True)


# npz


def test_npz_as_numpy_reads_it(tmp_path, utm_map):
    scene = Scene(utm_map.grid, np.isnan(utm_map.path_loss_db), source="city.gpkg")
    write_radio_map(replace(utm_map, scene=scene), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert set(archive) == {"path_loss_db", "meta"}
        assert archive["path_loss_db"].dtype == np.float32
        assert np.isnan(archive["path_loss_db"][5:9, 10:20]).all()
        meta = json.loads(str(archive["meta"]))
    assert meta["version"] == 1
    assert meta["grid"] == {
        "rows": 30, "cols": 40, "cell_size_m": 2.0, "crs": "EPSG:32633", "origin_x": 390e3, "origin_y": 5820e3
    }  # fmt: skip
    assert meta["tx"]["x_m"] == 7.5
    assert meta["tx"]["antenna"] == {"kind": "isotropic"}
    assert meta["producer"] == "test"
    assert meta["units"]["path_loss_db"] == "dB"
    assert meta["scene"] == "city.gpkg"
    assert meta["meta"] == {"seed": 0, "tags": ["a"]}


@pytest.mark.parametrize(
    "arrays",
    [
        {"path_loss_db": np.zeros((2, 2), np.float32)},
        {"meta": np.array("{}")},
        {"path_loss_db": np.array([[object()]]), "meta": np.array("{}")},
    ],
)
def test_other_npz(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FormatError, match="must hold path_loss_db and meta"):
        read_radio_map(tmp_path / "a.npz")


def test_npz_that_is_none(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(FormatError, match="must hold path_loss_db and meta"):
        read_radio_map(tmp_path / "a.npz")


def damage(header, change):
    header = dict(header)
    change(header)
    return json.dumps(header)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(version=2), "must be 1; got .* of version 2"),
        (lambda h: h.pop("version"), "header is damaged"),
        (lambda h: h.pop("tx"), "must fit together.*tx"),
        (lambda h: h["grid"].update(rows=31), "must fit together.*31 x 40"),
        (lambda h: h["grid"].update(depth=1), "must fit together.*depth"),
        (lambda h: h["grid"].update(cell_size_m=-1), "must fit together.*cell_size_m"),
        (lambda h: h["tx"].update(antenna={"kind": "dish"}), "must fit together.*dish"),
    ],
)
def test_damaged_headers(tmp_path, plain_map, change, message):
    write_radio_map(plain_map, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        values, header = archive["path_loss_db"], json.loads(str(archive["meta"]))
    np.savez(tmp_path / "b.npz", path_loss_db=values, meta=np.array(damage(header, change)))
    with pytest.raises(FormatError, match=message):
        read_radio_map(tmp_path / "b.npz")


# png


@pytest.mark.parametrize("thresholded", [None, False, True])
def test_png_within_half_a_grey_level(tmp_path, radio_map, thresholded):
    write_radio_map(radio_map, tmp_path / "a.png", thresholded=thresholded)
    back = read_radio_map(tmp_path / "a.png")
    assert same_facts(back, radio_map)
    step_db = RADIOMAPSEER_GREY.step_db(thresholded=bool(thresholded))
    inside = RADIOMAPSEER_GREY.to_grey(radio_map.path_loss_db, thresholded=bool(thresholded)) > 0
    error = np.abs(back.path_loss_db - radio_map.path_loss_db)[inside]
    assert error.max() <= step_db / 2 + 1e-4
    assert np.array_equal(back.has_value, inside)


def test_png_as_pillow_reads_it(tmp_path, plain_map):
    write_radio_map(plain_map, tmp_path / "a.png", thresholded=True)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.array(image), RADIOMAPSEER_GREY.to_grey(plain_map.path_loss_db, thresholded=True))
        header = json.loads(image.text["radiodiff"])
    assert header["grey"] == {
        "scale": "thresholded", "min_gain_db": -147.0, "max_gain_db": -47.84, "threshold": 0.2
    }  # fmt: skip
    assert header["tx"]["y_m"] == 3.25


def test_png_on_another_window(tmp_path, plain_map):
    scale = GreyScale(-160.0, -40.0, 0.1)
    write_radio_map(plain_map, tmp_path / "a.png", grey_scale=scale)
    back = read_radio_map(tmp_path / "a.png", thresholded=False, grey_scale=scale)
    assert np.nanmax(np.abs(back.path_loss_db - plain_map.path_loss_db)) <= 120.0 / 255 / 2 + 1e-4


def test_png_that_says_nothing(tmp_path):
    Image.fromarray(np.array([[0, 51, 255]], dtype=np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"only when its scale is said.*thresholded=False"):
        read_radio_map(tmp_path / "a.png")
    raw = read_radio_map(tmp_path / "a.png", thresholded=False)
    assert np.isnan(raw.path_loss_db[0, 0])
    # Source of the numbers: the window of RadioMapSeer, -47.84 dB at 255 and -127.168 dB at 0.2 * 255.
    assert raw.path_loss_db[0, 1:] == pytest.approx([127.168, 47.84], abs=1e-3)
    assert (raw.tx, raw.grid) == (None, Grid(1, 3))
    assert raw.producer == "a.png, read as raw grey"
    other = read_radio_map(tmp_path / "a.png", thresholded=True, grey_scale=GreyScale(-100.0, 0.0, 0.5))
    assert other.path_loss_db[0, 1:] == pytest.approx([40.0, 0.0], abs=1e-3)


def test_png_of_the_real_data_set(sample):
    gain = read_radio_map(sample / "gain_thresholded/DPM/419_0.png", thresholded=True)
    assert gain.grid == Grid(256, 256)
    assert np.nanmin(gain.path_loss_db) == pytest.approx(47.84, abs=1e-3)
    assert np.unravel_index(np.nanargmin(gain.path_loss_db), (256, 256)) == (142, 166)
    with Image.open(sample / "gain_thresholded/DPM/419_0.png") as image:
        assert np.array_equal(~gain.has_value, np.array(image) == 0)


@pytest.mark.parametrize("options", [{"thresholded": True}, {"grey_scale": GreyScale(-160.0, -40.0)}])
def test_png_that_says_something_else(tmp_path, plain_map, options):
    write_radio_map(plain_map, tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"must be the one it names; got .*says raw"):
        read_radio_map(tmp_path / "a.png", **options)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.pop("grey"),
        lambda h: h["grey"].update(scale="log"),
        lambda h: h["grey"].update(threshold=1.5),
        lambda h: h["grey"].update(gamma=2),
    ],
)
def test_png_with_a_damaged_scale(tmp_path, plain_map, change):
    from radiodiff.formats import write_grey_png

    write_radio_map(plain_map, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        grey, header = np.array(image), json.loads(image.text["radiodiff"])
    write_grey_png(tmp_path / "b.png", grey, text={"radiodiff": damage(header, change)})
    with pytest.raises(FormatError, match="must say its grey scale"):
        read_radio_map(tmp_path / "b.png")


# tif


def test_geotiff_as_rasterio_opens_it(tmp_path, utm_map):
    write_radio_map(utm_map, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert tuple(raster.bounds) == (390_000.0, 5_819_940.0, 390_080.0, 5_820_000.0)
        assert tuple(raster.bounds) == utm_map.grid.bounds
        assert raster.transform == utm_map.grid.transform
        assert raster.crs.to_epsg() == 32633
        assert raster.dtypes == ("float32",)
        assert np.isnan(raster.nodata)
        assert raster.descriptions == ("path_loss_db",)
        assert raster.units == ("dB",)
        assert raster.compression.name == "deflate"
        assert np.array_equal(raster.read(1), utm_map.path_loss_db, equal_nan=True)
        assert np.array_equal(raster.read(1, masked=True).mask, ~utm_map.has_value)
        # Any program finds the value of a map coordinate where RadioMap.at finds it.
        assert next(raster.sample([(390_031.0, 5_819_975.0)]))[0] == utm_map.at(390_031.0, 5_819_975.0)
        assert json.loads(raster.tags()["radiodiff"])["producer"] == "test"


def test_geotiff_without_a_crs(tmp_path, plain_map):
    write_radio_map(plain_map, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert raster.crs is None
        assert tuple(raster.bounds) == (0.0, 0.0, 40.0, 30.0) == plain_map.grid.bounds
        assert raster.transform.e == -1.0


def test_geotiff_at_the_origin_of_its_crs(tmp_path, plain_map):
    radio_map = replace(plain_map, grid=Grid(30, 40, 1.0, "EPSG:32633"))
    write_radio_map(radio_map, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert tuple(raster.bounds) == (0.0, -30.0, 40.0, 0.0)
    assert read_radio_map(tmp_path / "a.tif").grid == radio_map.grid


def test_geotiff_in_a_crs_without_a_number(tmp_path, utm_map):
    crs = "+proj=laea +lat_0=52 +lon_0=13 +datum=WGS84 +units=m"
    radio_map = replace(utm_map, grid=replace(utm_map.grid, crs=crs, origin_x=100.0, origin_y=200.0))
    write_radio_map(radio_map, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert raster.crs.to_dict()["proj"] == "laea"
    assert read_radio_map(tmp_path / "a.tif").grid == radio_map.grid


def test_geotiff_of_another_program(tmp_path, utm_map):
    profile = {"height": 3, "width": 3, "count": 1, "dtype": "float32", "transform": utm_map.grid.transform}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", **profile) as raster:
        raster.write(np.zeros((3, 3), np.float32), 1)
    with pytest.raises(FormatError, match="header is absent"):
        read_radio_map(tmp_path / "a.tif")


def test_geotiff_moved_since(tmp_path, utm_map):
    write_radio_map(utm_map, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif", "r+") as raster:
        raster.transform = Affine(2.0, 0.0, 390_006.0, 0.0, -2.0, 5_820_000.0)
    with pytest.raises(FormatError, match="must lie where its header says"):
        read_radio_map(tmp_path / "a.tif")


# csv


def test_csv_as_pandas_reads_it(tmp_path, radio_map):
    write_radio_map(radio_map, tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns) == ["x", "y", "row", "col", "path_loss_db"]
    assert len(table) == radio_map.has_value.sum()
    values = np.full(radio_map.grid.shape, np.nan)
    values[table["row"], table["col"]] = table["path_loss_db"]
    assert np.allclose(values, radio_map.path_loss_db, atol=6e-5, equal_nan=True)
    x, y = radio_map.grid.cells_to_map(table["col"] + 0.5, table["row"] + 0.5)
    assert np.array_equal(table["x"], x)
    assert np.array_equal(table["y"], y)


def test_csv_has_no_way_back(tmp_path, plain_map):
    write_radio_map(plain_map, tmp_path / "a.csv")
    with pytest.raises(FormatError, match="holds no grid"):
        read_radio_map(tmp_path / "a.csv")


def test_csv_of_a_whole_map_is_fast(tmp_path):
    radio_map = RadioMap(np.full((256, 256), 93.25, np.float32), Grid(256, 256), None, "test")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        write_radio_map(radio_map, tmp_path / "a.csv")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3
