"""`radiodiff train diffusion`: runs, resumes, first stages and refusals through the command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from command_line import Run, tree
from first_stages import write_first_stage
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.encoding import path_loss_channel
from radiodiff.layouts import CitySettings
from radiodiff.models.autoencoder_folder import load_autoencoder
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.load import load_pipeline

SMALL = (
    *("unet.base_channels=8", "unet.channel_multipliers=[1,2]", "unet.norm_groups=4", "unet.fourier_features=4"),
    *("unet.relation={window_sizes: [2, 1], num_heads: 2}", "unet.attention_heads=2", "unet.head_channels=4"),
    *("unet.backbone={kind: conv, widths: [8, 8, 8, 8], blocks: 1}", "latents.num_examples=3"),
    *("trainer.max_steps=4", "trainer.batch_size=2", "trainer.save_every=2", "trainer.log_every=1"),
    *("trainer.validation.num_examples=2", "trainer.validation.num_previews=1", "trainer.cpu=true"),
    *("trainer.ema.update_after=1", "sampling.num_inference_steps=[1,3]"),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city, and a first stage of its maps."""
    root = tmp_path_factory.mktemp("data")
    list(create_data_set(root / "city", CreateSettings(4, 3, 3, city=CitySettings(rows=50, cols=50))))
    write_first_stage(root / "first", path_loss_channel("raw"), "raw")
    write_first_stage(root / "thresholded", path_loss_channel("thresholded"), "thresholded")
    return root


def command(data: Path, run: str, *more: str) -> list[str]:
    given = (f"data.root={data / 'city'}", f"autoencoder={data / 'first'}", f"trainer.run_dir={run}")
    return ["train", "diffusion", "--config", "diffusion/tiny", *given, *SMALL, *more]


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def states(run: Path, step: int) -> dict[str, torch.Tensor]:
    folder = run / f"checkpoints/step-{step:08d}"
    return {f"{file.stem}/{name}": t for file in folder.glob("*.safetensors") for name, t in load_file(file).items()}


