"""What is stored with a model that a recipe leaves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import AnyConfig
from radiodiff.pipeline.prior import Prior
from radiodiff.pipeline.record import PipelineKind, PipelineRecord
from radiodiff.recipes.schema import BaselineRecipe, DiffusionRecipe
from radiodiff.recipes.sources import example_shapes

__all__ = ["data_settings", "model_record"]

ICASSP_CELL_M = 0.25


def model_record(
    recipe: DiffusionRecipe | BaselineRecipe, source: RepeatedTargets, prior: Prior | None = None
) -> PipelineRecord:
    """The record of a model, before it is trained.

    Args:
        recipe: The recipe.
        source: Its training data.
        prior: What its maps are the difference to, or None.

    Raises:
        DataSetError: An example cannot be read.
        FormatError: An example cannot be read.
    """
    shapes = example_shapes(recipe, source)
    kind: PipelineKind = "diffusion" if isinstance(recipe, DiffusionRecipe) else "regression"
    sampling: Mapping[str, Any] = {}
    if isinstance(recipe, DiffusionRecipe):
        steps, *_ = recipe.sampling.num_inference_steps
        sampling = {"num_inference_steps": steps, "is_stochastic": recipe.sampling.is_stochastic}
    return PipelineRecord(
        kind=kind,
        encoding=source.encoding,
        scale=source.scale,
        data=data_settings(recipe.data),
        map_shape=shapes[0] if len(shapes) == 1 else None,
        cell_size_m=_cell_size_m(source),
        prior=None if prior is None else prior.record,
        **_radio(source),
        **sampling,
    )


def data_settings(config: AnyConfig) -> dict[str, Any]:
    """Settings of the data without the folders of this machine.

    Of a path that evaluation needs (split, k2 ...) the name is left: without it, other data would be taken silently.
    """
    left_out = {"root", "part", "augment", "geometry_cache"}
    if isinstance(getattr(config, "edge_weights", None), Path):
        left_out.add("edge_weights")
    values = config.model_dump(mode="json", exclude=left_out)
    for name in values:
        value = getattr(config, name)
        if isinstance(value, Path) or (name == "split" and value is not None):
            values[name] = Path(value).name
    return values


def _radio(source: RepeatedTargets) -> dict[str, Any]:
    """Carrier and transmitters, and whether the maps keep their size, where that is known."""
    config = source.config
    if not (isinstance(config, RadioMapSeerConfig) and isinstance(source, RadioMapSeer)):
        return {}
    is_resampled = config.size is not None and config.fit == "resample" and {config.size} != set(source.store.shape)
    store = source.store
    heights_m = {height for map_id in source.split.ids(config.part) for height in store.tx_heights_m(map_id).tolist()}
    return {
        "frequency_hz": store.frequency_hz,
        "tx_height_m": heights_m.pop() if len(heights_m) == 1 else None,
        "is_resampled": is_resampled,
    }


def _cell_size_m(source: RepeatedTargets) -> float | None:
    """Edge of a cell [m], or None where nobody knows."""
    config = source.config
    if isinstance(config, IcasspConfig):
        return ICASSP_CELL_M
    if not (isinstance(config, RadioMapSeerConfig) and isinstance(source, RadioMapSeer)):
        return None
    cell = source.store.cell_size_m
    if config.size is None or config.fit == "pad":
        return cell
    rows, cols = source.store.shape
    return cell * rows / config.size if rows == cols else None
