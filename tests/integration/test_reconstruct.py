"""`radiodiff reconstruct` and `radiodiff latents`: what they print, write and refuse."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from command_line import Run, tree
from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord, load_autoencoder, save_autoencoder
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.latent_statistics import measure_latents

CITY = ("radiomapseer", "--maps", 2, "--tx-per-map", 2, "--seed", 2, "--size", 50, "--no-cars", "--no-missing-layers")
ROOMS = ("icassp", "--maps", 3, "--tx-per-map", 2, "--seed", 2, "--size", 40)


def save_model(folder: Path, config: Any, examples: AutoencoderExamplesConfig | None = None) -> None:
    """A tiny autoencoder without training, for the data of these settings."""
    examples = examples or AutoencoderExamplesConfig()
    seen = AutoencoderExamples(config, examples)
    network = build_autoencoder(
        AutoencoderConfig(
            in_channels=seen.num_inputs,
            out_channels=seen.num_targets,
            base_channels=8,
            channel_multipliers=(1, 2),
            blocks_per_level=1,
            norm_groups=4,
            middle_attention=False,
        ),
        seed=0,
    )
    data = config.model_dump(mode="json", exclude={"root", "part", "augment"})
    seen_of_each = examples.model_dump(mode="json", exclude={"crop_size"})
    record = AutoencoderRecord(seen.input_encoding, seen.scale, data=data, examples=seen_of_each)
    save_autoencoder(folder, network, record)


@pytest.fixture
def city(radiodiff: Run, tmp_path: Path) -> Path:
    """A data set of four maps of 50 x 50 cells, and `run/autoencoder` for it."""
    assert radiodiff("dataset", "fake", *CITY, "--out", "city").code == 0
    save_model(tmp_path / "run" / "autoencoder", RadioMapSeerConfig(root=tmp_path / "city", split="all", part="all"))
    return tmp_path / "city"


ARGUMENTS = ("--model", "run", "--data", "city", "--part", "all")


def grey(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.asarray(image)


def test_images_and_figures_of_every_map(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    outcome = radiodiff("reconstruct", *ARGUMENTS, "--out", "rec")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("rec: written\n")
    out = tmp_path / "rec"
    names = ["0_0", "0_1", "1_0", "1_1"]
    files = {"metrics.csv", "metrics.json", "overview.png", *(f"maps/{name}.png" for name in names)}
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == files
    with open(out / "metrics.csv", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert list(rows) == names
    for name, row in rows.items():
        truth, prediction = (grey(path / f"{name}.png") / 255.0 for path in (city / "gain/DPM", out / "maps"))
        # The image is the reconstruction, rounded to 1/255.
        error = np.sqrt(((prediction - truth) ** 2).mean())
        assert float(row["rmse"]) == pytest.approx(error, abs=0.5 / 255)
        assert float(row["rmse_db"]) == pytest.approx(99.16 * float(row["rmse"]))
        assert float(row["outdoor/rmse"]) != float(row["rmse"])
    content = json.loads((out / "metrics.json").read_text())
    assert content["means"]["rmse"] == pytest.approx(np.mean([float(row["rmse"]) for row in rows.values()]))
    assert (content["num_maps"], content["num_cells"]) == (4, 4 * 50 * 50)
    assert content["num_outdoor_cells"] < content["num_cells"]
    assert (content["model"], content["part"]) == ("run", "all")
    assert content["protocol"].startswith("part all, raw scale, levels g")
    with Image.open(out / "maps/0_0.png") as image:
        said = json.loads(image.text["radiodiff-channel"])
    assert said == {"scale": "raw", "channel": "path_loss_db", "grey_0": 147.0, "grey_255": pytest.approx(47.84)}
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    means = content["means"]
    assert f"mean rmse {means['rmse']:.4g} {means['outdoor/rmse']:.4g}" in lines
    pooled = content["pooled"]
    assert f"rmse of all maps together {pooled['rmse']:.4g} {pooled['outdoor/rmse']:.4g}" in lines
    assert f"protocol: {content['protocol']}" in lines


def test_a_limit_takes_maps_from_all_over_the_part(radiodiff: Run, city: Path) -> None:
    outcome = radiodiff("reconstruct", *ARGUMENTS, "--limit", 2, "--batch-size", 2)
    assert outcome.code == 0
    assert "part all (2 of its 4 examples), raw scale, " in outcome.out
    assert "\n2 maps, 5000 cells, " in outcome.out
    radiodiff("reconstruct", *ARGUMENTS, "--limit", 0).check_refusal("at least one is wanted", "0 of 4")


def test_settings_of_the_data_can_be_changed(radiodiff: Run, city: Path) -> None:
    plain = radiodiff("reconstruct", *ARGUMENTS)
    other = radiodiff("reconstruct", *ARGUMENTS, "data.simulation=IRT2")
    assert (plain.code, other.code) == (0, 0)
    assert plain.out != other.out


def test_several_channels_have_an_image_each(radiodiff: Run, tmp_path: Path) -> None:
    assert radiodiff("dataset", "fake", *ROOMS, "--out", "rooms").code == 0
    save_model(tmp_path / "model", IcasspConfig(root=tmp_path / "rooms", part="all", view="building", size=32))
    outcome = radiodiff("reconstruct", "--model", "model", "--data", "rooms", "--part", "all", "--out", "rec")
    assert (outcome.code, outcome.err) == (0, "")
    with open(tmp_path / "rec/metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    images = {path.name for path in (tmp_path / "rec/maps").iterdir()}
    assert images == {
        f"{row['name']}_{channel}.png" for row in rows for channel in ("reflectance_db", "transmittance_db")
    }
    # Whole maps, although the model was trained on windows of 32 x 32; each cell counts once.
    wholes = {path.stem: grey(path).shape for path in (tmp_path / "rec/maps").iterdir()}
    inputs = {path.stem: np.asarray(Image.open(path)).shape[:2] for path in (tmp_path / "rooms").rglob("B*.png")}
    assert wholes == {
        f"{row['name']}_{channel}": inputs[row["name"]]
        for row in rows
        for channel in ("reflectance_db", "transmittance_db")
    }
    num_cells = sum(rows * cols for rows, cols in wholes.values()) // 2
    assert f"{len(rows)} maps, {num_cells} cells\n" in outcome.out
    assert "cells of the data set's mask" in outcome.out
    assert "windows" not in outcome.out
    assert float(rows[0]["rmse"]) == pytest.approx(
        (float(rows[0]["reflectance_db/rmse"]) + float(rows[0]["transmittance_db/rmse"])) / 2
    )
    assert "outside buildings" not in outcome.out


def test_windows_are_named_and_what_hangs_over_the_map_does_not_count(radiodiff: Run, tmp_path: Path) -> None:
    assert radiodiff("dataset", "fake", *ROOMS, "--out", "rooms").code == 0
    config = IcasspConfig(root=tmp_path / "rooms", part="all", view="radio", size=32)
    save_model(tmp_path / "model", config)
    arguments = ("--model", "model", "--data", "rooms", "--part", "all", "--batch-size", 2)
    outcome = radiodiff("reconstruct", *arguments, "data.crop=tx-centred", "data.size=64")
    assert (outcome.code, outcome.err) == (0, "")
    assert "protocol: part all, tx-centred windows of 64 x 64 cells, db scale, " in outcome.out
    source = open_data_set(config.replaced(crop="tx-centred", size=64))
    num_cells = sum(int(source[number].mask.sum()) for number in range(len(source)))
    assert num_cells < 64 * 64 * len(source)
    assert f"{len(source)} maps, {num_cells} cells\n" in outcome.out


def test_outside_buildings_is_outside_all_of_them(radiodiff: Run, tmp_path: Path) -> None:
    """A model that was shown some of the buildings is measured outside all, or not at all where it is shown them."""
    arguments = [argument for argument in CITY if argument != "--no-missing-layers"]
    assert radiodiff("dataset", "fake", *arguments, "--out", "city").code == 0
    figures = {}
    for layer in ("complete", "missing"):
        buildings = {"layer": layer} | ({} if layer == "complete" else {"count": 4, "variant": 1})
        config = RadioMapSeerConfig(root=tmp_path / "city", split="all", part="all", buildings=buildings)
        save_model(tmp_path / layer, config)
        outcome = radiodiff("reconstruct", "--model", layer, *ARGUMENTS[2:], "--out", f"rec-{layer}")
        assert (outcome.code, outcome.err) == (0, "")
        figures[layer] = json.loads((tmp_path / f"rec-{layer}/metrics.json").read_text())
    assert figures["missing"]["means"] == figures["complete"]["means"]
    assert figures["missing"]["num_outdoor_cells"] == figures["complete"]["num_outdoor_cells"]
    save_model(tmp_path / "of-condition", config, AutoencoderExamplesConfig(input="condition"))
    outcome = radiodiff("reconstruct", "--model", "of-condition", *ARGUMENTS[2:])
    assert outcome.code == 0
    assert "outdoor" not in outcome.out
    assert "outside buildings" not in outcome.out


def test_maps_that_lack_a_figure_are_counted(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((50, 50), 90, dtype=np.uint8)).save(city / "gain/DPM/0_0.png")
    outcome = radiodiff("reconstruct", *ARGUMENTS, "--out", "rec")
    assert "note: sharpness_ratio is not defined for 1 of 4 maps; its mean leaves them out\n" in outcome.out
    with open(tmp_path / "rec/metrics.csv", newline="") as file:
        ratios = {row["name"]: row["sharpness_ratio"] for row in csv.DictReader(file)}
    assert [name for name, ratio in ratios.items() if ratio == ""] == ["0_0"]
    means = json.loads((tmp_path / "rec/metrics.json").read_text())["means"]
    assert means["sharpness_ratio"] == pytest.approx(np.mean([float(ratio) for ratio in ratios.values() if ratio]))


def test_a_folder_that_holds_something_is_kept(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    (tmp_path / "rec").mkdir()
    (tmp_path / "rec/mine.txt").write_text("mine")
    before = tree(tmp_path)
    radiodiff("reconstruct", *ARGUMENTS, "--out", "rec").check_refusal("empty or absent", "rec, which holds something")
    radiodiff("reconstruct", *ARGUMENTS, "--out", "rec/mine.txt").check_refusal("which is a file")
    assert tree(tmp_path) == before
    (tmp_path / "rec/mine.txt").unlink()
    assert radiodiff("reconstruct", *ARGUMENTS, "--out", "rec", "--limit", 1).code == 0


def test_a_fault_half_way_leaves_nothing(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    (city / "gain/DPM/1_0.png").write_bytes(b"")
    before = tree(tmp_path)
    radiodiff("reconstruct", *ARGUMENTS, "--out", "rec").check_refusal("1_0.png")
    assert tree(tmp_path) == before


REFUSED = {
    "no model": (["--model", "nowhere", "--data", "city"], ["folder of an autoencoder must exist", "nowhere"]),
    "no data": (["--model", "run", "--data", "nowhere"], ["nowhere"]),
    "no such part": (["--model", "run", "--data", "city", "--part", "best"], ["'best'"]),
    "another scale": ([*ARGUMENTS, "data.scale=thresholded"], ["trained with: path_loss_db 147..47.84", "thresholded"]),
    "other channels": ([*ARGUMENTS, "examples.input=IRT2"], ["trained with", "irt2_path_loss_db"]),
    "a misspelt key": ([*ARGUMENTS, "data.simulaton=DPM"], ["There is no key data.simulaton", "data.simulation"]),
    "no change": ([*ARGUMENTS, "data.split"], ["must read key=value"]),
    "no group": ([*ARGUMENTS, "data=3"], ["data must be"]),
    "the folder": ([*ARGUMENTS, "data.root=x"], ["--data gives the folder"]),
    "the part": ([*ARGUMENTS, "data.part=train"], ["--part gives the part"]),
    "symmetries": ([*ARGUMENTS, "data.augment=true"], ["maps are not turned here"]),
    "windows": ([*ARGUMENTS, "examples.crop_size=16"], ["maps are whole here"]),
    "the condition": ([*ARGUMENTS, "examples.with_condition=true"], ["the model alone is looked at"]),
}


@pytest.mark.parametrize("command", ["reconstruct", "latents"])
@pytest.mark.parametrize(("arguments", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used(radiodiff: Run, city: Path, command: str, arguments: list, parts: list[str]) -> None:
    radiodiff(command, *arguments).check_refusal(*parts)


def test_latents_are_those_of_the_library(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    arguments = (*ARGUMENTS, "data.size=52", "data.fit=pad", "--num", 3, "--seed", 5)
    outcome = radiodiff("latents", *arguments, "--json", "latents.json")
    assert (outcome.code, outcome.err) == (0, "")
    content = json.loads((tmp_path / "latents.json").read_text())
    network, _ = load_autoencoder(tmp_path / "run")
    config = RadioMapSeerConfig(root=city, split="all", part="all", size=52, fit="pad")
    examples = AutoencoderExamples(config, AutoencoderExamplesConfig())
    maps = [torch.from_numpy(examples[number].condition[None]) for number in (0, 2, 3)]
    expected = measure_latents(network, maps, seed=5)
    assert {key: content[key] for key in expected.to_dict()} == expected.to_dict()
    assert (content["part"], content["seed"]) == ("all", 5)
    assert f"3 maps of part all; scaling_factor {expected.scaling_factor:.6g}; " in outcome.out
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert any(line.startswith(f"2 {expected.mean[2]:.4g} {expected.std[2]:.4g} ") for line in lines)
    assert json.loads(radiodiff("latents", *arguments, "--json", "-").out) == content


@pytest.mark.parametrize("command", ["reconstruct", "latents"])
def test_errors_name_keys_as_people_write_them(radiodiff: Run, tmp_path: Path, command: str) -> None:
    assert radiodiff("dataset", "fake", *ROOMS, "--out", "rooms").code == 0
    save_model(tmp_path / "model", IcasspConfig(root=tmp_path / "rooms", part="all", view="radio", size=32))
    outcome = radiodiff(command, "--model", "model", "--data", "rooms", "--part", "all", "examples.input=IRT2")
    outcome.check_refusal("examples.input must be 'target' or 'condition'")
    assert "Config" not in outcome.message


def test_latents_of_maps_of_odd_size(radiodiff: Run, city: Path) -> None:
    outcome = radiodiff("latents", *ARGUMENTS, "data.size=51", "data.fit=pad")
    assert (outcome.code, outcome.err) == (0, "")
    assert "4 maps of part all" in outcome.out


def test_numbers_out_of_range(radiodiff: Run, city: Path) -> None:
    radiodiff("latents", *ARGUMENTS, "--seed", -1).check_refusal("seed of samples must be at least 0; got -1")
    for option, rule in (("--num", "at least one is wanted"), ("--batch-size", "")):
        for number in (0, -1):
            radiodiff("latents", *ARGUMENTS, option, number).check_refusal(rule)
    for option in ("--limit", "--batch-size"):
        radiodiff("reconstruct", *ARGUMENTS, option, -1).check_refusal("")


def test_latents_are_saved_where_wanted(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    """A converted autoencoder gets its scaling factor; nothing else of it changes."""
    before = tree(tmp_path / "run")
    assert radiodiff("latents", *ARGUMENTS).code == 0
    assert tree(tmp_path / "run") == before
    outcome = radiodiff("latents", *ARGUMENTS, "--save", "--json", "latents.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("run/autoencoder: scaling_factor written\n")
    network, record = load_autoencoder(tmp_path / "run")
    content = json.loads((tmp_path / "latents.json").read_text())
    assert record.latents is not None
    assert record.latents.to_dict() == {key: content[key] for key in record.latents.to_dict()}
    assert network.config["scaling_factor"] == content["scaling_factor"] != 1.0
    after = tree(tmp_path / "run")
    assert {name for name in before if before[name] != after.get(name)} == {
        "autoencoder/config.json",
        "autoencoder/radiodiff.json",
    }
    assert set(after) == set(before)
    network, first = load_autoencoder(tmp_path / "run")
    assert first.data == record.data


def test_latents_refuse_an_output_first(radiodiff: Run, city: Path) -> None:
    radiodiff("latents", *ARGUMENTS, "--json", "no/l.json").check_refusal("folder of an output file must exist")


@pytest.mark.parametrize("command", ["reconstruct", "latents"])
def test_help_imports_nothing_heavy(command: str) -> None:
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
        f"import radiodiff.cli.main as cli; sys.argv[1:] = [{command!r}, '--help']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) & {"torch", "diffusers", "matplotlib", "numba", "cv2", "skimage"} == set()