def same_states(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def loaded(run: Path) -> RadioDiffPipeline:
    model = load_pipeline(run)
    assert isinstance(model, RadioDiffPipeline)
    return model


@pytest.fixture
def finished(radiodiff: Run, data: Path, tmp_path: Path) -> Path:
    done = radiodiff(*command(data, "run"))
    assert done.code == 0, done
    return tmp_path / "run"


def test_a_run_leaves_all_that_it_should(radiodiff: Run, data: Path, tmp_path: Path) -> None:
    done = radiodiff(*command(data, "run"))
    assert done.code == 0, done
    for part in ("unet.backbone", "autoencoder.encoder", "model: run/pipeline"):
        assert part in done.out
    assert "measured on 3 training maps" in done.err
    run = tmp_path / "run"
    assert {path.name for path in run.iterdir()} == {
        *("recipe.yaml", "provenance.json", "log.jsonl", "train.log", "tensorboard"),
        *("checkpoints", "samples", "metrics", "pipeline"),
    }
    steps = [line for line in lines(run) if "total" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    assert {"clean_mse", "clean_l1", "lr/unet"} <= steps[0].keys()
    validation = next(line for line in lines(run) if "validation/rmse" in line)
    assert {"validation/rmse_db", "validation/loss", "validation/steps_3/rmse_db"} <= validation.keys()
    assert (run / "samples").is_dir()
    model = loaded(run)
    record = model.record
    assert (record.kind, record.scale, record.map_shape, record.cell_size_m) == ("diffusion", "raw", (50, 50), 1.0)
    assert record.encoding.names == ("buildings", "transmitter", "los_mask", "log_distance_gain_db")
    assert (record.num_inference_steps, record.is_stochastic) == (1, True)
    assert record.data["simulation"] == "DPM"
    assert not {"root", "part", "augment"} & record.data.keys()
    # The exported weights are the averaged ones.
    averaged = {
        name.removeprefix("ema/unet."): value for name, value in states(run, 4).items() if name.startswith("ema/")
    }
    weights = dict(model.unet.named_parameters())
    assert averaged.keys() == weights.keys()
    assert all(torch.equal(averaged[name], weights[name]) for name in weights)
    first, _ = load_autoencoder(data / "first")
    assert all(torch.equal(t, model.autoencoder.state_dict()[name]) for name, t in first.state_dict().items())
    assert model.autoencoder.config["scaling_factor"] == pytest.approx(float(states(run, 4)["unet/scaling_factor"]))


def test_a_run_that_goes_on_is_the_same_bit_by_bit(radiodiff: Run, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "again")
    done = radiodiff("train", "diffusion", "--resume", "again/checkpoints/step-00000002")
    assert done.code == 0, done
    assert same_states(states(tmp_path / "again", 4), states(finished, 4))
    # The factor is that of the checkpoint: nothing is measured.
    assert "latents times" not in done.err
    ours, theirs = (loaded(path).autoencoder.config["scaling_factor"] for path in (finished, tmp_path / "again"))
    assert ours == theirs
    # Weights that would mean something else, and a factor that would not count.
    before = tree(finished)
    for changed, said in (
        ("diffusion.preconditioning=none", "diffusion.preconditioning"),
        ("unet.relation.query=features", "unet.relation.query"),
        ("unet.fourier_scale=3", "unet.fourier_scale"),
        ("latents.scaling_factor=0.3", "latents.scaling_factor"),
    ):
        radiodiff("train", "diffusion", "--resume", "run", changed, "trainer.max_steps=5").check_refusal(said)
    assert tree(finished) == before
    done = radiodiff("train", "diffusion", "--resume", "run", "trainer.max_steps=5")
    assert (done.code, [line["step"] for line in lines(finished) if "total" in line]) == (0, [1, 2, 3, 4, 5])


def test_a_finished_run_warms_another_one_and_gives_it_its_first_stage(
    radiodiff: Run, finished: Path, data: Path, tmp_path: Path
) -> None:
    start = ("autoencoder=run", "trainer.warm_start.init_from=run", "trainer.warm_start.freeze=['backbone.*']")
    rest = ("trainer.ema=null", "data.simulation=DPM", "trainer.max_steps=2")
    done = radiodiff(*command(data, "tuned", *start, *rest))
    assert done.code == 0, done
    before, after = loaded(finished), loaded(tmp_path / "tuned")
    factor = before.autoencoder.config["scaling_factor"]
    assert after.autoencoder.config["scaling_factor"] == factor
    assert f"latents times {factor:.6g}, as in run/pipeline/autoencoder" in done.err
    changed = [
        name
        for name, value in after.unet.state_dict().items()
        if not torch.equal(value, before.unet.state_dict()[name])
    ]
    assert changed
    assert not any(name.startswith("backbone.") for name in changed)
    # A checkpoint and the folder of the network give the same weights.
    for place in ("run/pipeline/unet", "run/pipeline", "run/checkpoints/step-00000004"):
        found = radiodiff(
            "config", "check", "diffusion/tiny", *command(data, "x", f"trainer.warm_start.init_from={place}")[4:]
        )
        assert "weights loaded from" in found.out, place
    other = ("data.cars_channel=empty", *start[:2])
    radiodiff(*command(data, "other", *other)).check_refusal("weights", "run", "--allow-missing")
    done = radiodiff(*command(data, "other", "--allow-missing", *other, "trainer.max_steps=1"))
    assert done.code == 0, done
    assert "mismatched" in (tmp_path / "other/train.log").read_text()


def test_latents_are_kept_for_the_next_run(radiodiff: Run, data: Path, tmp_path: Path) -> None:
    kept = ("latents.cache=kept", "latents.scaling_factor=0.5", "trainer.max_steps=2")
    given = command(data, "x", *kept)[4:]
    assert "maps to encode first" in radiodiff("config", "check", "diffusion/tiny", *given).out
    assert not (tmp_path / "kept").exists()
    done = radiodiff(*command(data, "first", *kept))
    assert done.code == 0, done
    assert "latents times 0.5, as the recipe says" in done.err
    assert loaded(tmp_path / "first").autoencoder.config["scaling_factor"] == 0.5
    before = tree(tmp_path / "kept")
    assert "all there" in radiodiff("config", "check", "diffusion/tiny", *given).out
    assert radiodiff(*command(data, "second", *kept)).code == 0
    assert tree(tmp_path / "kept") == before
    # What is kept has the precision of float16.
    assert radiodiff(*command(data, "third", *kept, "latents.cache=null")).code == 0
    totals = [[line["total"] for line in lines(tmp_path / run) if "total" in line] for run in ("second", "third")]
    assert totals[0] == pytest.approx(totals[1], rel=1e-3)


def test_two_processes_do_what_one_does(radiodiff: Run, data: Path, tmp_path: Path) -> None:
    short = ("trainer.max_steps=1", "trainer.save_every=1", "sampling.num_inference_steps=[1]", "latents.cache=kept")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "radiodiff"]
    two = subprocess.run(
        [*launch, *command(data, "two", *short, "trainer.batch_size=1")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert two.returncode == 0, two.stderr
    before = tree(tmp_path / "kept")
    one = radiodiff(*command(data, "one", *short))
    assert one.code == 0, one
    # The latents that both have kept are those that one looks for, and the factor is that of both.
    assert tree(tmp_path / "kept") == before
    first, second = (states(tmp_path / run, 1) for run in ("one", "two"))
    assert torch.equal(first["unet/scaling_factor"], second["unet/scaling_factor"])
    first_lines, second_lines = (lines(tmp_path / run) for run in ("one", "two"))
    for what in ("total", "grad_norm/unet"):
        assert first_lines[0][what] == pytest.approx(second_lines[0][what], rel=1e-4), what


def test_wrong_input_is_refused_before_anything_is_written(radiodiff: Run, data: Path, tmp_path: Path) -> None:
    cases: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("autoencoder=nowhere",), ("must exist", "nowhere")),
        ((f"autoencoder={data}",), ("config.json",)),
        ((f"autoencoder={data / 'city'}",), ("config.json", "city")),
        ((f"autoencoder={data / 'thresholded'}",), ("target of the data set", "'thresholded'", "'raw'", "data.scale")),
        (("data.scale=thresholded",), ("target of the data set", "'thresholded'", "'raw'")),
        (("autoencoder.base_channels=8",), ("autoencoder is a value and has no keys",)),
        (("unet.backbone.is_frozen=true",), ("unet.backbone.is_frozen needs weights",)),
        (("unet.backbone.weights=nowhere.safetensors",), ("nowhere.safetensors",)),
        (("data.geometry=[turning_angle_deg]",), ("must not hold the answer",)),
        (("data.root=nowhere",), ("nowhere",)),
        (("sampling.num_inference_steps=[0]",), ("sampling.num_inference_steps",)),
        (("diffusion.prediction_type=pred_K",), ("Did you mean 'pred_KC'?",)),
        (("trainer.warm_start.init_from=nowhere",), ("nowhere",)),
        (("--config", "baseline/tiny"), ("must be of stage 'diffusion'", "radiodiff train baseline")),
        (("--resume", "latest"), ("no checkpoint",)),
    ]
    for more, parts in cases:
        radiodiff(*command(data, "refused", *more)).check_refusal(*parts)
        assert not (tmp_path / "refused").exists(), more
    given = [part for part in command(data, "refused") if not part.startswith("autoencoder=")]
    radiodiff(*given).check_refusal("autoencoder must be given")
    radiodiff("train", "diffusion").check_refusal("--config")


def test_a_folder_that_holds_a_run_is_refused_before_maps_are_encoded(
    radiodiff: Run, finished: Path, data: Path, tmp_path: Path
) -> None:
    before = tree(finished)
    radiodiff(*command(data, "run", "latents.cache=kept")).check_refusal("--resume run")
    assert tree(finished) == before
    assert not (tmp_path / "kept").exists()


def test_a_run_does_not_go_on_with_another_first_stage(radiodiff: Run, finished: Path, data: Path) -> None:
    write_first_stage(finished.parent / "other", path_loss_channel("raw"), "raw", seed=1)
    before = tree(finished)
    radiodiff("train", "diffusion", "--resume", "run", "autoencoder=other", "trainer.max_steps=5").check_refusal(
        "autoencoder"
    )
    assert tree(finished) == before
