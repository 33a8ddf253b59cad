"""Targets one by one: those of the examples, whatever was drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.edges import EdgeDataSetConfig, EdgeSettings, generate_edges
from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.placement import draw_symmetry, symmetries_of
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import (
    check_repeated_targets,
    open_data_set,
    shows_all_buildings,
    windows_in_words,
)
from radiodiff.errors import ConfigError
from radiodiff.layouts import CitySettings


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("targets")
    list(write_fake_radiomapseer(root / "radiomapseer", FakeRadioMapSeerSettings(2, 2, seed=5, size=48)))
    list(create_data_set(root / "oblong", CreateSettings(1, 2, 3, city=CitySettings(rows=48, cols=56))))
    list(generate_edges(root / "radiomapseer" / "gain" / "DPM", root / "edges", EdgeSettings(method="canny")))
    settings = FakeIcasspSettings(buildings=2, antennas=2, samples=1, smallest=30, largest=64, seed=3)
    list(write_fake_icassp(root / "icassp", settings))
    return {path.name: path for path in root.iterdir()}


KINDS: dict[str, tuple[str, Any]] = {
    "plain": ("radiomapseer", RadioMapSeerConfig),
    "measured": ("radiomapseer", lambda **v: RadioMapSeerConfig(measurements={"kind": "random"}, **v)),
    "mixed": ("radiomapseer", lambda **v: RadioMapSeerConfig(simulation="mix", mix_weight=0.3, **v)),
    "larger": ("radiomapseer", lambda **v: RadioMapSeerConfig(size=56, edge_weights="canny", **v)),
    "oblong": ("oblong", RadioMapSeerConfig),
    "oblong padded": ("oblong", lambda **v: RadioMapSeerConfig(size=64, fit="pad", **v)),
    "edges": ("edges", lambda **v: EdgeDataSetConfig(uncertain="ignored", **v)),
    "windows": ("icassp", lambda **v: IcasspConfig(crop="tx-centred", size=32, **v)),
    "whole": ("icassp", lambda **v: IcasspConfig(crop="none", **v)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("augment", [True, False])
def test_a_target_follows_from_number_and_symmetry(folders: dict[str, Path], kind: str, augment: bool) -> None:
    folder, settings = KINDS[kind]
    data = open_data_set(settings(root=folders[folder], part="all", augment=augment))
    check_repeated_targets(data.config)
    assert len(data.example_names) == len(data) == len(set(data.example_names)) or folder == "icassp"
    seen = set()
    for number in range(len(data)):
        for draw in range(12):
            example, bare = data[number, draw], data.without_target((number, draw))
            np.testing.assert_array_equal(data.target(number, example.symmetry), example.target)
            assert bare.target.shape == (0, *example.target.shape[1:])
            for name, value in vars(example).items():
                if name != "target":
                    np.testing.assert_array_equal(getattr(bare, name), value, err_msg=name)
            assert data.example_names[number].endswith(example.name)
            seen.add(example.symmetry)
    assert seen <= set(data.symmetries)
    if kind != "whole":
        # Every symmetry is drawn at some time.
        assert seen == set(data.symmetries)
    with pytest.raises(IndexError):
        data.target(len(data), 0)


def test_a_target_that_nobody_wants_is_not_read(folders: dict[str, Path], tmp_path: Path) -> None:
    list(write_fake_radiomapseer(tmp_path / "data", FakeRadioMapSeerSettings(1, 1, seed=5, size=48)))
    data = open_data_set(RadioMapSeerConfig(root=tmp_path / "data", part="all"))
    (tmp_path / "data" / "gain" / "DPM" / f"{data[0].name}.png").unlink()
    assert data.without_target(0).condition.shape == (3, 48, 48)


@pytest.mark.parametrize("shape", [(8, 8), (8, 12)])
def test_the_symmetries_of_a_shape_are_those_that_are_drawn(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    assert {draw_symmetry(random, shape) for _ in range(200)} == set(symmetries_of(shape))


def test_targets_that_are_drawn_anew_do_not_repeat() -> None:
    mixed = RadioMapSeerConfig(root=Path("data"), simulation="mix")
    with pytest.raises(ConfigError, match=r"mixed anew.*Set data\.mix_weight"):
        check_repeated_targets(mixed)
    windows = IcasspConfig(root=Path("data"))
    with pytest.raises(ConfigError, match=r"windows that are drawn anew.*'tx-centred'"):
        check_repeated_targets(windows)


def test_what_examples_show_is_known_from_the_settings() -> None:
    assert shows_all_buildings(RadioMapSeerConfig(root=Path("data")))
    assert not shows_all_buildings(RadioMapSeerConfig(root=Path("data"), buildings={"layer": "missing"}))
    assert shows_all_buildings(EdgeDataSetConfig(root=Path("data")))
    assert windows_in_words(IcasspConfig(root=Path("data"))) == "tx-aware windows of 96 x 96 cells"
    assert windows_in_words(IcasspConfig(root=Path("data"), crop="none")) == ""
    assert windows_in_words(RadioMapSeerConfig(root=Path("data"))) == ""
