"""All settings of a recipe, and what differs between two."""

from pathlib import Path

import pytest

from radiodiff.errors import ConfigError
from radiodiff.recipes.load import dump_recipe, load_recipe
from radiodiff.recipes.resolve import Difference, differences, flat, resolved_values
from radiodiff.recipes.yaml_text import format_yaml

GIVEN = ("data.root=maps", "trainer.run_dir=run")


def test_settings_that_are_not_given_are_left_out(tmp_path: Path) -> None:
    values = resolved_values("autoencoder/tiny")
    whole = load_recipe("autoencoder/tiny", GIVEN).model_dump(mode="json")
    assert dict(flat(whole)).keys() - dict(flat(values)).keys() == {"data.root", "trainer.run_dir"}
    assert resolved_values("autoencoder/tiny", GIVEN) == whole
    path = tmp_path / "recipe.yaml"
    path.write_text(format_yaml(values))
    assert load_recipe(path, GIVEN).model_dump(mode="json") == whole


def test_a_first_stage_that_is_not_given_is_left_out() -> None:
    values = resolved_values("diffusion/tiny")
    whole = load_recipe("diffusion/tiny", (*GIVEN, "autoencoder=first")).model_dump(mode="json")
    assert dict(flat(whole)).keys() - dict(flat(values)).keys() == {"data.root", "autoencoder", "trainer.run_dir"}
    assert resolved_values("diffusion/tiny", ["autoencoder=first"])["autoencoder"] == "first"
    assert "autoencoder" not in resolved_values("baseline/tiny")


def test_what_is_wrong_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.max_steps must be"):
        resolved_values("autoencoder/tiny", ["trainer.max_steps=0"])
    path = tmp_path / "recipe.yaml"
    path.write_text("trainer: 5")
    with pytest.raises(ConfigError, match=r"data\.kind must be given"):
        resolved_values(path)


def test_differences_are_in_the_order_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    changes = ("trainer.seed=3", "loss.perceptual=null", "data.augment=false")
    path.write_text(dump_recipe(load_recipe("autoencoder/tiny", (*GIVEN, *changes))))
    found = differences(resolved_values("autoencoder/tiny"), resolved_values(path))
    assert found == [
        Difference("data.augment", True, False),
        Difference("loss.perceptual.kind", "structure", "-"),
        Difference("loss.perceptual.weight", 1.0, "-"),
        Difference("loss.perceptual.vgg16", None, "-"),
        Difference("loss.perceptual.heads", None, "-"),
        Difference("trainer.seed", 0, 3),
        Difference("data.root", "-", "maps"),
        Difference("loss.perceptual", "-", None),
        Difference("trainer.run_dir", "-", "run"),
    ]
    assert differences(resolved_values(path), resolved_values(path)) == []
