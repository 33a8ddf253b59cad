"""Any data set by its settings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from radiodiff.data.edges import EdgeDataSet, EdgeDataSetConfig
from radiodiff.data.icassp import FakeIcasspSettings, IcasspConfig, IcasspDataSet, write_fake_icassp
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import DataConfig, open_data_set, part_config
from radiodiff.errors import ConfigError, DataSetError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("selection")
    list(write_fake_radiomapseer(root / "radiomapseer", FakeRadioMapSeerSettings(3, 1, seed=5, size=48)))
    list(write_fake_icassp(root / "icassp", FakeIcasspSettings(buildings=3, samples=1, smallest=30, largest=40)))
    for part in ("train", "validation"):
        for folder in ("edge", "image"):
            (root / "edges" / part / folder).mkdir(parents=True)
            Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(root / "edges" / part / folder / "a.png")
    return root


KINDS: dict[str, Any] = {"radiomapseer": RadioMapSeer, "icassp": IcasspDataSet, "edges": EdgeDataSet}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_says_which_data_set(root: Path, kind: str) -> None:
    config = TypeAdapter(DataConfig).validate_python({"kind": kind, "root": str(root / kind)})
    data = open_data_set(config)
    assert type(data) is KINDS[kind]
    assert data[0].target.dtype == np.float32
    assert TypeAdapter(DataConfig).validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("kind", KINDS)
def test_another_part_has_the_same_settings_without_augmentation(root: Path, kind: str) -> None:
    train: Any = TypeAdapter(DataConfig).validate_python(
        {"kind": kind, "root": root / kind, "augment": True, "seed": 3}
    )
    validation = part_config(train, "validation")
    assert validation == train.replaced(part="validation", augment=False)
    assert type(open_data_set(validation)) is KINDS[kind]


def test_a_part_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="part must be 'train', 'validation', 'test' or 'all'; got 'val'"):
        part_config(IcasspConfig(root=root / "icassp"), "val")
    with pytest.raises(DataSetError, match="train, validation, test; got 'val'"):
        open_data_set(part_config(RadioMapSeerConfig(root=root / "radiomapseer"), "val"))
    with pytest.raises(DataSetError, match="must be one of train, validation, all; got 'test'"):
        open_data_set(part_config(EdgeDataSetConfig(root=root / "edges"), "test"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_another_data_set_is_refused(root: Path, kind: str) -> None:
    other = {"radiomapseer": "icassp", "icassp": "edges", "edges": "radiomapseer"}[kind]
    config = TypeAdapter(DataConfig).validate_python({"kind": kind, "root": root / other})
    with pytest.raises(DataSetError):
        open_data_set(config)
