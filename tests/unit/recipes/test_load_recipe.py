"""Recipes by name and file, and their changes."""

import re
from functools import cache
from pathlib import Path

import pytest

from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import ANSWER_CHANNELS, RadioMapSeerConfig
from radiodiff.errors import ConfigError
from radiodiff.recipes.check.sizes import network_sizes
from radiodiff.recipes.load import (
    about,
    dump_recipe,
    load_recipe,
    load_recipe_of,
    recipe_faults,
    recipe_names,
    recipe_text,
)
from radiodiff.recipes.map_shape import num_condition_channels
from radiodiff.recipes.schema import AutoencoderRecipe, BaselineRecipe, DiffusionRecipe
from radiodiff.training.config import EmaConfig

GIVEN = ("data.root=maps", "trainer.run_dir=runs/one")
FIRST_STAGE = "autoencoder=runs/first"

NAMES = (
    "autoencoder/default",
    "autoencoder/edges",
    "autoencoder/icassp-antenna",
    "autoencoder/icassp-building",
    "autoencoder/icassp-multi-dual",
    "autoencoder/icassp-multi-single",
    "autoencoder/icassp-radio",
    "autoencoder/radiomapseer",
    "autoencoder/radiomapseer-small",
    "autoencoder/tiny",
    "baseline/default",
    "baseline/radiounet",
    "baseline/tiny",
    "diffusion/default",
    "diffusion/edges",
    "diffusion/icassp",
    "diffusion/radiomapseer-carsdpm",
    "diffusion/radiomapseer-dpm",
    "diffusion/radiomapseer-dpm-small",
    "diffusion/radiomapseer-irt2",
    "diffusion/radiomapseer-irt4",
    "diffusion/radiomapseer-k2",
    "diffusion/radiomapseer-measurements-half",
    "diffusion/radiomapseer-measurements-random",
    "diffusion/radiomapseer-measurements-vertices",
    "diffusion/tiny",
)


def given(name: str) -> tuple[str, ...]:
    return (*GIVEN, FIRST_STAGE) if name.startswith("diffusion/") else GIVEN


