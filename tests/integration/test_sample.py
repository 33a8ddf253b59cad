"""`radiodiff sample`: what it writes, goes on with and refuses."""

import csv
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import debug_launcher
from accelerate.state import AcceleratorState
from PIL import Image
from scipy.ndimage import binary_erosion

from command_line import Run, tree
from radiodiff.cli.main import app
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.errors import RadiodiffError
from radiodiff.evaluation.pipeline_predictor import map_generators
from radiodiff.evaluation.sample_folder import SampleFolder
from radiodiff.pipeline.load import load_pipeline
from second_stage_models import NAMES, link_stock, make_stock

ARGUMENTS = ("sample", "--model", "run", "--data", "city", "--split", "all", "--out", "samples", "--cpu")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `make_stock`. Not to be changed."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("stock")
    make_stock(folder)
    return folder


@pytest.fixture(scope="module")
def begun(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of the maps, as the command line leaves it. Not to be changed."""
    out = tmp_path_factory.mktemp("begun") / "samples"
    places = ("--model", stock / "run", "--data", stock / "city", "--out", out)
    app([str(word) for word in (*ARGUMENTS, *places, "--limit", 1)], standalone_mode=False)
    return out


@pytest.fixture
def city(stock: Path, tmp_path: Path) -> Path:
    """Six maps of 48 x 48 cells in `city`, and models for them."""
    link_stock(stock, tmp_path)
    return tmp_path / "city"


def index(folder: Path) -> list[dict[str, str]]:
    with open(folder / "index.csv", newline="") as file:
        return list(csv.DictReader(file))


def without_times(folder: Path) -> dict[str, object]:
    """Everything in a folder of samples, without how long each took."""
    content = dict(tree(folder))
    content["index.csv"] = [{**row, "seconds": ""} for row in index(folder)]
    return content


def grey(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.asarray(image)


def test_images_and_index_of_every_map(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    outcome = radiodiff(*ARGUMENTS, "--steps", 2, "--draws", 3, "--seed", 7, "--std", "--batch-size", 4)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("samples: 6 maps on the raw scale, ")
    out = tmp_path / "samples"
    files = {
        "index.csv",
        "sampling.json",
        "sampling.lock",
        *(f"{n}.png" for n in NAMES),
        *(f"std/{n}.npz" for n in NAMES),
    }
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == files
    source = open_data_set(RadioMapSeerConfig(root=city, part="all"))
    pipeline = load_pipeline(tmp_path / "run")
    condition = torch.from_numpy(np.stack([source[number].condition for number in range(6)]))
    drawn = pipeline.predict(condition, map_generators(7, range(6)), num_inference_steps=2, num_draws=3)
    levels = (drawn[:, :, 0].double().numpy() + 1) / 2
    for number in range(6):
        indoors = binary_erosion(source[number].condition[0] > 0, np.ones((3, 3)))
        assert levels[number][:, indoors].any()
        assert (source[number].target[0][indoors] == -1).all()
        levels[number][:, indoors] = 0
    assert json.loads((out / "sampling.json").read_text())["is_masked"] is True
    for number, (name, row) in enumerate(zip(NAMES, index(out), strict=True)):
        mean = levels[number].mean(axis=0)
        assert np.abs(grey(out / f"{name}.png") / 255 - mean).max() <= 0.5 / 255 + 1e-5
        std = np.load(out / "std" / f"{name}.npz")["std"]
        np.testing.assert_allclose(std, 99.16 * levels[number].std(axis=0, ddof=1), atol=2e-3)
        assert {key: row[key] for key in ("name", "file", "number", "seed", "steps", "draws", "scale")} == {
            "name": name,
            "file": f"{name}.png",
            "number": str(number),
            "seed": "7",
            "steps": "2",
            "draws": "3",
            "scale": "raw",
        }
        assert float(row["seconds"]) > 0
        path_loss = 147.0 - 99.16 * mean
        assert float(row["min"]) == pytest.approx(path_loss.min(), abs=0.01)
        assert float(row["max"]) == pytest.approx(path_loss.max(), abs=0.01)
    with Image.open(out / "0_0.png") as image:
        said = json.loads(image.text["radiodiff-channel"])
    assert (said["scale"], said["channel"]) == ("raw", "path_loss_db")


def test_a_run_goes_on_and_leaves_the_same_files(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    options = ("--draws", 2, "--std", "--batch-size", 4)
    assert radiodiff(*ARGUMENTS, *options).code == 0
    whole = without_times(tmp_path / "samples")
    # As an interrupt leaves it: a file without its row, a row without its file, an unfinished file, half a row.
    out = tmp_path / "samples"
    (out / "0_1.png").unlink()
    (out / "std" / "2_0.npz").write_bytes(b"")
    (out / ".radiodiff-123.png").write_bytes(b"half")
    lines = (out / "index.csv").read_text().splitlines(keepends=True)
    (out / "index.csv").write_text("".join([lines[0], *lines[2:5]]))
    (out / "index.1.csv").write_text("".join([lines[0], lines[5], lines[6][:-4]]))
    kept = {name: (out / f"{name}.png").stat().st_mtime_ns for name in ("1_0", "1_1")}
    outcome = radiodiff(*ARGUMENTS, *options)
    assert outcome.code == 0
    assert "6 maps on the raw scale, 2 of them from an earlier run" in outcome.out
    assert without_times(out) == whole
    assert kept == {name: (out / f"{name}.png").stat().st_mtime_ns for name in kept}
    again = radiodiff(*ARGUMENTS, *options)
    assert "6 of them from an earlier run" in again.out
    assert without_times(out) == whole
    # As a power cut may leave them: their ends are missing.
    for path in (out / "1_0.png", out / "std" / "1_1.npz"):
        path.write_bytes(path.read_bytes()[:-20])
    assert "4 of them from an earlier run" in radiodiff(*ARGUMENTS, *options).out
    assert without_times(out) == whole


def test_buildings_may_keep_what_the_model_has_there(radiodiff: Run, city: Path, tmp_path: Path, begun: Path) -> None:
    assert radiodiff(*ARGUMENTS, "--limit", 1, "--no-mask").code == 0
    (name,) = (row["name"] for row in index(begun))
    indoors = open_data_set(RadioMapSeerConfig(root=city, part="all"))[NAMES.index(name)].condition[0] > 0
    inside = binary_erosion(indoors, np.ones((3, 3)))
    masked, whole = (grey(folder / f"{name}.png") for folder in (begun, tmp_path / "samples"))
    assert (masked[inside] == 0).all()
    assert (whole[inside] > 0).any()
    assert (masked == whole)[~inside].all()


def test_a_limit_may_grow(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    assert radiodiff(*ARGUMENTS, "--limit", 2, "--batch-size", 1).code == 0
    assert [row["name"] for row in index(tmp_path / "samples")] == ["0_1", "2_0"]
    assert radiodiff(*ARGUMENTS, "--batch-size", 1).code == 0
    assert [row["name"] for row in index(tmp_path / "samples")] == NAMES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", 2), "num_inference_steps 1, now 2."),
        (("--draws", 2), "num_draws 1, now 2"),
        (("--seed", 1), "seed 0, now 1"),
        (("--deterministic",), "is_stochastic True, now False"),
        (("--precision", "bf16"), "precision 'fp32', now 'bf16'"),
        (("--split", "test"), "samples: data.part 'all', now 'test'."),
        (("--model", "other"), "samples: the model is another one (trained further?)."),
        (("--no-mask",), "is_masked True, now False"),
    ],
    ids=str,
)
def test_maps_of_other_settings_are_not_mixed(
    radiodiff: Run, city: Path, tmp_path: Path, begun: Path, options: tuple, said: str
) -> None:
    shutil.copytree(begun, tmp_path / "samples")
    before = tree(tmp_path / "samples")
    outcome = radiodiff(*ARGUMENTS, *options)
    outcome.check_refusal("can go on with the settings that it was begun with", said)
    assert tree(tmp_path / "samples") == before


def test_a_run_without_a_map_binds_nobody(radiodiff: Run, city: Path, tmp_path: Path, begun: Path) -> None:
    out = tmp_path / "samples"
    shutil.copytree(begun, out)
    other = (out / "sampling.json").read_text().replace('"seed": 0', '"seed": 5')
    for path in out.glob("*.*"):
        path.unlink()
    (out / "sampling.json").write_text(other)
    (out / "index.0.csv").write_text("name,file\n")
    assert radiodiff(*ARGUMENTS, "--limit", 1).code == 0
    assert json.loads((out / "sampling.json").read_text())["seed"] == 0
    # An image without its row is a map.
    (out / "sampling.json").write_text(other)
    (out / "index.csv").unlink()
    radiodiff(*ARGUMENTS, "--limit", 1).check_refusal("settings that it was begun with", "seed 5, now 0")


def test_a_folder_is_filled_by_one_run_at_a_time(radiodiff: Run, city: Path, tmp_path: Path, begun: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    shutil.copytree(begun, tmp_path / "samples")
    before = tree(tmp_path / "samples")
    with open(tmp_path / "samples/sampling.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        radiodiff(*ARGUMENTS).check_refusal("filled by one run at a time", "samples, which another run is filling")
        assert tree(tmp_path / "samples") == before
    assert radiodiff(*ARGUMENTS).code == 0


def test_systems_without_file_locks_can_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    for _ in range(2):
        folder = SampleFolder(tmp_path / "samples", {})
        folder.begin()
        folder.close()
    assert not (tmp_path / "samples/sampling.lock").exists()


def sample_in_a_process(folder: str, arguments: tuple) -> None:
    """The command in one of several processes; what it raises goes to a file."""
    os.chdir(folder)
    torch.set_num_threads(1)
    try:
        app([str(argument) for argument in arguments], standalone_mode=False)
    except RadiodiffError as error:
        Path(f"error-{torch.distributed.get_rank()}.txt").write_text(str(error))


@pytest.fixture
def _no_process_group_yet() -> None:
    # Processes that are forked from this one would take over that it runs alone.
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("_no_process_group_yet")
def test_two_processes_leave_what_one_does(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    options = ("--draws", 2, "--std", "--batch-size", 2)
    debug_launcher(sample_in_a_process, (str(tmp_path), (*ARGUMENTS, "--out", "two", *options)), num_processes=2)
    assert radiodiff(*ARGUMENTS, *options).code == 0
    assert without_times(tmp_path / "two") == without_times(tmp_path / "samples")
    assert not list(tmp_path.glob("error-*"))


@pytest.mark.usefixtures("_no_process_group_yet")
def test_all_end_where_one_cannot_read_and_what_is_finished_stays(
    radiodiff: Run, stock: Path, city: Path, tmp_path: Path
) -> None:
    city.unlink()
    shutil.copytree(stock / "city", city)
    image = city / "png" / "buildings_complete" / "1.png"
    content = image.read_bytes()
    image.unlink()
    arguments = (*ARGUMENTS, "--batch-size", 2)
    debug_launcher(sample_in_a_process, (str(tmp_path), arguments), num_processes=2)
    # Of the groups 0, 1 and 2 the second process has the second.
    errors = [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)]
    assert "Every process must be able to do its share; got another process that could not: " in errors[0]
    assert "1.png" in errors[1]
    image.write_bytes(content)
    outcome = radiodiff(*arguments)
    assert "6 maps on the raw scale, 4 of them from an earlier run" in outcome.out
    assert [row["name"] for row in index(tmp_path / "samples")] == NAMES


def test_a_regression_has_one_prediction(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    arguments = [*ARGUMENTS, "--model", "regression"]
    for options, named in (
        (("--draws", 2), "got --draws"),
        (("--steps", 5), "got --steps"),
        (("--deterministic",), "got --stochastic"),
        (("--seed", 2), "got --seed"),
    ):
        radiodiff(*arguments, *options).check_refusal("belong to diffusion models", named)
    assert radiodiff(*arguments).code == 0
    assert len(index(tmp_path / "samples")) == 6


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--steps", 0), ("--steps must be a whole number of at least 1", "got 0")),
        (("--draws", 0), ("--draws must be a whole number of at least 1", "got 0")),
        (("--batch-size", -1), ("--batch-size must be a whole number of at least 1", "got -1")),
        (("--seed", -1), ("--seed must be a whole number of at least 0", "got -1")),
        (("--limit", 0), ("--limit must be a whole number of at least 1", "got 0")),
        (("--std",), ("--std needs at least two draws", "--draws 1")),
        (("--precision", "fp8"), ("--precision must be one of fp32, bf16, fp16", "'fp8'")),
        (("--window", "half"), ("--window must be auto, whole or a number of cells", "'half'")),
        (("--window", 7), ("window must be multiples of", "7 x 7")),
        (("--model", "nothing"), ("The folder of a model must exist", "nothing")),
        (("--model", "city"), ("A model must be a folder with model_index.json", "city")),
        (("--data", "nowhere"), ("A RadioMapSeer folder must hold", "nowhere")),
        (("--split", "tests"), ("Split fake has the parts train, validation, test", "'tests'")),
        (("--split", "test", "data.split=all"), ("Split all has the parts all", "--split all on the command line")),
        (("data.scale=thresholded",), ("trained with", "on the raw scale", "on the thresholded scale")),
        (("data.part=train",), ("data.part cannot be changed: --split gives the part", "data.part=train")),
        (("data.augment=true",), ("data.augment cannot be changed", "data.augment=true")),
        (("data.geometry=[los_mask]",), ("channels and the scale that the model was trained with", "los_mask")),
        (("data.sizes=3",), ("There is no key data.sizes", "data.size")),
        (("--out", "city"), ("--out must be a folder that is empty or absent", "holds something else")),
        (("--out", "file"), ("--out must be a folder that is empty or absent", "which is a file")),
    ],
    ids=str,
)
def test_wrong_input_is_refused_and_leaves_nothing(
    radiodiff: Run, city: Path, tmp_path: Path, options: tuple, parts: tuple
) -> None:
    (tmp_path / "file").write_text("text")
    before = tree(tmp_path)
    radiodiff(*ARGUMENTS, *options).check_refusal(*parts)
    assert tree(tmp_path) == before
