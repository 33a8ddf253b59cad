"""`radiodiff train autoencoder`: runs, resumes and refusals through the command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from command_line import Run, tree
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.layouts import CitySettings
from radiodiff.models.autoencoder_folder import load_autoencoder

SMALL = (
    *("autoencoder.base_channels=8", "autoencoder.norm_groups=4", "examples.crop_size=32"),
    *("discriminator.base_channels=8", "discriminator.num_layers=1", "loss.adversarial.start=4"),
    *("trainer.max_steps=8", "trainer.batch_size=4", "trainer.save_every=4", "trainer.log_every=1"),
    *("trainer.validation.num_examples=3", "trainer.validation.num_previews=1", "latents.num_examples=3"),
    *("trainer.ema.update_after=2", "trainer.ema.update_every=1"),
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "city"
    list(create_data_set(root, CreateSettings(6, 4, 3, city=CitySettings(rows=64, cols=64))))
    return root


def command(city: Path, run: str, *more: str) -> list[str]:
    return [
        "train",
        "autoencoder",
        "--config",
        "autoencoder/tiny",
        f"data.root={city}",
        f"trainer.run_dir={run}",
        *SMALL,
        *more,
    ]


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def steps(run: Path) -> list[dict[str, Any]]:
    return [line for line in lines(run) if "total" in line]


def states(run: Path, step: int) -> dict[str, torch.Tensor]:
    folder = run / "checkpoints" / f"step-{step:08d}"
    return {
        f"{path.stem}/{name}": value for path in folder.glob("*.safetensors") for name, value in load_file(path).items()
    }


def same_states(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def finished(radiodiff: Run, city: Path, tmp_path: Path) -> Path:
    done = radiodiff(*command(city, "run"))
    assert done.code == 0, done
    return tmp_path / "run"


def test_a_run_leaves_all_that_it_should(finished: Path, city: Path) -> None:
    assert {path.name for path in finished.iterdir()} == {
        *("recipe.yaml", "provenance.json", "log.jsonl", "train.log", "tensorboard"),
        *("checkpoints", "samples", "metrics", "autoencoder"),
    }
    assert [line["step"] for line in steps(finished)] == list(range(1, 9))
    first = steps(finished)[0]
    assert {"l1", "mse", "perceptual", "nll", "logvar", "kl", "total"} <= first.keys()
    assert "discriminator" not in steps(finished)[2]
    assert {"generator", "adversarial_weight", "discriminator", "lr/discriminator"} <= steps(finished)[3].keys()
    recipe = yaml.safe_load((finished / "recipe.yaml").read_text())
    assert recipe["trainer"]["max_steps"] == 8
    assert recipe["data"]["root"] == str(city)
    network, record = load_autoencoder(finished)
    assert record.latents is not None
    assert network.config["scaling_factor"] == pytest.approx(record.latents.scaling_factor)
    # No folders of this machine.
    assert not {"root", "geometry_cache"} & set(record.data)
    assert AutoencoderKL.from_pretrained(finished / "autoencoder").config["latent_channels"] == 3
    # The exported weights are the averaged ones.
    averaged = {
        name.removeprefix("ema/autoencoder."): value
        for name, value in states(finished, 8).items()
        if name.startswith("ema/autoencoder.")
    }
    assert same_states(averaged, dict(network.state_dict()))
    assert not any("loss" in name for name in states(finished, 8))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_goes_on_bit_by_bit(
    radiodiff: Run, finished: Path, city: Path, tmp_path: Path, number: signal.Signals
) -> None:
    # The signal comes in step 3, from the process itself.
    at_step_3 = (
        "import os, sys; from radiodiff.training.listeners import ProgressListener; "
        f"ProgressListener.on_step = lambda self, report: report.step == 3 and os.kill(os.getpid(), {int(number)}); "
        "from radiodiff.cli.main import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", at_step_3, *command(city, "parts")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    out, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number, out + err
    assert f"step 4 of 8; {number.name} came" in out
    assert "go on: radiodiff train autoencoder --resume" in out
    assert not (tmp_path / "parts" / "autoencoder").exists()
    done = radiodiff("train", "autoencoder", "--resume", "parts")
    assert done.code == 0, done
    assert same_states(states(tmp_path / "parts", 8), states(finished, 8))
    assert [line["step"] for line in steps(tmp_path / "parts")] == list(range(1, 9))
    provenance = json.loads((tmp_path / "parts" / "provenance.json").read_text())
    assert len(provenance["starts"]) == 2


def test_two_processes_do_what_one_does(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    rates = ("optimizer.learning_rate=1e-4", "discriminator_optimizer.learning_rate=1e-4")
    plain = ("discriminator.norm=group", "trainer.accumulation=2", *rates)
    done = radiodiff(*command(city, "one", *plain, "trainer.batch_size=4"))
    assert done.code == 0, done
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"),
            *("-m", "radiodiff", *command(city, "two", *plain, "trainer.batch_size=2")),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert launched.returncode == 0, launched.stderr
    assert len(json.loads((tmp_path / "two" / "provenance.json").read_text())["starts"]) == 1
    for one, two in zip(steps(tmp_path / "one"), steps(tmp_path / "two"), strict=True):
        for name in ("total", "nll", "kl", "grad_norm/autoencoder", "discriminator", "adversarial_weight"):
            if name in one or name in two:
                assert one[name] == pytest.approx(two[name], rel=1e-5, abs=1e-5), name
    for name, value in states(tmp_path / "one", 8).items():
        # The bias of the keys shifts all scores of a query alike: its gradient is rounding, which Adam makes a step of.
        if "optimizer" not in name and "to_k.bias" not in name:
            torch.testing.assert_close(value, states(tmp_path / "two", 8)[name], rtol=0, atol=1e-5, msg=name)
    first, second = (
        next(line for line in lines(tmp_path / run)[::-1] if "validation/rmse" in line) for run in ("one", "two")
    )
    assert first["validation/rmse"] == pytest.approx(second["validation/rmse"], abs=1e-5)
    assert first["validation/num_examples"] == second["validation/num_examples"] == 3


def test_a_finished_run_warms_another_one(radiodiff: Run, finished: Path, city: Path, tmp_path: Path) -> None:
    start = f"trainer.warm_start.init_from={finished}"
    done = radiodiff(*command(city, "tuned", start, "trainer.warm_start.freeze=[encoder.*]", "trainer.ema=null"))
    assert done.code == 0, done
    network, _ = load_autoencoder(tmp_path / "tuned")
    before, _ = load_autoencoder(finished)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before.state_dict()[name]) == name.startswith("encoder."), name
    other = ("autoencoder.base_channels=16", start)
    radiodiff(*command(city, "other", *other)).check_refusal("weights")
    done = radiodiff(*command(city, "other", "--allow-missing", *other))
    assert done.code == 0, done
    assert "198 mismatched" in (tmp_path / "other" / "train.log").read_text()


def test_wrong_input_is_refused_before_anything_is_written(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    cases: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("trainer.max_stepz=3",), ("trainer", "max_stepz", "max_steps")),
        (("trainer.batch_size=0",), ("trainer.batch_size", "greater than or equal to 1")),
        (("optimizer.learning_rate=-1",), ("optimizer.learning_rate",)),
        (("autoencoder.in_channels=2",), ("in_channels",)),
        (("examples.crop_size=30",), ("crop_size", "30")),
        (("trainer.precision=fp16", "trainer.cpu=true"), ("fp16", "GPU")),
        (("data.root=nowhere",), ("nowhere",)),
        (("trainer.warm_start.init_from=nowhere",), ("nowhere",)),
        (("loss.perceptual.kind=lpips",), ("vgg16",)),
        (("--resume", "latest"), ("--resume", "no checkpoint")),
        (("trainer.validation.part=nowhere",), ("nowhere",)),
        (("nonsense",), ("key=value",)),
    ]
    for more, parts in cases:
        radiodiff(*command(city, "refused", *more)).check_refusal(*parts)
        assert not (tmp_path / "refused").exists(), more
    radiodiff("train", "autoencoder").check_refusal("--config")
    radiodiff("train", "autoencoder", "--config", "autoencoder/tini").check_refusal("autoencoder/tiny")


def test_a_window_larger_than_the_maps_is_named_by_its_key(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    radiodiff(*command(city, "run", "examples.crop_size=128")).check_refusal("examples.crop_size", "128", "64")


def test_a_run_is_not_overwritten(radiodiff: Run, finished: Path, city: Path) -> None:
    before = tree(finished)
    radiodiff(*command(city, "run")).check_refusal("--resume run")
    assert tree(finished) == before


def test_a_checkpoint_that_is_cut_short_or_of_another_network_is_refused(
    radiodiff: Run, finished: Path, city: Path, tmp_path: Path
) -> None:
    before = tree(finished)
    radiodiff(*command(city, "run", "--resume", "latest", "autoencoder.base_channels=16")).check_refusal("autoencoder")
    assert tree(finished) == before
    file = finished / "checkpoints" / "step-00000008" / "autoencoder.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    radiodiff("train", "autoencoder", "--resume", "run").check_refusal("must be whole", "step-00000008")
    # An earlier checkpoint is still there, and what comes after it is the latest.
    done = radiodiff("train", "autoencoder", "--resume", "run/checkpoints/step-00000004", "trainer.max_steps=5")
    assert done.code == 0, done
    assert (finished / "checkpoints" / "after-step-00000004" / "step-00000008").is_dir()
    done = radiodiff("train", "autoencoder", "--resume", "latest", "trainer.run_dir=run", "trainer.max_steps=6")
    assert done.code == 0, done
    assert [line["step"] for line in steps(finished)] == list(range(1, 7))


def test_a_folder_of_a_run_that_never_began_is_taken(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    for name in ("checkpoints", "metrics", "tensorboard"):
        (tmp_path / "run" / name).mkdir(parents=True)
    (tmp_path / "run" / "provenance.json").write_text('{"starts": []}')
    radiodiff("train", "autoencoder", "--resume", "run").check_refusal("recipe.yaml")
    done = radiodiff(*command(city, "run"))
    assert done.code == 0, done


def test_data_that_vanish_leave_a_run_to_go_on_with(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    shutil.copytree(city, tmp_path / "moving")
    run = command(
        tmp_path / "moving", "run", "trainer.loader_threads=0", "trainer.max_steps=400", "trainer.save_every=200"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "radiodiff", *run], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    log = tmp_path / "run" / "log.jsonl"
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end and not (log.exists() and '"step": 2' in log.read_text()):
        time.sleep(0.01)
    (tmp_path / "moving" / "gain").rename(tmp_path / "moving" / "away")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "gain" in err
    assert "Traceback" not in err
    (tmp_path / "moving" / "away").rename(tmp_path / "moving" / "gain")
    last = steps(tmp_path / "run")[-1]["step"]
    assert 2 <= last < 400
    done = radiodiff("train", "autoencoder", "--resume", "run", f"trainer.max_steps={last + 2}")
    assert done.code == 0, done
    assert [line["step"] for line in steps(tmp_path / "run")] == list(range(1, last + 3))


def test_a_disk_that_is_full_leaves_the_earlier_checkpoint(
    radiodiff: Run, radiodiff_process: Run, finished: Path
) -> None:
    # Files may have 51,200 bytes: enough for the log, too little for weights.
    full = radiodiff_process("train", "autoencoder", "--resume", "run", "trainer.max_steps=9", shell="ulimit -f 100")
    full.check_refusal("checkpoint must be writable", "step-00000009")
    assert (finished / "checkpoints" / "step-00000008").is_dir()
    assert not list(finished.rglob(".radiodiff-*"))
    done = radiodiff("train", "autoencoder", "--resume", "run", "trainer.max_steps=10")
    assert done.code == 0, done
    assert [line["step"] for line in steps(finished)] == list(range(1, 11))


def test_accelerate_launches_it(city: Path, tmp_path: Path) -> None:
    launch = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--cpu",
        "--num_processes",
        "1",
        "--num_machines",
        "1",
    ]
    plain = ["--mixed_precision", "no", "--dynamo_backend", "no", "-m", "radiodiff"]
    done = subprocess.run(
        [*launch, *plain, *command(city, "run", "trainer.max_steps=2", "trainer.save_every=2")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    load_autoencoder(tmp_path / "run")
