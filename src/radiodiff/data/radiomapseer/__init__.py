"""RadioMapSeer: the reader, its packed form, and files in its layout."""

from radiodiff.data.radiomapseer.config import BuildingsConfig, MeasurementsConfig, RadioMapSeerConfig
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.geometry_cache import GeometryCache
from radiodiff.data.radiomapseer.pack import PackSettings, fill_geometry, pack_data_set

__all__ = [
    "BuildingsConfig",
    "GeometryCache",
    "MeasurementsConfig",
    "PackSettings",
    "RadioMapSeer",
    "RadioMapSeerConfig",
    "fill_geometry",
    "pack_data_set",
]
