"""Settings files of the original as recipes: what they mean, and where each key ends."""

from pathlib import Path

import pytest
import yaml

from original_files import AUTOENCODER, BUILDING, DIFFUSION, DIFFUSION_VARIANTS, EDGES, MULTI, RESUMED
from radiodiff.errors import ConfigError
from radiodiff.losses.config import AutoencoderLossConfig, PerceptualConfig
from radiodiff.recipes.load import load_recipe, load_recipe_of
from radiodiff.recipes.original import Finding, OriginalImport, OriginalStage, import_original
from radiodiff.recipes.schema import AutoencoderRecipe

GIVEN = ("data.root=maps", "trainer.run_dir=run")
FILES = {
    "autoencoder": AUTOENCODER,
    "resumed": RESUMED,
    "diffusion": DIFFUSION,
    "building": BUILDING,
    "edges": EDGES,
    "multi": MULTI,
    "dual": MULTI.replace("vae_approach: single", "vae_approach: dual"),
}


def imported(folder: Path, text: str, stage: OriginalStage | None = "autoencoder") -> OriginalImport:
    path = folder / "original.yaml"
    path.write_text(text)
    return import_original(path, stage)


def recipe_of(folder: Path, text: str, *changes: str) -> AutoencoderRecipe:
    """The recipe of the first stage of a file."""
    path = folder / "recipe.yaml"
    path.write_text(imported(folder, text).to_yaml())
    return load_recipe_of(AutoencoderRecipe, path, (*GIVEN, *changes))


def keys(values: dict, path: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in values.items():
        found |= keys(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}"}
    return found


def texts(found: OriginalImport, kind: str) -> dict[str, str]:
    return {row.key: row.text for row in getattr(found, kind)}


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        *((text, "autoencoder") for text in FILES.values()),
        *((text, "diffusion") for text in DIFFUSION_VARIANTS.values()),
    ],
    ids=[*(f"{name}: autoencoder" for name in FILES), *(f"{name}: diffusion" for name in DIFFUSION_VARIANTS)],
)
def test_every_key_ends_in_one_list(tmp_path: Path, text: str, stage: OriginalStage) -> None:
    found = imported(tmp_path, text, stage)
    lists = [found.mapped, found.dropped, found.kept, found.unknown]
    names = [row.key for rows in lists for row in rows]
    names = [name for i, name in enumerate(names) if name != "data.name" or name not in names[:i]]
    assert sorted(names) == sorted(keys(yaml.safe_load(text)))
    assert {row.key for row in found.contradictions} <= set(names)
    assert all(row.text for rows in (*lists, found.contradictions, found.added) for row in rows)


def test_the_published_file_is_the_published_recipe(tmp_path: Path) -> None:
    assert recipe_of(tmp_path, AUTOENCODER) == load_recipe("autoencoder/radiomapseer", GIVEN)
    found = imported(tmp_path, AUTOENCODER)
    assert found.not_given == ("data.root",)
    assert found.unknown == []
    assert texts(found, "dropped") == {
        "model.ddconfig.double_z": "always so in a KL autoencoder: mean and log variance",
        "model.ddconfig.z_channels": "follows from autoencoder.latent_channels",
        "model.ddconfig.resolution": "not a property of the network, which takes any size",
        "model.ddconfig.attn_resolutions": "the autoencoder has none",
        "model.ddconfig.dropout": "the autoencoder has none",
        "model.lossconfig.disc_in_channels": "follows from autoencoder.out_channels",
        "model.ckpt_path": "empty",
        "trainer.gradient_accumulate_every": "nothing is accumulated (trainer.accumulation = 1)",
        "trainer.amp": "no effect by itself; trainer.precision says it",
    }
    wrong = texts(found, "contradictions")
    assert set(wrong) == {
        "model.ddconfig.resolution",
        "trainer.min_lr",
        "trainer.gradient_accumulate_every",
    }
    assert "320 is written, 256 is what runs" in wrong["model.ddconfig.resolution"]
    assert "fell to 2.5e-12" in wrong["trainer.min_lr"]
    assert "with 2 autoencoder and discriminator learn once" in wrong["trainer.gradient_accumulate_every"]
    assert [row.key for row in found.added] == ["loss.perceptual", "data.split"]
    assert texts(found, "added")["loss.perceptual"].startswith("the original always has LPIPS")


def test_a_run_that_went_on(tmp_path: Path) -> None:
    found = imported(tmp_path, RESUMED)
    assert "--resume" in texts(found, "dropped")["trainer.resume_milestone"]
    assert "--resume" in texts(found, "dropped")["trainer.enable_resume"]
    wrong = texts(found, "contradictions")
    assert "with 1 the discriminator never learned" in wrong["trainer.gradient_accumulate_every"]
    assert "radiodiff convert autoencoder" in wrong["model.ckpt_path"]
    assert recipe_of(tmp_path, RESUMED).trainer.warm_start.init_from == Path("weights/model-7.pt")


