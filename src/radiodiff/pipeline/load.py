"""Models by the folder that they are in."""

from pathlib import Path

import torch

from radiodiff.errors import CheckpointError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.model_folder import INDEX_FILE, RUN_FOLDER, class_in, find_pipeline
from radiodiff.pipeline.regression_pipeline import RegressionPipeline

__all__ = ["RUN_FOLDER", "find_pipeline", "load_pipeline"]

CLASSES: dict[str, type[RadioMapPipeline]] = {kind.__name__: kind for kind in (RadioDiffPipeline, RegressionPipeline)}


def load_pipeline(path: str | Path, torch_dtype: torch.dtype | None = None) -> RadioMapPipeline:
    """A saved model of any kind, on the CPU and in eval mode.

    Args:
        path: Its folder, or a finished run that holds it.
        torch_dtype: Type of the weights; None takes float32.

    Raises:
        CheckpointError: There is no model, or it is not whole, damaged or of a newer version.
    """
    folder = find_pipeline(path)
    name = class_in(folder)
    if name not in CLASSES:
        raise CheckpointError(
            f"A model must be of class {' or '.join(CLASSES)}",
            value=f"{name} in {folder / INDEX_FILE}",
            remedy="Give a model that radiodiff train diffusion or radiodiff train baseline has written.",
        )
    return CLASSES[name].from_pretrained(folder, torch_dtype)
