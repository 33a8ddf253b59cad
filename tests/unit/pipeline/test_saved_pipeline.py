"""Models in folders: what comes back, what is refused, and what a failed write leaves."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from command_line import tree
from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.encoding import Encoding
from radiodiff.errors import CheckpointError, InputError, RadiodiffError
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from tiny_pipelines import AUTOENCODER, SCENE_NAMES, tiny_diffusion, tiny_encoding, tiny_regression

CONDITION = torch.rand((1, 5, 16, 16), generator=torch.Generator().manual_seed(1)) * 2 - 1
WEIGHTS = "diffusion_pytorch_model.safetensors"


def predicted(pipeline: RadioMapPipeline) -> torch.Tensor:
    return pipeline.predict(CONDITION, [torch.Generator().manual_seed(2)])


@pytest.fixture
def diffusion() -> RadioDiffPipeline:
    return tiny_diffusion()


@pytest.fixture
def saved(tmp_path: Path, diffusion: RadioDiffPipeline) -> Path:
    diffusion.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("make", [tiny_diffusion, tiny_regression])
def test_what_is_loaded_gives_the_same_bits(tmp_path: Path, make: Callable[[], RadioMapPipeline]) -> None:
    pipeline = make()
    pipeline.save_pretrained(tmp_path / "new/model")
    for found in (load_pipeline(tmp_path / "new/model"), type(pipeline).from_pretrained(str(tmp_path / "new/model"))):
        assert type(found) is type(pipeline)
        assert found.record == pipeline.record
        assert torch.equal(predicted(found), predicted(pipeline))
        assert not any(network.training for network in found.networks.values())
        tensors = [t for network in found.networks.values() for t in (*network.parameters(), *network.buffers())]
        assert {tensor.data_ptr() % 64 for tensor in tensors} == {0}
    assert isinstance(found, RadioDiffPipeline | RegressionPipeline)


def test_the_folder_is_that_of_diffusers(saved: Path) -> None:
    components = {"autoencoder": ["config.json", WEIGHTS], "unet": ["config.json", WEIGHTS]}
    components["scheduler"] = ["scheduler_config.json"]
    files = [f"{folder}/{name}" for folder, names in components.items() for name in names]
    assert sorted(tree(saved)) == sorted([*components, *files, "model_index.json", "pipeline.py", "radiodiff.json"])
    index = json.loads((saved / "model_index.json").read_text())
    assert index["unet"] == ["radiodiff.pipeline.components", "ConditionalUnet"]
    assert index["_class_name"] == ["pipeline", "RadioDiffPipeline"]


def test_a_loaded_model_is_saved_without_its_origin(saved: Path, tmp_path: Path) -> None:
    load_pipeline(saved).save_pretrained(tmp_path / "again")
    for name in tree(saved):
        if (saved / name).is_file():
            assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


def test_who_may_read_the_record_may_read_the_weights(saved: Path) -> None:
    modes = {(saved / name / WEIGHTS).stat().st_mode for name in ("unet", "autoencoder")}
    assert modes == {(saved / "radiodiff.json").stat().st_mode}


def test_loading_leaves_the_global_random_state(saved: Path) -> None:
    before = torch.get_rng_state()
    load_pipeline(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_come_in_the_precision_that_is_asked_for(saved: Path) -> None:
    found = load_pipeline(saved, torch.bfloat16)
    assert {parameter.dtype for network in found.networks.values() for parameter in network.parameters()} == {
        torch.bfloat16
    }


def test_a_later_model_replaces_an_earlier_one(saved: Path) -> None:
    (saved / "left-over.txt").touch()
    tiny_regression().save_pretrained(saved)
    assert "left-over.txt" not in tree(saved)
    assert isinstance(load_pipeline(saved), RegressionPipeline)


def test_nothing_else_is_replaced(tmp_path: Path, diffusion: RadioDiffPipeline) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(CheckpointError, match="must replace an earlier one, or nothing"):
        diffusion.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="must replace an earlier one, or nothing"):
        diffusion.save_pretrained(tmp_path / "thesis.txt")
    assert sorted(tree(tmp_path)) == ["thesis.txt"]


def test_a_failed_write_leaves_the_earlier_one(
    saved: Path, diffusion: RadioDiffPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (saved / name).read_bytes() for name in tree(saved) if (saved / name).is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(diffusion.unet), "save_pretrained", full)
    with pytest.raises(CheckpointError, match=r"A model must be writable.*No space left"):
        diffusion.save_pretrained(saved)
    assert {name: (saved / name).read_bytes() for name in tree(saved) if (saved / name).is_file()} == before
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]


def test_a_model_without_record_cannot_be_used(diffusion: RadioDiffPipeline, tmp_path: Path) -> None:
    bare = RadioDiffPipeline(diffusion.autoencoder, diffusion.unet, diffusion.scheduler)
    with pytest.raises(InputError, match="RadioDiffPipeline must have a record to be used"):
        predicted(bare)
    with pytest.raises(InputError, match="RadioDiffPipeline must have a record to be used"):
        bare.save_pretrained(tmp_path / "bare")


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("condition", "channels of the condition, in the U-Net and in the record; got 5 and 4"),
        ("latents", "channels of the latents, in the U-Net and in the autoencoder; got 3 and 5"),
        ("factor", "cells of the map along a latent cell, in the U-Net and in the autoencoder; got 4 and 2"),
        ("maps", "channels of a map, in the autoencoder and always; got 2 and 1"),
        ("scheduler", "prediction type, in the U-Net and in the scheduler; got pred_KC and pred_v"),
        ("kind", "The record of a RadioDiffPipeline must be of kind 'diffusion'; got kind 'regression'"),
    ],
)
def test_parts_that_do_not_fit_are_named(diffusion: RadioDiffPipeline, part: str, fault: str) -> None:
    config = {
        "latents": AUTOENCODER.replaced(latent_channels=5),
        "factor": AUTOENCODER.replaced(channel_multipliers=(1, 1)),
        "maps": AUTOENCODER.replaced(out_channels=2),
    }
    encoding = tiny_encoding(SCENE_NAMES[:4] if part == "condition" else SCENE_NAMES)
    with pytest.raises(InputError, match=fault):
        RadioDiffPipeline(
            build_autoencoder(config[part]) if part in config else diffusion.autoencoder,
            diffusion.unet,
            DecoupledScheduler("pred_v") if part == "scheduler" else diffusion.scheduler,
            PipelineRecord("regression" if part == "kind" else "diffusion", encoding, "raw"),
        )


@pytest.mark.parametrize(
    ("encoding", "fault"),
    [
        (tiny_encoding(SCENE_NAMES[:2]), "channels of the condition, in the network and in the record; got 5 and 2"),
    ],
)
def test_a_regression_network_must_fit_its_record(encoding: Encoding, fault: str) -> None:
    network = tiny_regression().network
    with pytest.raises(InputError, match=fault):
        RegressionPipeline(network, PipelineRecord("regression", encoding, "raw"))


def delete(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for name in names:
            shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()

    return change


def edit_json(name: str, **values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | values))

    return change


def cut(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def edit_weights(part: str, edit: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        tensors = load_file(folder / part / WEIGHTS)
        edit(tensors)
        save_file(tensors, folder / part / WEIGHTS)

    return change


def drop_one(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["entry.bias"]


def add_one(tensors: dict[str, torch.Tensor]) -> None:
    tensors["entry.other"] = torch.zeros(1)


def reshape_one(tensors: dict[str, torch.Tensor]) -> None:
    tensors["entry.bias"] = torch.zeros(3)


def spoil_one(tensors: dict[str, torch.Tensor]) -> None:
    tensors["entry.bias"][0] = float("nan")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (delete("unet"), "must have the components autoencoder, unet, scheduler; got .*model without unet"),
        (delete("autoencoder/config.json"), "must have autoencoder/config.json"),
        (delete("scheduler/scheduler_config.json"), "must have scheduler/scheduler_config.json"),
        (delete(f"unet/{WEIGHTS}"), "A file of weights must exist"),
        (delete("radiodiff.json"), "A model must have radiodiff.json"),
        (cut("model_index.json"), "model_index.json of a model must hold a JSON object"),
        (cut("unet/config.json"), "unet/config.json of a model must hold a JSON object"),
        (cut(f"autoencoder/{WEIGHTS}"), "must be a whole safetensors file"),
        (edit_json("model_index.json", _class_name="StableDiffusionPipeline"), "must be of class RadioDiffPipeline or"),
        (edit_json("model_index.json", _class_name=None), "got None in"),
        (edit_json("unet/config.json", _class_name="UNet2DModel"), "component 'unet' of a model must be of class"),
        (edit_json("unet/config.json", unet={"base_channels": 7}), "must describe a ConditionalUnet"),
        (edit_json("unet/config.json", latent_factor=8), "cells of the map along a latent cell.*got 8 and 4"),
        (edit_json("autoencoder/config.json", block_out_channels=[8, 8]), "must describe a AutoencoderKL"),
        (edit_json("autoencoder/config.json", latent_channels=4), "must hold the weights of the network beside it"),
        (edit_json("scheduler/scheduler_config.json", initial_noise="pink"), "must describe a DecoupledScheduler"),
        (edit_json("scheduler/scheduler_config.json", prediction_type="pred_v"), "prediction type, in the U-Net"),
        (edit_json("radiodiff.json", kind="regression"), "must be of kind 'diffusion'; got kind 'regression'"),
        (edit_json("radiodiff.json", version=99), "reads models up to version 2; got version 99"),
        (edit_weights("unet", drop_one), "must hold the weights of the network beside it.*entry.bias"),
        (edit_weights("unet", add_one), "must hold the weights of the network beside it.*entry.other"),
        (edit_weights("unet", reshape_one), "must hold the weights of the network beside it.*entry.bias"),
        (edit_weights("unet", spoil_one), "Weights must be finite; got entry.bias"),
    ],
)
def test_a_damaged_folder_is_named(saved: Path, change: Callable[[Path], None], fault: str) -> None:
    change(saved)
    with pytest.raises(CheckpointError, match=fault):
        load_pipeline(saved)


def test_the_channels_of_the_record_must_be_those_of_the_network(saved: Path) -> None:
    content = json.loads((saved / "radiodiff.json").read_text())
    content["encoding"]["condition"].pop()
    (saved / "radiodiff.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"channels of the condition.*got 5 and 4; its condition is buildings"):
        load_pipeline(saved)


def test_each_class_opens_its_own_kind(saved: Path) -> None:
    with pytest.raises(CheckpointError, match=r"The folder of a RegressionPipeline must hold one.*a RadioDiffPipeline"):
        RegressionPipeline.from_pretrained(saved)


def test_a_finished_run_can_be_given(tmp_path: Path, diffusion: RadioDiffPipeline) -> None:
    diffusion.save_pretrained(tmp_path / "run/pipeline")
    (tmp_path / "run/checkpoints").mkdir()
    for found in (load_pipeline(tmp_path / "run"), RadioDiffPipeline.from_pretrained(tmp_path / "run")):
        assert torch.equal(predicted(found), predicted(diffusion))


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ((), "The folder of a model must exist"),
        (("run/",), "a folder without model_index.json. Give the folder RUN/pipeline of a finished run"),
        (("run/checkpoints/step-5/", "run/recipe.yaml"), "a run that has not finished. Go on with it"),
        (("run/autoencoder/config.json", "run/checkpoints/"), "a first stage. Train the second stage on it"),
        (("run/config.json",), "a first stage. Train the second stage on it"),
        (("run",), "run, a file. Give the folder RUN/pipeline"),
    ],
)
def test_what_is_no_model_is_called_by_its_name(tmp_path: Path, files: tuple[str, ...], fault: str) -> None:
    for name in files:
        path = tmp_path / name
        path.mkdir(parents=True) if name.endswith("/") else path.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    with pytest.raises(CheckpointError, match=fault):
        load_pipeline(tmp_path / "run")


@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        ("autoencoder", "a first stage. Train the second stage on it"),
        ("baseline", "a run that has not finished. Go on with it: radiodiff train baseline --resume .*run"),
    ],
)
def test_the_recipe_says_what_a_run_trains(tmp_path: Path, stage: str, fault: str) -> None:
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    (tmp_path / "run/recipe.yaml").write_text(f"# A recipe.\nstage: {stage}\ndata: {{}}\n")
    with pytest.raises(CheckpointError, match=fault):
        load_pipeline(tmp_path / "run")


def test_errors_are_of_this_package(tmp_path: Path) -> None:
    with pytest.raises(RadiodiffError, match="The folder of a model must exist"):
        RadioDiffPipeline.from_pretrained(tmp_path / "nowhere")


def test_the_prediction_type_of_the_network_counts() -> None:
    assert tiny_diffusion(diffusion=DiffusionConfig(prediction_type="pred_v")).scheduler.prediction_type == "pred_v"
