"""The names that users may rely on. A change here is a change for them: it belongs in CHANGELOG.md."""

import importlib
import pkgutil

import pytest

import radiodiff

PUBLIC = [
    "RADIOMAPSEER_GREY",
    "CitySettings",
    "DominantPath",
    "Ensemble",
    "Footprint",
    "GreyScale",
    "Grid",
    "Measurements",
    "PropagationModel",
    "RadioDiffPipeline",
    "RadioMap",
    "RegressionPipeline",
    "Scene",
    "Transmitter",
    "__version__",
    "generate_city",
    "geometry_channels",
    "load_pipeline",
    "make_engine",
    "predict",
    "read_radio_map",
    "read_scene",
    "write_radio_map",
]

MODULES = sorted(info.name for info in pkgutil.walk_packages(radiodiff.__path__, "radiodiff."))


def test_the_public_names_are_these() -> None:
    assert radiodiff.__all__ == PUBLIC
    assert dir(radiodiff) == sorted(PUBLIC)


def test_every_public_name_has_one_home_that_exports_it() -> None:
    assert set(radiodiff._HOMES) == set(PUBLIC) - {"__version__"}
    for name, home in radiodiff._HOMES.items():
        module = importlib.import_module(f"radiodiff.{home}")
        assert name in module.__all__
        assert getattr(radiodiff, name) is getattr(module, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'radiodiff' has no attribute 'ray_tracer'"):
        _ = radiodiff.ray_tracer


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_every_module_exports_what_it_says(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert len(set(exported)) == len(exported)
    assert [attribute for attribute in exported if not hasattr(module, attribute)] == []
