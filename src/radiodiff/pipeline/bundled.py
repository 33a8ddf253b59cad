"""Trained models that come with the package, by name.

Each is a folder `radiodiff/bundled_models/<name>`: the folder of a saved model without `pipeline.py`, with weights in
float16 in files of at most 16 MB, and

```
training_range.json     TrainingRange: what the maps of its training were like
SHA256SUMS              checksums of all files, as `sha256sum` writes them
```
"""

import hashlib
import os
from pathlib import Path

from radiodiff.errors import CheckpointError
from radiodiff.pipeline.model_folder import INDEX_FILE, find_pipeline

__all__ = ["BUNDLED_MODELS", "SUMS_FILE", "bundled_folder", "check_sums", "locate_model", "write_sums"]

BUNDLED_MODELS = ("default", "radiomapseer-dpm")

FOLDER = Path(__file__).parents[1] / "bundled_models"

SUMS_FILE = "SHA256SUMS"

RESTORE = (
    "Install the package again (pip install --force-reinstall --no-deps radiodiff), or train a model (radiodiff train) "
    "and give its folder (--model DIR)."
)


def bundled_folder(name: str) -> Path:
    """Where the bundled model of a name is, whether it is there or not."""
    return FOLDER / name


def locate_model(model: str | os.PathLike[str]) -> Path:
    """The folder of a model: a bundled one by its name, any other by its path.

    The checksums of a folder that has them are compared.

    Args:
        model: Name of a bundled model, or folder of a saved model or of the run that left it.

    Raises:
        CheckpointError: There is none, a bundled one is not whole, or a file has another checksum.
    """
    if str(model) not in BUNDLED_MODELS:
        folder = find_pipeline(model)
        if (folder / SUMS_FILE).is_file():
            check_sums(folder, remedy="Copy the folder again.")
        return folder
    folder = bundled_folder(str(model))
    for needed in (INDEX_FILE, SUMS_FILE):
        if not (folder / needed).is_file():
            raise CheckpointError(
                f"The bundled model {str(model)!r} must be part of the package",
                value=f"no file {folder / needed}",
                remedy=RESTORE,
            )
    check_sums(folder, remedy=RESTORE)
    return folder


def write_sums(folder: Path) -> None:
    """Write the checksums of all files in a folder, for `check_sums` and `sha256sum --check`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS_FILE)
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS_FILE).write_text("".join(lines), encoding="utf-8")


def check_sums(folder: Path, *, remedy: str) -> None:
    """Compare the files of a folder with its checksums.

    Raises:
        CheckpointError: A file is not there or has another checksum, or the list is damaged.
    """
    sums = folder / SUMS_FILE
    for number, line in enumerate(sums.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        digest, _, name = line.partition("  ")
        if not name:
            raise CheckpointError(
                f"{SUMS_FILE} must hold a checksum and a file in each line",
                value=f"line {number} of {sums}",
                remedy=remedy,
            )
        path = folder / name
        if not path.is_file():
            raise CheckpointError("A model must have all its files", value=f"no file {path}", remedy=remedy)
        if _digest(path) != digest:
            raise CheckpointError(
                "The files of a model must be those that were written",
                value=f"{path}, whose SHA-256 is another than in {SUMS_FILE}",
                remedy=remedy,
            )


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
