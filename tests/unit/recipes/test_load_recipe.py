"""Recipes by name and file, and their changes."""

from pathlib import Path

import pytest

from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.errors import ConfigError
from radiodiff.recipes.load import (
    about,
    dump_recipe,
    load_recipe,
    recipe_faults,
    recipe_names,
    recipe_text,
)
from radiodiff.training.config import EmaConfig

GIVEN = ("data.root=maps", "trainer.run_dir=runs/one")

NAMES = (
    "autoencoder/edges",
    "autoencoder/icassp-antenna",
    "autoencoder/icassp-building",
    "autoencoder/icassp-multi-dual",
    "autoencoder/icassp-multi-single",
    "autoencoder/icassp-radio",
    "autoencoder/radiomapseer",
    "autoencoder/radiomapseer-small",
    "autoencoder/tiny",
)


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


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_needs_a_data_set_and_a_folder_and_nothing_more(name: str, tmp_path: Path) -> None:
    rules = [error.rule for error in recipe_faults(name)]
    assert rules == ["data.root must be given", "trainer.run_dir must be given"]
    assert recipe_faults(name, GIVEN) == []
    recipe = load_recipe(name, GIVEN)
    assert (recipe.data.root, recipe.trainer.run_dir) == (Path("maps"), Path("runs/one"))
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(path) == recipe


def test_the_published_settings() -> None:
    recipe = load_recipe("autoencoder/radiomapseer", GIVEN)
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
        ("radiomapseer", ["Did you mean autoencoder/radiomapseer or autoencoder/radiomapseer-small?"]),
        ("zzz", ["got 'zzz'. The names: autoencoder/edges, "]),
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
    "a stage that cannot be trained": ("stage=diffusion", ["stage must be 'autoencoder'", "cannot be trained yet"]),
    "no stage": ("stage=null", ["stage must be 'autoencoder'"]),
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
