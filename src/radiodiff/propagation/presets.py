"""Engines with constants chosen for a purpose, by name."""

from collections.abc import Mapping

from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.ray_launching import RayLaunching, RayLaunchingSettings
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings

__all__ = ["PRESETS"]

FAST = RayTracingSettings()

REFERENCE = RayTracingSettings(num_rays=1_000_000, max_rays=128_000_000, noise_target_db=0.3)

PRESETS: Mapping[str, Mapping[str, PropagationModel]] = {
    RayLaunching.name: {
        "fast": RayLaunching(),
        "reference": RayLaunching(RayLaunchingSettings(num_rays=200_000)),
    },
    RayTracing.name: {
        "fast": RayTracing(FAST),
        "reference": RayTracing(REFERENCE),
    },
}
"""Engine, name of the preset, engine with its settings.

`fast` and `reference` are for quantity and for truth.
"""
