import json

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation
from shapely import Polygon

from radiodiff.errors import FormatError, SceneError, TransmitterError
from radiodiff.formats import (
    CAR_PNG_SAMPLE_OFFSET,
    GAIN_SAMPLE_OFFSET,
    PNG_SAMPLE_OFFSET,
    RADIOMAPSEER_GRID,
    read_radiomapseer_polygons,
    read_radiomapseer_scene,
    read_radiomapseer_transmitters,
    write_antennas_json,
    write_mask_png,
    write_radiomapseer_polygons,
)
from radiodiff.formats.radiomapseer import load_radiomapseer_map, outlines_beside
from radiodiff.formats.radiomapseer_json import read_polygons_json
from radiodiff.scene import Footprint, Grid, rasterize

SQUARE = [[11, 21], [21, 21], [21, 41], [11, 41], [11, 21]]


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


@pytest.fixture
def root(tmp_path):
    """A map 7 with outlines and image, a map 8 with an image only, a map 9 with outlines only."""
    for folder in (
        "png/buildings_complete",
        "png/cars",
        "polygon/buildings_complete",
        "polygon/cars",
        "antenna",
    ):
        (tmp_path / folder).mkdir(parents=True)
    mask = np.zeros((256, 256), dtype=bool)
    mask[215:235, 10:20] = True
    for number in (7, 8):
        write_mask_png(tmp_path / f"png/buildings_complete/{number}.png", mask)
    for number in (7, 9):
        (tmp_path / f"polygon/buildings_complete/{number}.json").write_text(json.dumps([SQUARE]))
    write_mask_png(tmp_path / "png/cars/7.png", ~mask)
    (tmp_path / "polygon/cars/9.json").write_text(json.dumps([[[51, 61], [54, 61], [54, 66], [51, 66]]]))
    (tmp_path / "antenna/7.json").write_text("[[0, 255], [3, 10]]")
    return tmp_path


# The real data set.


def test_gain_rule_on_the_real_map(sample):
    scene = read_radiomapseer_polygons(sample / "polygon/buildings_complete/419.json")
    zero = np.all([pixels(sample / f"gain_thresholded/DPM/419_{tx}.png") == 0 for tx in range(4)], axis=0)
    near = binary_dilation(pixels(sample / "png/buildings_complete/419.png") > 0, iterations=3)
    assert ((scene.buildings != zero) & near).sum() == 45
    assert (scene.buildings & ~zero).sum() == 4


def test_png_rule_on_the_real_map(sample):
    layer = read_polygons_json(sample / "polygon/buildings_complete/419.json")
    drawn = rasterize(RADIOMAPSEER_GRID, [f.polygon for f in layer.footprints], sample_offset=PNG_SAMPLE_OFFSET)
    assert (drawn != (pixels(sample / "png/buildings_complete/419.png") > 0)).sum() == 3
    assert (layer.repaired, layer.dropped, len(layer.footprints)) == (0, 0, 32)


def test_transmitters_of_the_real_map(sample):
    cells = read_radiomapseer_transmitters(sample, 419)
    assert len(cells) == 80
    for tx in range(4):
        assert np.argwhere(pixels(sample / f"png/antennas/419_{tx}.png")).tolist() == [list(cells[tx][::-1])]


def test_the_real_folder(sample):
    scene = read_radiomapseer_scene(sample, 419, cars=True)
    assert scene.grid == RADIOMAPSEER_GRID
    assert len(scene.footprints) == 32
    drawn = rasterize(scene.grid, [f.polygon for f in scene.car_footprints], sample_offset=CAR_PNG_SAMPLE_OFFSET)
    assert np.array_equal(drawn, pixels(sample / "png/cars/419.png") > 0)


def test_the_real_polygons_survive_a_round_trip(sample, tmp_path):
    path = sample / "polygon/buildings_complete/419.json"
    scene = read_radiomapseer_polygons(path)
    write_radiomapseer_polygons(tmp_path / "a.json", scene.footprints, scene.grid)
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads(path.read_text())


# Conventions.


def test_a_vertex_is_a_cell_centre_of_the_gain(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([SQUARE]))
    scene = read_radiomapseer_polygons(tmp_path / "a.json")
    assert scene.footprints[0].polygon.bounds == (10.5, 215.5, 20.5, 235.5)
    rows, cols = np.nonzero(scene.buildings)
    # Left and lower side inside, right and upper side outside.
    assert (cols.min(), cols.max(), rows.min(), rows.max()) == (10, 19, 216, 235)
    drawn = rasterize(scene.grid, [scene.footprints[0].polygon], sample_offset=PNG_SAMPLE_OFFSET)
    rows, cols = np.nonzero(drawn)
    assert (cols.min(), cols.max(), rows.min(), rows.max()) == (10, 19, 216, 235)
    assert GAIN_SAMPLE_OFFSET == (0.0, 0.0)


