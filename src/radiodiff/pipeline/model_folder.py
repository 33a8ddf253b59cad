"""Folders of saved models, and the runs that hold them."""

import os
import re
from pathlib import Path

from radiodiff.errors import CheckpointError
from radiodiff.pipeline.component import read_json

__all__ = ["INDEX_FILE", "RUN_FOLDER", "class_in", "find_pipeline"]

INDEX_FILE = "model_index.json"

RUN_FOLDER = "pipeline"
"""Folder of the saved model in a run."""


def class_in(folder: Path) -> str:
    """Name of the class of a saved model.

    Raises:
        CheckpointError: Its index is damaged.
    """
    name = read_json(folder / INDEX_FILE).get("_class_name")
    return str(name[-1] if isinstance(name, list) and name else name)


def find_pipeline(path: str | os.PathLike[str]) -> Path:
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
