"""What a check finds: settings, data, machine, networks, folders."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.errors import ConfigError
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.recipes.check import CheckRow, check_recipe
from radiodiff.recipes.check.machine import computes_bf16
from radiodiff.recipes.check.sizes import NetworkSizes, network_sizes
from radiodiff.recipes.load import dump_recipe, load_recipe, load_recipe_of
from radiodiff.recipes.schema import AutoencoderRecipe, Recipe
from radiodiff.training.checkpoint import CheckpointStore, Snapshot

SMALL = ("autoencoder.base_channels=8", "autoencoder.norm_groups=4", "discriminator.base_channels=8")
Check = Callable[..., list[CheckRow]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    settings = FakeRadioMapSeerSettings(4, 2, 0, size=64, simulations=("DPM",), cars=False, missing_layers=False)
    list(write_fake_radiomapseer(root / "city", settings))
    parts = {"train": [0, 1], "validation": [2], "test": [3]}
    split = {"format": "radiodiff-split", "format_version": 1, "name": "small", "parts": parts}
    (root / "city/split.json").write_text(json.dumps(split))
    list(write_fake_icassp(root / "rooms", FakeIcasspSettings(buildings=3, samples=1, smallest=40, largest=50)))
    return root


@pytest.fixture
def check(data: Path, tmp_path: Path) -> Check:
    """Findings about the recipe `tiny` with a small network on a small city, with changes."""

    def run(*changes: str, recipe: str = "autoencoder/tiny") -> list[CheckRow]:
        given = (f"data.root={data / 'city'}", f"trainer.run_dir={tmp_path / 'run'}", "examples.crop_size=32", *SMALL)
        return list(check_recipe(recipe, (*given, *changes)))

    return run


def found(rows: Sequence[CheckRow], what: str, status: str) -> list[str]:
    return [row.finding for row in rows if (row.what, row.status) == (what, status)]


def has(rows: Sequence[CheckRow], what: str, status: str, *parts: str) -> bool:
    return any(all(part in finding for part in parts) for finding in found(rows, what, status))


def test_a_recipe_that_can_be_run(check: Check, tmp_path: Path) -> None:
    rows = check("trainer.batch_size=4", "latents.num_examples=4")
    assert {row.status for row in rows} == {"ok"}
    tiny = load_recipe_of(AutoencoderRecipe, "autoencoder/tiny", ("data.root=x", "trainer.run_dir=y"))
    assert tiny.loss.adversarial is not None
    heard = tiny.trainer.max_steps - tiny.loss.adversarial.start + 1
    assert has(rows, "settings", "ok", f"{tiny.trainer.max_steps} steps, the discriminator learns in the last {heard}")
    assert has(rows, "training data", "ok", "4 examples in part 'train'", "channels 1 in, 1 out; scale raw", "32 x 32")
    assert has(rows, "validation data", "ok", "2 examples in part 'validation'", "64 x 64")
    assert has(rows, "run folder", "ok", "is free for a new run")
    assert not (tmp_path / "run").exists()
    assert rows[0].to_dict() == {"what": "settings", "status": "ok", "finding": rows[0].finding, "remedy": ""}


def test_settings_that_are_wrong_are_all_named_and_nothing_else() -> None:
    rows = list(check_recipe("autoencoder/tiny", ("trainer.max_stepz=3", "trainer.batch_size=0")))
    assert [(row.what, row.status) for row in rows] == [("settings", "error")] * 4
    assert rows[0].finding == "There is no key trainer.max_stepz; got 3"
    assert "Did you mean trainer.max_steps?" in rows[0].remedy
    with pytest.raises(ConfigError, match="a name of this package"):
        list(check_recipe("autoencoder/tny"))


WARNINGS = {
    "no time for a discriminator": (
        ["trainer.max_steps=600", "loss.adversarial.start=601"],
        "loss.adversarial.start=601 lies beyond",
    ),
    "no time to save": (
        ["trainer.max_steps=300", "trainer.save_every=301"],
        "trainer.save_every=301 lies beyond trainer.max_steps=300",
    ),
    "no time for an average": (["trainer.max_steps=100"], "trainer.ema.update_after=100 is not below"),
    "no time to warm up": (["trainer.max_steps=50"], "optimizer.schedule.warmup_updates=50 is not below"),
    "validated on what it learns": (["data.part=validation"], "validated on what it was trained on"),
    "validated on all": (["data.part=all"], "data.part='all' and trainer.validation.part='validation'"),
    "a condition for nobody": (["examples.with_condition=true"], "neither the discriminator nor the loss looks"),
    "an equation without buildings": (["loss.helmholtz={}"], "does not leave out buildings"),
    "weights for nobody": (["data.edge_weights=canny"], "loss.edge_weight=0 does not use them"),
    "parts that share maps": (["data.split=radiodiff"], "the parts of split 'radiodiff' share maps"),
}


@pytest.mark.parametrize(("changes", "part"), WARNINGS.values(), ids=WARNINGS)
def test_settings_that_may_not_be_meant(check: Check, changes: list[str], part: str) -> None:
    assert has(check(*changes), "settings", "warning", part)


QUIET = {
    "a condition for the discriminator": ["examples.with_condition=true", "loss.adversarial.conditional=true"],
    "a condition for the equation": ["examples.with_condition=true", "loss.helmholtz={}"],
    "buildings go in": ["examples.input=condition", "autoencoder.in_channels=3", "loss.helmholtz={}"],
    "weights for the loss": ["data.edge_weights=canny", "loss.edge_weight=1"],
    "no discriminator": ["loss.adversarial=null"],
    "no average": ["trainer.ema=null"],
}


@pytest.mark.parametrize("changes", QUIET.values(), ids=QUIET)
def test_settings_that_are_meant(check: Check, changes: list[str]) -> None:
    assert found(check(*changes), "settings", "warning") == []


def test_data_that_is_not_there(check: Check, tmp_path: Path) -> None:
    rows = check(f"data.root={tmp_path / 'nowhere'}")
    for what in ("training data", "validation data"):
        assert has(rows, what, "error", "nowhere")
    # All else is looked at.
    assert has(rows, "run folder", "ok", "free")
    rows = check("trainer.validation.part=valid")
    assert has(rows, "training data", "ok", "4 examples")
    assert has(rows, "validation data", "error", "'valid'")


def test_data_of_another_kind(check: Check, data: Path) -> None:
    rows = check("data.kind=icassp", "data.view=radio", f"data.root={data / 'city'}")
    assert has(rows, "training data", "error", "city")


def test_windows_larger_than_the_maps_are_named_by_their_key(check: Check) -> None:
    rows = check("examples.crop_size=128")
    assert has(rows, "training data", "error", "examples.crop_size must not be larger than the maps")


def test_maps_that_do_not_divide(check: Check) -> None:
    rows = check("autoencoder.channel_multipliers=[1,1,1,1,1,1,1,1]", "examples.crop_size=null")
    assert has(rows, "training data", "error", "64 x 64 cells are no multiples of 128")
    # Maps of a validation are padded.
    assert found(rows, "validation data", "error") == []


def test_maps_below_one_patch(check: Check) -> None:
    rows = check("examples.crop_size=null", "discriminator.num_layers=5")
    assert has(rows, "training data", "error", "64 x 64 cells are fewer than the 96 x 96 that the discriminator judges")
    assert not has(rows, "validation data", "error", "fewer")


def test_maps_of_several_sizes(check: Check, data: Path) -> None:
    rooms = ("data.kind=icassp", f"data.root={data / 'rooms'}", "data.view=radio", "data.crop=none")
    rows = check(*rooms, "examples.crop_size=null", "trainer.validation.batch_size=1")
    assert has(rows, "training data", "warning", "trainer.batch_size=8 needs maps of one size")
    assert found(rows, "validation data", "warning") == []
    assert found(check(*rooms), "training data", "warning") == []
    assert has(check(*rooms), "validation data", "warning", "trainer.validation.batch_size=4")


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Edge maps of three sizes in training, of two in validation."""
    root = tmp_path_factory.mktemp("edges")
    for part, sizes in (("train", (32, 32, 48, 64, 32)), ("validation", (32, 40))):
        for folder in ("edge", "image"):
            (root / part / folder).mkdir(parents=True)
            for number, size in enumerate(sizes):
                Image.new("L", (size, 32), 255).save(root / part / folder / f"{number}_0.png")
    return root


