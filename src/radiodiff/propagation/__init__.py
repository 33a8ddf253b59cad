"""Propagation engines: a scene and a transmitter in, a radio map out. Free of torch."""

from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPath, DominantPathLaw
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.geometry import GEOMETRY_CHANNELS, GeometryChannel, GeometrySolver, geometry_channels
from radiodiff.propagation.log_distance import LogDistance
from radiodiff.propagation.multi_wall import MultiWall
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.propagation.presets import PRESETS
from radiodiff.propagation.ray_launching import RayLaunching, RayLaunchingSettings
from radiodiff.propagation.ray_tracing import RayTracing, RayTracingSettings
from radiodiff.propagation.registry import ENGINES, make_engine, with_materials
from radiodiff.propagation.umi import UrbanMicro

__all__ = [
    "ENGINES",
    "GEOMETRY_CHANNELS",
    "PRESETS",
    "RADIOMAPSEER_LAW",
    "DominantPath",
    "DominantPathLaw",
    "FreeSpace",
    "GeometryChannel",
    "GeometrySolver",
    "LogDistance",
    "MultiWall",
    "OverRoofs",
    "PropagationModel",
    "RayLaunching",
    "RayLaunchingSettings",
    "RayTracing",
    "RayTracingSettings",
    "UrbanMicro",
    "geometry_channels",
    "make_engine",
    "with_materials",
]
