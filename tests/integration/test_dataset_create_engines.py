"""`radiodiff dataset create` with several engines, presets, scenarios and layouts."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from command_line import Run
from radiodiff.data.create import read_manifest
from radiodiff.formats import read_radio_map
from radiodiff.formats.layout_folder import Layout, write_layouts
from radiodiff.propagation import make_engine
from radiodiff.scene import Footprint, Grid, Scene
from ray_tracer import needs_ray_tracer

OPTIONS = ("--maps", 2, "--tx-per-map", 2, "--seed", 3, "--workers", 1)
COMMAND = ("dataset", "create", "--out", "city", *OPTIONS, "--size", 64)
SCHEDULER = "tcp://127.0.0.1:1"


def test_several_targets_of_the_same_scenes(radiodiff: Run, tmp_path: Path) -> None:
    outcome = radiodiff(*COMMAND, "--engine", "dominant-path", "--engine", "ray-launching", "--preset", "fast")
    assert (outcome.code, outcome.err) == (0, "")
    assert "2 cities, 8 radio maps" in outcome.out
    root = tmp_path / "city"
    record = json.loads((root / "dataset.json").read_text())
    assert record["scenario"] == "street"
    assert {name: engine["name"] for name, engine in record["engines"].items()} == {
        "DPM": "dominant-path",
        "RL": "ray-launching",
    }
    for map_id in range(2):
        for tx_id in range(2):
            maps = [read_radio_map(root / f"gain/{name}/{map_id}_{tx_id}.png") for name in ("DPM", "RL")]
            assert maps[0].tx == maps[1].tx
            assert maps[0].tx.height_m == 2.5
            assert not np.array_equal(maps[0].path_loss_db, maps[1].path_loss_db)
            assert maps[1].producer == repr(make_engine("ray-launching", "fast"))
    assert (root / "dataset.csv").read_text().startswith("map,tx,col,row,gain_DPM,gain_RL\n")


def test_rooftops_of_layouts(radiodiff: Run, tmp_path: Path) -> None:
    boxes = [(20, 20, 60, 50, 12.0), (70, 40, 100, 100, 20.0)]
    scene = Scene.from_footprints(Grid(128, 128), [Footprint(shapely.box(*box[:4]), box[4]) for box in boxes])
    layouts = [Layout(name, "town", scene, 0, 0, "made up", name, is_disjoint=True) for name in ("a", "b")]
    write_layouts(tmp_path / "layouts", layouts)
    outcome = radiodiff(
        *("dataset", "create", "--out", "city", "--layouts", "layouts", "--scenario", "rooftop"), *OPTIONS
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert "2 layouts, 4 radio maps" in outcome.out
    root = tmp_path / "city"
    assert [record["source"] for record in read_manifest(root)] == ["a", "b"]
    heights_m = {height for i in range(2) for height in json.loads((root / f"antenna_heights/{i}.json").read_text())}
    assert heights_m <= {15.0, 23.0, 10.0}
    assert json.loads((root / "polygon/heights/0.json").read_text()) == [12.0, 20.0]
    assert json.loads((root / "dataset.json").read_text())["licences"] == ["made up"]


@needs_ray_tracer
def test_traced_rooftops_tell_their_noise(radiodiff: Run, tmp_path: Path) -> None:
    options = ("--engine", "ray-tracing:fast", "--scenario", "rooftop", "--maps", 1, "--tx-per-map", 1)
    outcome = radiodiff(*COMMAND, *options)
    assert (outcome.code, outcome.err) == (0, "")
    (record,) = read_manifest(tmp_path / "city")
    facts = record["facts"]["RT"]
    assert 0.0 < facts["standard_error_db"][0] <= 1.0
    assert facts["num_cells_without_path"][0] >= 0
    assert facts["seconds"][0] > 0.0
    meta = read_radio_map(tmp_path / "city/gain/RT/0_0.png").meta
    assert meta == {name: values[0] for name, values in facts.items() if name != "seconds"}
    assert "sionna-rt" in record["versions"]


def test_what_the_ray_tracer_lacks_is_told_before_anything_is_written(
    radiodiff_process: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", str(tmp_path / "libLLVM-19.so"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    outcome = radiodiff_process(*COMMAND, "--engine", "ray-tracing:fast")
    # The ray tracer's own library may say a line before.
    assert outcome.code == 2
    assert "error: Ray tracing needs" in outcome.message
    assert "pip install" in outcome.message
    assert not list(tmp_path.iterdir())


REFUSED = {
    "an unknown engine": (["--engine", "ray-tracking"], ["engines of a data set", "ray-tracking"]),
    "an engine that makes no data set": (["--engine", "umi"], ["engines of a data set must be of", "got umi. Choose"]),
    "an engine twice": (
        ["--engine", "ray-launching:fast", "--engine", "ray-launching:reference"],
        ["engines of a data set must differ", "a data set of its own"],
    ),
    "a preset that nobody takes": (
        ["--preset", "fast"],
        ["A preset must be one of an engine", "--preset fast with dominant-path", "fast"],
    ),
    "a preset beside one": (
        ["--engine", "ray-launching:fast", "--preset", "reference"],
        ["A preset must be one of an engine that names none itself", "--preset reference with ray-launching:fast"],
    ),
    "an unknown preset": (
        ["--engine", "ray-launching", "--preset", "fasst"],
        ["A preset must be one of", "fasst", "ray-launching: fast"],
    ),
    "an unknown scenario": (["--scenario", "roof"], ["A scenario must be one of", "'roof'"]),
    "layouts of another size": (
        ["--layouts", "nowhere"],
        ["must be left out with --layouts", "got --size 64 --layouts"],
    ),
    "workers beside a scheduler": (
        ["--scheduler", SCHEDULER],
        ["--workers must be left out", f"1 --scheduler {SCHEDULER}"],
    ),
    "cars with rays": (["--cars", "--engine", "ray-launching"], ["by the dominant path engine", "cars with RL"]),
    "ground that does not hold at the carrier": (
        ["--engine", "ray-tracing:fast", "--frequency", 28e9],
        ["medium_dry_ground hold from 1 to 10 GHz; got 28 GHz", "--ground-material", "concrete, brick"],
    ),
    "materials that nobody knows": (
        ["--ground-material", "concrete"],
        ["Materials belong to the engines ray-launching"],
    ),
    "no hours": (["--max-hours", 0], ["hours of a run must be above 0"]),
}


@pytest.mark.parametrize(("options", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_refused_before_anything_is_written(
    radiodiff: Run, tmp_path: Path, options: list, parts: list[str]
) -> None:
    radiodiff(*COMMAND, *options).check_refusal(*parts)
    assert not list(tmp_path.iterdir())


def test_layouts_come_as_they_are(radiodiff: Run, tmp_path: Path) -> None:
    command = ("dataset", "create", "--out", "city", *OPTIONS, "--layouts", "nowhere")
    radiodiff(*command, "--style", "houses").check_refusal("for generated cities", "--style houses --layouts nowhere")
    radiodiff(*command).check_refusal("must hold layouts.json", "got nowhere")
    assert not list(tmp_path.iterdir())


def test_long_runs_without_a_terminal_tell_how_far_they_are(radiodiff: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["radiodiff.cli.dataset.runs"], "LINE_S", 0.0)
    outcome = radiodiff(*COMMAND)
    assert outcome.err.splitlines() == ["1 of 2 maps, 0.00 h left", "2 of 2 maps, 0.00 h left"]