def test_edges_of_several_sizes(check: Check, edges: Path) -> None:
    given = ("data.kind=edges", f"data.root={edges}", "trainer.batch_size=2")
    rows = check(*given, "examples.crop_size=null")
    assert has(rows, "training data", "error", "maps of 32 x 32 and of 32 x 48", "trainer.batch_size=2 needs one size")
    assert has(rows, "validation data", "error", "32 x 40", "trainer.validation.batch_size=4 needs one size")
    rows = check(*given, "trainer.validation.batch_size=1")
    assert (found(rows, "training data", "error"), found(rows, "validation data", "error")) == ([], [])
    assert found(check(*given, "examples.crop_size=null", "trainer.batch_size=1"), "training data", "error") == []


def test_maps_below_what_the_perceptual_loss_compares(check: Check, tmp_path: Path) -> None:
    for folder in ("edge", "image"):
        (tmp_path / "small/train" / folder).mkdir(parents=True)
        Image.new("L", (16, 4), 255).save(tmp_path / "small/train" / folder / "0_0.png")
    given = ("data.kind=edges", f"data.root={tmp_path / 'small'}", "examples.crop_size=null", "loss.adversarial=null")
    rows = check(*given)
    assert has(rows, "training data", "error", "4 x 16 cells are fewer than the 8 x 8 that loss.perceptual compares")
    assert found(check(*given, "loss.perceptual=null", "trainer.batch_size=1"), "training data", "error") == []