def test_the_recipes_of_this_package() -> None:
    assert recipe_names() == NAMES
    assert len({about(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_what_it_is_where_it_comes_from_and_what_it_costs(name: str) -> None:
    text = recipe_text(name)
    comment = [line for line in text.splitlines() if line.startswith("#")]
    assert about(name).endswith(".")
    assert "parameters" in "".join(comment)
    assert any(line.startswith("# Source: ") for line in comment)
    assert any(line.startswith("# Cost: ") for line in comment)


@cache
def num_parameters(settings: str, name: str) -> int:
    """Parameters of the network of a recipe; `settings` tells networks apart."""
    count, *_ = network_sizes(load_recipe(name, given(name))).learned.values()
    return count


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_how_large_its_network_is(name: str) -> None:
    recipe = load_recipe(name, given(name))
    network = recipe.model_dump_json(include={"stage", "autoencoder", "unet", "network", "diffusion"})
    settings = f"{network} {num_condition_channels(recipe.data)}"
    said = re.search(r"\(([0-9.]+) M parameters\)", about(name) if recipe.stage != "autoencoder" else recipe_text(name))
    assert said is not None
    assert float(said[1]) == pytest.approx(num_parameters(settings, name) / 1e6, abs=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_needs_a_data_set_and_a_folder_and_the_second_stage_a_first_one(name: str, tmp_path: Path) -> None:
    rules = [error.rule for error in recipe_faults(name)]
    first_stage = ["autoencoder must be given"] if name.startswith("diffusion/") else []
    assert rules == ["data.root must be given", *first_stage, "trainer.run_dir must be given"]
    assert recipe_faults(name, given(name)) == []
    recipe = load_recipe(name, given(name))
    assert name == f"{recipe.stage}/{name.partition('/')[2]}"
    assert (recipe.data.root, recipe.trainer.run_dir) == (Path("maps"), Path("runs/one"))
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(path) == recipe


def test_the_published_settings_of_the_second_stage() -> None:
    # The paper and its settings: see the recipe.
    recipe = load_recipe_of(DiffusionRecipe, "diffusion/radiomapseer-dpm", given("diffusion/"))
    trainer, optimizer = recipe.trainer, recipe.optimizer
    assert (trainer.max_steps, trainer.batch_size, trainer.accumulation, trainer.clip_norm) == (50_000, 16, 1, 1.0)
    assert trainer.ema == EmaConfig(decay=0.999, update_every=10, update_after=10_000)
    assert (optimizer.learning_rate, optimizer.schedule.floor, optimizer.weight_decay) == (5e-5, 5e-6, 1e-4)
    assert (optimizer.schedule.kind, optimizer.schedule.power) == ("polynomial", 0.95)
    assert (recipe.unet.base_channels, recipe.unet.channel_multipliers) == (128, (1, 2, 4, 4))
    assert recipe.unet.backbone.kind == "swin_b"
    assert (recipe.diffusion.prediction_type, recipe.diffusion.time_min) == ("pred_KC", 1e-4)
    assert (recipe.loss.mse_weight, recipe.loss.l1_weight, recipe.loss.weighting) == (1.0, 1.0, "exponential")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("autoencoder/")])
def test_no_condition_holds_the_answer(name: str) -> None:
    data = load_recipe(name, given(name)).data
    if isinstance(data, RadioMapSeerConfig):
        assert not data.allow_answer_channels
        assert not set(data.geometry) & ANSWER_CHANNELS.get(data.simulation, frozenset())
        assert data.k2 in (None, "log-distance")


def test_tiny_and_its_peer_see_the_same() -> None:
    first, second = (load_recipe(f"{stage}/tiny", given(f"{stage}/")) for stage in ("diffusion", "baseline"))
    # Latents that are encoded once allow no symmetries without encoding each.
    assert (first.data.augment, second.data.augment) == (False, True)
    assert first.data.replaced(augment=True) == second.data
    assert first.trainer.ema == second.trainer.ema


def test_the_published_settings() -> None:
    recipe = load_recipe_of(AutoencoderRecipe, "autoencoder/radiomapseer", GIVEN)
    assert recipe.trainer.max_steps == 150_000
    assert (recipe.trainer.batch_size, recipe.trainer.accumulation) == (2, 1)
    assert (recipe.trainer.save_every, recipe.trainer.log_every) == (5_000, 100)
    assert recipe.trainer.ema == EmaConfig(decay=0.995, update_every=10, update_after=100)
    for optimizer in (recipe.optimizer, recipe.discriminator_optimizer):
        assert (optimizer.learning_rate, optimizer.betas) == (5e-6, (0.9, 0.999))
        assert (optimizer.schedule.kind, optimizer.schedule.power, optimizer.schedule.floor) == (
            "polynomial",
            0.95,
            5e-7,
        )
    assert recipe.loss.adversarial is not None
    assert (recipe.loss.adversarial.start, recipe.loss.adversarial.weight) == (50_001, 0.5)
    assert (recipe.loss.kl_weight, recipe.loss.reduction) == (1e-6, "sum")


def test_a_recipe_of_another_stage_names_its_command() -> None:
    recipe = load_recipe_of(BaselineRecipe, "baseline/tiny", GIVEN)
    assert recipe == load_recipe("baseline/tiny", GIVEN)
    with pytest.raises(ConfigError, match="must be of stage 'diffusion'") as error:
        load_recipe_of(DiffusionRecipe, "baseline/tiny", GIVEN)
    assert "got baseline/tiny, of stage 'baseline'. Train it by radiodiff train baseline" in str(error.value)


def test_a_file_without_a_stage_is_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("data: {kind: edges, root: maps}\ntrainer: {run_dir: run}")
    assert load_recipe(path).stage == "autoencoder"
    with pytest.raises(ConfigError, match="of stage 'autoencoder'\\. Train it by radiodiff train autoencoder"):
        load_recipe_of(BaselineRecipe, path)


def test_a_file_is_what_ends_in_yaml_or_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text(dump_recipe(load_recipe("autoencoder/tiny", GIVEN)))
    assert load_recipe("mine") == load_recipe("autoencoder/tiny", GIVEN)
    # A folder of that name does not hide a recipe.
    Path("autoencoder/tiny").mkdir(parents=True)
    assert load_recipe("autoencoder/tiny", GIVEN) == load_recipe("mine")
    for name in ("other.yaml", "other.yml"):
        with pytest.raises(ConfigError, match="must be readable") as error:
            load_recipe(name)
        assert name in str(error.value)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("autoencoder/tny", ["got 'autoencoder/tny'. Did you mean autoencoder/tiny? The names"]),
        ("radiomapseer", ["Did you mean autoencoder/radiomapseer or diffusion/radiomapseer-"]),
        ("tny", ["Did you mean autoencoder/tiny or baseline/tiny or diffusion/tiny?"]),
        ("difusion/edgs", ["Did you mean autoencoder/edges or diffusion/edges?"]),
        ("zzz", ["got 'zzz'. The names: autoencoder/default, "]),
    ],
)
def test_an_unknown_name(name: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError, match="a name of this package or a YAML file") as error:
        load_recipe(name)
    for part in parts:
        assert part in str(error.value)


