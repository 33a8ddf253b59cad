"""Sources of city layouts: a procedural generator, real cities, crops of both, cells for transmitters."""

from radiodiff.layouts.city import generate_city
from radiodiff.layouts.city_scenes import CITIES, SceneSource, city_scene
from radiodiff.layouts.crops import CropSettings, count_windows, crop_scenes, cut_layouts
from radiodiff.layouts.file_scenes import file_scene
from radiodiff.layouts.settings import MIXED, CitySettings
from radiodiff.layouts.sort_out import sort_out
from radiodiff.layouts.streams import Seed
from radiodiff.layouts.styles import STYLES
from radiodiff.layouts.transmitters import draw_roof_cells, draw_transmitter_cells

__all__ = [
    "CITIES",
    "MIXED",
    "STYLES",
    "CitySettings",
    "CropSettings",
    "SceneSource",
    "Seed",
    "city_scene",
    "count_windows",
    "crop_scenes",
    "cut_layouts",
    "draw_roof_cells",
    "draw_transmitter_cells",
    "file_scene",
    "generate_city",
    "sort_out",
]
