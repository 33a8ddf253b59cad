"""Models of the second stage in folders, without training, for tests of commands."""

from pathlib import Path
from typing import Any

from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from tiny_pipelines import tiny_diffusion, tiny_encoding, tiny_regression

PLAIN = ("buildings", "transmitter", "cars")

CITY = ("radiomapseer", "--maps", 3, "--tx-per-map", 2, "--seed", 2, "--size", 48, "--no-cars", "--no-missing-layers")
"""Arguments of `radiodiff dataset fake` for six maps of three cities, a city in each part."""


def save_second_stage(folder: Path, kind: str = "diffusion", seed: int = 0, **settings: Any) -> None:
    """Save a tiny model for the maps of `CITY`; settings are those of its data set."""
    config = RadioMapSeerConfig(root=Path("unknown"), **settings)
    names = (*PLAIN, *config.geometry)
    record = {
        "data": config.model_dump(mode="json", exclude={"root", "part", "augment"}),
        "encoding": tiny_encoding(names, config.scale),
        "scale": config.scale,
        "map_shape": (48, 48),
    }
    make = tiny_diffusion if kind == "diffusion" else tiny_regression
    make(names, seed=seed, **record).save_pretrained(folder)
