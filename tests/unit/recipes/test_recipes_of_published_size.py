"""The recipes of the published size are one network and one training, on different data."""

from pathlib import Path

import pytest

from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.recipes.load import load_recipe_of
from radiodiff.recipes.schema import DiffusionRecipe

GIVEN = ("data.root=maps", "trainer.run_dir=run", "autoencoder=first")


def recipe_of(name: str) -> DiffusionRecipe:
    return load_recipe_of(DiffusionRecipe, f"diffusion/radiomapseer-{name}", GIVEN)


DATA = {
    "carsdpm": {"cars": True},
    "irt2": {"simulation": "IRT2"},
    "k2": {"cars_channel": "absent", "k2": "log-distance"},
    "measurements-half": {"cars_channel": "absent", "measurements": {"kind": "half"}},
    "measurements-random": {"cars_channel": "absent", "measurements": {"kind": "random"}},
    "measurements-vertices": {"cars_channel": "absent", "measurements": {"kind": "vertices"}},
}


@pytest.mark.parametrize(("name", "settings"), DATA.items(), ids=DATA)
def test_recipes_differ_in_the_data_alone(name: str, settings: dict) -> None:
    data = RadioMapSeerConfig(root=Path("maps"), **settings)
    assert recipe_of(name) == recipe_of("dpm").replaced(data=data)


def test_ray_tracing_begins_with_the_network_of_dominant_paths() -> None:
    few, published = recipe_of("irt4"), recipe_of("dpm")
    assert few.replaced(data=published.data, optimizer=published.optimizer, trainer=published.trainer) == published
