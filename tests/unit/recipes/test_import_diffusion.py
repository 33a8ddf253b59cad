"""Settings files of the original's diffusion models as recipes of the second stage."""

from pathlib import Path

import pytest

from original_files import AUTOENCODER, DIFFUSION, DIFFUSION_VARIANTS
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.diffusion.config import DiffusionLossConfig
from radiodiff.errors import ConfigError
from radiodiff.recipes.load import load_recipe_of
from radiodiff.recipes.original import OriginalImport, OriginalStage, import_original
from radiodiff.recipes.schema import DiffusionRecipe

GIVEN = ("data.root=maps", "trainer.run_dir=run")
FIRST_STAGE = "autoencoder=first"


def imported(folder: Path, text: str, stage: OriginalStage | None = "diffusion") -> OriginalImport:
    path = folder / "original.yaml"
    path.write_text(text)
    return import_original(path, stage)


def second_of(folder: Path, text: str, *changes: str) -> DiffusionRecipe:
    """The recipe of the diffusion model of a file."""
    path = folder / "recipe.yaml"
    path.write_text(imported(folder, text).to_yaml())
    return load_recipe_of(DiffusionRecipe, path, (*GIVEN, FIRST_STAGE, *changes))


def texts(found: OriginalImport, kind: str) -> dict[str, str]:
    return {row.key: row.text for row in getattr(found, kind)}


def test_the_published_diffusion_file_is_the_published_recipe(tmp_path: Path) -> None:
    found = imported(tmp_path, DIFFUSION, None)
    assert (found.stage, found.file_stage) == ("diffusion", "diffusion")
    assert found.not_given == ("data.root", "autoencoder")
    published = load_recipe_of(DiffusionRecipe, "diffusion/radiomapseer-dpm", (*GIVEN, FIRST_STAGE))
    recipe = second_of(tmp_path, DIFFUSION)
    assert recipe == published.replaced(
        data=published.data.replaced(cars_channel="buildings"),
        latents=published.latents.replaced(scaling_factor=0.3),
        sampling=published.sampling.replaced(num_inference_steps=(1,)),
        trainer=published.trainer.replaced(batch_size=66, accumulation=8, save_every=200, log_every=1_000),
    )
    kept = texts(found, "kept")
    assert all(key.startswith("model.first_stage.") for key in kept)
    assert kept["model.first_stage.ddconfig.ch"] == "autoencoder.base_channels"
    assert "radiodiff convert autoencoder" in kept["model.first_stage.ckpt_path"]
    assert "not read here" in texts(found, "dropped")["finetune.ckpt_path"]
    assert texts(found, "added").keys() == {"trainer.ema.decay", "data.split"}
    assert found.unknown == []
    assert set(texts(found, "contradictions")) == {
        *("model.first_stage.ddconfig.resolution", "model.image_size", "trainer.min_lr"),
        *("model.sampling_timesteps", "model.unet.without_pretrain"),
    }


def test_what_the_trainer_of_diffusion_models_has_where_a_file_says_nothing(tmp_path: Path) -> None:
    text = DIFFUSION.replace("  train_wd: 1e-4\n", "").replace("  min_lr: !!float 5e-6\n", "")
    assert second_of(tmp_path, text).optimizer == second_of(tmp_path, DIFFUSION).optimizer
    added = texts(imported(tmp_path, text), "added")
    assert {"optimizer.weight_decay", "optimizer.schedule.floor"} <= added.keys()


CONDITIONS = {
    "radio": ({"cars_channel": "buildings"}, ""),
    "IRT4": ({"simulation": "IRT4", "cars_channel": "buildings"}, ""),
    "IRT4K": ({"simulation": "IRT4", "cars_channel": "absent", "k2": "log-distance"}, "gives it away"),
    "DPMK": ({"cars_channel": "absent", "k2": "log-distance"}, "gives it away"),
    "DPMCAR": ({"cars": True}, ""),
    "DPMCARK": ({"cars": True, "k2": "log-distance"}, "gives it away"),
    "MASK": ({"cars_channel": "absent", "measurements": {"kind": "vertices"}}, "along all edges of buildings"),
    "MASK_R": ({"cars_channel": "absent", "measurements": {"kind": "random"}}, "as many points as along edges"),
    "VERTEX": ({"cars_channel": "absent", "measurements": {"kind": "vertices"}}, "not shown the transmitter"),
    "VERTEX_R": ({"cars_channel": "absent", "measurements": {"kind": "random"}}, "as many points as at corners"),
    "RANDOM": ({"cars_channel": "absent", "measurements": {"kind": "random"}}, "points of stored masks"),
}


@pytest.mark.parametrize(
    ("name", "settings", "finding"), [(name, *value) for name, value in CONDITIONS.items()], ids=CONDITIONS
)
def test_conditions_of_diffusion_models(tmp_path: Path, name: str, settings: dict, finding: str) -> None:
    text = DIFFUSION.replace("name: radio", f"name: {name}")
    assert second_of(tmp_path, text).data == RadioMapSeerConfig(root=Path("maps"), **settings)
    findings = [row.text for row in imported(tmp_path, text).contradictions if row.key == "data.name"]
    assert any(finding in found for found in findings) if finding else findings == []


