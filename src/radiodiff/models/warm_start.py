"""Weights to begin with, taken from a model, a run, a checkpoint or a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from radiodiff.errors import CheckpointError
from radiodiff.models.name_list import first_names
from radiodiff.models.weight_file import read_weights
from radiodiff.models.weight_meaning import different_settings, plain_settings, settings_of

__all__ = ["WeightReport", "load_weights"]

MODEL_FILE = "diffusion_pytorch_model.safetensors"
MODEL_FOLDER = "pipeline"
"""Folder of the model that a run leaves, with a folder for each of its networks."""
AVERAGE_FILE = "ema.safetensors"
"""Moving average of the weights in a checkpoint of a run."""
CONFIG_FILE = "config.json"
"""Settings of the network beside MODEL_FILE."""
STATE_FILE, STATE_SETTINGS = "state.json", "settings"
"""Settings of the networks of a checkpoint, by name."""


@dataclass(frozen=True)
class WeightReport:
    """What became of the weights of a file.

    Attributes:
        loaded: Names of the parameters and buffers that took a value.
        missing: Names that the file has no value for.
        unexpected: Names in the file that the network has not.
        mismatched: Names whose values have another shape, with both shapes: "conv.weight (8, 1, 3, 3) in the file,
            (8, 2, 3, 3) in the network".
        different: Settings of the network that the file's had other values of, with both.
        source: Files that were read.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    source: tuple[Path, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether file and network have the same weights, which mean the same."""
        return not (self.missing or self.unexpected or self.mismatched or self.different)

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} weights loaded"]
        for kind in ("missing", "unexpected", "mismatched"):
            names = getattr(self, kind)
            if names:
                parts.append(f"{len(names)} {kind}: {first_names(names)}")
        if self.different:
            parts.append(f"settings differ: {first_names(self.different)}")
        return "; ".join(parts)


def load_weights(
    module: nn.Module, path: str | Path, *, allow_missing: bool = False, network: str = "autoencoder"
) -> WeightReport:
    """Give a network the weights of a file; all of them, or it keeps its own and an error says what does not fit.

    Where the weights have settings with them (config.json of a model, state.json of a checkpoint), those of the network
    must be the same: with others, such as what it predicts, the same weights would mean something else.

    Args:
        module: The network.
        path: A folder that `from_pretrained` reads, a run or a model with such a folder of the network's name, a
            checkpoint of a run, or a safetensors file. Of a checkpoint it takes the moving average, as a finished run
            exports it, where there is one.
        allow_missing: Take what fits, whatever the settings, and report the rest.
        network: Name of the network in runs and checkpoints. Names in a file that begin with it lose it; what else is
            in such a file is the training's own, and left out.

    Raises:
        CheckpointError: There are no weights, they are damaged or not finite, or they do not fit.
    """
    sources = _weight_files(Path(path), network)
    weights: dict[str, Tensor] = {}
    for file in sources:
        weights |= read_weights(file)
    own = module.state_dict()
    weights = _of_network(weights, own, network)
    mismatched = {
        name: f"{name} {tuple(tensor.shape)} in the file, {tuple(own[name].shape)} in the network"
        for name, tensor in weights.items()
        if name in own and tensor.shape != own[name].shape
    }
    fitting = {name: tensor for name, tensor in weights.items() if name in own and name not in mismatched}
    report = WeightReport(
        loaded=tuple(fitting),
        missing=tuple(name for name in own if name not in weights),
        unexpected=tuple(name for name in weights if name not in own),
        mismatched=tuple(mismatched.values()),
        different=different_settings(settings_of(module), _stored_settings(sources[0], network)),
        source=sources,
    )
    if not fitting or not (allow_missing or report.is_complete):
        raise CheckpointError(
            "The weights must be those of this network",
            value=f"{path}, of which {report}",
            remedy="Use the settings of the network they were trained with, or load only what fits: "
            "trainer.warm_start.allow_missing=true (--allow-missing)."
            if fitting
            else "Nothing of it fits: use weights of this kind of network.",
        )
    with torch.no_grad():
        for name, tensor in fitting.items():
            own[name].copy_(tensor)
    return report


def _weight_files(path: Path, network: str) -> tuple[Path, ...]:
    """Files that hold the weights; a later one goes before an earlier one."""
    if path.is_file():
        if path.suffix != ".safetensors":
            raise CheckpointError(
                "A file of weights must be a safetensors file",
                value=path,
                remedy="A checkpoint model-N.pt of the original program is read by: radiodiff convert autoencoder.",
            )
        return (path,)
    if not path.exists():
        raise CheckpointError("Weights to begin with must exist", value=path, remedy="Check the path.")
    for folder in (path, path / network, path / MODEL_FOLDER / network):
        if (folder / MODEL_FILE).is_file():
            return (folder / MODEL_FILE,)
    found = tuple(path / name for name in (f"{network}.safetensors", AVERAGE_FILE) if (path / name).is_file())
    if not found:
        raise CheckpointError(
            f"A folder with weights must hold {MODEL_FILE}, {network}/ or {network}.safetensors",
            value=path,
            remedy="Of a run that has not finished, give a checkpoint: RUN/checkpoints/step-N."
            if (path / "checkpoints").is_dir()
            else "Check the path.",
        )
    return found


def _stored_settings(weights: Path, network: str) -> dict[str, Any]:
    """Settings beside a file of weights; empty where there are none."""
    path = weights.with_name(CONFIG_FILE if weights.name == MODEL_FILE else STATE_FILE)
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
        stored = content if path.name == CONFIG_FILE else content[STATE_SETTINGS].get(network, {})
        return plain_settings(stored)
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise CheckpointError(
            f"{path.name} beside weights must hold the settings of their network",
            value=f"{path} ({error!r})",
            remedy="It is damaged or of another version: export the weights again, or give a folder without it.",
        ) from error


def _of_network(weights: dict[str, Tensor], own: dict[str, Tensor], network: str) -> dict[str, Tensor]:
    """The weights of a network by its own names, where a file has those of what it was trained in."""
    prefix = f"{network}."
    if any(name.startswith(prefix) for name in own) or not any(name.startswith(prefix) for name in weights):
        return weights
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