def test_a_diffusion_model_gives_its_first_stage_and_keeps_the_rest(tmp_path: Path) -> None:
    found = imported(tmp_path, DIFFUSION)
    assert (found.stage, found.file_stage) == ("autoencoder", "diffusion")
    published = load_recipe("autoencoder/radiomapseer", GIVEN)
    recipe = recipe_of(tmp_path, DIFFUSION)
    for group in ("stage", "data", "examples", "autoencoder", "discriminator", "loss"):
        assert getattr(recipe, group) == getattr(published, group)
    # A first stage is not trained as a diffusion model is.
    assert set(found.values) == {"stage", "data", "autoencoder", "loss"}
    kept = texts(found, "kept")
    assert kept["trainer.lr"] == "optimizer.learning_rate"
    assert kept["trainer.gradient_accumulate_every"] == "trainer.accumulation"
    assert kept["trainer.train_wd"] == "optimizer.weight_decay"
    assert kept["data.batch_size"] == "trainer.batch_size"
    assert "radiodiff convert autoencoder" in kept["model.first_stage.ckpt_path"]
    assert {"model.unet.dim", "finetune.ckpt_path", "sampler.stride", "model.start_dist"} <= set(kept)
    dropped = texts(found, "dropped")
    assert {"model.timesteps", "model.use_disloss", "model.objective", "model.unet.cond_dim_mults"} <= set(dropped)
    wrong = texts(found, "contradictions")
    assert set(wrong) == {"model.first_stage.ddconfig.resolution", "model.image_size", "trainer.min_lr"}
    assert found.unknown == []


ONE_STEP = "never read by the trainer of these files; nothing is accumulated here"


def test_weights_of_indoor_terms_that_were_never_read(tmp_path: Path) -> None:
    terms = "disc_weight: 0.5, perceptual_weight: 0.7, disc_loss: vanilla, logvar_init: 1"
    text = BUILDING.replace("disc_weight: 0.5", terms).replace("  amp:", "  weight_decay: 0.1\n  amp:")
    found = imported(tmp_path, text)
    assert recipe_of(tmp_path, text) == recipe_of(tmp_path, BUILDING)
    dropped = texts(found, "dropped")
    assert {f"model.lossconfig.{key}" for key in ("perceptual_weight", "disc_loss", "logvar_init")} <= set(dropped)
    assert dropped["trainer.weight_decay"] == "never read by the trainer of these files"


def test_a_diffusion_model_of_rooms_has_their_first_stage(tmp_path: Path) -> None:
    text = DIFFUSION.replace("name: radio", "name: icassp2025_radio, tx_margin: 10")
    found = imported(tmp_path, text)
    assert set(found.values) == {"stage", "data", "autoencoder", "loss"}
    assert recipe_of(tmp_path, text).loss == recipe_of(tmp_path, BUILDING).loss
    assert "trainer.min_lr" not in texts(found, "contradictions")


@pytest.mark.parametrize("value", [1, 2, 3, 8])
def test_the_index_of_the_optimizer(tmp_path: Path, value: int) -> None:
    text = AUTOENCODER.replace("accumulate_every: 2", f"accumulate_every: {value}")
    said = {1: "with 1 the discriminator never learned", 2: "with 2 autoencoder and discriminator learn once"}
    wrong = texts(imported(tmp_path, text), "contradictions")["trainer.gradient_accumulate_every"]
    assert said.get(value, f"with {value} the original stops with an error") in wrong


def test_a_weight_of_lpips_is_kept_and_the_kind_still_said(tmp_path: Path) -> None:
    text = AUTOENCODER.replace("disc_weight: 0.5", "disc_weight: 0.5, perceptual_weight: 0.25")
    found = imported(tmp_path, text)
    term = found.get("loss.perceptual")
    assert term == {"kind": "structure", "weight": 0.25}
    assert "loss.perceptual" in texts(found, "added")
    assert recipe_of(tmp_path, text).loss.perceptual == PerceptualConfig(weight=0.25)


@pytest.mark.parametrize(("rate", "floor"), [("5e-6", 5e-7), ("5e-7", 5e-7), ("1e-8", 0.0), ("", 5e-7)])
def test_a_file_without_the_end_of_its_learning_rate(tmp_path: Path, rate: str, floor: float) -> None:
    text = AUTOENCODER.replace("  min_lr: 5e-7\n", "").replace("5e-6", rate) if rate else AUTOENCODER
    text = text if rate else text.replace("  min_lr: 5e-7\n", "").replace("  lr: !!float 5e-6\n", "")
    recipe = recipe_of(tmp_path, text)
    assert recipe.optimizer.schedule.floor == recipe.discriminator_optimizer.schedule.floor == floor
    added = texts(imported(tmp_path, text), "added")
    for key in ("optimizer.schedule.floor", "discriminator_optimizer.schedule.floor"):
        assert added[key].startswith("the file has no min_lr")


