from pathlib import Path

import numpy as np
import pytest

from radiodiff.radio_map import RadioMap
from radiodiff.scene import Grid, Transmitter

SAMPLE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "radiomapseer-sample"


@pytest.fixture
def sample() -> Path:
    """Real RadioMapSeer files, not part of the project."""
    if not SAMPLE.is_dir():
        pytest.skip("needs the RadioMapSeer sample in ../shared/data/radiomapseer-sample")
    return SAMPLE


@pytest.fixture
def utm_map() -> RadioMap:
    """A map of 30 x 40 cells of 2 m in UTM, with a hole."""
    grid = Grid(30, 40, 2.0, "EPSG:32633", 390_000.0, 5_820_000.0)
    return a_radio_map(grid)


@pytest.fixture
def plain_map() -> RadioMap:
    """A map of 30 x 40 cells of 1 m without a CRS, with a hole."""
    return a_radio_map(Grid(30, 40))


def a_radio_map(grid: Grid) -> RadioMap:
    values = np.random.default_rng(0).uniform(50.0, 140.0, grid.shape).astype(np.float32)
    values[5:9, 10:20] = np.nan
    return RadioMap(values, grid, Transmitter(7.5, 3.25, azimuth_deg=30.0), "test", meta={"seed": 0, "tags": ["a"]})
