"""Sources of city layouts: a procedural generator, crops of larger scenes, cells for transmitters."""

from radiodiff.layouts.city import generate_city
from radiodiff.layouts.crops import crop_scenes
from radiodiff.layouts.settings import MIXED, CitySettings
from radiodiff.layouts.streams import Seed
from radiodiff.layouts.styles import STYLES
from radiodiff.layouts.transmitters import draw_roof_cells, draw_transmitter_cells

__all__ = [
    "MIXED",
    "STYLES",
    "CitySettings",
    "Seed",
    "crop_scenes",
    "draw_roof_cells",
    "draw_transmitter_cells",
    "generate_city",
]
