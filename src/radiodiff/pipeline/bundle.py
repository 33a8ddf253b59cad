"""Trained models as they come with the package: see `radiodiff.pipeline.bundled`."""

from copy import deepcopy
from pathlib import Path

import torch
from torch import nn

from radiodiff.atomic_file import atomic_folder
from radiodiff.errors import CheckpointError, InputError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.bundled import SUMS_FILE, write_sums
from radiodiff.pipeline.saved_pipeline import CLASS_FILE
from radiodiff.pipeline.training_range import TrainingRange

__all__ = ["LARGEST_FILE", "bundle_model"]

LARGEST_FILE = 16_000_000
"""Bytes of a file."""

HEADER = 500_000
"""Bytes of a file for the names of its weights."""


def bundle_model(
    pipeline: RadioMapPipeline, folder: str | Path, training_range: TrainingRange, *, largest_file: int = LARGEST_FILE
) -> Path:
    """Write a trained model as it comes with the package: float16, small files, checksums, range of its training.

    Args:
        pipeline: The model; it stays as it is.
        folder: Where to; new, or an earlier one, which is replaced.
        training_range: What the maps of its training were like.
        largest_file: Bytes of a file at most.

    Returns:
        The folder.

    Raises:
        InputError: The folder holds something else.
        CheckpointError: A weight is too large for float16, a file would be too large, or the system refuses.
    """
    target = Path(folder)
    if target.exists() and not (target.is_dir() and _holds_bundle_or_nothing(target)):
        raise InputError(
            "A bundled model must replace an earlier one, or nothing",
            value=f"{target}, which is something else",
            remedy="Use another folder.",
        )
    half = _in_half_precision(pipeline)
    half.training_range = training_range
    try:
        with atomic_folder(target, is_forced=True) as temporary:
            half.save_pretrained(temporary, max_shard_size=max(1, largest_file - min(HEADER, largest_file // 2)))
            # It names a class for diffusers, and would be a module of this package.
            (temporary / CLASS_FILE).unlink()
            for path in temporary.rglob("*"):
                if path.is_file() and path.stat().st_size > largest_file:
                    raise CheckpointError(
                        f"Every file of a bundled model must have at most {largest_file:,} bytes",
                        value=f"{path.stat().st_size:,} in {path.relative_to(temporary)}",
                        remedy="It holds one weight, or the names of too many: train a smaller model.",
                    )
            write_sums(temporary)
    except OSError as error:
        raise CheckpointError(
            "A bundled model must be writable",
            value=f"{target} ({error})",
            remedy="Check the rights of the folder and the free space on the disk.",
        ) from error
    return target


def _holds_bundle_or_nothing(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return not names or SUMS_FILE in names


def _in_half_precision(pipeline: RadioMapPipeline) -> RadioMapPipeline:
    """The same model with weights in float16."""
    parts = dict(pipeline.components)
    for name, network in pipeline.networks.items():
        half = nn.Module.to(deepcopy(network), torch.float16)
        for key, weight in half.state_dict().items():
            if not bool(weight.isfinite().all()):
                raise CheckpointError(
                    "Weights of a bundled model must be numbers that float16 can hold",
                    value=f"{key} of {name} beyond {torch.finfo(torch.float16).max:g}",
                    remedy="Train with weight decay, or give the model by its folder (--model DIR).",
                )
        parts[name] = half
    return type(pipeline)(**parts, record=pipeline.record)  # type: ignore[call-arg]
