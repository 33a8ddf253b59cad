"""`radiodiff simulate` as a user runs it: every form of input and output."""

import csv
import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from shapely import Polygon
from shapely.affinity import affine_transform

from command_line import Run
from engine_cases import FREE_CELLS, EngineCase, town
from radiodiff.formats import RADIOMAPSEER_GRID, write_mask_png, write_radiomapseer_polygons
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation import ENGINES, PRESETS, DominantPath
from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.scene import Scene, Transmitter

OUTLINES, RASTER = town(with_footprints=True), town(with_footprints=False)
ROWS, COLS = OUTLINES.grid.shape
CELL = FREE_CELLS[0]
TX = f"{CELL[0]},{CELL[1]}"
UTM = "EPSG:32633"
WEST, NORTH = 390_000.0, 5_820_000.0
UTM_TX = f"{WEST + CELL[0] + 0.5},{NORTH - CELL[1] - 0.5}"

# The buildings leave this much free on two sides; as a margin it makes the grid of a layer start where the town does.
MARGIN = 2


def town_layer() -> geopandas.GeoDataFrame:
    """The town's outlines in UTM, the top left corner of the grid at (WEST, NORTH)."""
    outlines = [affine_transform(f.polygon, (1, 0, 0, -1, WEST, NORTH)) for f in OUTLINES.footprints or ()]
    return geopandas.GeoDataFrame({"height": [10.0 + i for i in range(len(outlines))]}, geometry=outlines, crs=UTM)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """The town in every form, in a folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_mask_png(folder / "town.png", OUTLINES.buildings)
    write_mask_png(folder / "inverted.png", ~OUTLINES.buildings)
    layer = town_layer()
    layer.to_file(folder / "town.geojson")
    layer.to_crs("EPSG:4326").to_file(folder / "degrees.geojson", COORDINATE_PRECISION=12)
    layer.to_file(folder / "town.gpkg", layer="trees")
    layer.to_file(folder / "town.gpkg", layer="buildings")
    profile = {"height": ROWS, "width": COLS, "count": 1, "dtype": "uint8", "crs": UTM}
    transform = Affine(1.0, 0.0, WEST, 0.0, -1.0, NORTH)
    with rasterio.open(folder / "town.tif", "w", driver="GTiff", transform=transform, **profile) as raster:
        raster.write(OUTLINES.buildings.astype(np.uint8), 1)
    write_radiomapseer_polygons(folder / "town.json", OUTLINES.footprints or (), RADIOMAPSEER_GRID)
    for part in ("png/buildings_complete", "polygon/buildings_complete", "polygon/cars"):
        (folder / "seer" / part).mkdir(parents=True)
    write_mask_png(folder / "seer/png/buildings_complete/7.png", OUTLINES.buildings)
    write_radiomapseer_polygons(
        folder / "seer/polygon/buildings_complete/7.json", OUTLINES.footprints or (), OUTLINES.grid
    )
    car = [[11.5, 9.5], [13.5, 9.5], [13.5, 7.5], [11.5, 7.5]]
    (folder / "seer/polygon/cars/7.json").write_text(json.dumps([car]))
    return folder


def reference_db(scene=OUTLINES) -> np.ndarray:
    return DominantPath().radio_map(scene, Transmitter.at_cell(scene.grid, *CELL)).path_loss_db


def read_npz(path: Path) -> tuple[np.ndarray, dict]:
    with np.load(path) as archive:
        assert sorted(archive) == ["meta", "path_loss_db"]
        return archive["path_loss_db"], json.loads(str(archive["meta"]))


@pytest.mark.parametrize(
    ("name", "options", "scene"),
    [
        ("town.png", [], RASTER),
        ("inverted.png", ["--invert"], RASTER),
        ("town.tif", [], RASTER),
        ("town.tif", ["--tx", UTM_TX, "--tx-crs", UTM], RASTER),
        ("town.geojson", ["--margin", MARGIN], OUTLINES),
        ("town.geojson", ["--margin", MARGIN, "--tx", UTM_TX, "--tx-crs", UTM], OUTLINES),
        ("town.gpkg", ["--margin", MARGIN, "--layer", "buildings"], OUTLINES),
        ("town.json", [], OUTLINES),
        ("seer", ["--map-id", 7], OUTLINES),
        ("seer/png/buildings_complete/7.png", [], OUTLINES),
        ("seer/png/buildings_complete/7.png", ["--image-only"], RASTER),
    ],
    ids=lambda value: str(value) if isinstance(value, str | list) else "",
)
def test_every_form_of_input_gives_the_same_town(radiodiff: Run, inputs: Path, name: str, options: list, scene) -> None:
    if "--tx" not in options:
        options = ["--tx", TX, *options]
    outcome = radiodiff("simulate", "--buildings", inputs / name, *options, "--out", "out.npz")
    assert (outcome.code, outcome.err) == (0, "")
    actual, _ = read_npz(Path("out.npz"))
    # The grid of a layer ends just behind its buildings, that of a polygon file is RadioMapSeer's.
    rows, cols = np.minimum(actual.shape, scene.grid.shape)
    assert rows >= ROWS - 2
    assert cols >= COLS - 4
    np.testing.assert_allclose(actual[:rows, :cols], reference_db(scene)[:rows, :cols], atol=1e-3)


def test_a_layer_in_degrees_is_moved_to_utm(radiodiff: Run, inputs: Path) -> None:
    degrees = geopandas.GeoSeries.from_xy([WEST + CELL[0] + 0.5], [NORTH - CELL[1] - 0.5], crs=UTM).to_crs(4326)[0]
    tx = f"{degrees.x!r},{degrees.y!r}"
    outcome = radiodiff(
        *("simulate", "--buildings", inputs / "degrees.geojson", "--margin", MARGIN),
        *("--tx", tx, "--tx-crs", "EPSG:4326", "--out", "out.npz"),
    )
    assert outcome.code == 0
    assert "reprojected from EPSG:4326 to EPSG:32633" in outcome.out
    actual, meta = read_npz(Path("out.npz"))
    rows, cols = actual.shape
    np.testing.assert_allclose(actual, reference_db()[:rows, :cols], atol=1e-2)
    assert meta["grid"]["crs"] == UTM
    assert (meta["grid"]["origin_x"], meta["grid"]["origin_y"]) == (WEST, NORTH)


def test_cars_of_a_folder(radiodiff: Run, inputs: Path) -> None:
    command = ("simulate", "--buildings", inputs / "seer", "--map-id", 7, "--tx", TX)
    assert radiodiff(*command, "--out", "without.npz").code == 0
    outcome = radiodiff(*command, "--cars", inputs / "seer", "--out", "with.npz")
    assert "1 car outlines." in outcome.out
    difference = read_npz(Path("with.npz"))[0] - read_npz(Path("without.npz"))[0]
    # Cells (col 12, rows 24 and further down) lie behind the car as seen from (11, 13).
    assert difference[26, 12] == pytest.approx(4.3, abs=1e-4)
    assert difference[1, 11] == 0.0


def test_npz(radiodiff: Run, inputs: Path) -> None:
    outcome = radiodiff("simulate", "--buildings", inputs / "town.png", "--tx", TX, "--out", "out.npz")
    assert f"out.npz: {COLS} x {ROWS} cells, path loss " in outcome.out
    values, meta = read_npz(Path("out.npz"))
    assert values.dtype == np.float32
    assert values.shape == (ROWS, COLS)
    np.testing.assert_array_equal(np.isnan(values), OUTLINES.buildings)
    assert meta["version"] == 1
    assert (meta["grid"]["rows"], meta["grid"]["cols"], meta["grid"]["cell_size_m"]) == (ROWS, COLS, 1.0)
    assert (meta["tx"]["x_m"], meta["tx"]["y_m"]) == (CELL[0] + 0.5, CELL[1] + 0.5)
    assert meta["producer"].startswith("DominantPath(")
    assert meta["units"]["path_loss_db"] == "dB"


@pytest.mark.parametrize(
    ("options", "scale"), [([], "raw"), (["--grey", "raw"], "raw"), (["--grey", "thresholded"], "thresholded")]
)
def test_png(radiodiff: Run, inputs: Path, options: list[str], scale: str) -> None:
    assert radiodiff("simulate", "--buildings", inputs / "town.png", "--tx", TX, *options, "--out", "out.png").code == 0
    with Image.open("out.png") as image:
        grey, header = np.array(image), json.loads(image.text["radiodiff"])
    assert header["grey"]["scale"] == scale
    expected = RADIOMAPSEER_GREY.to_grey(reference_db(RASTER), thresholded=scale == "thresholded")
    np.testing.assert_array_equal(grey, expected)
    assert (grey[OUTLINES.buildings] == 0).all()


def test_geotiff_lies_where_the_layer_does(radiodiff: Run, inputs: Path) -> None:
    outcome = radiodiff("simulate", "--buildings", inputs / "town.tif", "--tx", TX, "--out", "out.tif")
    assert outcome.code == 0
    with rasterio.open("out.tif") as raster:
        assert tuple(raster.bounds) == (WEST, NORTH - ROWS, WEST + COLS, NORTH)
        assert raster.crs.to_epsg() == 32633
        assert raster.dtypes == ("float32",)
        assert np.isnan(raster.nodata)
        values = raster.read(1)
        # The value under the transmitter's map coordinates is the strongest.
        assert next(raster.sample([tuple(map(float, UTM_TX.split(",")))]))[0] == np.nanmin(values)
    np.testing.assert_array_equal(values, reference_db(RASTER))


def test_csv(radiodiff: Run, inputs: Path) -> None:
    radiodiff("simulate", "--buildings", inputs / "town.png", "--tx", TX, "--out", "out.csv")
    with Path("out.csv").open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["x", "y", "row", "col", "path_loss_db"]
    assert len(rows) == (~OUTLINES.buildings).sum()
    expected = reference_db(RASTER)
    for entry in rows[::50]:
        row, col = int(entry["row"]), int(entry["col"])
        assert (float(entry["x"]), float(entry["y"])) == (col + 0.5, row + 0.5)
        assert float(entry["path_loss_db"]) == pytest.approx(expected[row, col], abs=1e-4)


def test_several_transmitters_number_the_files(radiodiff: Run, inputs: Path) -> None:
    options = [part for col, row in FREE_CELLS for part in ("--tx", f"{col},{row}")]
    outcome = radiodiff(
        "simulate", "--buildings", inputs / "town.png", *options, "--out", "map.npz", "--plot", "map.png"
    )
    assert outcome.code == 0
    assert sorted(path.name for path in Path().glob("map*")) == [
        *("map_0.npz", "map_0.png", "map_1.npz", "map_1.png", "map_2.npz", "map_2.png")
    ]
    for index, cell in enumerate(FREE_CELLS):
        values, meta = read_npz(Path(f"map_{index}.npz"))
        assert (meta["tx"]["x_m"], meta["tx"]["y_m"]) == (cell[0] + 0.5, cell[1] + 0.5)
        assert values[cell[::-1]] == np.nanmin(values)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_plot(radiodiff: Run, inputs: Path, suffix: str) -> None:
    plot = Path(f"figure{suffix}")
    outcome = radiodiff(
        "simulate", "--buildings", inputs / "town.geojson", "--tx", "9,11", "--out", "out.csv", "--plot", plot
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert plot.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-", b"<?xml")


def test_every_engine_by_its_name(radiodiff: Run, inputs: Path, case: EngineCase) -> None:
    name = case.engine.name
    outcome = radiodiff("simulate", "--buildings", inputs / "town.png", "--tx", TX, "--engine", name, "--out", "o.npz")
    assert outcome.code == 0
    values, meta = read_npz(Path("o.npz"))
    assert meta["producer"].startswith(type(case.engine).__name__)
    if case.engine.reaches_everywhere:
        np.testing.assert_array_equal(np.isnan(values), OUTLINES.buildings)
    else:
        assert np.isnan(values[OUTLINES.buildings]).all()
        assert np.isfinite(values[~OUTLINES.buildings]).mean() > 0.5


def test_a_preset_of_an_engine(radiodiff: Run, inputs: Path) -> None:
    radiodiff("simulate", "--buildings", inputs / "town.png", "--tx", TX, "--preset", "irt2", "--out", "o.npz")
    _, meta = read_npz(Path("o.npz"))
    assert meta["producer"] == repr(PRESETS["dominant-path"]["irt2"])


@pytest.mark.parametrize(("engine", "told"), [("dominant-path", "Did you mean 'irt"), ("umi", "belongs to one of")])
def test_a_preset_that_an_engine_has_not(radiodiff: Run, inputs: Path, engine: str, told: str) -> None:
    outcome = radiodiff(
        *("simulate", "--buildings", inputs / "town.png", "--tx", TX, "--engine", engine, "--preset", "irt3"),
        *("--out", "o.npz"),
    )
    outcome.check_refusal(told, "irt3")
    assert not Path("o.npz").exists()


class Telling(PropagationModel):
    """Ten decibels per row but the first, and what a ray tracer would say of it."""

    name = "telling"
    reaches_everywhere = False

    def prepare(self, scene: Scene) -> Solver:
        loss_db = np.where(np.arange(ROWS)[:, None] == 0, np.nan, 10.0 * np.arange(ROWS)[:, None] + np.zeros(COLS))
        facts = {"standard_error_db": 1.234, "noise_target_reached": False, "tx_height_m": 2.5, "tx_moved_m": 0.25}
        facts |= {"num_default_heights": 3, "default_height_m": 25.0}
        return lambda txs: (Solution(loss_db, facts) for _ in txs)


def test_what_became_of_the_request_is_told(radiodiff: Run, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "telling", Telling)
    outcome = radiodiff(
        "simulate", "--buildings", inputs / "town.png", "--tx", TX, "--engine", "telling", "--out", "o.npz"
    )
    told = "noise 1.23 dB (more than asked for), transmitter raised to 2.5 m, transmitter moved by 0.25 m out of a wall"
    told = f"{told}, 3 buildings without a height taken as 25 m high"
    assert f"{told}, {COLS} cells outdoors without a path" in " ".join(outcome.out.split())


def test_cell_size_carrier_and_height(radiodiff: Run, inputs: Path) -> None:
    radiodiff(
        *("simulate", "--buildings", inputs / "town.png", "--tx", TX, "--engine", "free-space", "--cell-size", "2.5"),
        *("--frequency", "3.5e9", "--tx-height", "10", "--out", "out.npz"),
    )
    values, meta = read_npz(Path("out.npz"))
    assert meta["grid"]["cell_size_m"] == 2.5
    assert (meta["tx"]["frequency_hz"], meta["tx"]["height_m"]) == (3.5e9, 10.0)
    # Friis, ITU-R P.525-4, over 20 cells and a difference of 8.5 m in height.
    distance_km = np.hypot(20 * 2.5, 8.5) / 1e3
    expected = 32.447_783 + 20 * np.log10(distance_km) + 20 * np.log10(3500.0)
    assert values[CELL[1], CELL[0] + 20] == pytest.approx(expected, abs=1e-3)


def test_self_crossing_outlines_are_repaired_and_counted(radiodiff: Run, tmp_path: Path) -> None:
    bow_ties = [[(x, 0), (x + 10, 10), (x + 10, 0), (x, 10)] for x in (0, 20)]
    shapes = [Polygon([(WEST + x, NORTH + y) for x, y in ring]) for ring in bow_ties]
    geopandas.GeoDataFrame(geometry=shapes, crs=UTM).to_file(tmp_path / "ties.gpkg")
    outcome = radiodiff("simulate", "--buildings", "ties.gpkg", "--tx", "15,5", "--out", "out.npz")
    assert outcome.code == 0
    assert "note: 2 outlines crossed themselves and were repaired." in outcome.out
    values, _ = read_npz(Path("out.npz"))
    # The ring crosses itself in its middle: two triangles of half the box's area are left.
    assert np.isnan(values[:, :10]).sum() == pytest.approx(50, abs=5)


def test_in_a_process_of_its_own(radiodiff_process: Run, inputs: Path, tmp_path: Path) -> None:
    outcome = radiodiff_process(
        *("simulate", "--buildings", "in/town.geojson", "--margin", MARGIN, "--tx", UTM_TX, "--tx-crs", UTM),
        *("--engine", "free-space", "--out", "out.tif", "--plot", "figure.png"),
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0].startswith("note: 5 building outlines (EPSG:32633), 5 of them with a height.")
    with rasterio.open(tmp_path / "out.tif") as raster:
        assert raster.bounds[0] == WEST
        assert raster.bounds[3] == NORTH
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "in", "out.tif"]


def test_help_and_version(radiodiff_process: Run) -> None:
    for arguments in (["--help"], ["simulate", "--help"], ["dataset", "--help"], ["dataset", "create", "--help"]):
        outcome = radiodiff_process(*arguments)
        assert (outcome.code, outcome.err) == (0, "")
        assert "Usage:" in outcome.out
    outcome = radiodiff_process("--version")
    assert outcome.out.startswith("radiodiff 0.")
