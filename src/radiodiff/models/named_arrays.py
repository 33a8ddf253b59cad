"""Named arrays of a weight file that a user has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from radiodiff.errors import CheckpointError

__all__ = ["read_weights"]


def read_weights(
    path: Path, wanted: Mapping[tuple[str, ...], tuple[int, ...]], *, what: str, remedy: str
) -> dict[str, Tensor]:
    """Read arrays from a file of torch (`weights_only`) or, by its suffix, of safetensors.

    Args:
        path: The file.
        wanted: Shape of each array by the names it may have; the first name is that of the result.
        what: What the file should hold, for messages.
        remedy: Where such a file comes from, for messages.

    Returns:
        Float32 arrays by name, on the CPU.

    Raises:
        CheckpointError: The file is not there, cannot be read, or an array is missing or has another shape.
    """
    if not path.is_file():
        raise CheckpointError(f"The file of {what} must be there", value=str(path), remedy=remedy)
    try:
        content = _content(path)
    except Exception as error:  # Readers raise anything for a damaged or foreign file.
        first_line = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"The file of {what} must be readable without running code from it",
            value=f"{path} ({type(error).__name__}: {first_line[:200]})",
            remedy=remedy,
        ) from error
    weights = {}
    for names, shape in wanted.items():
        found = next((content[name] for name in names if name in content), None)
        if not isinstance(found, Tensor) or tuple(found.shape) != tuple(shape):
            given = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else "none"
            raise CheckpointError(
                f"The file of {what} must hold {' or '.join(names)} of shape {tuple(shape)}",
                value=f"{given} in {path}",
                remedy=remedy,
            )
        weights[names[0]] = found.to(torch.float32).contiguous()
    return weights


def _content(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise TypeError(f"it holds a {type(content).__name__}, not arrays by name")
    return content