def test_other_networks_and_factors(tmp_path: Path) -> None:
    for theirs, ours in (("resnet", "resnet101"), ("effnet", "efficientnet_b7"), ("vgg", "vgg16")):
        assert second_of(tmp_path, DIFFUSION.replace("swin", theirs)).unet.backbone.kind == ours
    frozen = DIFFUSION.replace("fix_bb: False", "fix_bb: True")
    assert imported(tmp_path, frozen).not_given == ("data.root", "autoencoder", "unet.backbone.weights")
    assert second_of(tmp_path, frozen, "unet.backbone.weights=x").unet.backbone.is_frozen
    measured = DIFFUSION.replace("default_scale: True", "default_scale: False")
    assert second_of(tmp_path, measured).latents.scaling_factor == "measured"
    fixed = DIFFUSION.replace("scale_by_std: True", "scale_by_std: False").replace("factor: 0.3", "factor: 0.18215")
    assert second_of(tmp_path, fixed).latents.scaling_factor == 0.18215
    plain = DIFFUSION.replace("weighting_loss: True", "weighting_loss: False").replace("use_l1: True", "use_l1: False")
    loss = second_of(tmp_path, plain.replace("start_dist: normal", "start_dist: uniform"))
    assert (loss.loss, loss.diffusion.initial_noise) == (DiffusionLossConfig(l1_weight=0.0), "uniform")
    for use_l1, weight in (("True", 2.0), ("False", 1.0)):
        text = DIFFUSION.replace("l2", "l1").replace("use_l1: True", f"use_l1: {use_l1}")
        loss = second_of(tmp_path, text).loss
        assert (loss.mse_weight, loss.l1_weight) == (0.0, weight)
    alone = DIFFUSION.replace("l2", "l1").replace("  use_l1: True\n", "")
    assert second_of(tmp_path, alone).loss.l1_weight == 1.0
    warm = second_of(tmp_path, DIFFUSION.replace("weights/model-20.pt", "runs/old")).trainer.warm_start
    assert warm.init_from == Path("runs/old")


def test_what_a_diffusion_model_says_otherwise(tmp_path: Path) -> None:
    text = DIFFUSION
    for old, new in (
        ("channels: 3\n    out", "channels: 4\n    out"),
        ("cond_dim: 128", "cond_dim: 64"),
        ("window_sizes2: [[8, 8]", "window_sizes2: [[4, 4]"),
        ("out_mul: 1", "out_mul: 2"),
        ("cond_pe: False", "cond_pe: True"),
        ("perceptual_weight: 0", "perceptual_weight: 1"),
        ("softsign: False", "softsign: True"),
        ("cond_in_dim: 3", "cond_in_dim: 4"),
        ("use_l1: True\n  ckpt_path:", "use_l1: True\n  ckpt_path: runs/new"),
    ):
        assert old in text
        text = text.replace(old, new)
    wrong = texts(imported(tmp_path, text), "contradictions")
    assert wrong["model.unet.channels"] == "the latents have embed_dim = 3 channels"
    assert wrong["model.unet.cond_dim"] == "the first level has dim = 128 channels"
    assert "window_sizes1" in wrong["model.unet.window_sizes2"]
    assert wrong["model.unet.cond_in_dim"] == "the condition has 3 channels here"
    assert "finetune.ckpt_path names other weights" in wrong["model.ckpt_path"]
    keys = ("out_mul", "cond_pe")
    assert {*(f"model.unet.{key}" for key in keys), "model.perceptual_weight", "model.scale_by_softsign"} <= set(wrong)


def test_diffusion_models_of_rooms_and_of_edges(tmp_path: Path) -> None:
    rooms = second_of(tmp_path, DIFFUSION_VARIANTS["rooms"])
    assert rooms.data == IcasspConfig(root=Path("maps"), view="multi-condition", margin_px=8)
    view = DIFFUSION.replace("name: radio", "name: icassp2025_radio")
    assert second_of(tmp_path, view).data == IcasspConfig(root=Path("maps"), view="multi-condition")
    wrong = imported(tmp_path, view).contradictions
    assert any("one of the views of autoencoders" in row.text for row in wrong if row.key == "data.name")
    edges = imported(tmp_path, DIFFUSION_VARIANTS["edges"])
    assert edges.get("data") == {"kind": "edges", "threshold": 0.3, "root": "x"}
    assert "whole" in texts(edges, "dropped")["data.image_size"]


REFUSED = {
    "no diffusion model": (AUTOENCODER, ["must have model.unet", "a file of an autoencoder. Leave --stage out."]),
    "another process": (DIFFUSION.replace("const_sde", "linear"), ["model.model_type must be 'const_sde'", "'linear'"]),
    "another network": (DIFFUSION.replace("cond_unet", "uncond_unet"), ["model.model_name must be 'cond_unet'"]),
    "another encoder": (DIFFUSION.replace("swin", "vit"), ["unet.backbone.kind must be", "got 'vit'"]),
    "another start": (DIFFUSION.replace("normal", "cauchy"), ["diffusion.initial_noise must be", "got 'cauchy'"]),
    "another loss": (DIFFUSION.replace("l2", "huber"), ["loss.mse_weight must be a valid number", "got 'huber'"]),
    "no step": (DIFFUSION.replace("timesteps: 1\n", "timesteps: 0\n"), ["sampling.num_inference_steps"]),
}


@pytest.mark.parametrize(("text", "parts"), REFUSED.values(), ids=REFUSED)
def test_diffusion_models_that_are_refused(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        imported(tmp_path, text)
    for part in parts:
        assert part in str(error.value)
