"""Made-up data sets of the ICASSP 2025 challenge."""

import shutil
from pathlib import Path

import pytest

from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp

SETTINGS = FakeIcasspSettings(buildings=4, antennas=2, samples=2, smallest=30, largest=64, seed=3)


@pytest.fixture(scope="session")
def fake_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that no test may change."""
    root = tmp_path_factory.mktemp("icassp") / "fake"
    list(write_fake_icassp(root, SETTINGS))
    return root


@pytest.fixture
def root(fake_root: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(fake_root, tmp_path / "fake")
