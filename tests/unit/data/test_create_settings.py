"""What a generated data set may hold, and its record."""

import json
from dataclasses import replace

import pytest
import shapely

from radiodiff.data.create import CreateSettings, create_data_set, read_manifest
from radiodiff.errors import DataSetError, InputError, LayoutError, PropagationError, TransmitterError
from radiodiff.formats.layout_folder import Layout
from radiodiff.formats.radiomapseer_heights import read_heights_json
from radiodiff.layouts import CitySettings
from radiodiff.propagation import (
    DominantPath,
    FreeSpace,
    PropagationModel,
    RayLaunching,
    RayTracing,
    UrbanMicro,
    with_materials,
)
from radiodiff.scene import Footprint, Grid, Scene

PLAIN = CreateSettings(4, 2, 5, city=CitySettings(rows=64, cols=64))


def layout(name: str, group: str, *, size: int = 64, height_m: float | None = 10.0, cell_size_m: float = 1.0) -> Layout:
    scene = Scene.from_footprints(Grid(size, size, cell_size_m), [Footprint(shapely.box(16, 16, 48, 30), height_m)])
    return Layout(name, "town", scene, 0, 0, "made up", group, is_disjoint=True)


LAYOUTS = tuple(layout(name, group) for name, group in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "3")))


def test_the_record_of_dominant_path_maps_is_that_of_earlier_versions() -> None:
    assert list(PLAIN.identity()) == [
        *("format", "format_version", "radiodiff", "tx_per_map", "seed", "cars", "city", "engine", "grey")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"scenario": "street"},
        {"scenario": "rooftop"},
        {"frequency_hz": 3.5e9},
        {"engines": {"DPM": DominantPath(), "UMi": UrbanMicro()}},
        {"engines": {"UMi": UrbanMicro()}},
        {"layouts": LAYOUTS},
        {"layouts": LAYOUTS[:3]},
        {"layouts": (layout("a", "1", height_m=11.0), *LAYOUTS[1:])},
    ],
    ids=str,
)
def test_every_setting_is_on_record(changes: dict) -> None:
    """Neither run may complete the folder of the other; what is on the disk reads back as the same."""
    records = [
        PLAIN.identity(),
        replace(PLAIN, layouts=LAYOUTS).identity(),
        replace(PLAIN, scenario="street").identity(),
    ]
    own = replace(PLAIN, **changes).identity()
    assert json.loads(json.dumps(own)) == own
    others = [record for record in records if record != own]
    assert len(others) >= 2
    for other in others:
        assert any(other.get(key) != value for key, value in own.items())
        assert any(own.get(key) != value for key, value in other.items())


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"engines": {}}, InputError, "needs an engine"),
        ({"engines": {"carsRT": FreeSpace()}}, InputError, "name of a simulation .* got 'carsRT'"),
        ({"engines": {"../RT": FreeSpace()}}, InputError, "name of a simulation"),
        (
            {"cars": True, "engines": {"RT": FreeSpace()}},
            InputError,
            "with cars are made by the dominant path .* got cars with RT",
        ),
        ({"cars": True, "layouts": LAYOUTS}, InputError, "needs cities with cars; got layouts"),
        ({"scenario": "rooftop", "engines": {"RL": RayLaunching()}}, InputError, "need an engine of three dimensions"),
        ({"scenario": "moon"}, LayoutError, "A scenario must be one of"),
        ({"frequency_hz": 5.9}, TransmitterError, "frequency_hz"),
        ({"layouts": (*LAYOUTS, layout("e", "4", size=80))}, LayoutError, "grid of the first"),
        ({"layouts": (layout("e", "4", cell_size_m=2.0),)}, LayoutError, "cells of 1 m: .* got e with cells of 2 m"),
        ({"layouts": (layout("e", "4", height_m=None),), "scenario": "rooftop"}, LayoutError, "outlines with heights"),
    ],
)
def test_settings_that_make_no_data_set(changes: dict, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        replace(PLAIN, **changes)


def test_layouts_are_taken_in_turn_and_those_that_share_ground_stay_together(tmp_path) -> None:
    settings = replace(PLAIN, maps=8, layouts=LAYOUTS, engines={"free": FreeSpace()}, scenario="street")
    list(create_data_set(tmp_path, settings))
    assert [record["source"] for record in read_manifest(tmp_path)] == list("abcdabcd")
    parts = json.loads((tmp_path / "split.json").read_text())["parts"]
    assert parts == {"train": [0, 1, 4, 5], "validation": [2, 6], "test": [3, 7]}
    antennas = [(tmp_path / f"antenna/{i}.json").read_text() for i in (0, 4)]
    assert antennas[0] != antennas[1]
    assert read_heights_json(tmp_path / "polygon/heights/0.json", 1) == [10.0]
    assert read_heights_json(tmp_path / "antenna_heights/0.json", 2) == [2.5, 2.5]


def test_few_groups_have_no_split(tmp_path) -> None:
    list(create_data_set(tmp_path, replace(PLAIN, layouts=LAYOUTS[:3], engines={"free": FreeSpace()})))
    assert not (tmp_path / "split.json").exists()


def test_no_manifest(tmp_path) -> None:
    with pytest.raises(DataSetError, match=r"must hold manifest\.jsonl"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("engine", "frequency_hz"),
    [(RayTracing(), 28e9), (RayLaunching(), 0.5e9), (UrbanMicro(), 0.1e9)],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_carrier_that_every_map_would_fail_at_is_refused(engine: PropagationModel, frequency_hz: float) -> None:
    """Before there is a folder, and where the workers of a scheduler would fail."""
    with pytest.raises(PropagationError, match="GHz; got"):
        replace(PLAIN, engines={"X": engine}, scenario="street", frequency_hz=frequency_hz)
    paved = with_materials(RayTracing(), ground="concrete")
    assert replace(PLAIN, engines={"RT": paved}, frequency_hz=28e9).identity()["frequency_hz"] == 28e9
