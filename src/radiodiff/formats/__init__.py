"""Files in and out: building images, RadioMapSeer, vector layers, GeoTIFF, radio maps, antenna tables."""

from radiodiff.formats.antenna_table import read_antenna_csv
from radiodiff.formats.car_file import add_cars
from radiodiff.formats.geotiff import read_building_geotiff
from radiodiff.formats.images import (
    image_size,
    read_building_png,
    read_grey_image,
    read_mask_image,
    read_rgb_image,
    write_grey_png,
    write_mask_png,
)
from radiodiff.formats.layout_folder import Layout, read_layouts, write_layouts
from radiodiff.formats.level_png import LevelMeaning, read_level_png, write_level_png
from radiodiff.formats.measurement_csv import read_measurement_csv
from radiodiff.formats.mesh_scene import MeshReport, read_mesh_buildings, read_mesh_scene
from radiodiff.formats.position import local_position
from radiodiff.formats.radio_map_files import (
    RADIO_MAP_SUFFIXES,
    check_radio_map_path,
    read_radio_map,
    write_radio_map,
)
from radiodiff.formats.radio_map_png import read_gain_image
from radiodiff.formats.radiomapseer import (
    read_radiomapseer_polygons,
    read_radiomapseer_scene,
    read_radiomapseer_transmitters,
)
from radiodiff.formats.radiomapseer_heights import read_heights_json, write_heights_json, write_roof_heights_png
from radiodiff.formats.radiomapseer_json import (
    CAR_PNG_SAMPLE_OFFSET,
    GAIN_SAMPLE_OFFSET,
    PNG_SAMPLE_OFFSET,
    RADIOMAPSEER_GRID,
    read_json,
    write_antennas_json,
    write_radiomapseer_polygons,
)
from radiodiff.formats.read_scene import read_scene
from radiodiff.formats.scene_file import SceneFile, SceneOptions
from radiodiff.formats.vector import VectorReport, read_footprints

__all__ = [
    "CAR_PNG_SAMPLE_OFFSET",
    "GAIN_SAMPLE_OFFSET",
    "PNG_SAMPLE_OFFSET",
    "RADIOMAPSEER_GRID",
    "RADIO_MAP_SUFFIXES",
    "Layout",
    "LevelMeaning",
    "MeshReport",
    "SceneFile",
    "SceneOptions",
    "VectorReport",
    "add_cars",
    "check_radio_map_path",
    "image_size",
    "local_position",
    "read_antenna_csv",
    "read_building_geotiff",
    "read_building_png",
    "read_footprints",
    "read_gain_image",
    "read_grey_image",
    "read_heights_json",
    "read_json",
    "read_layouts",
    "read_level_png",
    "read_mask_image",
    "read_measurement_csv",
    "read_mesh_buildings",
    "read_mesh_scene",
    "read_radio_map",
    "read_radiomapseer_polygons",
    "read_radiomapseer_scene",
    "read_radiomapseer_transmitters",
    "read_rgb_image",
    "read_scene",
    "write_antennas_json",
    "write_grey_png",
    "write_heights_json",
    "write_layouts",
    "write_level_png",
    "write_mask_png",
    "write_radio_map",
    "write_radiomapseer_polygons",
    "write_roof_heights_png",
]
