"""A saved autoencoder: the folder of `diffusers`, and what it was trained on.

```
config.json                              the network, with scaling_factor
diffusion_pytorch_model.safetensors      its weights
radiodiff.json                           AutoencoderRecord: encoding, data, latents, training
```

`diffusers.AutoencoderKL.from_pretrained` reads it as well.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors import SafetensorError

from radiodiff.atomic_file import atomic_folder
from radiodiff.encoding import Encoding
from radiodiff.errors import CheckpointError, ConfigError, InputError
from radiodiff.models.autoencoder import autoencoder_config
from radiodiff.models.latent_statistics import LatentStatistics
from radiodiff.models.weight_file import read_weights

__all__ = ["AutoencoderRecord", "find_autoencoder", "load_autoencoder", "save_autoencoder"]

RECORD_FILE = "radiodiff.json"
CONFIG_FILE = "config.json"
WEIGHT_FILE = "diffusion_pytorch_model.safetensors"
RUN_FOLDER = "autoencoder"
"""Folder of the saved autoencoder in a run."""

FORMAT, VERSION = "radiodiff autoencoder", 2
"""The version rises when an older reader could misread a newer file."""
VERSION_WITHOUT_PRIOR = 1
"""What is written where there is no prior: older readers may go on with it."""


@dataclass(frozen=True)
class AutoencoderRecord:
    """What an autoencoder was trained on and how.

    Attributes:
        encoding: Its input channels as the condition, its output channel as the target.
        scale: What a target is: "raw" or "thresholded" grey, "db" for path loss itself, "binary" for edges.
        data: Settings of the data set without its folder, JSON types.
        examples: Settings of what it saw of each example, JSON types.
        latents: Statistics of its latents, or None where nobody has measured them.
        training: How it was trained (recipe, steps, minutes ...), JSON types.
        prior: What its maps are the difference to (`radiodiff.pipeline.record.PriorRecord.identity`), JSON types; None
            where it takes the maps themselves.
    """

    encoding: Encoding
    scale: str
    data: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)
    latents: LatentStatistics | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    prior: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON types; `from_dict` reads them."""
        content = {
            "format": FORMAT,
            "version": VERSION_WITHOUT_PRIOR if self.prior is None else VERSION,
            "encoding": self.encoding.to_dict(),
            "scale": self.scale,
            "data": dict(self.data),
            "examples": dict(self.examples),
            "latents": None if self.latents is None else self.latents.to_dict(),
            "training": dict(self.training),
        }
        return content if self.prior is None else content | {"prior": dict(self.prior)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The record that `to_dict` wrote.

        Raises:
            CheckpointError: A newer version wrote it, or it is something else.
        """
        try:
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}")
            if content["version"] > VERSION:
                raise CheckpointError(
                    f"This radiodiff reads autoencoders up to version {VERSION}",
                    value=f"version {content['version']}",
                    remedy="Install a newer radiodiff.",
                )
            latents, prior = content["latents"], content.get("prior")
            return cls(
                encoding=Encoding.from_dict(content["encoding"]),
                scale=str(content["scale"]),
                data=dict(content["data"]),
                examples=dict(content["examples"]),
                latents=None if latents is None else LatentStatistics.from_dict(latents),
                training=dict(content["training"]),
                prior=None if prior is None else dict(prior),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{RECORD_FILE} must hold the record of an autoencoder",
                value=str(error) if isinstance(error, InputError) else repr(error),
                remedy="It was changed or damaged: export or convert the autoencoder again.",
            ) from error


def save_autoencoder(folder: str | Path, network: AutoencoderKL, record: AutoencoderRecord) -> None:
    """Write an autoencoder beside its place and move it there; an earlier one is replaced when the new one is whole.

    Args:
        folder: Its place; the folder above it is made where it is not there.
        network: The network itself, not what accelerate or torch.compile made of it.
        record: What it was trained on. The scaling factor of its latents is written to `config.json`.

    Raises:
        InputError: Network and record have different channels, or the record holds more than JSON types.
        CheckpointError: The system refuses, the disk is full, or the place holds something else; what was there is
            untouched.
    """
    target = Path(folder)
    _check_channels(network, record, InputError)
    try:
        text = json.dumps(record.to_dict(), indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise InputError(
            "AutoencoderRecord must hold JSON types only (text, finite numbers, booleans, lists, dictionaries)",
            value=str(error),
            remedy='Convert the entry, for example with model_dump(mode="json").',
        ) from error
    if target.exists() and not (target.is_dir() and _holds_autoencoder_or_nothing(target)):
        raise CheckpointError(
            "An autoencoder must replace an earlier one, or nothing",
            value=f"{target}, which is something else",
            remedy="Use another folder.",
        )
    try:
        with atomic_folder(target, is_forced=True) as temporary:
            network.save_pretrained(temporary)
            if record.latents is not None:
                _write_scaling_factor(temporary / CONFIG_FILE, record.latents.scaling_factor)
            (temporary / RECORD_FILE).write_text(text, encoding="utf-8")
            # safetensors gives its files to their owner alone.
            shutil.copymode(temporary / RECORD_FILE, temporary / WEIGHT_FILE)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            "An autoencoder must be writable",
            value=f"{target} ({error})",
            remedy="Check the rights of the folder and the free space on the disk.",
        ) from error


def load_autoencoder(path: str | Path) -> tuple[AutoencoderKL, AutoencoderRecord]:
    """A saved autoencoder, on the CPU and in eval mode, and its record.

    Args:
        path: Its folder, or a run that holds it.

    Raises:
        CheckpointError: There is no autoencoder, or it is damaged, of another class or of a newer version.
    """
    folder = find_autoencoder(path)
    config = _read_json(folder / CONFIG_FILE)
    if config.get("_class_name") != AutoencoderKL.__name__:
        raise CheckpointError(
            "An autoencoder must be of class AutoencoderKL",
            value=f"{config.get('_class_name')} in {folder / CONFIG_FILE}",
            remedy="Give the folder of a first stage: one that radiodiff train or radiodiff convert has written.",
        )
    if not (folder / RECORD_FILE).is_file():
        raise CheckpointError(
            f"An autoencoder must have {RECORD_FILE}, which says what its channels are",
            value=f"{folder}, a folder of diffusers without it",
            remedy="Write it by save_autoencoder(folder, network, record), or start a training from these weights "
            "(trainer.warm_start.init_from).",
        )
    record = AutoencoderRecord.from_dict(_read_json(folder / RECORD_FILE))
    network = _empty_network(config, folder)
    weights = read_weights(folder / WEIGHT_FILE)
    try:
        # The tensors become the parameters: the network has no memory of its own yet.
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f"{WEIGHT_FILE} must hold the weights of the network in {CONFIG_FILE}",
            value=f"{folder} ({' '.join(str(error).split())[:300]})",
            remedy="One of the files is of another model: export or convert the autoencoder again.",
        ) from error
    _check_channels(network, record, CheckpointError)
    return network.eval(), record


def find_autoencoder(path: str | Path) -> Path:
    """The folder of a saved autoencoder, which may be given by its run.

    Raises:
        CheckpointError: There is none.
    """
    path = Path(path)
    for folder in (path, path / RUN_FOLDER):
        if (folder / CONFIG_FILE).is_file() and (folder == path or not (path / CONFIG_FILE).is_file()):
            return folder
    if not path.exists():
        raise CheckpointError("The folder of an autoencoder must exist", value=path, remedy="Check the path.")
    raise CheckpointError(
        f"An autoencoder must be a folder with {CONFIG_FILE}, {WEIGHT_FILE} and {RECORD_FILE}",
        value=f"{path}, {'which has no ' + CONFIG_FILE if path.is_dir() else 'a file'}",
        remedy="This run has not finished: go on with radiodiff train autoencoder --resume RUN."
        if (path / "checkpoints").is_dir()
        else "Give the folder RUN/autoencoder of a finished run, or what radiodiff convert has written.",
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(content, dict):
        raise _damaged(path, f"a {type(content).__name__}")
    return content


def _damaged(path: Path, found: str) -> CheckpointError:
    return CheckpointError(
        f"{path.name} of an autoencoder must hold a JSON object",
        value=f"{path} ({found})",
        remedy="It was changed or cut short: export or convert the autoencoder again.",
    )


def _empty_network(config: dict[str, Any], folder: Path) -> AutoencoderKL:
    """The network without weights: nothing is drawn, nothing is allocated."""
    try:
        with torch.device("meta"):
            network: AutoencoderKL = AutoencoderKL.from_config(config)
        autoencoder_config(network)
    except (ConfigError, TypeError, ValueError, ZeroDivisionError) as error:
        raise CheckpointError(
            f"{CONFIG_FILE} must describe an autoencoder that radiodiff can use",
            value=f"{folder / CONFIG_FILE} ({error})",
            remedy="It was changed, or is of another program: export or convert the autoencoder again.",
        ) from error
    return network


def _check_channels(
    network: AutoencoderKL, record: AutoencoderRecord, kind: type[InputError] | type[CheckpointError]
) -> None:
    wanted, named = network.config["in_channels"], record.encoding.names
    if wanted != len(named):
        raise kind(
            "The record of an autoencoder must name each channel of its input",
            value=f"{wanted} input channels, {len(named)} names: {', '.join(named)}",
            remedy="Give encoding.condition the channels it was trained with.",
        )


def _holds_autoencoder_or_nothing(folder: Path) -> bool:
    return (folder / CONFIG_FILE).is_file() or not any(folder.iterdir())


def _write_scaling_factor(path: Path, scaling_factor: float) -> None:
    config = json.loads(path.read_bytes())
    path.write_text(json.dumps(config | {"scaling_factor": scaling_factor}, indent=2) + "\n", encoding="utf-8")
