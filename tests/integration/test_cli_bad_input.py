"""What `radiodiff simulate` refuses: one paragraph, exit code 2, and a folder as it was."""

import json
import shutil
import struct
import warnings
import zlib
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from shapely import box

from command_line import Run, tree
from engine_cases import town
from radiodiff.formats import write_mask_png

TOWN = town(with_footprints=True)
UTM = "EPSG:32633"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files, and a file for every way to be bad."""
    folder = tmp_path_factory.mktemp("template")
    write_mask_png(folder / "town.png", TOWN.buildings)
    _write_bad_images(folder)
    _write_bad_layers(folder)
    _write_bad_radiomapseer(folder / "seer")
    (folder / "a_folder.npz").mkdir()
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """The working folder, a copy of the template."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _write_bad_images(folder: Path) -> None:
    grey = np.where(TOWN.buildings, 255, 0).astype(np.uint8)
    (folder / "empty.png").touch()
    (folder / "noise.png").write_bytes(np.random.default_rng(0).bytes(500))
    (folder / "cut.png").write_bytes((folder / "town.png").read_bytes()[:-30])
    (folder / "town.dwg").write_text("AC1027")
    Image.fromarray(np.where(TOWN.buildings, 255, np.arange(36) * 7).astype(np.uint8)).save(folder / "levels.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "deep.png")
    Image.fromarray(np.stack([grey] * 3, axis=2)).save(folder / "colour.png")
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / "full.png")
    # A header is enough: 9000 x 9000 pixels are refused before they are unpacked.
    header = struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    (folder / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )


