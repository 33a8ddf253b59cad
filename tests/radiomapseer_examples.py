"""What the tests of RadioMapSeer examples share."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig
from radiodiff.formats import (
    read_radiomapseer_scene,
    write_grey_png,
    write_heights_json,
    write_roof_heights_png,
)

SIZE = 64
"""Rows and columns of the maps."""


def data(root: Path, **settings: Any) -> RadioMapSeer:
    """Examples of a folder."""
    return RadioMapSeer(RadioMapSeerConfig(root=root, **settings))


def image(root: Path, name: str) -> np.ndarray:
    """Grey levels of a file of it."""
    return np.asarray(Image.open(root / name)).astype(float)


def channel(example: Any, dataset: RadioMapSeer, name: str) -> np.ndarray:
    """A channel of an example's condition by its name."""
    return example.condition[dataset.encoding.names.index(name)]


TX_HEIGHTS_M = (1.5, 2.5, 40.0)

HOLES = np.s_[::7, ::5]
"""Cells that no ray has found."""


def add_heights(root: Path) -> None:
    """Heights for a data set of up to three transmitters per map: outline i is 10 + i metres high."""
    for folder in ("polygon/heights", "png/heights", "antenna_heights"):
        (root / folder).mkdir(parents=True)
    for path in (root / "antenna").glob("*.json"):
        outlines = root / "polygon/buildings_complete" / path.name
        count = len(json.loads(outlines.read_text()))
        write_heights_json(root / "polygon/heights" / path.name, [10.0 + i for i in range(count)])
        roofs_m = read_radiomapseer_scene(root, int(path.stem)).roof_height_m
        write_roof_heights_png(root / "png/heights" / f"{path.stem}.png", roofs_m)
        write_heights_json(root / "antenna_heights" / path.name, TX_HEIGHTS_M[: len(json.loads(path.read_text()))])


def add_traced(root: Path, simulation: str = "RT") -> None:
    """A ray-traced simulation: the dominant path with holes."""
    folder = root / "gain" / simulation
    shutil.copytree(root / "gain/DPM", folder)
    for path in folder.glob("*.png"):
        grey = np.asarray(Image.open(path)).copy()
        grey[HOLES] = 0
        write_grey_png(path, grey)
