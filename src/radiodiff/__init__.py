"""Radio maps from city layouts: propagation engines, data sets and diffusion models.

Names are imported when they are first used, so that `radiodiff --help` starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from radiodiff.version import __version__

if TYPE_CHECKING:
    from radiodiff.formats import read_radio_map, read_scene, write_radio_map
    from radiodiff.grey_scale import RADIOMAPSEER_GREY, GreyScale
    from radiodiff.layouts import CitySettings, generate_city
    from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
    from radiodiff.pipeline.load import load_pipeline
    from radiodiff.pipeline.measurements import Measurements
    from radiodiff.pipeline.predict import predict
    from radiodiff.pipeline.regression_pipeline import RegressionPipeline
    from radiodiff.propagation import DominantPath, PropagationModel, geometry_channels, make_engine
    from radiodiff.radio_map import Ensemble, RadioMap
    from radiodiff.scene import Footprint, Grid, Scene, Transmitter

_HOMES = {
    "read_radio_map": "formats",
    "read_scene": "formats",
    "write_radio_map": "formats",
    "RADIOMAPSEER_GREY": "grey_scale",
    "GreyScale": "grey_scale",
    "CitySettings": "layouts",
    "generate_city": "layouts",
    "RadioDiffPipeline": "pipeline.diffusion_pipeline",
    "load_pipeline": "pipeline.load",
    "Measurements": "pipeline.measurements",
    "predict": "pipeline.predict",
    "RegressionPipeline": "pipeline.regression_pipeline",
    "DominantPath": "propagation",
    "PropagationModel": "propagation",
    "geometry_channels": "propagation",
    "make_engine": "propagation",
    "Ensemble": "radio_map",
    "RadioMap": "radio_map",
    "Footprint": "scene",
    "Grid": "scene",
    "Scene": "scene",
    "Transmitter": "scene",
}

__all__ = [
    "RADIOMAPSEER_GREY",
    "CitySettings",
    "DominantPath",
    "Ensemble",
    "Footprint",
    "GreyScale",
    "Grid",
    "Measurements",
    "PropagationModel",
    "RadioDiffPipeline",
    "RadioMap",
    "RegressionPipeline",
    "Scene",
    "Transmitter",
    "__version__",
    "generate_city",
    "geometry_channels",
    "load_pipeline",
    "make_engine",
    "predict",
    "read_radio_map",
    "read_scene",
    "write_radio_map",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'radiodiff' has no attribute {name!r}")
    return getattr(import_module(f"radiodiff.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
