"""The folder of the run: can it be begun, and does the disk hold it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.check.sizes import NetworkSizes
from radiodiff.recipes.resolve import differences, resolved_values
from radiodiff.recipes.schema import Recipe

__all__ = ["check_folders", "first_there"]

GIB = 2**30
SPARE_CHECKPOINTS = 2
"""The best one, and the one being written."""


def check_folders(recipe: Recipe, sizes: NetworkSizes) -> Iterator[CheckRow]:
    """Look at the folder of the run and the disk that it is on.

    Args:
        recipe: The recipe.
        sizes: Sizes of its networks.
    """
    yield _run_dir(recipe)
    yield _disk(recipe, sizes)


def _run_dir(recipe: Recipe) -> CheckRow:
    from radiodiff.training.checkpoint import CheckpointStore
    from radiodiff.training.run_folder import RunFolder

    path, trainer = recipe.trainer.run_dir, recipe.trainer
    there = first_there(path)
    if not os.access(there, os.W_OK):
        return CheckRow("run folder", "error", f"{there} is not writable", "Give another trainer.run_dir.")
    if not there.is_dir():
        return CheckRow("run folder", "error", f"{there} is a file", "Give another trainer.run_dir.")
    if not path.exists() or not any(path.iterdir()):
        return CheckRow("run folder", "ok", f"{path} is free for a new run")
    folder = RunFolder(path)
    if folder.is_free():
        return CheckRow("run folder", "ok", f"{path} holds a run that never began: a new one may take it")
    if not folder.provenance.is_file():
        return CheckRow(
            "run folder", "error", f"{path} holds something that is no run", "Give another trainer.run_dir."
        )
    try:
        steps = CheckpointStore(folder.checkpoints, trainer.keep_last, trainer.save_every).steps()
        other = differences(resolved_values(folder.recipe), recipe.model_dump(mode="json"))
    except RadiodiffError as error:
        return error_row("run folder", error, type(recipe))
    # Where the run is does not matter for what it is.
    changed = [difference.key for difference in other if difference.key != "trainer.run_dir"]
    state = f"with a checkpoint of step {steps[-1]}" if steps else "without a checkpoint"
    finding = f"{path} holds a run {state}"
    if changed:
        finding += f", whose recipe differs in {', '.join(changed[:5])}{' and more' if len(changed) > 5 else ''}"
    if steps:
        return CheckRow("run folder", "warning", finding, f"Go on with it by --resume {path}, or give another folder.")
    return CheckRow("run folder", "error", finding, "Remove it, or give another trainer.run_dir.")


def _disk(recipe: Recipe, sizes: NetworkSizes) -> CheckRow:
    from radiodiff.training.run_folder import RunFolder

    size, kept = sizes.checkpoint_bytes, recipe.trainer.keep_last + SPARE_CHECKPOINTS
    free = shutil.disk_usage(first_there(recipe.trainer.run_dir)).free
    # New checkpoints take the place of those that are there.
    files = RunFolder(recipe.trainer.run_dir).checkpoints.rglob("*")
    taken = sum(path.stat().st_size for path in files if path.is_file())
    finding = f"{free / GIB:.1f} GiB free; {kept} checkpoints of {size / GIB:.2f} GiB"
    if taken:
        finding += f", of which {taken / GIB:.2f} GiB are there"
    if free + taken < size * kept:
        return CheckRow(
            "disk", "error", finding, "Free some space, keep fewer (trainer.keep_last), or use another disk."
        )
    return CheckRow("disk", "ok", finding)


def first_there(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())