def test_edges_without_the_part_of_a_validation(check: Check, edges: Path, tmp_path: Path) -> None:
    shutil.copytree(edges, tmp_path / "edges")
    (tmp_path / "edges/validation").rename(tmp_path / "edges/test")
    rows = check("data.kind=edges", f"data.root={tmp_path / 'edges'}")
    remedy = next(row.remedy for row in rows if (row.what, row.status) == ("validation data", "error"))
    assert "radiodiff dataset edges SOURCE --method canny --out NEW --split 0.7 --rest validation" in remedy


def test_a_named_split_of_data_that_have_their_own(check: Check) -> None:
    rows = check("data.split=disjoint")
    remedy = next(row.remedy for row in rows if (row.what, row.status) == ("training data", "error"))
    assert "data.split=null" in remedy


def test_how_often_examples_are_seen(check: Check) -> None:
    rows = check("trainer.max_steps=100", "trainer.batch_size=2", "trainer.accumulation=2")
    assert has(rows, "epochs", "ok", "100 steps of 4 examples see each example 100 times")
    assert found(rows, "epochs", "error") == []
    assert has(check(), "epochs", "error", "trainer.batch_size=8 takes more examples than there are, 4")
    assert has(rows, "latents", "warning", "latents.num_examples=1000 of 4 examples")
    assert found(check("latents.num_examples=4"), "latents", "warning") == []