def test_sizes_of_the_data(tmp_path: Path) -> None:
    text = AUTOENCODER.replace("{name: radio,", "{name: radio, image_size: [256, 480],")
    found = imported(tmp_path, text)
    assert "examples.crop_size" in texts(found, "dropped")["data.image_size"]
    assert "256 x 480 is written, 256 is what runs" in texts(found, "contradictions")["data.image_size"]
    found = imported(tmp_path, EDGES.replace("image_size: [320, 320]", "image_size: [320, 480]"))
    assert found.get("examples.crop_size") == 320
    assert "320 x 480 is written; windows are squares here" in texts(found, "contradictions")["data.image_size"]


def test_flips_of_a_diffusion_model_are_not_those_of_its_first_stage(tmp_path: Path) -> None:
    text = DIFFUSION.replace("{name: radio,", "{name: radio, augment_horizontal_flip: True,")
    found = imported(tmp_path, text)
    assert found.get("data.augment") is None
    assert texts(found, "kept")["data.augment_horizontal_flip"] == "data.augment"


def test_rooms(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, BUILDING, "data.root=maps")
    packaged = load_recipe("autoencoder/icassp-building", GIVEN)
    published = packaged.replaced(
        data=packaged.data.replaced(augment=False),
        loss=recipe.loss,
        optimizer=packaged.optimizer.replaced(
            weight_decay=1e-6, schedule=packaged.optimizer.schedule.replaced(kind="cosine")
        ),
    )
    assert recipe == published
    assert recipe.loss == AutoencoderLossConfig(
        reduction="mean", mse_weight=0.0, learn_logvar=False, perceptual=None, adversarial=None, kl_weight=1e-6
    )
    found = imported(tmp_path, BUILDING)
    assert found.not_given == ()
    # What is known of the other trainer is not said of this one.
    assert found.contradictions == [Finding("trainer.gradient_accumulate_every", 2, ONE_STEP)]
    dropped, added = texts(found, "dropped"), texts(found, "added")
    for key in ("disc_start", "disc_weight"):
        assert "mean absolute error and the divergence alone" in dropped[f"model.lossconfig.{key}"]
    assert "Adam with a weight decay of 1e-6" in added["optimizer.schedule.kind"]
    assert not any("LPIPS" in text for text in added.values())
    wrong = imported(
        tmp_path, BUILDING.replace("vae_type: building}", "vae_type: radio}").replace("[96, 96]", "[64, 64]")
    )
    assert texts(wrong, "contradictions")["data.vae_type"] == "data.name is icassp2025_building"
    assert "64 is written; windows have data.size = 96" in texts(wrong, "contradictions")["model.ddconfig.resolution"]


def test_edges(tmp_path: Path) -> None:
    found = imported(tmp_path, EDGES)
    recipe = recipe_of(tmp_path, EDGES)
    packaged = load_recipe("autoencoder/edges", (*GIVEN, "examples.crop_size=320", "data.threshold=0.3"))
    assert recipe == packaged
    assert found.get("data.root") == "./edges"
    assert "all symmetries" in texts(found, "contradictions")["data.augment_horizontal_flip"]
    other = imported(
        tmp_path, EDGES.replace("image_size: [320", "image_size: [256").replace("rand_crop", "rand_resize")
    )
    assert "another size than data.image_size" in texts(other, "contradictions")["model.ddconfig.resolution"]
    assert "not resized" in texts(other, "contradictions")["data.crop_type"]
    uncertain = recipe_of(tmp_path, EDGES.replace("uncertainty: False", "uncertainty: True"))
    assert uncertain.data.uncertain == "ignored"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("approach", "name"), [("single", "autoencoder/icassp-multi-single"), ("dual", "autoencoder/icassp-multi-dual")]
)
def test_several_conditions(tmp_path: Path, approach: str, name: str) -> None:
    text = MULTI.replace("single", approach)
    recipe, packaged = recipe_of(tmp_path, text), load_recipe(name, GIVEN)
    assert recipe.examples == packaged.examples
    assert recipe.data == packaged.data.replaced(tasks=(1,), augment=False)
    assert recipe.autoencoder == packaged.autoencoder.replaced(base_channels=128)
    found = imported(tmp_path, text)
    assert texts(found, "unknown") == {"model.name": "not a key that the original's files are known to have"}
    wrong = texts(found, "contradictions")
    assert wrong["model.ddconfig.in_channels"] == "conditions and target make it 3"
    assert ("model.ddconfig.out_ch" in wrong) == (approach == "dual")
    # Which trainer read these files is not known.
    assert not any(key.startswith("trainer.") for key in wrong)
    assert "LPIPS" not in texts(found, "added")["loss.perceptual"]
    assert recipe.trainer.precision == "fp32"
    assert recipe.trainer.loader_threads == 4


