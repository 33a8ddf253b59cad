"""Ray launching in the plane: reflections off walls, and paths around corners."""

from radiodiff.propagation.ray_launching.model import RayLaunching
from radiodiff.propagation.ray_launching.presets import RAY_LAUNCHING_SETTINGS
from radiodiff.propagation.ray_launching.settings import RayLaunchingSettings

__all__ = ["RAY_LAUNCHING_SETTINGS", "RayLaunching", "RayLaunchingSettings"]
