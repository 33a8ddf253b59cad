"""City scenes of sionna-rt, against published measures of what stands in them."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from city_meshes import level, prism, rectangle, write_mitsuba
from radiodiff.errors import FormatError, LayoutError
from radiodiff.layouts import CITIES, CropSettings, city_scene, city_scenes, cut_layouts, sort_out

GROUND = level(rectangle(-50, -50, 100, 100), 0.0)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that holds one small city under the name of Munich."""
    objects = {"ground": GROUND, "a": prism(rectangle(-20, 0, 10, 10), 0, 8), "b": prism(rectangle(5, 5, 9, 9), 0, 5)}
    write_mitsuba(tmp_path / "sionna/rt/scenes/munich", "munich", objects)
    spec = ModuleSpec("sionna", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "sionna")]
    monkeypatch.setattr(city_scenes, "find_spec", lambda name: {"sionna": spec}.get(name))
    return tmp_path / "sionna"


def test_a_city_is_read_from_the_files_of_the_package(package: Path) -> None:
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    source = city_scene("munich", cell_size_m=0.5)
    assert source.city == "munich"
    assert "OpenStreetMap" in source.licence
    assert "ODbL" in source.licence
    assert source.scene.grid.crs is None
    assert sorted(f.height_m for f in source.scene.footprints) == [5.0, 8.0]


def test_a_city_that_the_package_lacks(package: Path) -> None:
    with pytest.raises(LayoutError, match=r"need the package sionna-rt.*got no .*florence\.xml.*pip install"):
        city_scene("florence")


def test_a_damaged_package(package: Path) -> None:
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    (package / "rt/scenes/munich/meshes/a.ply").write_bytes(b"ply\n")
    with pytest.raises(FormatError, match=r"a\.ply"):
        city_scene("munich")


def test_without_the_package_the_message_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(city_scenes, "find_spec", lambda name: None)
    with pytest.raises(LayoutError, match=r"got not installed.*pip install 'radiodiff\[raytrace\]'"):
        city_scene("munich")


def test_an_unknown_city() -> None:
    with pytest.raises(
        LayoutError, match=r"must be one of etoile, florence, munich, san_francisco; got 'berlin'.*--scene"
    ):
        city_scene("berlin")


def test_the_etoile() -> None:
    _skip_without_scenes()
    source = city_scene("etoile")
    scene = source.scene
    assert scene.grid.shape == (577, 755)
    arch = max(scene.footprints, key=lambda footprint: footprint.height_m)
    # The Arc de Triomphe is 49.54 m high (Centre des monuments nationaux).
    assert arch.height_m == pytest.approx(49.54, abs=0.5)
    # The houses of Haussmann's Paris have six or seven storeys.
    assert 15.0 < np.median([footprint.height_m for footprint in scene.footprints]) < 25.0
    layouts = sort_out([one for one in cut_layouts(source, CropSettings()) if one is not None])
    assert (len(layouts), sum(one.is_disjoint for one in layouts)) == (11, 4)


@pytest.mark.slow
def test_all_cities_together() -> None:
    _skip_without_scenes()
    sources = [city_scene(name) for name in CITIES]
    highest = {source.city: max(f.height_m for f in source.scene.footprints) for source in sources}
    # The towers of the Frauenkirche are 98.6 m high, Coit Tower 64 m above its hill of 84 m. The dome of Florence is
    # 114.5 m high with its lantern; on average its roof is lower.
    assert highest["munich"] == pytest.approx(97.0, abs=2.0)
    coit = [f for f in sources[3].scene.footprints if abs((f.height_m or 0.0) - 64.0) < 0.5]
    assert coit
    assert 85.0 < highest["florence"] < 114.5
    layouts = sort_out([one for source in sources for one in cut_layouts(source, CropSettings()) if one is not None])
    assert len(layouts) >= 100
    assert sum(one.is_disjoint for one in layouts) >= 40
    assert all(0.1 <= one.scene.coverage <= 0.6 for one in layouts)


def _skip_without_scenes() -> None:
    pytest.importorskip("trimesh", reason="meshes need trimesh")
    try:
        city_scenes.city_scene_file("etoile")
    except LayoutError as error:
        pytest.skip(str(error))
