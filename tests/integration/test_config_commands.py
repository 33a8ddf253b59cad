"""`radiodiff config list`, `show`, `check`, `diff` and `import`: what they print, write and refuse."""

import json
from pathlib import Path

import pytest

from command_line import Run, tree
from original_files import AUTOENCODER, DIFFUSION, MULTI
from radiodiff.recipes.load import load_recipe, load_recipe_of, recipe_names
from radiodiff.recipes.schema import AutoencoderRecipe, DiffusionRecipe

GIVEN = ("data.root=set", "trainer.run_dir=run")
SMALL = ("examples.crop_size=32", "autoencoder.base_channels=8", "autoencoder.norm_groups=4", "trainer.batch_size=2")


@pytest.fixture
def city(radiodiff: Run, tmp_path: Path) -> Path:
    """A small city with a split of its own."""
    small = ("--no-cars", "--no-missing-layers", "--simulation", "DPM", "--size", 64)
    radiodiff("dataset", "fake", "radiomapseer", "--out", "set", "--maps", 3, "--tx-per-map", 2, "--seed", 2, *small)
    parts = {"train": [0], "validation": [1], "test": [2]}
    split = {"format": "radiodiff-split", "format_version": 1, "name": "small", "parts": parts}
    (tmp_path / "set/split.json").write_text(json.dumps(split))
    return tmp_path / "set"


def test_the_recipes_are_listed(radiodiff: Run) -> None:
    outcome = radiodiff("config", "list")
    assert (outcome.code, outcome.err) == (0, "")
    for name in recipe_names():
        assert name in outcome.out
    assert "minutes on a CPU." in outcome.out


def test_what_is_shown_is_a_recipe(radiodiff: Run, tmp_path: Path) -> None:
    outcome = radiodiff("config", "show", "autoencoder/tiny", "trainer.max_steps=7")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("# To be given: data.root, trainer.run_dir\nstage: autoencoder\n")
    (tmp_path / "mine.yaml").write_text(outcome.out)
    assert load_recipe(tmp_path / "mine.yaml", GIVEN) == load_recipe(
        "autoencoder/tiny", (*GIVEN, "trainer.max_steps=7")
    )
    whole = radiodiff("config", "show", "mine.yaml", *GIVEN).out
    assert whole.startswith("stage: autoencoder\n")
    assert "root: set\n" in whole


@pytest.mark.parametrize("name", ["diffusion/tiny", "baseline/tiny"])
def test_recipes_of_all_stages_are_shown(radiodiff: Run, tmp_path: Path, name: str) -> None:
    outcome = radiodiff("config", "show", name)
    assert (outcome.code, outcome.err) == (0, "")
    wanted = (
        "data.root, autoencoder, trainer.run_dir" if name.startswith("diffusion/") else "data.root, trainer.run_dir"
    )
    assert outcome.out.startswith(f"# To be given: {wanted}\nstage: {name.partition('/')[0]}\n")
    given = (*GIVEN, *(["autoencoder=first"] if name.startswith("diffusion/") else []))
    (tmp_path / "mine.yaml").write_text(outcome.out)
    assert load_recipe(tmp_path / "mine.yaml", given) == load_recipe(name, given)
    assert "To be given" not in radiodiff("config", "show", name, *given).out


def test_what_cannot_be_shown(radiodiff: Run) -> None:
    radiodiff("config", "show", "autoencoder/tny").check_refusal("Did you mean autoencoder/tiny?")
    radiodiff("config", "show", "autoencoder/tiny", "trainer.max_stepz=7").check_refusal(
        "There is no key trainer.max_stepz", "Did you mean trainer.max_steps?"
    )
    radiodiff("config", "show", "autoencoder/tiny", "data.size=30").check_refusal("examples.crop_size", "data.size")
    radiodiff("config", "show", "none.yaml").check_refusal("must be readable", "none.yaml")