def test_overlapping_outlines_make_one_union(tmp_path):
    shifted = [[x + 5, y] for x, y in SQUARE]
    (tmp_path / "a.json").write_text(json.dumps([SQUARE, shifted, SQUARE]))
    assert read_radiomapseer_polygons(tmp_path / "a.json").buildings.sum() == 15 * 20


def test_other_grids(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([SQUARE]))
    scene = read_radiomapseer_polygons(tmp_path / "a.json", grid=Grid(100, 50, 2.0))
    assert scene.footprints[0].polygon.bounds == (21.0, 119.0, 41.0, 159.0)


@pytest.mark.parametrize("grid", [RADIOMAPSEER_GRID, Grid(100, 80), Grid(64, 64, 0.7)])
def test_written_outlines_come_back(tmp_path, grid):
    generator = np.random.default_rng(3)
    corners = generator.uniform(0, 40, (20, 3, 2))
    footprints = [Footprint(Polygon(points)) for points in corners]
    write_radiomapseer_polygons(tmp_path / "a.json", footprints, grid)
    layer = read_polygons_json(tmp_path / "a.json", grid)
    assert layer.repaired == 0
    for before, after in zip(footprints, layer.footprints, strict=True):
        before, after = before.polygon.exterior.coords, after.polygon.exterior.coords
        assert np.abs(np.array(before) - np.array(after)).max() < 1e-9


def test_courtyards_survive(tmp_path):
    shape = Polygon(
        [(5, 5), (60, 5), (60, 40), (5, 40)],
        [[(10, 10), (20, 10), (20, 20), (10, 20)], [(30, 12), (50, 12), (50, 30), (30, 30)]],
    )
    write_radiomapseer_polygons(tmp_path / "a.json", [Footprint(shape)], RADIOMAPSEER_GRID)
    layer = read_polygons_json(tmp_path / "a.json")
    assert len(layer.footprints) == 1
    assert layer.footprints[0].polygon.symmetric_difference(shape).area < 1e-9
    assert len(layer.footprints[0].polygon.interiors) == 2


def test_antennas(tmp_path, root):
    assert read_radiomapseer_transmitters(root, 7) == [(0, 0), (3, 245)]
    assert read_radiomapseer_transmitters(root / "antenna/7.json", rows=300) == [(0, 44), (3, 289)]
    grid = Grid(300, 200)
    write_antennas_json(tmp_path / "a.json", [(np.int64(0), np.int64(44)), (199, 299)], grid)
    assert json.loads((tmp_path / "a.json").read_text()) == [[0, 255], [199, 0]]
    assert read_radiomapseer_transmitters(tmp_path / "a.json", rows=300) == [(0, 44), (199, 299)]


@pytest.mark.parametrize("cell", [(200, 0), (0, 300), (-1, 0), (0, -1)])
def test_antennas_off_the_grid_are_not_written(tmp_path, cell):
    with pytest.raises(TransmitterError, match=r"columns 0..199, rows 0..299"):
        write_antennas_json(tmp_path / "a.json", [cell], Grid(300, 200))


# The folder.


def test_outlines_come_before_the_image(root):
    found = load_radiomapseer_map(root, 7)
    assert len(found.scene.footprints) == 1
    assert found.notes == ("1 building outlines.",)
    assert found.scene.source == "RadioMapSeer map 7, buildings complete"
    assert read_radiomapseer_scene(root, 9).buildings.sum() == 200


def test_the_image_where_there_are_no_outlines(root):
    found = load_radiomapseer_map(root, 8)
    assert "half a cell" in found.notes[0]
    scene = found.scene
    drawn = rasterize(scene.grid, [f.polygon for f in scene.footprints], sample_offset=PNG_SAMPLE_OFFSET)
    assert np.array_equal(drawn, pixels(root / "png/buildings_complete/8.png") > 0)


def test_the_image_gives_the_size(root):
    write_mask_png(root / "png/buildings_complete/7.png", np.zeros((300, 100), dtype=bool))
    scene = read_radiomapseer_scene(root, 7)
    assert scene.grid == Grid(300, 100)
    assert scene.footprints[0].polygon.bounds[3] == 300.5 - 21


