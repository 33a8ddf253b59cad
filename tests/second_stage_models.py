"""Models of the second stage in folders, without training, and maps for them: for tests of commands."""

from pathlib import Path
from typing import Any

from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from tiny_pipelines import tiny_diffusion, tiny_encoding, tiny_regression

PLAIN = ("buildings", "transmitter", "cars")

NAMES = ["0_0", "0_1", "1_0", "1_1", "2_0", "2_1"]
"""Names of the maps of `city`; each of its three cities is a part of the split."""


def make_stock(folder: Path) -> None:
    """`city`, maps of 48 x 48 cells; `run/pipeline` and `other/pipeline`, diffusion models for them; `regression`."""
    settings = FakeRadioMapSeerSettings(3, 2, seed=2, size=48, simulations=("DPM",), cars=False, missing_layers=False)
    for _ in write_fake_radiomapseer(folder / "city", settings):
        pass
    save_second_stage(folder / "run/pipeline")
    save_second_stage(folder / "other/pipeline", seed=3)
    save_second_stage(folder / "regression", "regression")


def link_stock(stock: Path, folder: Path) -> None:
    """Show what `make_stock` has made in another folder, without a copy."""
    for path in stock.iterdir():
        (folder / path.name).symlink_to(path, target_is_directory=True)


def save_second_stage(folder: Path, kind: str = "diffusion", seed: int = 0, **settings: Any) -> None:
    """Save a tiny model for the maps of `city`; settings are those of its data set."""
    config = RadioMapSeerConfig(root=Path("unknown"), **settings)
    measured = () if config.measurements is None else ("measured_path_loss_db", "measurement_mask")
    names = (*PLAIN, *measured, *config.geometry)
    record = {
        "data": config.model_dump(mode="json", exclude={"root", "part", "augment"}),
        "encoding": tiny_encoding(names, config.scale),
        "scale": config.scale,
        "map_shape": (48, 48),
    }
    make = tiny_diffusion if kind == "diffusion" else tiny_regression
    make(names, seed=seed, **record).save_pretrained(folder)
