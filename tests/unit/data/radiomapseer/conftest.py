"""A small stand-in for the download, made once for all tests of a worker."""

import shutil
from pathlib import Path

import pytest

from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiomapseer_examples import SIZE


@pytest.fixture(scope="session")
def fake_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maps 10..13 with three transmitters each, all layers, and a manifest. Not to be changed."""
    root = tmp_path_factory.mktemp("radiomapseer") / "data"
    for _ in write_fake_radiomapseer(root, FakeRadioMapSeerSettings(4, 3, seed=5, size=SIZE, first_map_id=10)):
        pass
    Split("fake", {"train": (12, 10), "validation": (11,), "test": (13,)}).write(root / "split.json")
    return root


@pytest.fixture
def own_root(fake_root: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    return Path(shutil.copytree(fake_root, tmp_path / "data"))
