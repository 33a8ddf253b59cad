"""Autoencoders of RadioDiff's original program: files `model-<n>.pt` with parameter names of latent-diffusion.

Everything that is particular to that layout is in this file. It is read once, by `radiodiff convert autoencoder`.

Differences to `diffusers.AutoencoderKL`, beside the names: levels of the decoder are counted from the finest one, and
the projections of the attention are 1x1 convolutions. The arithmetic is the same.
"""

import math
import pickle
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.models.autoencoder import autoencoder_config, diffusers_settings
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.name_list import first_names

__all__ = ["OriginalCheckpoint", "convert_original", "diffusers_name"]

NORM_GROUPS = 32
"""Groups of every group normalisation of latent-diffusion; no file says so."""

ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
RENAMED = {"nin_shortcut": "conv_shortcut"}
PARALLEL, AVERAGE = "module.", "ema_model."


@dataclass(frozen=True)
class OriginalCheckpoint:
    """What was found in a file of the original program.

    Attributes:
        step: Training step, or None where the file has none.
        weights: Which weights were taken: "ema" or "model".
        config: The network, from the shapes of its weights.
        num_parameters: Its parameters.
        ignored: Entries that were left out, by what they belong to: "model: loss", "opt_ae" ...
    """

    step: int | None
    weights: str
    config: AutoencoderConfig
    num_parameters: int
    ignored: Mapping[str, int]


def convert_original(path: str | Path, *, use_ema: bool = True) -> tuple[AutoencoderKL, OriginalCheckpoint]:
    """An autoencoder of the original program as a network of diffusers, on the CPU, float32, in eval mode.

    Args:
        path: The file. It is opened without running code from it.
        use_ema: Take the moving average of the weights; otherwise the weights themselves.

    Raises:
        CheckpointError: The file is absent, damaged, refused because it could run code, no checkpoint of an
            autoencoder, without the weights asked for, or of a network of another layout.
    """
    file = Path(path)
    content = _open(file)
    _check_kind(content, file)
    taken = "ema" if use_ema else "model"
    weights, ignored = _own_weights(content, taken, file)
    config = _infer_config(weights, file)
    with torch.device("meta"):
        network: AutoencoderKL = AutoencoderKL(**diffusers_settings(config))
    named = {diffusers_name(name, len(config.level_channels)) or name: tensor for name, tensor in weights.items()}
    shaped = _shaped(named, network.state_dict(), file)
    network.load_state_dict(shaped, assign=True)
    report = OriginalCheckpoint(
        step=_step(content, file),
        weights=taken,
        config=autoencoder_config(network),
        num_parameters=sum(tensor.numel() for tensor in shaped.values()),
        ignored=ignored,
    )
    return network.eval(), report


def diffusers_name(name: str, num_levels: int) -> str | None:
    """Name in `diffusers.AutoencoderKL` of a parameter of latent-diffusion, or None where there is none.

    Args:
        name: Such as "decoder.up.0.block.1.norm1.weight".
        num_levels: Levels of the network.
    """
    half, *words = name.split(".")
    if half in ("quant_conv", "post_quant_conv"):
        return name
    if half not in ("encoder", "decoder"):
        return None
    match words:
        case ["conv_in" | "conv_out", _]:
            found = words
        case ["norm_out", last]:
            found = ["conv_norm_out", last]
        case ["mid", ("block_1" | "block_2") as block, *rest]:
            found = ["mid_block", "resnets", str(int(block[-1]) - 1), *rest]
        case ["mid", "attn_1", part, last] if part in ATTENTION:
            found = ["mid_block", "attentions", "0", ATTENTION[part], last]
        case ["down", level, "block", block, *rest]:
            found = ["down_blocks", level, "resnets", block, *rest]
        case ["down", level, "downsample", *rest]:
            found = ["down_blocks", level, "downsamplers", "0", *rest]
        case ["up", level, "block", block, *rest] if level.isdigit():
            found = ["up_blocks", str(num_levels - 1 - int(level)), "resnets", block, *rest]
        case ["up", level, "upsample", *rest] if level.isdigit():
            found = ["up_blocks", str(num_levels - 1 - int(level)), "upsamplers", "0", *rest]
        case _:
            return None
    return ".".join([half, *(RENAMED.get(word, word) for word in found)])


def _step(content: Mapping[str, Any], file: Path) -> int | None:
    """The training step, or None where the file has none."""
    step = content.get("step")
    if isinstance(step, Tensor):
        if step.numel() != 1:
            raise _not_a_checkpoint(file, f"step is a tensor of shape {tuple(step.shape)}, not a number")
        step = step.item()
    if step is None:
        return None
    if isinstance(step, bool) or not isinstance(step, int | float) or not math.isfinite(step):
        raise _not_a_checkpoint(file, f"step is {step!r}, not a number")
    return int(step)


