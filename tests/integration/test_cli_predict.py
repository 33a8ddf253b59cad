"""`radiodiff predict` as a user runs it, with tiny models."""

import re
from pathlib import Path

import numpy as np
import pytest
import rasterio

from command_line import Outcome, Run, tree
from engine_cases import FREE_CELLS, town
from radiodiff.formats import read_radio_map, write_mask_png
from radiodiff.pipeline import bundled
from radiodiff.propagation import FreeSpace
from radiodiff.scene import Transmitter
from tiny_pipelines import tiny_diffusion, tiny_regression

TOWN = town(with_footprints=False)
ROWS, COLS = TOWN.grid.shape
CELL = FREE_CELLS[0]
TX = f"{CELL[0]},{CELL[1]}"
ROW, COL = map(int, np.argwhere(~TOWN.buildings)[0])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_diffusion(frequency_hz=5.9e9).save_pretrained(folder / "diffusion")
    tiny_regression().save_pretrained(folder / "regression")
    return folder


@pytest.fixture
def predict(radiodiff: Run, tmp_path: Path, models: Path) -> Run:
    """`radiodiff predict` on the town with a model of a kind."""
    write_mask_png(tmp_path / "town.png", TOWN.buildings)

    def run(*arguments: object, kind: str = "diffusion") -> Outcome:
        options = [str(part) for part in arguments]
        for option, value in {"--tx": TX, "--out": "out.npz", "--model": models / kind}.items():
            options += [] if option in options else [option, str(value)]
        return radiodiff("predict", "--buildings", "town.png", *options)

    return run


def test_a_map_with_the_time_of_each_part(predict: Run) -> None:
    outcome = predict("--seed", 3)
    assert (outcome.code, outcome.err) == (0, "")
    times = r"read [\d.]+ s, load [\d.]+ s, geometry channels [\d.]+ s, network [\d.]+ s, write [\d.]+ s"
    assert re.search(times, outcome.out)
    found = read_radio_map("out.npz")
    assert found.grid == TOWN.grid
    assert found.meta["seed"] == 3
    assert found.ensemble is None
    np.testing.assert_array_equal(np.isnan(found.path_loss_db), TOWN.buildings)
    # The same seed, the same map.
    predict("--seed", 3, "--out", "again.npz")
    np.testing.assert_array_equal(read_radio_map("again.npz").path_loss_db, found.path_loss_db)


def test_draws_write_their_spread(predict: Run) -> None:
    outcome = predict("--draws", 3, "--steps", 2, "--out", "out.tif")
    assert re.search(r"standard deviation of 3 draws [\d.]+ dB", outcome.out)
    with rasterio.open("out.tif") as raster:
        assert raster.descriptions == ("path_loss_db", "std_db", "quantile_5_db", "quantile_50_db", "quantile_95_db")
    ensemble = read_radio_map("out.tif").ensemble
    assert ensemble is not None
    assert np.nanmax(ensemble.std_db) > 0
    outdoors = ~TOWN.buildings
    assert (ensemble.quantiles_db[0.05] <= ensemble.quantiles_db[0.95])[outdoors].all()


def test_a_png_says_that_it_holds_the_mean_alone(predict: Run) -> None:
    assert "note: a .png holds the mean of the draws alone" in predict("--draws", 2, "--out", "out.png").out
    assert "the mean" not in predict("--out", "out.png").out


def test_several_transmitters_each_with_measurements(predict: Run) -> None:
    for number, value in enumerate((70, 90)):
        Path(f"{number}.csv").write_text(f"row,col,path_loss_db\n{ROW},{COL},{value}\n")
    options = [part for col, row in FREE_CELLS[:2] for part in ("--tx", f"{col},{row}")]
    outcome = predict(*options, "--measurements", "0.csv", "--measurements", "1.csv", "--plot", "map.png")
    assert (outcome.code, outcome.err) == (0, "")
    for number, value in enumerate((70, 90)):
        found = read_radio_map(f"out_{number}.npz")
        assert found.path_loss_db[ROW, COL] == pytest.approx(value, abs=0.5)
        assert Path(f"map_{number}.png").is_file()