def test_changes() -> None:
    changes = (
        "trainer.max_steps=100",
        "trainer.max_steps=200",
        "optimizer.learning_rate=5e-6",
        "optimizer.schedule.floor=0",
        "trainer.ema=null",
        "loss.perceptual=null",
        "loss.adversarial.start=10",
        "trainer.warm_start={init_from: old, freeze: ['encoder.*']}",
        "autoencoder.channel_multipliers=[1, 2]",
        "trainer.max_minutes=1.5",
    )
    recipe = load_recipe("autoencoder/tiny", (*GIVEN, *changes))
    assert recipe.trainer.max_steps == 200
    assert recipe.optimizer.learning_rate == 5e-6
    tiny = load_recipe("autoencoder/tiny", GIVEN)
    assert recipe.discriminator_optimizer == tiny.discriminator_optimizer != recipe.optimizer
    assert (recipe.trainer.ema, recipe.loss.perceptual) == (None, None)
    assert recipe.loss.adversarial is not None
    assert recipe.loss.adversarial.start == 10
    assert recipe.trainer.warm_start.init_from == Path("old")
    assert recipe.autoencoder.channel_multipliers == (1, 2)
    assert recipe.trainer.max_minutes == 1.5


def test_a_group_that_is_off_is_switched_on_by_a_key_of_it(tmp_path: Path) -> None:
    path = tmp_path / "off.yaml"
    off = load_recipe("autoencoder/tiny", (*GIVEN, "loss.adversarial=null", "trainer.ema=null"))
    path.write_text(dump_recipe(off))
    recipe = load_recipe(path, ("loss.adversarial.start=10", "trainer.ema.decay=0.5"))
    assert recipe.loss.adversarial is not None
    assert (recipe.loss.adversarial.start, recipe.loss.adversarial.weight) == (10, 0.5)
    assert recipe.trainer.ema == EmaConfig(decay=0.5)


def test_another_kind_of_data_begins_anew() -> None:
    for changes in (("data.kind=icassp", "data.root=rooms"), ("data.root=rooms", "data.kind=icassp")):
        recipe = load_recipe("autoencoder/tiny", (*changes, *GIVEN[1:], "data.view=radio", "examples.crop_size=64"))
        assert recipe.data == IcasspConfig(root=Path("rooms"), view="radio")
    same = load_recipe("autoencoder/tiny", (*GIVEN, "data.kind=radiomapseer"))
    assert isinstance(same.data, RadioMapSeerConfig)
    assert same.data.augment is True


def test_of_two_kinds_of_data_the_last_one_holds() -> None:
    tiny = load_recipe("autoencoder/tiny", GIVEN)
    assert load_recipe("autoencoder/tiny", (*GIVEN, "data.kind=icassp", "data.kind=radiomapseer")) == tiny
    changes = ("data.kind=radiomapseer", "data.kind=icassp", "data.view=radio", "examples.crop_size=64")
    assert load_recipe("autoencoder/tiny", (*GIVEN, *changes)).data == IcasspConfig(root=Path("maps"), view="radio")


