"""`radiodiff evaluate`: what it prints, writes and refuses."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from command_line import Run, tree
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.selection import open_data_set
from radiodiff.formats import LevelMeaning, write_level_png
from second_stage_models import NAMES, link_stock, make_stock, save_second_stage

DATA = ("evaluate", "--data", "city", "--split", "all", "--cpu")
TRUTH = ("--pred", "city/gain/DPM", "--pred-scale", "raw")
FAST = ("--resamples", 100, "--no-published")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `make_stock`; and predictions that are too few, of another size, and no images. Not to be changed."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("stock")
    make_stock(folder)
    shutil.copytree(folder / "run/pipeline/autoencoder", folder / "first/autoencoder")
    for name in ("few", "odd", "broken"):
        shutil.copytree(folder / "city/gain/DPM", folder / name)
    for name in ("0_1", "2_0"):
        (folder / "few" / f"{name}.png").unlink()
    Image.fromarray(np.zeros((48, 40), np.uint8)).save(folder / "odd/1_1.png")
    (folder / "broken/1_1.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def city(stock: Path, tmp_path: Path) -> Path:
    """Six maps of 48 x 48 cells in `city`, models for them, and predictions."""
    link_stock(stock, tmp_path)
    return tmp_path / "city"


@pytest.fixture
def _one_map_in_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radiodiff.cli.evaluation_request.MOST_ROWS_SHOWN", 1)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with open(folder / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.usefixtures("_one_map_in_pictures")
def test_the_truth_as_prediction_has_no_error(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    outcome = radiodiff(*DATA, *TRUTH, *FAST, "--far", 20, "--out", "ev")
    assert (outcome.code, outcome.err) == (0, "")
    content = json.loads((tmp_path / "ev/metrics.json").read_text())
    (found,) = content["predictors"]
    for name, figure in found["means"].items():
        plain = name.rpartition("/")[2]
        expected = 1.0 if plain in ("ssim", "sharpness_ratio") else 0.0
        assert figure["value"] == pytest.approx(expected, abs=1e-12), name
        assert figure["interval"] == pytest.approx([expected, expected], abs=1e-12)
    assert set(found["means"]) >= {"rmse", "outdoor/rmse_db", "los/mae", "nlos/nmse", "boundary/mse", "far/rmse"}
    assert (content["scale"], content["data"]["num_maps"], content["num_cities"]) == ("raw", 6, 3)
    assert {path.name for path in (tmp_path / "ev").iterdir()} == {"metrics.csv", "metrics.json", "overview.png"}
    assert [row["name"] for row in rows_of(tmp_path / "ev")] == NAMES
    lines = lines_of(outcome.out)
    assert "protocol:" in lines
    assert "data: made-up maps DPM, part all of split fake" in lines
    assert "maps: 6 maps of 3 cities" in lines
    assert (
        f"DPM: images, folder {Path('city/gain/DPM')}, scale raw, rounding 8-bit levels, "
        "condition not known, buildings as in the images"
    ) in lines
    assert lines[-1] == "ev: written"


@pytest.mark.usefixtures("_one_map_in_pictures")
def test_models_engines_and_images_see_the_same_maps(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    save_second_stage(tmp_path / "seeing", "regression", geometry=("los_mask",), geometry_cache=tmp_path / "geometry")
    sources = ("--model", "run", "--model", "seeing", *TRUTH, "--engine", "free-space")
    options = (
        "--steps",
        1,
        "--steps",
        2,
        "--draws",
        3,
        "--seed",
        4,
        "--batch-size",
        4,
        "--out",
        "ev",
        "--json",
        "summary.json",
    )
    outcome = radiodiff(*DATA, *sources, *options)
    assert (outcome.code, outcome.err) == (0, "")
    content = json.loads((tmp_path / "ev/metrics.json").read_text())
    assert content == json.loads((tmp_path / "summary.json").read_text())
    labels = ["run, 1 step", "run, 2 steps", "seeing", "DPM", "free-space"]
    assert [found["label"] for found in content["predictors"]] == labels
    quick, slow, seeing, truth, engine = content["predictors"]
    assert quick["facts"]["num_inference_steps"] == 1
    assert slow["facts"]["num_inference_steps"] == 2
    assert quick["facts"]["seed"] == 4
    assert [found["facts"].get("model") for found in content["predictors"]] == ["run", "run", "seeing", None, None]
    digests = [found["facts"].get("digest") for found in content["predictors"][:3]]
    assert digests[0] == digests[1] != digests[2]
    assert {"precision", "window", "batch_size", "device"} <= quick["facts"].keys()
    assert {name.rpartition("/")[2] for name in quick["means"]} > {"spearman", "crps_db", "coverage_90", "spread"}
    assert "crps" not in seeing["means"]
    assert seeing["facts"]["condition"] == ["buildings", "transmitter", "cars", "los_mask"]
    said = [found["facts"]["buildings"] for found in content["predictors"]]
    assert said == [*["level 0 but at walls"] * 3, "as in the images", "level 0"]
    assert truth["means"]["rmse"]["value"] == 0.0
    assert quick["rmse_ratio_to_first"] == {}
    ratio = engine["rmse_ratio_to_first"]["outdoor"]["value"]
    pooled = [found["pooled"]["outdoor/rmse"]["value"] for found in (engine, quick)]
    assert ratio == pytest.approx(pooled[0] / pooled[1])
    rows = rows_of(tmp_path / "ev")
    assert [(row["predictor"], row["name"]) for row in rows] == [(label, name) for label in labels for name in NAMES]
    mean = np.mean([float(row["outdoor/rmse_db"]) for row in rows if row["predictor"] == "free-space"])
    assert engine["means"]["outdoor/rmse_db"]["value"] == pytest.approx(mean)
    assert engine["means"]["outdoor/rmse_db"]["value"] > 3.0
    lines = lines_of(outcome.out)
    assert any("mean of 3 draws, seed 4" in line for line in lines)
    assert any(
        "condition buildings + transmitter + cars + los_mask, buildings level 0 but at walls" in line for line in lines
    )
    assert any(line.startswith("run, 2 steps this run DPM raw") and "ms, 2 steps, 3" in line for line in lines)
    assert any(line.startswith("RadioDiff Wang et al. 2025 SRM (DPM) raw 0.0049") for line in lines)
    assert all(row["differences"][0] == "other data" for row in content["published"])
    with Image.open(tmp_path / "ev/overview.png") as image:
        assert image.height > 4 * 250


def test_samples_are_evaluated_as_the_model_is(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    """What `sample` writes is what `evaluate` compares, but for the rounding of images."""
    drawing = ("--draws", 2, "--seed", 9, "--batch-size", 4)
    sampling = ("sample", "--model", "run", "--data", "city", "--split", "all", "--out", "maps", "--cpu")
    assert radiodiff(*sampling, "--steps", 2, *drawing).code == 0
    outcome = radiodiff(*DATA, "--model", "run", "--pred", "maps", "--steps", 2, *drawing, *FAST, "--json", "-")
    model, images = json.loads(outcome.out)["predictors"]
    for name in ("rmse", "outdoor/rmse", "nlos/mae"):
        assert images["means"][name]["value"] == pytest.approx(model["means"][name]["value"], abs=0.5 / 255)
    assert images["facts"]["scale"] == "raw"


def test_measured_points_and_cells_indoors_are_said(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    measurements = {"kind": "random", "num_points": (2, 9)}
    save_second_stage(tmp_path / "told", "regression", measurements=measurements)
    outcome = radiodiff(*DATA, "--model", "told", "--model", "regression", *FAST, "--no-mask", "--json", "-")
    content = json.loads(outcome.out)
    told, other = (found["facts"] for found in content["predictors"])
    assert told["condition"][3:] == ["measured_path_loss_db", "measurement_mask"]
    assert told["measurements"] == "2 to 9 random cells of the true map, which count in the figures"
    assert told["measurements"] in content["protocol"]["told"]
    assert "measurements" not in other
    assert told["buildings"] == other["buildings"] == "as predicted"
    masked = radiodiff(*DATA, "--model", "regression", *FAST, "--json", "-")
    (means,) = (found["means"] for found in json.loads(masked.out)["predictors"])
    found = content["predictors"][1]["means"]
    assert means["rmse"]["value"] < found["rmse"]["value"]
    assert means["outdoor/rmse"]["value"] == pytest.approx(found["outdoor/rmse"]["value"], rel=1e-6)


def test_json_alone_goes_to_other_programs(radiodiff: Run, city: Path) -> None:
    outcome = radiodiff(*DATA, *TRUTH, *FAST, "--limit", 2, "--json", "-")
    content = json.loads(outcome.out)
    assert content["protocol"]["data"].endswith(", 2 of its 6 maps")
    assert content["data"] == {
        "kind": "radiomapseer",
        "origin": "fake",
        "simulation": "DPM",
        "split": "fake",
        "part": "all",
        "num_examples": 6,
        "num_maps": 2,
        "buildings": "complete",
    }


def test_figures_on_the_thresholded_scale(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    outcome = radiodiff(*DATA, "--engine", "log-distance", *FAST, "--scale", "thresholded", "--json", "-")
    of_raw = json.loads(outcome.out)
    assert of_raw["scale"] == "thresholded"
    assert of_raw["protocol"]["scale"].startswith("thresholded (made of raw maps); ")
    changed = radiodiff(*DATA, "--engine", "log-distance", *FAST, "data.scale=thresholded", "--json", "-")
    own = json.loads(changed.out)
    assert own["protocol"]["scale"].startswith("thresholded; ")
    for name, figure in own["predictors"][0]["means"].items():
        assert of_raw["predictors"][0]["means"][name]["value"] == pytest.approx(figure["value"], rel=1e-4, abs=1e-6)
    raw = json.loads(radiodiff(*DATA, "--engine", "log-distance", *FAST, "--json", "-").out)
    assert raw["predictors"][0]["means"]["rmse"]["value"] != pytest.approx(
        own["predictors"][0]["means"]["rmse"]["value"], rel=0.01
    )


def test_rooms_are_evaluated_without_buildings(radiodiff: Run, tmp_path: Path) -> None:
    rooms = ("icassp", "--maps", 3, "--tx-per-map", 1, "--seed", 2, "--size", 40)
    assert radiodiff("dataset", "fake", *rooms, "--out", "rooms").code == 0
    source = open_data_set(IcasspConfig(root=tmp_path / "rooms", part="all", crop="none"))
    channel = source.encoding.target
    (tmp_path / "maps").mkdir()
    for number in range(len(source)):
        example = source[number]
        rows, cols = example.content
        levels = (example.target[0, :rows, :cols].astype(float) + 1) / 2
        meaning = LevelMeaning("db", channel.name, channel.low, channel.high)
        write_level_png(tmp_path / "maps" / f"{example.name}.png", levels, meaning)
    arguments = ("evaluate", "--data", "rooms", "--split", "all", "--pred", "maps", "--resamples", 100)
    outcome = radiodiff(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    lines = lines_of(outcome.out)
    assert "outdoor: not known: the data show no buildings" in lines
    assert any(line.startswith("IPP-Net ICASSP 2025") for line in lines)
    assert not any(line.startswith("RadioDiff") for line in lines)
    content = json.loads(radiodiff(*arguments, "--json", "-").out)
    assert list(content["num_cells"]) == ["all", "far"]
    assert content["predictors"][0]["means"]["rmse_db"]["value"] < 0.5
    truth = ("--pred", "rooms/Outputs/Task_1_ICASSP")
    radiodiff(*arguments, *truth).check_refusal("must be said: db", "--pred-scale db")
    foreign = radiodiff(*arguments[:5], *truth, "--pred-scale", "db", "--json", "-")
    assert json.loads(foreign.out)["predictors"][0]["means"]["rmse_db"]["value"] < 1e-4
    radiodiff(*arguments, "data.tasks=[1,2]").check_refusal("must have different names", "data.tasks=[1]")
    radiodiff(*arguments, "--engine", "umi").check_refusal("Engines predict the maps of data sets in RadioMapSeer's")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ((), ("An evaluation needs --model, --pred or --engine",)),
        (("--engine", "free-spaces"), ("An engine must be one of", "Did you mean 'free-space'?")),
        (("--engine", "umi", "--engine", "umi"), ("each needs a name of its own", "umi, umi")),
        (("--engine", "umi", "--split", "tests"), ("has the parts train, validation, test", "'tests'")),
        (("--engine", "umi", "--draws", 2), ("belong to --model", "got --draws")),
        (("--engine", "umi", "--steps", 1), ("belong to --model", "got --steps")),
        (("--engine", "umi", "--deterministic"), ("belong to --model", "got --stochastic")),
        (("--engine", "umi", "--seed", 3), ("belong to --model", "got --seed")),
        (("--engine", "umi", "--window", "whole"), ("belong to --model", "got --window")),
        (("--engine", "umi", "--precision", "bf16"), ("belong to --model", "got --precision")),
        (("--engine", "umi", "--no-mask"), ("belong to --model", "got --no-mask")),
        (("--engine", "umi", "--pred-scale", "raw"), ("--pred-scale belongs to --pred", "got raw")),
        (
            ("--pred", "few", "--pred-scale", "dB"),
            ("--pred-scale must be raw, thresholded, db or binary", "'dB'"),
        ),
        (("--pred", "few", "--pred-scale", "db"), ("must be raw or thresholded", "got db")),
        (("--engine", "umi", "--scale", "db"), ("--scale must be raw or thresholded", "'db'")),
        (("--engine", "umi", "--limit", 0), ("--limit must be a whole number of at least 1", "got 0")),
        (("--engine", "umi", "--resamples", 5), ("--resamples must be a whole number of at least 100", "got 5")),
        (("--engine", "umi", "--far", 0), ("--far must be a number of cells above 0", "got 0")),
        (("--engine", "umi", "--boundary", "nan"), ("--boundary must be a number of cells above 0", "got nan")),
        (("--engine", "umi", "--out", "city"), ("--out must be a folder that is empty or absent", "holds something")),
        (("--engine", "umi", "--json", "no/x.json"), ("The folder of an output file must exist", "x.json")),
        (("--engine", "umi", "data.size=32"), ("size of the files", "data.size=32")),
        (("--engine", "umi", "data.part=test"), ("data.part cannot be changed: --split gives the part",)),
        (("--engine", "umi", "data.simulations=DPM"), ("There is no key data.simulations", "data.simulation")),
        (("--model", "run", "--steps", 0), ("--steps must be a whole number of at least 1", "got 0")),
        (("--model", "run", "--steps", 2, "--steps", 2), ("--steps must name each number once", "2, 2")),
        (("--model", "run", "--draws", 0), ("--draws must be a whole number of at least 1", "got 0")),
        (("--model", "run", "--model", "run/pipeline"), ("each needs a name of its own", "and engine once")),
        (("--model", "nothing"), ("The folder of a model must exist", "nothing")),
        (("--model", "first"), ("A model must be a folder with model_index.json", "a first stage")),
        (("--model", "regression", "--draws", 3), ("belong to diffusion models", "got --draws")),
        (("--model", "run", "data.scale=thresholded"), ("on the raw scale", "on the thresholded scale")),
        (("--pred", "none", "--pred-scale", "raw"), ("Predictions must be in a folder", "none, which is not there")),
        (("--pred", "few", "--pred-scale", "raw"), ("without 2 of 6: 0_1.png, 2_0.png", "--limit")),
        (("--pred", "few", "--pred-scale", "raw", "--limit", 1), ()),
        (("--pred", "city/gain/DPM"), ("must be said: raw or thresholded", "0_0.png", "--pred-scale")),
        (
            ("--pred", "city/gain/DPM", "--pred-scale", "thresholded"),
            ("raw and thresholded figures must not be mixed",),
        ),
        (("--pred", "odd", "--pred-scale", "raw"), ("must have the 48 x 48 cells of its map", "1_1.png of 48 x 40")),
        (("--pred", "broken", "--pred-scale", "raw"), ("readable by Pillow", "1_1.png")),
    ],
    ids=str,
)
def test_wrong_input_is_refused_and_leaves_nothing(
    radiodiff: Run, city: Path, tmp_path: Path, options: tuple, parts: tuple
) -> None:
    before = tree(tmp_path)
    outcome = radiodiff(*DATA, *options, *(() if "--out" in options else ("--out", "ev")))
    if parts:
        outcome.check_refusal(*parts)
        assert tree(tmp_path) == before
    else:
        assert outcome.code == 0