def test_a_comparison_with_an_engine(predict: Run) -> None:
    outcome = predict("--compare", "free-space", "--plot", "map.svg", "--seed", 1)
    tx = Transmitter.at_cell(TOWN.grid, *CELL)
    error_db = read_radio_map("out.npz").path_loss_db - FreeSpace().radio_map(TOWN, tx).path_loss_db
    assert f"RMSE {np.sqrt(np.nanmean(error_db**2)):.2f} dB outside buildings, to the map of free-space" in outcome.out
    assert "free-space " in outcome.out.splitlines()[-1]
    assert Path("map.svg").stat().st_size > 1000


def test_cars_are_told_to_a_model_that_sees_none(predict: Run) -> None:
    cars = np.zeros(TOWN.grid.shape, dtype=bool)
    cars[ROW, COL] = True
    write_mask_png("cars.png", cars)
    outcome = predict("--cars", "cars.png", kind="regression")
    assert outcome.code == 0
    assert outcome.message.startswith("warning: The model does not see cars")


def test_a_warning_names_the_range(predict: Run) -> None:
    outcome = predict("--cell-size", 2, "--frequency", 28e9)
    assert outcome.code == 0
    assert "warning: The model was trained on cells of 1 m, the scene has cells of 2 m" in outcome.message
    assert "warning: The model was trained for a carrier of 5.9 GHz, the transmitter has 28 GHz" in outcome.message


REFUSALS = {
    "no steps": (["--steps", 0], ["--steps must be a whole number of at least 1", "got 0"]),
    "no draws": (["--draws", 0], ["--draws must be a whole number of at least 1", "got 0"]),
    "negative seed": (["--seed", -1], ["--seed must be a whole number of at least 0", "got -1"]),
    "no folder of a model": (["--model", "absent"], ["folder of a model must exist", "absent"]),
    "unknown engine": (["--compare", "dominant"], ["An engine must be one of", "'dominant'"]),
    "unknown backend": (["--backend", "tflite"], ["backend must be 'torch', or 'onnx'", "'tflite'"]),
    "onnx without a folder": (["--backend", "onnx"], ["with the folder of the model's graphs", "--graphs FOLDER"]),
    "a table for one of two": (
        ["--tx", TX, "--tx", TX, "--measurements", "points.csv"],
        ["once for each --tx", "1 for 2 transmitters"],
    ),
    "a table without points": (["--measurements", "points.csv"], ["at least one point", "points.csv"]),
    "a table over itself": (["--measurements", "o.csv", "--out", "o.csv"], ["different files", "o.csv"]),
    "a transmitter indoors": (["--tx", "3,5"], ["outside the buildings", "column 3, row 5"]),
    "cars of another size": (["--cars", "cars.png"], ["cells of the buildings", "cars.png"]),
}


@pytest.mark.parametrize(("arguments", "parts"), REFUSALS.values(), ids=REFUSALS.keys())
def test_bad_input_leaves_one_paragraph_and_no_file(
    predict: Run, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    Path("points.csv").write_text("row,col,path_loss_db\n")
    write_mask_png("cars.png", TOWN.buildings[1:])
    before = tree(tmp_path)
    predict(*arguments).check_refusal(*parts)
    assert tree(tmp_path) == before


def test_a_regression_has_no_draws(predict: Run, tmp_path: Path) -> None:
    predict("--draws", 2, kind="regression").check_refusal("--draws", "a regression has one prediction")
    assert not Path("out.npz").exists()


def test_a_bundled_model_that_is_missing(predict: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "none")
    predict("--model", "default").check_refusal("bundled model 'default'", "none/default", "--force-reinstall")


def test_a_bundled_model_is_made_and_used(radiodiff: Run, predict: Run, models: Path) -> None:
    data = (
        "dataset",
        "fake",
        "radiomapseer",
        "--out",
        "set",
        "--maps",
        2,
        "--tx-per-map",
        1,
        "--seed",
        1,
        "--size",
        48,
    )
    assert radiodiff(*data, "--simulation", "DPM", "--no-cars", "--no-missing-layers").code == 0
    outcome = radiodiff(
        *("convert", "bundle", "--model", models / "diffusion", "--data", "set", "--split", "all", "--out", "small")
    )
    assert outcome.code == 0
    assert "map_side_cells: 48 to 48" in outcome.out
    assert re.search(r"small: \d+ files, [\d.]+ MB, the largest [\d.]+ MB", outcome.out)
    assert predict("--model", "small").code == 0