def _open(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        raise CheckpointError("A checkpoint to convert must be a file", value=file, remedy="Check the path.")
    try:
        # Mapped, so that the loss networks and optimizers of the file, gigabytes, are never read.
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        # What torch says here advises to switch its protection off.
        raise CheckpointError(
            "A checkpoint must hold tensors and plain values only: others could run code when they are opened",
            value=f"{file}, which holds something else, or is no file of torch.save",
            remedy="In the program that wrote it, save its entries step, model and ema alone; or do not trust it.",
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _not_a_checkpoint(file, f"{type(error).__name__}: {error}") from error
    if not isinstance(content, Mapping):
        raise _not_a_checkpoint(file, f"it holds a {type(content).__name__}")
    return content


def _check_kind(content: Mapping[str, Any], file: Path) -> None:
    """Refuse what is no checkpoint of an autoencoder."""
    model = content.get("model")
    if not isinstance(model, Mapping):
        raise _not_a_checkpoint(file, f"entries: {first_names(list(map(str, content))) or 'none'}")
    names = [str(name).removeprefix(PARALLEL) for name in model]
    if "scale_factor" in names or any(name.startswith("first_stage_model.") for name in names):
        raise CheckpointError(
            "The checkpoint must be that of a first stage",
            value=f"{file}, a diffusion model of the original program (second stage)",
            remedy="Give the model-N.pt of the autoencoder that it was trained on: its setting first_stage.ckpt_path.",
        )
    if not any(name.startswith(("encoder.", "decoder.")) for name in names):
        raise _not_a_checkpoint(file, f"the network in it has {first_names(names) or 'no weights'}")


def _own_weights(content: Mapping[str, Any], taken: str, file: Path) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Weights of the autoencoder by name, and what else there is."""
    entries = content.get(taken)
    weights: dict[str, Tensor] = {}
    ignored: Counter[str] = Counter()
    for full_name, tensor in (entries if isinstance(entries, Mapping) else {}).items():
        name = str(full_name).removeprefix(PARALLEL)
        if taken == "ema":
            if not name.startswith(AVERAGE):
                ignored[f"ema: {name.split('.')[0]}"] += 1
                continue
            name = name.removeprefix(AVERAGE).removeprefix(PARALLEL)
        if name.startswith("loss"):
            ignored[f"{taken}: {name.split('.')[0]}"] += 1
        elif isinstance(tensor, Tensor):
            weights[name] = tensor
        else:
            raise _not_a_checkpoint(file, f"{full_name} is a {type(tensor).__name__}")
    if not weights:
        raise CheckpointError(
            f"The checkpoint must hold the weights asked for, under {taken!r}",
            value=f"{file}, with {first_names([str(key) for key in content])}",
            remedy="Take the weights themselves: --no-ema.",
        )
    others = {key: len(value) if isinstance(value, Mapping) else 1 for key, value in content.items()}
    return weights, dict(ignored) | {str(key): n for key, n in others.items() if key not in (taken, "step")}


def _infer_config(weights: Mapping[str, Tensor], file: Path) -> AutoencoderConfig:
    def shape(name: str) -> tuple[int, ...]:
        """Shape of the weights of a convolution."""
        if name not in weights:
            raise _another_layout(file, f"no {name}")
        found = tuple(weights[name].shape)
        if len(found) != 4:
            raise _another_layout(file, f"{name} of shape {found}, not of a convolution")
        return found

    levels = _numbers(weights, "encoder.down.")
    widths = [shape(f"encoder.down.{level}.block.0.conv1.weight")[0] for level in range(max(levels, default=-1) + 1)]
    base, in_channels = shape("encoder.conv_in.weight")[:2]
    if not widths or widths[0] != base or any(width % base for width in widths):
        raise _another_layout(file, f"levels of {widths} channels behind a first convolution of {base}")
    latent_channels, embedded = shape("decoder.conv_in.weight")[1], shape("post_quant_conv.weight")[1]
    if embedded != latent_channels:
        raise CheckpointError(
            "An autoencoder to convert must have as many channels of its latents inside as outside: embed_dim must be "
            "z_channels",
            value=f"embed_dim={embedded} and z_channels={latent_channels} in {file}",
            remedy="diffusers has no network of such a layout: it cannot be converted.",
        )
    try:
        return AutoencoderConfig(
            in_channels=in_channels,
            out_channels=shape("decoder.conv_out.weight")[0],
            base_channels=base,
            channel_multipliers=tuple(width // base for width in widths),
            blocks_per_level=len(_numbers(weights, "encoder.down.0.block.")),
            latent_channels=latent_channels,
            norm_groups=NORM_GROUPS,
            middle_attention="encoder.mid.attn_1.q.weight" in weights,
        )
    except ConfigError as error:
        raise _another_layout(file, str(error)) from error


def _numbers(names: Iterable[str], prefix: str) -> set[int]:
    """Numbers that follow a prefix."""
    words = (name.removeprefix(prefix).split(".")[0] for name in names if name.startswith(prefix))
    return {int(word) for word in words if word.isdigit()}


def _shaped(named: Mapping[str, Tensor], wanted: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """Copies of the weights in the shapes of the network."""
    shaped = {
        name: tensor.flatten(1) if name in wanted and wanted[name].ndim == 2 and tensor.ndim == 4 else tensor
        for name, tensor in named.items()
    }
    faults = {
        "missing": [name for name in wanted if name not in shaped],
        "unexpected": [name for name in shaped if name not in wanted],
        "of another shape": [n for n, tensor in shaped.items() if n in wanted and tensor.shape != wanted[n].shape],
        "not finite": [name for name, tensor in shaped.items() if not tensor.isfinite().all()],
    }
    found = [f"{len(names)} weights {fault}: {first_names(names)}" for fault, names in faults.items() if names]
    if found:
        raise _another_layout(file, "; ".join(found))
    return {name: shaped[name].to(torch.float32, copy=True).contiguous() for name in wanted}


def _not_a_checkpoint(file: Path, found: str) -> CheckpointError:
    return CheckpointError(
        "A checkpoint of the original program must be a whole file of torch.save with the entries step, model and ema",
        value=f"{file} ({' '.join(found.split())[:200]})",
        remedy="Give a model-N.pt; copy it again if it was cut short.",
    )


def _another_layout(file: Path, found: str) -> CheckpointError:
    return CheckpointError(
        "The checkpoint must be that of a KL autoencoder of latent-diffusion, with attention in the middle alone",
        value=f"{file} ({found})",
        remedy="Only such networks can be converted; if the file was cut or changed, copy it again.",
    )
