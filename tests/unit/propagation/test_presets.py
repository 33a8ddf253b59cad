"""Presets by name."""

import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation import (
    ENGINES,
    PRESETS,
    DominantPath,
    RayLaunching,
    RayTracing,
    make_engine,
    with_materials,
)


@pytest.mark.parametrize(("name", "preset"), [(name, preset) for name in PRESETS for preset in PRESETS[name]])
def test_every_preset_makes_its_engine(name: str, preset: str) -> None:
    engine = make_engine(name, preset)
    assert type(engine) is ENGINES[name]
    assert engine == PRESETS[name][preset]


def test_without_a_preset_the_defaults_are_taken() -> None:
    assert make_engine("ray-tracing") == RayTracing()
    assert make_engine("dominant-path") == DominantPath()


@pytest.mark.parametrize("name", ["ray-tracing", "ray-launching"])
def test_ray_engines_have_the_same_presets(name: str) -> None:
    assert set(PRESETS[name]) == {"fast", "reference", "irt2", "irt4"}


def test_the_reference_is_quieter_than_the_fast_one() -> None:
    fast, reference = (PRESETS["ray-tracing"][name] for name in ("fast", "reference"))
    assert isinstance(fast, RayTracing)
    assert isinstance(reference, RayTracing)
    assert fast.settings.noise_target_db == 1.0
    assert reference.settings.noise_target_db < 0.5
    assert reference.settings.max_rays > fast.settings.max_rays


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(PropagationError, match=r"A preset of ray-tracing must be one of fast.*Did you mean 'fast'"):
        make_engine("ray-tracing", "fats")


def test_an_engine_without_presets_is_named() -> None:
    with pytest.raises(PropagationError, match=r"A preset belongs to one of the engines .*'fast' of free-space"):
        make_engine("free-space", "fast")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(PropagationError, match=r"An engine must be one of .*Did you mean 'ray-tracing'"):
        make_engine("ray-trcing", "fast")


@pytest.mark.parametrize("kind", [RayLaunching, RayTracing])
def test_other_materials_change_nothing_else(kind: type[RayLaunching] | type[RayTracing]) -> None:
    engine = make_engine(kind.name, "fast")
    assert with_materials(engine) == engine
    changed = with_materials(engine, building="glass", ground="brick")
    assert isinstance(changed, kind)
    assert changed.settings.materials == ("glass", "brick")
    bare = with_materials(changed, ground="none")
    assert isinstance(bare, kind)
    assert bare.settings.materials == ("glass",)
    assert with_materials(engine, building="glass", ground="none") == bare


@pytest.mark.parametrize(
    ("name", "preset", "building", "ground", "message"),
    [
        (
            "dominant-path",
            None,
            "brick",
            None,
            "Materials belong to the engines ray-launching and ray-tracing; got brick",
        ),
        ("ray-launching", "irt2", "brick", None, r"fixed loss.*got brick with 8\.1 dB"),
        ("ray-tracing", None, "none", None, "Buildings must have a material"),
        ("ray-tracing", None, None, "gras", "A material must be one of.*'gras'"),
    ],
)
def test_materials_that_would_not_count_are_refused(
    name: str, preset: str | None, building: str | None, ground: str | None, message: str
) -> None:
    with pytest.raises(PropagationError, match=message):
        with_materials(make_engine(name, preset), building, ground)