def test_a_recipe_that_can_be_run_here(radiodiff: Run, city: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    outcome = radiodiff("config", "check", "autoencoder/tiny", *GIVEN, *SMALL)
    assert (outcome.code, outcome.err) == (0, "")
    for part in ("training data", "validation data", "2 examples in part 'train' of set", "run is free for a new run"):
        assert part in outcome.out
    content = json.loads(radiodiff("config", "check", "autoencoder/tiny", *GIVEN, *SMALL, "--json").out)
    assert (content["recipe"], content["is_fit"]) == ("autoencoder/tiny", True)
    assert {row["status"] for row in content["rows"]} == {"ok", "warning"}
    assert set(content["rows"][0]) == {"what", "status", "finding", "remedy"}
    assert tree(tmp_path) == before


def test_a_recipe_that_cannot_be_run_here(radiodiff: Run, city: Path) -> None:
    outcome = radiodiff("config", "check", "autoencoder/tiny", *GIVEN, *SMALL, "data.root=elsewhere")
    outcome.check_refusal("autoencoder/tiny with 2 errors, first: training data", "elsewhere")
    assert "run is free for a new run" in outcome.out
    outcome = radiodiff("config", "check", "autoencoder/tiny", GIVEN[1], "--json")
    outcome.check_refusal("with 1 error, first: settings, data.root must be given")
    content = json.loads(outcome.out)
    assert content["is_fit"] is False
    assert [row["finding"] for row in content["rows"]] == ["data.root must be given; got nothing"]
    radiodiff("config", "check", "none.yaml").check_refusal("must be readable")


def test_differences(radiodiff: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(radiodiff("config", "show", "autoencoder/tiny", "trainer.seed=5").out)
    outcome = radiodiff("config", "diff", "autoencoder/tiny", "mine.yaml")
    assert (outcome.code, outcome.err) == (0, "")
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert "trainer.seed 0 5" in lines
    content = json.loads(radiodiff("config", "diff", "autoencoder/tiny", "mine.yaml", "--json").out)
    assert content["differences"] == [{"key": "trainer.seed", "first": 0, "second": 5}]
    same = radiodiff("config", "diff", "autoencoder/tiny", "autoencoder/tiny")
    assert (same.code, same.out) == (0, "autoencoder/tiny and autoencoder/tiny have the same settings\n")
    kinds = radiodiff("config", "diff", "autoencoder/tiny", "autoencoder/edges")
    assert "data.simulation" in kinds.out
    rows = json.loads(radiodiff("config", "diff", "autoencoder/tiny", "autoencoder/edges", "--json").out)["differences"]
    assert {"key": "data.simulation", "first": "DPM"} in rows
    stages = radiodiff("config", "diff", "diffusion/tiny", "baseline/tiny", "--json")
    rows = json.loads(stages.out)["differences"]
    assert {"key": "stage", "first": "diffusion", "second": "baseline"} in rows
    assert [row for row in rows if row["key"].startswith("data.")] == [
        {"key": "data.augment", "first": False, "second": True}
    ]
    radiodiff("config", "diff", "autoencoder/tiny", "autoencoder/tny").check_refusal("Did you mean autoencoder/tiny?")


def test_a_file_of_the_original_is_printed_as_a_recipe(radiodiff: Run, tmp_path: Path) -> None:
    (tmp_path / "first_radio.yaml").write_text(AUTOENCODER)
    outcome = radiodiff("config", "import", "first_radio.yaml")
    assert outcome.code == 0
    assert outcome.out.startswith("# From first_radio.yaml by radiodiff config import")
    assert "# To be given: data.root\n" in outcome.out
    for part in ("320 is written, 256 is what runs", "keys without a place here", "loss.perceptual", "2.5e-12"):
        assert part in outcome.err
    assert "unknown keys" not in outcome.err
    (tmp_path / "mine.yaml").write_text(outcome.out)
    assert load_recipe(tmp_path / "mine.yaml", GIVEN) == load_recipe("autoencoder/radiomapseer", GIVEN)


def test_an_import_into_a_file(radiodiff: Run, tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text(DIFFUSION)
    outcome = radiodiff("config", "import", "train.yaml", "--out", "mine.yaml")
    assert (outcome.code, outcome.out) == (0, "mine.yaml: recipe of stage diffusion\n")
    assert "keys of the other stage (--stage autoencoder)" in outcome.err
    assert "# To be given: data.root, autoencoder\n" in (tmp_path / "mine.yaml").read_text()
    recipe = load_recipe_of(DiffusionRecipe, tmp_path / "mine.yaml", (*GIVEN, "autoencoder=x"))
    assert recipe.unet.base_channels == 128
    outcome = radiodiff("config", "import", "train.yaml", "--out", "first.yaml", "--stage", "autoencoder")
    assert (outcome.code, outcome.out) == (0, "first.yaml: recipe of stage autoencoder\n")
    assert "keys of the other stage (--stage diffusion)" in outcome.err
    assert "this is its first stage" in (tmp_path / "first.yaml").read_text()
    assert load_recipe_of(AutoencoderRecipe, tmp_path / "first.yaml", GIVEN).autoencoder.base_channels == 128
    (tmp_path / "multi.yaml").write_text(MULTI)
    assert "unknown keys, left out" in radiodiff("config", "import", "multi.yaml").err


def test_imports_that_are_refused(radiodiff: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(AUTOENCODER)
    before = tree(tmp_path)
    radiodiff("config", "import", "a.yaml", "--out", "no/b.yaml").check_refusal("folder of an output file must exist")
    radiodiff("config", "import", "a.yaml", "--stage", "diffusion").check_refusal("must have model.unet", "a.yaml")
    radiodiff("config", "import", "a.yaml", "--stage", "second").check_refusal(
        "--stage must be autoencoder or", "second"
    )
    radiodiff("config", "import", "b.yaml").check_refusal("must be readable", "b.yaml")
    (tmp_path / "b.yaml").write_text("stage: autoencoder")
    radiodiff("config", "import", "b.yaml", "--out", "c.yaml").check_refusal("must have model.ddconfig")
    assert tree(tmp_path).keys() - before.keys() == {"b.yaml"}


def test_an_import_overwrites_nothing(radiodiff: Run, tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text("trainer: {lr: 5e-6}\n")
    (tmp_path / "mine.yaml").write_text("# edited by hand\n")
    radiodiff("config", "import", "theirs.yaml", "--out", "mine.yaml").check_refusal("must be a new file", "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == "# edited by hand\n"
