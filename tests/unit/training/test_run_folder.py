"""How a run begins and goes on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.errors import CheckpointError, TrainingError
from radiodiff.training.provenance import Provenance, UsedData
from radiodiff.training.run_folder import RunFolder

PROVENANCE = Provenance(
    started_utc="2026-01-31T19:41:07+00:00",
    radiodiff="0.1.0",
    commit="c0ffee",
    is_modified=False,
    python="3.11.9",
    packages={"torch": "2.13.0"},
    platform="Linux",
    num_cpus=2,
    gpus=("H200",),
    num_processes=1,
    precision="fp32",
    seed=3,
    command="radiodiff train autoencoder",
    data=UsedData("radiomapseer", "city", 40),
)


def test_a_new_run_stores_what_it_is(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "runs" / "first")
    run.begin("seed: 3\n", PROVENANCE)
    assert run.recipe.read_text() == "seed: 3\n"
    assert run.starts() == [{"step": 0, **PROVENANCE.to_dict()}]
    assert json.loads(run.provenance.read_text())["starts"][0]["data"]["root"] == "city"
    folders = {run.tensorboard, run.checkpoints, run.samples, run.metrics}
    assert set(run.path.iterdir()) == {run.recipe, run.provenance, *folders}
    assert all(folder.is_dir() for folder in folders)
    assert (run.json_lines.name, run.text_log.name) == ("log.jsonl", "train.log")


def test_a_new_run_takes_an_empty_folder_or_one_with_an_unfinished_file(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY_PREFIX}1.json").touch()
    RunFolder(tmp_path).begin("a: 1\n", PROVENANCE)
    assert (tmp_path / "recipe.yaml").is_file()


@pytest.mark.parametrize("name", ["recipe.yaml", "notes.txt", ".hidden"])
def test_a_new_run_refuses_a_folder_that_holds_something(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(TrainingError, match=r"must be empty or absent.*--resume .+ or give another"):
        RunFolder(tmp_path).begin("a: 1\n", PROVENANCE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_new_run_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(TrainingError, match="must be empty or absent"):
        RunFolder(tmp_path / "run").begin("a: 1\n", PROVENANCE)


def test_each_start_is_kept(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.begin("a: 1\n", PROVENANCE)
    run.begin("a: 1\n", replace(PROVENANCE, commit="beef"), resume_step=500)
    assert [(start["step"], start["commit"]) for start in run.starts()] == [(0, "c0ffee"), (500, "beef")]
    assert list(tmp_path.glob("recipe-*")) == []


def test_a_changed_recipe_keeps_the_earlier_ones(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.begin("rate: 1\n", PROVENANCE)
    run.begin("rate: 2\n", PROVENANCE, resume_step=500)
    run.begin("rate: 3\n", PROVENANCE, resume_step=500)
    assert run.recipe.read_text() == "rate: 3\n"
    assert (tmp_path / "recipe-500.yaml").read_text() == "rate: 1\n"
    assert (tmp_path / "recipe-500-2.yaml").read_text() == "rate: 2\n"


def test_a_run_to_go_on_with_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"with provenance\.json"):
        RunFolder(tmp_path / "absent").begin("a: 1\n", PROVENANCE, resume_step=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"start": []}', '{"starts": 3}', '{"starts": [3]}'])
def test_damaged_provenance_is_named(tmp_path: Path, text: str) -> None:
    run = RunFolder(tmp_path)
    run.begin("a: 1\n", PROVENANCE)
    run.provenance.write_text(text)
    with pytest.raises(CheckpointError, match=r"must hold the list `starts`.*provenance\.json"):
        run.begin("a: 2\n", PROVENANCE, resume_step=1)
    assert run.recipe.read_text() == "a: 1\n"


def test_a_resume_after_an_end_between_the_two_files(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.begin("a: 1\n", PROVENANCE)
    run.recipe.unlink()
    run.begin("a: 1\n", PROVENANCE, resume_step=0)
    assert run.recipe.read_text() == "a: 1\n"
