"""Scenes: the grid, buildings, cars and transmitters. Free of torch."""

from radiodiff.scene.antenna import Antenna, IsotropicAntenna, SectorAntenna, TableAntenna
from radiodiff.scene.grid import Grid
from radiodiff.scene.raster import clean_footprints, rasterize
from radiodiff.scene.scene import Footprint, Scene
from radiodiff.scene.transmitter import Transmitter

__all__ = [
    "Antenna",
    "Footprint",
    "Grid",
    "IsotropicAntenna",
    "Scene",
    "SectorAntenna",
    "TableAntenna",
    "Transmitter",
    "clean_footprints",
    "rasterize",
]
