"""Settings of the ray tracer are checked when they are made."""

from typing import Any

import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings


def test_the_defaults_hold() -> None:
    assert RayTracing().settings == RayTracingSettings()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_depth": -1},
        {"max_depth": 2.0},
        {"max_depth": True},
        {"num_rays": 10},
        {"num_batches": 1},
        {"max_rays": 4 * 125_000 - 1},
        {"tx_per_solve": 0},
        {"num_threads": 0},
    ],
    ids=str,
)
def test_counts_are_whole_numbers(wrong: dict[str, Any]) -> None:
    name = next(iter(wrong))
    with pytest.raises(PropagationError, match=f"RayTracingSettings.{name} must be a whole number"):
        RayTracingSettings(**wrong)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "name",
    [
        *("noise_target_db", "floor_db", "rx_height_m", "min_height_gap_m", "wall_thickness_m", "distance_exponent"),
        *("default_height_m", "max_seconds"),
    ],
)
def test_quantities_are_positive(name: str, value: float) -> None:
    with pytest.raises(PropagationError, match=f"RayTracingSettings.{name} must be finite and above 0"):
        RayTracingSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["default_height_m", "max_seconds"])
def test_some_quantities_may_be_left_out(name: str) -> None:
    assert getattr(RayTracingSettings(**{name: None}), name) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, 1.1, float("nan")])
def test_scattering_is_a_share(value: float) -> None:
    with pytest.raises(PropagationError, match="scattering_coefficient must lie in"):
        RayTracingSettings(scattering_coefficient=value)


@pytest.mark.parametrize(("name", "value"), [("completion", "all"), ("device", "tpu")])
def test_names_are_known(name: str, value: str) -> None:
    with pytest.raises(PropagationError, match=f"RayTracingSettings.{name} must be one of"):
        RayTracingSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["building_material", "ground_material"])
def test_materials_are_known(name: str) -> None:
    with pytest.raises(PropagationError, match="A material must be one of"):
        RayTracingSettings(**{name: "cheese"})  # type: ignore[arg-type]