NAMES = {
    "IRT4": ({"simulation": "IRT4"}, None),
    "IRT4K": ({"simulation": "IRT4"}, "k2"),
    "DPMK": ({"simulation": "DPM"}, "k2"),
    "DPMCAR": ({"simulation": "DPM", "cars": True}, None),
    "DPMCARK": ({"simulation": "DPM", "cars": True}, "k2"),
    "MASK": ({"simulation": "DPM"}, None),
    "MASK_R": ({"simulation": "DPM"}, None),
    "VERTEX": ({"simulation": "DPM"}, None),
    "VERTEX_R": ({"simulation": "DPM"}, None),
    "RANDOM": ({"simulation": "DPM"}, None),
}


@pytest.mark.parametrize(("name", "settings", "leak"), [(name, *value) for name, value in NAMES.items()], ids=NAMES)
def test_names_of_data(tmp_path: Path, name: str, settings: dict, leak: str | None) -> None:
    text = DIFFUSION.replace("name: radio", f"name: {name}")
    data = recipe_of(tmp_path, text).data
    assert data == load_recipe("autoencoder/radiomapseer", GIVEN).data.replaced(**settings)
    found = imported(tmp_path, text)
    assert texts(found, "kept")["data.name"].startswith("the condition: ")
    assert ("gives it away" in texts(found, "contradictions").get("data.name", "")) == (leak is not None)
    assert ("model.unet.DPMCARK" in texts(found, "contradictions")) == (name == "DPMCARK")


def test_half_precision(tmp_path: Path) -> None:
    text = AUTOENCODER.replace("fp16: False", "fp16: True").replace("amp: False", "amp: True")
    assert recipe_of(tmp_path, text).trainer.precision == "fp16"
    wrong = texts(imported(tmp_path, text), "contradictions")
    mixed = AUTOENCODER.replace("amp: False", "amp: True")
    assert "no effect without fp16" in texts(imported(tmp_path, mixed), "contradictions")["trainer.amp"]
    assert "scaled gradients" in wrong["trainer.fp16"]
    assert "trainer.amp" not in wrong


def test_channels_that_do_not_fit(tmp_path: Path) -> None:
    text = AUTOENCODER.replace("z_channels: 3", "z_channels: 2").replace("disc_in_channels: 1", "disc_in_channels: 3")
    wrong = texts(imported(tmp_path, text), "contradictions")
    assert wrong["model.ddconfig.z_channels"] == "the latents have embed_dim = 3 channels"
    assert wrong["model.lossconfig.disc_in_channels"] == "the discriminator judges out_ch = 1 channels"


def test_keys_that_are_not_known_are_named(tmp_path: Path) -> None:
    text = AUTOENCODER + "  new_option: 5\nextra: {deep: [1]}\n"
    found = imported(tmp_path, text)
    assert {row.key: row.value for row in found.unknown} == {"trainer.new_option": 5, "extra.deep": [1]}
    rooms = imported(tmp_path, AUTOENCODER.replace("{name: radio,", "{name: radio, tx_margin: 3,"))
    assert texts(rooms, "dropped")["data.tx_margin"] == "belongs to data of kind icassp"


REFUSED = {
    "no file of the original": ("a: 1", ["must have model.ddconfig", "original.yaml with a"]),
    "a recipe": ("stage: autoencoder\ndata: {kind: edges}", ["must have model.ddconfig", "recipes need no import"]),
    "unknown data": (AUTOENCODER.replace("radio,", "DPMC,"), ["data.name", "got 'DPMC'. Did you mean 'DPMCAR'?"]),
    "no data": (AUTOENCODER.replace("name: radio, ", ""), ["data.name of the original must be one of", "got None"]),
    "attention": (
        AUTOENCODER.replace("resolutions: []", "resolutions: [16]"),
        ["attn_resolutions must be empty", "[16]"],
    ),
    "dropout": (AUTOENCODER.replace("dropout: 0.0", "dropout: 0.1"), ["model.ddconfig.dropout must be empty or 0"]),
    "a floor above": (
        AUTOENCODER.replace("min_lr: 5e-7", "min_lr: 0.1"),
        ["optimizer.schedule.floor must not lie above"],
    ),
    "channels": (AUTOENCODER.replace("ch: 128", "ch: 100"), ["autoencoder.norm_groups must divide"]),
    "no YAML": (AUTOENCODER + "\n  amp: True", ["must be YAML"]),
}


@pytest.mark.parametrize(("text", "parts"), REFUSED.values(), ids=REFUSED)
def test_files_that_are_refused(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        imported(tmp_path, text)
    for part in parts:
        assert part in str(error.value)