def test_a_damaged_image_beside_outlines(root):
    (root / "png/buildings_complete/7.png").write_bytes(b"\x89PNG")
    with pytest.raises(FormatError, match="readable by Pillow"):
        read_radiomapseer_scene(root, 7)


def test_cars_from_image_or_outlines(root):
    assert read_radiomapseer_scene(root, 7).cars is None
    scene = read_radiomapseer_scene(root, 7, cars=True)
    drawn = rasterize(scene.grid, [f.polygon for f in scene.car_footprints], sample_offset=CAR_PNG_SAMPLE_OFFSET)
    assert np.array_equal(drawn, pixels(root / "png/cars/7.png") > 0)
    found = load_radiomapseer_map(root, 9, cars=True)
    assert found.scene.cars.sum() == 15
    assert len(found.scene.car_footprints) == 1
    assert "1 car outlines." in found.notes


def test_cars_that_are_not_there(root):
    with pytest.raises(FormatError, match="Map 8 must have cars"):
        read_radiomapseer_scene(root, 8, cars=True)


def test_missing_buildings(root):
    folder = root / "png/buildings_missing2/5"
    folder.mkdir(parents=True)
    write_mask_png(folder / "7.png", np.zeros((256, 256), dtype=bool))
    assert read_radiomapseer_scene(root, 7, buildings="missing2/5").coverage == 0.0
    with pytest.raises(FormatError, match=r"building layer must be .* 'missing5/1'"):
        read_radiomapseer_scene(root, 7, buildings="missing5/1")


def test_a_map_that_is_not_there(root):
    with pytest.raises(FormatError, match="Map 12 must be in the RadioMapSeer folder"):
        read_radiomapseer_scene(root, 12)


@pytest.mark.parametrize("map_id", [None, -1])
def test_a_folder_needs_a_map_number(root, map_id):
    with pytest.raises(FormatError, match="number of a map"):
        load_radiomapseer_map(root, map_id)
    with pytest.raises(FormatError, match="number of a map"):
        read_radiomapseer_transmitters(root, map_id)


def test_outlines_beside_an_image(root):
    assert outlines_beside(root / "png/buildings_complete/7.png") == root / "polygon/buildings_complete/7.json"
    assert outlines_beside(root / "png/buildings_complete/8.png") is None
    assert outlines_beside(root / "7.png") is None


# Bad files.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[[[1, 2], [3", "must hold JSON"),
        ('{"type": "x"}', "which holds dict"),
        ("[[1, 2], [3, 4]]", "polygon 0"),
        ("[[[1, 2], [3, 4, 5], [6, 7]]]", "polygon 0"),
        ('[[[1, 2], [3, "a"], [6, 7]]]', "polygon 0"),
        ("[[[1, 2], [3, NaN], [6, 7]]]", "not finite"),
        ("[3]", "which holds int"),
    ],
)
def test_bad_polygon_files(tmp_path, content, message):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FormatError, match=message):
        read_radiomapseer_polygons(tmp_path / "a.json")


@pytest.mark.parametrize("content", ["{}", "[[1.5, 2]]", "[[1]]", "[[1, Infinity]]", "null"])
def test_bad_antenna_files(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FormatError, match="antenna file of RadioMapSeer"):
        read_radiomapseer_transmitters(tmp_path / "a.json")


def test_crossed_and_flat_outlines_are_counted(tmp_path):
    crossed = [[10, 10], [30, 30], [30, 10], [10, 30]]
    flat = [[1, 1], [5, 5], [9, 9]]
    (tmp_path / "a.json").write_text(json.dumps([crossed, flat, [[1, 1], [2, 2]], [], SQUARE]))
    layer = read_polygons_json(tmp_path / "a.json")
    assert (len(layer.footprints), layer.repaired, layer.dropped) == (3, 1, 3)


def test_counts_are_told(root):
    crossed = [[10, 10], [30, 30], [30, 10], [10, 30]]
    (root / "polygon/buildings_complete/7.json").write_text(json.dumps([crossed, []]))
    notes = load_radiomapseer_map(root, 7).notes
    assert notes[0] == "2 building outlines."
    assert notes[1].startswith("1 building outlines touched or crossed")
    assert notes[2].startswith("1 building outlines without an area")


def test_a_map_without_free_cells_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([[[-9, -9], [300, -9], [300, 300], [-9, 300]]]))
    with pytest.raises(SceneError, match="all 65,536 cells are indoors"):
        read_radiomapseer_polygons(tmp_path / "a.json")
