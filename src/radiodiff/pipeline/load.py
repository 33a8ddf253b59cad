"""Models by the folder that they are in."""

import re
from pathlib import Path

import torch

from radiodiff.errors import CheckpointError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from radiodiff.pipeline.saved_pipeline import INDEX_FILE, class_in

__all__ = ["RUN_FOLDER", "find_pipeline", "load_pipeline"]

RUN_FOLDER = "pipeline"
"""Folder of the saved model in a run."""

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


def find_pipeline(path: str | Path) -> Path:
    """The folder of a saved model, which may be given by its run.

    Raises:
        CheckpointError: There is none.
    """
    path = Path(path)
    for folder in (path, path / RUN_FOLDER):
        if (folder / INDEX_FILE).is_file():
            return folder
    if not path.exists():
        raise CheckpointError("The folder of a model must exist", value=path, remedy="Check the path.")
    stage = _stage_of(path)
    if stage == "autoencoder" or any((path / name / "config.json").is_file() for name in (".", "autoencoder")):
        found, remedy = "a first stage", "Train the second stage on it: radiodiff train diffusion autoencoder=FOLDER."
    elif stage is not None or (path / "checkpoints").is_dir():
        found = "a run that has not finished"
        remedy = f"Go on with it: radiodiff train {stage or 'diffusion'} --resume {path}."
    elif path.is_dir():
        found, remedy = f"a folder without {INDEX_FILE}", "Give the folder RUN/pipeline of a finished run, or the run."
    else:
        found, remedy = "a file", "Give the folder RUN/pipeline of a finished run, or the run."
    raise CheckpointError(f"A model must be a folder with {INDEX_FILE}", value=f"{path}, {found}", remedy=remedy)


def _stage_of(run: Path) -> str | None:
    """The stage that a run trains, as its recipe says, or None."""
    recipe = run / "recipe.yaml"
    if not recipe.is_file():
        return None
    found = re.search(r"^stage:\s*(\w+)", recipe.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return found[1] if found else None