def _write_bad_layers(folder: Path) -> None:
    metres = geopandas.GeoDataFrame(geometry=[box(390_000, 5_820_000, 390_020, 5_820_030)], crs=UTM)
    metres.to_file(folder / "good.geojson")
    for name in ("buildings", "trees"):
        metres.to_file(folder / "two.gpkg", layer=name)
    with warnings.catch_warnings():
        # pyogrio and rasterio say that a file without a CRS is of little use: that is its purpose here.
        warnings.simplefilter("ignore")
        metres.set_crs(None, allow_override=True).to_file(folder / "no_crs.gpkg")
    (folder / "broken.geojson").write_text('{"type": "FeatureCollection", "features": [')
    geopandas.GeoDataFrame(geometry=metres.centroid, crs=UTM).to_file(folder / "points.geojson")
    feature = {"type": "Feature", "properties": {}, "geometry": metres.geometry[0].__geo_interface__}
    (folder / "metres.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    profile = {"driver": "GTiff", "height": 8, "width": 8, "count": 1, "dtype": "uint8"}
    mask = np.zeros((8, 8), np.uint8)
    mask[2:4] = 1
    for name, crs, cell in (("no_crs", None, 1.0), ("degrees", "EPSG:4326", 1e-5), ("feet", "EPSG:2263", 1.0)):
        transform = Affine(cell, 0.0, 10.0, 0.0, -cell, 50.0)
        with rasterio.open(folder / f"{name}.tif", "w", crs=crs, transform=transform, **profile) as raster:
            raster.write(mask, 1)


def _write_bad_radiomapseer(root: Path) -> None:
    for part in ("png/buildings_complete", "png/cars"):
        (root / part).mkdir(parents=True)
    for map_id in (7, 8):
        write_mask_png(root / f"png/buildings_complete/{map_id}.png", TOWN.buildings)
    write_mask_png(root / "png/cars/7.png", TOWN.buildings[:20])


IMAGES = {
    "absent": (["--buildings", "absent.png"], ["must exist", "absent.png", "Check the path"]),
    "empty": (["--buildings", "empty.png"], ["must not be empty", "0 bytes", "again"]),
    "noise": (["--buildings", "noise.png"], ["readable", "noise.png", "damaged"]),
    "cut short": (["--buildings", "cut.png"], ["readable", "cut.png", "cut short"]),
    "three levels": (["--buildings", "levels.png"], ["binary", "37 levels", "threshold"]),
    "16 bits": (["--buildings", "deep.png"], ["8-bit grey", "16 or 32 bits per pixel", "threshold"]),
    "colours": (["--buildings", "colour.png"], ["8-bit grey", "mode RGB", "convert('L')"]),
    "too large": (["--buildings", "huge.png"], ["at most 64,000,000 cells", "9,000 x 9,000", "Read a part"]),
    "all indoors": (["--buildings", "full.png"], ["at least one cell", "all 64 cells", "--invert"]),
    "unknown suffix": (["--buildings", "town.dwg"], ["must be a RadioMapSeer folder or end in .png", "town.dwg"]),
    "cars of another size": (
        ["--buildings", "seer", "--map-id", 7, "--cars", "seer"],
        ["cars/7.png", "20 x 36", "28 x 36"],
    ),
    "no cars": (
        ["--buildings", "seer", "--map-id", 8, "--cars", "seer"],
        ["must have cars", "cars/8.png", "without cars"],
    ),
    "no map number": (["--buildings", "seer"], ["needs the number of a map", "map_id=None"]),
    "no such map": (["--buildings", "seer", "--map-id", 9], ["Map 9 must be in", "9.png"]),
    "negative map number": (["--buildings", "seer", "--map-id", -1], ["0 or above", "map_id=-1"]),
}

LAYERS = {
    "no CRS": (["--buildings", "no_crs.gpkg"], ["coordinate reference system", "no_crs.gpkg", "--source-crs"]),
    "raster without CRS": (["--buildings", "no_crs.tif"], ["coordinate reference system", "no_crs.tif"]),
    "raster in degrees": (["--buildings", "degrees.tif"], ["must be projected", "EPSG:4326", "UTM"]),
    "raster in feet": (["--buildings", "feet.tif"], ["must be in metres", "EPSG:2263", "ftUS", "UTM"]),
    "metres said to be degrees": (["--buildings", "metres.geojson"], ["must be degrees", "390000", "--source-crs"]),
    "target in degrees": (
        ["--buildings", "good.geojson", "--target-crs", "EPSG:4326"],
        ["must be projected", "EPSG:4326", "UTM"],
    ),
    "unknown target": (["--buildings", "good.geojson", "--target-crs", "EPSG:1"], ["pyproj knows", "EPSG:1"]),
    "unknown source": (["--buildings", "good.geojson", "--source-crs", "x"], ["pyproj knows", "'x'"]),
    "damaged layer": (["--buildings", "broken.geojson"], ["readable by GeoPandas", "broken.geojson"]),
    "points": (["--buildings", "points.geojson"], ["must hold polygons", "points.geojson", "layer of building"]),
    "two layers": (["--buildings", "two.gpkg"], ["name of one", "buildings, trees", "--layer"]),
    "no such layer": (["--buildings", "two.gpkg", "--layer", "roofs"], ["'roofs'", "buildings, trees"]),
    "only buildings": (["--buildings", "good.geojson"], ["at least one cell", "all 600 cells", "--margin"]),
    "option of another format": (["--buildings", "good.geojson", "--invert"], ["these options only", "invert for"]),
    "unknown raster kind": (["--buildings", "no_crs.tif", "--raster-kind", "roof"], ["'mask' or 'height'", "'roof'"]),
}

TRANSMITTERS = {
    "off the grid": (["--tx", "36,5"], ["columns 0..35, rows 0..27", "column 36, row 5", "column first"]),
    "above the grid": (["--tx", "5,-1"], ["on the grid", "row -1"]),
    "not a number": (["--tx", "nan,5"], ["on the grid", "column nan"]),
    "infinite": (["--tx", "inf,5"], ["on the grid", "column inf"]),
    "indoors": (["--tx", "3,5"], ["outside the buildings", "column 3, row 5", "free cell"]),
    "one number": (["--tx", "5"], ["two numbers with a comma", "'5'", "--tx 120,80"]),
    "three numbers": (["--tx", "5,6,7"], ["two numbers", "'5,6,7'"]),
    "words": (["--tx", "left,top"], ["two numbers", "'left,top'"]),
    "nothing": (["--tx", ""], ["two numbers", "''"]),
    "the second indoors": (["--tx", "11,13", "--tx", "3,5"], ["outside the buildings", "column 3, row 5"]),
    "the second unreadable": (["--tx", "11,13", "--tx", "11;13"], ["two numbers", "'11;13'"]),
    "latitude first": (
        ["--buildings", "good.geojson", "--margin", 9, "--tx", "52.5,13.4", "--tx-crs", "EPSG:4326"],
        ["stand on the map", "52.5, 13.4 in EPSG:4326", "longitude"],
    ),
    "bounds that are no numbers": (
        ["--buildings", "good.geojson", "--bounds", "1,2,3"],
        ["--bounds must be four numbers", "1,2,3", "metric CRS"],
    ),
    "a CRS where the grid has none": (["--tx", "11,13", "--tx-crs", UTM], ["needs a grid with a CRS", UTM, "cells"]),
    "height not a number": (["--tx", "11,13", "--tx-height", "nan"], ["height_m", "above 0", "nan", "metres"]),
    "no height": (["--tx", "11,13", "--tx-height", 0], ["height_m", "above 0", "0"]),
    "negative carrier": (["--tx", "11,13", "--frequency", -1], ["frequency_hz", "at least 1e+06", "-1", "hertz"]),
}

OPTIONS = {
    "cell size not a number": (["--cell-size", "nan"], ["cell_size_m", "above 0", "nan", "metres"]),
    "negative cell size": (["--cell-size", "-1"], ["cell_size_m", "above 0", "-1"]),
    "no cell size": (["--cell-size", "0"], ["cell_size_m", "above 0"]),
    "infinite cell size": (["--cell-size", "inf"], ["cell_size_m", "finite", "inf"]),
    "negative margin": (["--margin", "-2"], ["margin_m", "at least 0", "-2"]),
    "misspelt engine": (["--engine", "dominant-pth"], ["An engine must be", "Did you mean 'dominant-path'?"]),
    "unknown engine": (["--engine", "raytracing3"], ["An engine must be one of dominant-path, free-space"]),
    "unknown grey scale": (["--grey", "log", "--out", "out.png"], ["raw or thresholded", "--grey log"]),
    "grey scale without grey": (["--grey", "raw"], ["goes with a .png", "--out out.npz", "Leave it out"]),
    "unknown output": (["--out", "out.jpg"], ["must end in .npz, .png, .tif", "out.jpg"]),
    "no suffix": (["--out", "out"], ["must end in .npz", "got out."]),
    "unknown figure": (["--plot", "out.jpg"], ["must end in .png, .pdf or .svg", "out.jpg"]),
    "no such output folder": (["--out", "absent/out.npz"], ["must exist", "absent/out.npz", "mkdir -p absent"]),
    "no such figure folder": (["--plot", "absent/out.png"], ["must exist", "absent/out.png", "mkdir -p absent"]),
    "an output that is a folder": (["--out", "a_folder.npz"], ["must not be a folder", "a_folder.npz"]),
    "an output over the input": (["--out", "town.png"], ["different files", "town.png", "another name"]),
    "a figure over the output": (["--out", "a.png", "--plot", "./a.png"], ["different files", "a.png"]),
    "a name too long": (["--out", "a" * 300 + ".npz"], ["File name too long"]),
}

GOOD = {"--buildings": "town.png", "--tx": "11,13", "--out": "out.npz"}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [pytest.param(*case, id=name) for cases in (IMAGES, LAYERS, TRANSMITTERS, OPTIONS) for name, case in cases.items()],
)
def test_bad_input_leaves_one_paragraph_and_no_file(
    radiodiff: Run, folder: Path, arguments: list, parts: list[str]
) -> None:
    before = tree(folder)
    rest = [part for option, value in GOOD.items() if option not in arguments for part in (option, value)]
    radiodiff("simulate", *arguments, *rest).check_refusal(*parts)
    assert tree(folder) == before


def test_in_a_process_of_its_own(radiodiff_process: Run, folder: Path) -> None:
    before = tree(folder)
    outcome = radiodiff_process("simulate", "--buildings", "town.png", "--tx", "11,13", "--tx", "3,5", "--out", "o.tif")
    outcome.check_refusal("outside the buildings", "column 3, row 5")
    assert tree(folder) == before


def test_a_full_disk_leaves_no_part_of_a_file(radiodiff_process: Run, folder: Path) -> None:
    before = tree(folder)
    outcome = radiodiff_process(
        *("simulate", "--buildings", "town.png", "--tx", "11,13", "--engine", "free-space", "--out", "out.npz"),
        shell="ulimit -f 0",  # No file may grow: as near to a full disk as every machine comes.
    )
    outcome.check_refusal("must be writable", "out.npz", "free space on the disk")
    assert tree(folder) == before


def test_an_old_output_survives_a_refusal(radiodiff: Run, folder: Path) -> None:
    (folder / "out.npz").write_text("earlier work")
    radiodiff("simulate", "--buildings", "town.png", "--tx", "3,5", "--out", "out.npz").check_refusal()
    assert (folder / "out.npz").read_text() == "earlier work"
