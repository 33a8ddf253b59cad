"""Weights in a safetensors file."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from radiodiff.errors import CheckpointError

__all__ = ["read_weights"]


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a file by name, on the CPU.

    Raises:
        CheckpointError: The file is not there, damaged or cut short, or holds values that are not finite.
    """
    if not path.is_file():
        raise CheckpointError("A file of weights must exist", value=path, remedy="Check the path.")
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            "A file of weights must be a whole safetensors file",
            value=f"{path} ({error})",
            remedy="It is damaged, cut short or of another format: copy or write it again.",
        ) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise CheckpointError(
                "Weights must be finite",
                value=f"{name} of {path}",
                remedy="The run that wrote them went wrong: use an earlier checkpoint.",
            )
    # The library maps the file: addresses are those of the file, and kernels round differently where they are not
    # aligned.
    return {name: tensor.clone() for name, tensor in tensors.items()}
