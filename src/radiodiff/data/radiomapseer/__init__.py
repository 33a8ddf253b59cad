"""RadioMapSeer: the reader, its packed form, and files in its layout."""

from radiodiff.data.radiomapseer.add_missing import add_missing_layers
from radiodiff.data.radiomapseer.config import BuildingsConfig, MeasurementsConfig, RadioMapSeerConfig
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.geometry_cache import GeometryCache
from radiodiff.data.radiomapseer.join import JoinReport, JoinSettings, join_data_sets
from radiodiff.data.radiomapseer.pack import PackSettings, fill_geometry, pack_data_set

__all__ = [
    "BuildingsConfig",
    "GeometryCache",
    "JoinReport",
    "JoinSettings",
    "MeasurementsConfig",
    "PackSettings",
    "RadioMapSeer",
    "RadioMapSeerConfig",
    "add_missing_layers",
    "fill_geometry",
    "join_data_sets",
    "pack_data_set",
]
