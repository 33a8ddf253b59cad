"""Ray tracing in three dimensions, by Sionna RT."""

from radiodiff.propagation.ray_tracing.model import RayTracing
from radiodiff.propagation.ray_tracing.settings import RayTracingSettings

__all__ = ["RayTracing", "RayTracingSettings"]
