"""`radiodiff dataset bench` and `radiodiff evaluate --bench`: what they make, print, write and refuse."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from bench_cases import ENGINES, finished, layouts, small_bench
from command_line import Run, tree
from radiodiff.evaluation.bench import BenchContent
from radiodiff.formats.layout_folder import write_layouts
from radiodiff.propagation import FreeSpace
from tiny_pipelines import tiny_regression

FAST = ("--resamples", 100, "--batch-size", 2)
PLAIN = ("buildings", "transmitter", "cars", "dominant_path_gain_db", "building_height_m", "transmitter_height_m")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layouts and the test part. Not to be changed."""
    root = tmp_path_factory.mktemp("bench")
    write_layouts(root / "layouts", layouts())
    finished(root / "set", small_bench())
    return root


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def _cheap_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radiodiff.evaluation.bench.usual_engines", lambda preset: ENGINES)


def test_every_target_is_compared(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    outcome = radiodiff("evaluate", "--bench", "all", "--data", built / "set", *FAST, "--json", "a.json")
    assert outcome.code == 0, outcome
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    for title in ("street, DPM", "street, RL", "street, RT", "rooftop, DPM", "rooftop, RT"):
        assert sum(line.startswith(f"{title}: maps 4, scenes 2; ") for line in lines) == 1
    # The stand-in for the ray tracer is free space with holes: they are no error, and reported.
    rows = [line.split() for line in lines if line.startswith("free-space")]
    assert [float(row[1]) < 0.2 for row in rows] == [False, True, True, False, True]
    # Error outdoors, in sight and in the shadow with intervals over the scenes, then NMSE, SSIM and PSNR; time.
    pattern = r"dominant-path( [\d.e+-]+ \([\d.e+-]+ \.\. [\d.e+-]+\)){3}( [\d.e+-]+){3} [\d.]+ ms"
    assert sum(bool(re.match(pattern, line)) for line in lines) == 3
    assert any("3.4% of the cells outside buildings have no true value" in line for line in lines)
    marks = [line.split()[1] == "*" for line in lines if line.startswith("dominant-path")]
    assert marks == [True, False, False, True, False]
    cases = json.loads((tmp_path / "a.json").read_text())["cases"]
    assert [(case["scenario"], case["target"]) for case in cases][2] == ("street", "RT")
    assert cases[2]["num_unknown_cells"] > 0
    assert cases[2]["share_without_truth"] == pytest.approx(0.034, abs=0.001)
    for figure in ("outdoor/rmse_db", "los/rmse_db", "nlos/rmse_db", "outdoor/nmse", "outdoor/ssim", "outdoor/psnr"):
        for predictor in cases[2]["predictors"]:
            assert len(predictor["means"][figure]["interval"]) == 2
            assert predictor["facts"]["seconds_per_map"] > 0
    assert cases[0]["data"]["origin"] == "radiodiff-bench"


def test_models_with_heights_are_compared(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    data = {"kind": "radiomapseer", "heights": True, "geometry": ["dominant_path_gain_db"], "simulation": "RT"}
    tiny_regression(PLAIN, map_shape=(64, 64), data=data).save_pretrained(tmp_path / "model")
    options = ("--model", "model", *FAST, "--json", "a.json")
    outcome = radiodiff("evaluate", "--bench", "street", "--data", built / "set", *options)
    assert outcome.code == 0, outcome
    for case in json.loads((tmp_path / "a.json").read_text())["cases"]:
        facts = case["predictors"][0]["facts"]
        # The dominant path that it sees takes time, too.
        assert 1000 * facts["seconds_per_map"] > facts["condition_ms_per_map"] > 0
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    # On the dominant path itself the model sees the answer.
    assert [line.split()[1] == "*" for line in lines if line.startswith("model")] == [True, False, False]


def test_models_and_engines_lack_the_same_buildings(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    # In its training the buildings were drawn for each example.
    buildings = {"layer": "missing", "count": "random", "variant": "random", "share": 0.5}
    data = {"kind": "radiomapseer", "heights": True, "geometry": ["dominant_path_gain_db"], "simulation": "RT"}
    model = tiny_regression(PLAIN, map_shape=(64, 64), data=data | {"buildings": buildings})
    model.save_pretrained(tmp_path / "model")
    options = ("--model", "model", "--engine", "dominant-path", "--target", "DPM", *FAST)
    found = {}
    for missing in (0, 1):
        file = f"{missing}.json"
        command = ("evaluate", "--bench", "street", "--data", built / "set", *options, "--json", file)
        outcome = radiodiff(*command, "--missing", missing)
        assert outcome.code == 0, outcome
        found[missing] = json.loads((tmp_path / file).read_text())
        assert ("1 building missing from the input; " in outcome.out) == bool(missing)
        assert ("a channel that the model sees, of the whole scene." in outcome.out) == bool(missing)
        assert found[missing]["bench"]["missing_buildings"] == missing
    (whole,), (lacking,) = (found[missing]["cases"] for missing in (0, 1))
    assert (whole["data"]["buildings"], lacking["data"]["buildings"]) == ("complete", "missing1/1")
    assert whole["num_cells"] == lacking["num_cells"]
    figures = [[one["means"]["outdoor/rmse_db"]["value"] for one in case["predictors"]] for case in (whole, lacking)]
    assert all(before != after for before, after in zip(*figures, strict=True))
    # The engine of the target itself, but for the rounding to grey levels.
    assert figures[0][1] < 0.2 < figures[1][1]
    assert lacking["predictors"][0]["facts"]["condition_ms_per_map"] > 0


def test_folders_of_predictions_are_compared(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    """The true maps themselves, as another program would have left them."""
    for scenario in ("street", "rooftop"):
        shutil.copytree(built / "set" / scenario / "gain/RT", tmp_path / "mine" / scenario)
    options = ("--pred", "mine", "--json", "a.json", "--target", "RT", *FAST)
    outcome = radiodiff("evaluate", "--bench", "all", "--data", built / "set", *options)
    assert outcome.code == 0, outcome
    for case in json.loads((tmp_path / "a.json").read_text())["cases"]:
        (found,) = case["predictors"]
        assert found["label"] == "mine"
        assert found["means"]["outdoor/rmse_db"]["value"] == 0.0


def test_files_are_written_for_each_target(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    options = ("--target", "RT", "--engine", "free-space", "--out", "ev")
    outcome = radiodiff("evaluate", "--bench", "rooftop", "--data", built / "set", *options, *FAST)
    assert outcome.code == 0, outcome
    assert {path.name for path in (tmp_path / "ev/rooftop-RT").iterdir()} == {
        *("metrics.csv", "metrics.json", "overview.png")
    }


def test_what_is_done_is_told_before_an_engine_refuses(radiodiff: Run, built: Path) -> None:
    options = ("--data", built / "set", "--target", "RT", "--engine", "ray-launching:fast", *FAST)
    outcome = radiodiff("evaluate", "--bench", "all", *options)
    assert outcome.code == 2, outcome
    assert "street, RT: maps 4" in outcome.out
    assert "transmitter at street level" in outcome.message


def test_json_alone_goes_to_other_programs(radiodiff: Run, built: Path) -> None:
    options = ("--target", "RT", "--engine", "free-space", "--json", "-")
    outcome = radiodiff("evaluate", "--bench", "rooftop", "--data", built / "set", *options, *FAST)
    (case,) = json.loads(outcome.out)["cases"]
    assert case["predictors"][0]["label"] == "free-space"
    assert case["predictors"][0]["facts"]["engine"] == repr(FreeSpace())


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--bench", "indoor", "--data", "SET"), ("street, rooftop, all", "indoor")),
        (("--bench", "rooftop", "--target", "RL", "--data", "SET"), ("Targets of scenario rooftop are DPM, RT",)),
        (("--bench", "all", "--data", "nothing"), ("must hold bench.json", "radiodiff dataset bench")),
        (("--bench", "all", "--data", "SET", "--pred", "SET/.."), ("one for each scenario", "/rooftop, ", "/street,")),
        (("--bench", "street", "--data", "SET", "--pred", "SET"), ("must have a prediction", "0_0.png")),
        (("--bench", "all", "--data", "SET", "--split", "train"), ("on the test part", "--split train")),
        (("--bench", "all", "--data", "SET", "data.simulation=RT"), ("itself", "data.simulation", "--target")),
        (("--bench", "all", "--data", "SET", "data.buildings.count=2"), ("itself", "data.buildings", "--missing")),
        (("--bench", "all", "--data", "SET", "--missing", "5"), ("--missing must be a number", "0 to 4", "got 5")),
        (("--bench", "all", "--data", "SET", "--missing", "-1"), ("--missing must be a number", "0 to 4", "got -1")),
        (
            ("--engine", "free-space", "--data", "SET/street", "--missing", "1"),
            ("must have the layer buildings_missing1/1", "radiodiff dataset missing"),
        ),
        (
            ("--engine", "free-space", "--data", "SET/street", "--missing", "1", "data.buildings.variant=2"),
            ("--missing gives the buildings", "data.buildings.variant=2"),
        ),
        (("--engine", "free-space"), ("needs --data or --bench",)),
        (("--engine", "free-space", "--data", "SET", "--target", "RT"), ("--target belongs to --bench",)),
        (("--bench", "all", "--data", "SET", "--engine", "free-space:fast"), ("preset belongs to one of the engines",)),
        (("--bench", "all", "--data", "SET", "--engine", "rays"), ("engine must be one of",)),
    ],
    ids=str,
)
def test_wrong_input_of_an_evaluation_is_refused(
    radiodiff: Run, built: Path, tmp_path: Path, options: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    given = [option.replace("SET", str(built / "set")) for option in options]
    radiodiff("evaluate", *given, "--out", "ev").check_refusal(*parts)
    assert not (tmp_path / "ev").exists()


@pytest.mark.usefixtures("_cheap_engines")
def test_a_part_is_built_by_one_command(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    options = ("--layouts", built / "layouts", "--tx-per-scene", 2, "--workers", 1)
    outcome = radiodiff("dataset", "bench", "--out", "set", *options)
    assert outcome.code == 0, outcome
    assert "street, 2 scenes, 4 maps of each of DPM, RL, RT, 0.0" in outcome.out
    archives = {path.name: path.read_bytes() for path in (built / "set").glob("*.xz")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").glob("*.xz")} == archives
    outcome = radiodiff(
        "dataset", "bench", "--out", "train", "--part", "train", *options, "--scenes", 3, "--missing", 1
    )
    assert outcome.code == 0, outcome
    assert [path.name for path in tmp_path.glob("train/street/png/buildings_missing4/*")] == ["1"]
    assert BenchContent.read(tmp_path / "train").scenarios["rooftop"].num_maps == 6
    for scenario in ("street", "rooftop"):
        assert radiodiff("dataset", "validate", tmp_path / "train" / scenario, "--workers", 1).code == 0


@pytest.mark.usefixtures("_cheap_engines")
def test_a_part_can_be_built_in_turns(radiodiff: Run, built: Path, tmp_path: Path) -> None:
    options = ("--layouts", built / "layouts", "--tx-per-scene", 2, "--workers", 1, "--out", "set", "--part", "train")
    outcome = radiodiff("dataset", "bench", *options, "--scenes", 2, "--max-hours", 1)
    assert outcome.code == 0, outcome
    assert "missing" not in outcome.out
    assert radiodiff("dataset", "bench", *options, "--scenes", 4).code == 0
    assert BenchContent.read(tmp_path / "set").scenarios["street"].num_scenes == 4


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--part", "validation"), ("--part must be test or train",)),
        (("--scenes", "0"), ("--scenes must be at least 1",)),
        (("--test-city", "paris"), ("needs crops of its cities", "paris")),
        (("--preset", "best"), ("preset of ray-launching must be one of", "best")),
        (("--workers", "0"), ("workers",)),
        (("--max-hours", "0"), ("hours",)),
        (("--tx-per-scene", "0"), ("tx_per_map",)),
        (("--layouts", "nothing"), ("folder of layouts must hold",)),
    ],
    ids=str,
)
def test_wrong_input_of_a_build_is_refused(
    radiodiff: Run, built: Path, tmp_path: Path, options: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    given = ("--layouts", str(built / "layouts"), *options)
    before = tree(tmp_path)
    radiodiff("dataset", "bench", "--out", "set", *given).check_refusal(*parts)
    assert tree(tmp_path) == before
