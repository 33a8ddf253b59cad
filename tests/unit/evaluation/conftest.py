"""A small data set of made-up cities, made once."""

from pathlib import Path

import pytest

from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer


@pytest.fixture(scope="session")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four maps of 48 x 48 cells with two transmitters each, DPM and cars. Not to be changed."""
    root = tmp_path_factory.mktemp("evaluation") / "cities"
    settings = FakeRadioMapSeerSettings(4, 2, seed=3, size=48, simulations=("DPM",))
    for _ in write_fake_radiomapseer(root, settings):
        pass
    return root
