"""One component of a model on disk: a folder with its settings, and its weights where it has any."""

import json
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers.configuration_utils import ConfigMixin
from torch import nn

from radiodiff.errors import CheckpointError, RadiodiffError
from radiodiff.models.seeded_weights import seeded_weights
from radiodiff.models.weight_file import read_weights

__all__ = ["align_weights", "load_component", "read_json"]

WEIGHT_FILE = "diffusion_pytorch_model.safetensors"
INDEX_FILE = f"{WEIGHT_FILE}.index.json"
"""Names the file of each weight where there are several."""

ALIGNMENT = 64
"""Bytes; where torch allocates on a CPU."""


def load_component(folder: Path, kind: type[ConfigMixin], dtype: torch.dtype) -> Any:
    """A component as it was saved: a scheduler, or a network on the CPU, with each weight at an aligned address.

    Args:
        folder: Its folder.
        kind: Its class.
        dtype: Type of its weights.

    Raises:
        CheckpointError: It is not there, damaged, or of another class.
    """
    config = read_json(folder / str(kind.config_name))
    if config.get("_class_name") != kind.__name__:
        raise CheckpointError(
            f"The component {folder.name!r} of a model must be of class {kind.__name__}",
            value=f"{config.get('_class_name')} in {folder / str(kind.config_name)}",
            remedy="The folder was changed: export the model again.",
        )
    try:
        # Buffers that no file holds are drawn: leave the global random state as it was.
        with seeded_weights(0), init_empty_weights():
            component: Any = kind.from_config(config)
    except (RadiodiffError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RuntimeError) as error:
        raise CheckpointError(
            f"{kind.config_name} of {folder.name!r} must describe a {kind.__name__}",
            value=f"{folder / str(kind.config_name)} ({error})",
            remedy="It was changed, or another version of radiodiff wrote it: export the model again.",
        ) from error
    if isinstance(component, nn.Module):
        _fill(component, folder)
        # That of diffusers warns of modules to keep in float32, of which there are none.
        nn.Module.to(component, dtype).eval()
    return component


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file of a model.

    Raises:
        CheckpointError: The file is not there or damaged.
    """
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
    except FileNotFoundError:
        raise CheckpointError(
            f"A model must have {path.parent.name}/{path.name}",
            value=f"no file {path}",
            remedy="The folder is not whole: copy or export the model again.",
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.parent.name}/{path.name} of a model must hold a JSON object",
            value=f"{path} ({error})",
            remedy="It was changed or cut short: copy or export the model again.",
        ) from error
    return content


def align_weights(network: nn.Module) -> None:
    """Move weights to aligned addresses where they are not.

    Kernels round differently at other addresses, and a library that maps a file leaves weights where they lie in it.
    """
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.device.type == "cpu" and tensor.data_ptr() % ALIGNMENT:
            tensor.data = tensor.data.clone()


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    """Weights of a component, from one file or from the several that an index names."""
    if not (folder / INDEX_FILE).is_file():
        return read_weights(folder / WEIGHT_FILE)
    names = read_json(folder / INDEX_FILE).get("weight_map")
    if not (isinstance(names, dict) and all(isinstance(name, str) for name in names.values())):
        raise CheckpointError(
            f"{INDEX_FILE} of {folder.name!r} must name the file of each weight",
            value=folder / INDEX_FILE,
            remedy="It was changed or damaged: copy or export the model again.",
        )
    weights: dict[str, torch.Tensor] = {}
    for name in sorted(set(names.values())):
        weights |= read_weights(folder / Path(name).name)
    return weights


def _fill(network: nn.Module, folder: Path) -> None:
    """Put the weights of a file into a network that has none."""
    weights = _weights(folder)
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f"{WEIGHT_FILE} of {folder.name!r} must hold the weights of the network beside it",
            value=f"{folder} ({' '.join(str(error).split())[:300]})",
            remedy="One of the files is of another model: export the model again.",
        ) from error