def test_a_kind_that_a_file_does_not_say_leaves_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("data: {root: maps, simulation: IRT2}\ntrainer: {run_dir: run}")
    with pytest.raises(ConfigError, match=r"data\.kind must be given"):
        load_recipe(path)
    data = load_recipe(path, ("data.kind=radiomapseer",)).data
    assert data == RadioMapSeerConfig(root=Path("maps"), simulation="IRT2")


@pytest.mark.parametrize("text", ["5", "1e5", "a: b #c", "2025-01-01", "[x", "true"])
def test_a_path_is_taken_as_it_is(text: str) -> None:
    recipe = load_recipe("autoencoder/tiny", (*GIVEN, f"data.root={text}", f"data.k2={text}"))
    assert isinstance(recipe.data, RadioMapSeerConfig)
    assert (recipe.data.root, recipe.data.k2) == (Path(text), Path(text))
    assert load_recipe("autoencoder/tiny", (*GIVEN, "data.k2=null", "data.geometry_cache=")).data.geometry_cache is None


REFUSED = {
    "no change": ("trainer.max_steps", ["must read key=value", "got 'trainer.max_steps'"]),
    "no key": ("=3", ["must read key=value"]),
    "an empty key": ("trainer..x=3", ["must read key=value"]),
    "no YAML": ("trainer.seed=[1", ["must be YAML", "trainer.seed=[1, line 1"]),
    "a key of a value": ("trainer.seed.x.y=1", ["trainer.seed is a value and has no keys; got trainer.seed.x.y"]),
    "an entry of a list": (
        "optimizer.betas.1=0.9",
        ["optimizer.betas is a value and has no keys", "Write the list as a whole, optimizer.betas=[...]."],
    ),
    "a value for a list": ("trainer.warm_start.freeze=encoder.*", ["Write trainer.warm_start.freeze=[encoder.*]."]),
    "true for a number": ("trainer.batch_size=true", ["trainer.batch_size must be a valid integer; got True"]),
    "yes for a number": ("optimizer.learning_rate=yes", ["optimizer.learning_rate must be a valid number; got True"]),
    "a time for a number": ("trainer.seed=1:30", ["trainer.seed must be a valid integer", "got '1:30'"]),
    "none for nothing": ("data.k2=none", ["data.k2 must be 'log-distance'", "Did you mean 'null'?"]),
    "a misspelt method": ("data.edge_weights=cany", ["data.edge_weights must be 'canny'", "Did you mean 'canny'?"]),
    "a key of a path": ("data.root.x=1", ["data.root is a value and has no keys"]),
    "a misspelt key": ("trainer.max_stepz=3", ["no key trainer.max_stepz; got 3. Did you mean trainer.max_steps?"]),
    "an unknown key": ("trainer.zzz=3", ["There is no key trainer.zzz", "The keys of trainer: run_dir, max_steps, "]),
    "a value": ("optimizer.schedule.kind=cosin", ["optimizer.schedule.kind must be", "Did you mean 'cosine'?"]),
    "an unknown kind": ("data.kind=icasp", ["data.kind must be", "Did you mean 'icassp'?"]),
    "no kind": ("data={root: x}", ["data.kind must be given: radiomapseer, icassp, edges"]),
    "an unknown stage": ("stage=autoencodr", ["stage must be 'autoencoder'", "Did you mean 'autoencoder'?"]),
    "another stage": ("stage=baseline", ["There is no key loss.reduction", "The keys of loss: mse_weight, l1_weight."]),
    "no stage": ("stage=null", ["stage must be 'autoencoder' or 'diffusion' or 'baseline'; got None"]),
    "a rule of a group": ("optimizer.schedule.floor=1", ["optimizer.schedule.floor must not lie above"]),
}


def test_a_key_of_a_group_that_is_written_as_a_value(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("trainer: 5")
    with pytest.raises(ConfigError, match=r"trainer is a value and has no keys; got trainer\.seed"):
        load_recipe(path, ("trainer.seed=1",))


@pytest.mark.parametrize(("change", "parts"), REFUSED.values(), ids=REFUSED)
def test_a_change_that_is_refused(change: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_recipe("autoencoder/tiny", (*GIVEN, change))
    for part in parts:
        assert part in str(error.value)
