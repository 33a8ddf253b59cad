"""Propagation engines: a scene and a transmitter in, a radio map out. Free of torch."""

from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPath, DominantPathLaw
from radiodiff.propagation.geometry import GEOMETRY_CHANNELS, GeometrySolver, geometry_channels

__all__ = [
    "GEOMETRY_CHANNELS",
    "RADIOMAPSEER_LAW",
    "DominantPath",
    "DominantPathLaw",
    "GeometrySolver",
    "PropagationModel",
    "geometry_channels",
]
