"""`radiodiff train baseline`: runs, resumes and refusals through the command line."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from command_line import Run, tree
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.layouts import CitySettings
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.regression_pipeline import RegressionPipeline

SMALL = (
    *("network.base_channels=8", "network.channel_multipliers=[1,2]", "network.norm_groups=4"),
    *("trainer.max_steps=4", "trainer.batch_size=2", "trainer.save_every=2", "trainer.log_every=1"),
    *("trainer.validation.num_examples=2", "trainer.validation.num_previews=1", "trainer.cpu=true"),
    "trainer.ema.update_after=1",
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "city"
    list(create_data_set(root, CreateSettings(4, 3, 3, city=CitySettings(rows=50, cols=50))))
    return root


def command(city: Path, run: str, *more: str) -> list[str]:
    given = (f"data.root={city}", f"trainer.run_dir={run}")
    return ["train", "baseline", "--config", "baseline/tiny", *given, *SMALL, *more]


def states(run: Path, step: int) -> dict[str, torch.Tensor]:
    folder = run / f"checkpoints/step-{step:08d}"
    return {f"{file.stem}/{name}": t for file in folder.glob("*.safetensors") for name, t in load_file(file).items()}


def loaded(run: Path) -> RegressionPipeline:
    model = load_pipeline(run)
    assert isinstance(model, RegressionPipeline)
    return model


@pytest.fixture
def finished(radiodiff: Run, city: Path, tmp_path: Path) -> Path:
    done = radiodiff(*command(city, "run"))
    assert done.code == 0, done
    return tmp_path / "run"


def test_a_run_leaves_all_that_it_should(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == {
        *("recipe.yaml", "provenance.json", "log.jsonl", "train.log", "tensorboard"),
        *("checkpoints", "samples", "metrics", "pipeline"),
    }
    model = loaded(finished)
    assert (model.record.kind, model.record.scale, model.record.map_shape) == ("regression", "raw", (50, 50))
    assert model.record.encoding.names == ("buildings", "transmitter", "los_mask", "log_distance_gain_db")
    assert model.record.training["step"] == 4
    validation = json.loads((finished / "metrics/step-00000004.json").read_text())
    assert {"rmse_db", "outdoor/rmse_db", "loss"} <= validation["metrics"].keys()
    averaged = {
        name.removeprefix("ema/"): tensor for name, tensor in states(finished, 4).items() if name.startswith("ema/")
    }
    weights = dict(model.network.named_parameters())
    assert averaged.keys() == weights.keys()
    assert all(torch.equal(averaged[name], weights[name]) for name in weights)


def test_a_run_that_goes_on_is_the_same_bit_by_bit(radiodiff: Run, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "again")
    done = radiodiff("train", "baseline", "--resume", "again/checkpoints/step-00000002")
    assert done.code == 0, done
    first, second = states(finished, 4), states(tmp_path / "again", 4)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    radiodiff("train", "diffusion", "--resume", "again").check_refusal("stage 'diffusion'", "radiodiff train baseline")


def test_a_finished_run_warms_another_one(radiodiff: Run, finished: Path, city: Path, tmp_path: Path) -> None:
    start = ("trainer.warm_start.init_from=run", "trainer.warm_start.freeze=['down.*']", "trainer.max_steps=1")
    done = radiodiff(*command(city, "tuned", *start, "trainer.ema=null"))
    assert done.code == 0, done
    before, after = loaded(finished).network.state_dict(), loaded(tmp_path / "tuned").network.state_dict()
    changed = [name for name, tensor in after.items() if not torch.equal(tensor, before[name])]
    assert changed
    assert not any(name.startswith("down.") for name in changed)
    wider = ("data.cars_channel=empty", start[0])
    radiodiff(*command(city, "wider", *wider)).check_refusal("weights", "1 mismatched", "--allow-missing")
    done = radiodiff(*command(city, "wider", "--allow-missing", *wider, "trainer.max_steps=1"))
    assert done.code == 0, done


def test_wrong_input_is_refused_before_anything_is_written(
    radiodiff: Run, finished: Path, city: Path, tmp_path: Path
) -> None:
    cases: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("data.geometry=[dominant_path_gain_db]",), ("must not hold the answer",)),
        (("data.kind=icassp", "data.view=radio"), ("data.view must be 'multi-condition'",)),
        (("network.base_channels=9",), ("network.norm_groups must divide",)),
        (("autoencoder=x",), ("no key autoencoder",)),
        (("--config", "diffusion/tiny"), ("must be of stage 'baseline'", "radiodiff train diffusion")),
        (("data.root=nowhere",), ("nowhere",)),
        (("trainer.compile=false", "trainer.warm_start.init_from=nowhere"), ("nowhere",)),
    ]
    for more, parts in cases:
        radiodiff(*command(city, "refused", *more)).check_refusal(*parts)
        assert not (tmp_path / "refused").exists(), more
    before = tree(finished)
    radiodiff(*command(city, "run")).check_refusal("--resume run")
    assert tree(finished) == before
    # A regression has no first stage to give.
    given = (f"data.root={city}", "autoencoder=run", "trainer.run_dir=second")
    radiodiff("train", "diffusion", "--config", "diffusion/tiny", *given).check_refusal(
        "must be a diffusion model", "run/pipeline, a regression model"
    )
