"""What the tests of RadioMapSeer examples share."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig

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
