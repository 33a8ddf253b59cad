"""A sound RadioMapSeer folder that packed sets and edges are made of."""

from pathlib import Path

import pytest

from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree") / "set"
    settings = FakeRadioMapSeerSettings(3, 2, 2, size=64, cars=False, missing_layers=False)
    list(write_fake_radiomapseer(root, settings))
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "split.json")
    return root