def test_a_cpu(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    rows = check("trainer.tf32=true", "trainer.compile=true", "trainer.loader_threads=999", "trainer.precision=fp16")
    assert has(rows, "device", "ok", "CPU with ")
    assert has(rows, "device", "warning", "trainer.loader_threads=999 on ")
    assert has(rows, "device", "warning", "trainer.compile takes a minute or more")
    assert has(rows, "precision", "warning", "trainer.tf32 has no effect")
    assert has(rows, "precision", "error", "fp16 needs a GPU")


def test_gpus(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    card = SimpleNamespace(name="Card", total_memory=8 * 2**30)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    rows = check("trainer.tf32=true", "trainer.precision=fp16")
    assert has(rows, "device", "ok", "2 GPU, Card with 8 GiB")
    assert has(rows, "device", "warning", "one process uses one of 2 GPUs")
    assert (found(rows, "precision", "ok"), found(rows, "precision", "warning")) == (["fp16"], [])
    assert has(rows, "memory", "ok", "8.0 GiB on the GPU")
    assert has(check("trainer.precision=bf16"), "precision", "warning", "this GPU does not compute in bf16")
    assert has(check("trainer.cpu=true"), "device", "ok", "CPU with ")


@pytest.mark.parametrize(("flags", "is_fast"), [("fpu avx512_bf16 sse", True), ("fpu amx_bf16", True), ("fpu", False)])
def test_bf16_of_a_cpu(tmp_path: Path, flags: str, is_fast: bool) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(f"flags : {flags}\n")
    assert computes_bf16(has_gpu=False, flags=path) is is_fast
    assert computes_bf16(has_gpu=False, flags=tmp_path / "absent") is False


def test_bf16_where_it_is_slow(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    for is_fast, status in ((True, "ok"), (False, "warning")):
        monkeypatch.setattr("radiodiff.recipes.check.machine.computes_bf16", lambda has_gpu, found=is_fast: found)
        assert has(check("trainer.precision=bf16", "trainer.cpu=true"), "precision", status, "bf16")


def test_the_published_networks_have_their_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe("autoencoder/radiomapseer", ("data.root=x", "trainer.run_dir=y"))
    state, made, registered = torch.get_rng_state(), [], torch.nn.Module.register_parameter

    def register(module: torch.nn.Module, name: str, parameter: torch.nn.Parameter | None) -> None:
        made.extend([] if parameter is None else [parameter.device])
        registered(module, name, parameter)

    monkeypatch.setattr(torch.nn.Module, "register_parameter", register)
    sizes = network_sizes(recipe)
    assert made
    assert sizes.learned == {"autoencoder": 55_307_453, "discriminator": 2_763_585}
    # Weights, two moments and the average of the one; weights and two moments of the other.
    assert sizes.checkpoint_bytes == 4 * (4 * 55_307_453 + 3 * 2_763_585)
    assert sizes.training_bytes == 4 * (5 * 55_307_453 + 4 * 2_763_585)
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(device.type == "cpu" for device in made)
    alone = load_recipe(
        "autoencoder/radiomapseer", ("data.root=x", "trainer.run_dir=y", "loss.adversarial=null", "trainer.ema=null")
    )
    assert network_sizes(alone).checkpoint_bytes == 4 * 3 * 55_307_453


def test_a_discriminator_that_sees_the_condition_is_larger(check: Check) -> None:
    given = ("data.root=x", "trainer.run_dir=y", "examples.with_condition=true")
    plain = network_sizes(load_recipe("autoencoder/tiny", given))
    seeing = network_sizes(load_recipe("autoencoder/tiny", (*given, "loss.adversarial.conditional=true")))
    assert seeing.learned["discriminator"] - plain.learned["discriminator"] == 3 * 4 * 4 * 16


def test_too_little_memory(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radiodiff.recipes.check.networks.os.sysconf", lambda name: 1000)
    rows = check("trainer.cpu=true")
    assert has(rows, "memory", "error", "0.0 GiB on the CPU")


def test_weights_to_begin_with(check: Check, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    recipe = load_recipe_of(AutoencoderRecipe, "autoencoder/tiny", ("data.root=x", "trainer.run_dir=y", *SMALL))
    build_autoencoder(recipe.autoencoder).save_pretrained(weights)
    start = f"trainer.warm_start.init_from={weights}"
    rows = check(start, "trainer.warm_start.freeze=['encoder.*']")
    assert has(rows, "warm start", "ok", "weights loaded from", "parameters frozen")
    rows = check(start, "autoencoder.latent_channels=4")
    assert has(rows, "warm start", "error", "must be those of this network")
    rows = check(start, "autoencoder.latent_channels=4", "trainer.warm_start.allow_missing=true")
    assert has(rows, "warm start", "warning", "mismatched")
    rows = check(start, "trainer.warm_start.freeze=['encodr.*']")
    assert has(rows, "warm start", "error", "trainer.warm_start.freeze must mean a parameter", "'encodr.*'")
    assert has(check("trainer.warm_start.init_from=nowhere"), "warm start", "error", "must exist; got nowhere")


def test_files_of_the_perceptual_loss(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    lpips = "loss.perceptual={kind: lpips, vgg16: nowhere.pth, heads: nowhere.pth}"
    rows = check(lpips)
    assert has(rows, "perceptual loss", "error", "nowhere.pth")
    monkeypatch.setattr("radiodiff.losses.autoencoder_loss.AutoencoderLoss", lambda config, num_channels: None)
    assert has(check(lpips), "perceptual loss", "ok", "both files")


def test_the_folder_of_a_run(check: Check, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    assert has(check(), "run folder", "ok", "free")
    (run / "notes.txt").touch()
    assert has(check(), "run folder", "error", "holds something that is no run")
    (run / "provenance.json").write_text('{"starts": []}')
    given = (f"data.root={data / 'city'}", f"trainer.run_dir={run}", "examples.crop_size=32", *SMALL)
    (run / "recipe.yaml").write_text(dump_recipe(load_recipe("autoencoder/tiny", given)))
    assert has(check(), "run folder", "error", "holds a run without a checkpoint")
    CheckpointStore(run / "checkpoints", 2, 500).save(500, Snapshot({"a": {"b": torch.zeros(1)}}, {}))
    rows = check()
    assert found(rows, "run folder", "warning") == [f"{run} holds a run with a checkpoint of step 500"]
    assert "--resume" in next(row.remedy for row in rows if row.what == "run folder")
    assert has(check("trainer.seed=1"), "run folder", "warning", "whose recipe differs in trainer.seed")
    (run / "recipe.yaml").write_text("a: [")
    assert has(check(), "run folder", "error", "must be YAML")
    rows = check(f"trainer.run_dir={run / 'notes.txt'}")
    assert has(rows, "run folder", "error", "notes.txt is a file")
    assert has(check(f"trainer.run_dir={run / 'notes.txt/deeper'}"), "run folder", "error", "notes.txt is a file")


def test_a_folder_that_cannot_be_written(check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("radiodiff.recipes.check.folders.os.access", lambda path, mode: False)
    assert has(check(), "run folder", "error", f"{tmp_path} is not writable")


def test_a_full_disk(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radiodiff.recipes.check.folders.shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    assert has(check(), "disk", "error", "0.0 GiB free; 4 checkpoints")


def test_checkpoints_that_are_there_make_room_for_others(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radiodiff.recipes.check.folders.shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    recipe = load_recipe("autoencoder/tiny", ("data.root=x", "trainer.run_dir=y", *SMALL))
    folder = tmp_path / "run/checkpoints/step-00000500"
    folder.mkdir(parents=True)
    with (folder / "a.safetensors").open("wb") as file:
        file.truncate(4 * network_sizes(recipe).checkpoint_bytes)
    assert has(check(), "disk", "ok", "0.0 GiB free; 4 checkpoints of ", " are there")


def test_networks_are_measured_once(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[object] = []

    def count(recipe: Recipe, first_stage: object) -> NetworkSizes:
        measured.append(recipe)
        return network_sizes(recipe)

    monkeypatch.setattr("radiodiff.recipes.check.run.network_sizes", count)
    assert found(check(), "disk", "ok")
    assert len(measured) == 1
