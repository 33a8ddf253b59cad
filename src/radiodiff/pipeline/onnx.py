"""Export of a model's networks for ONNX runtimes.

```
condition_encoder.onnx    condition (B, C, rows, cols) -> features feature_0, feature_1 ...
unet.onnx                 noisy (B, c, h, w), t (B,), features -> prediction (B, heads * c, h, w)
decoder.onnx              latents (B, c, h, w), scaled as the sampler has them -> maps (B, 1, rows, cols)
network.onnx              condition -> maps, of a regression model in place of the three
radiodiff.json            sizes, scheduler, record of the model, largest differences found
```

B is free, rows and columns are fixed. Every graph is run once after the export and compared with the network.
"""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from radiodiff.atomic_file import atomic_folder
from radiodiff.errors import CheckpointError, ConfigError, InputError
from radiodiff.models.layers.blocks import StandardizedConv2d
from radiodiff.pipeline.base import RadioMapPipeline, evaluating
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.record import RECORD_FILE
from radiodiff.pipeline.regression_pipeline import RegressionPipeline

__all__ = ["TOLERANCE", "check_packages", "export_onnx"]

FORMAT, VERSION = "radiodiff onnx", 1

PACKAGES = ("onnx", "onnxscript", "onnxruntime")

TOLERANCE = 1e-4
"""Largest difference between a graph and its network, relative to the largest output where that is above 1."""

EXAMPLES = 2
"""Rows of an example: a graph traced with one row would be taken for one of a single row."""

LARGEST_FILE = 2**31 - 2**24
"""Bytes of weights in one file of ONNX, with room for the graph."""


@dataclass(frozen=True)
class Part:
    """A network to export.

    Attributes:
        name: Name of its file, without suffix.
        network: Takes and gives tensors alone.
        inputs: Examples of its inputs by name, with `EXAMPLES` rows.
        outputs: Names of its outputs.
    """

    name: str
    network: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]


def check_packages(names: Sequence[str] = PACKAGES) -> None:
    """Make sure that packages of the extra `onnx` are there.

    Raises:
        ConfigError: One is not.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"ONNX needs the packages {', '.join(names)}",
            value=f"without {', '.join(missing)}",
            remedy='Install them: pip install "radiodiff[onnx]"',
        )


def export_onnx(
    pipeline: RadioMapPipeline,
    folder: str | Path,
    *,
    map_shape: tuple[int, int] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Write the networks of a model as ONNX graphs.

    Args:
        pipeline: The model, in float32.
        folder: Where to; made where it is not there, an earlier export is replaced.
        map_shape: (rows, cols) of the maps, padded up to what the networks take; None takes those of the training.
        facts: Further entries of its `radiodiff.json`, JSON types.

    Returns:
        The folder.

    Raises:
        ConfigError: A package is not installed, the model is not in float32, or the size is not known.
        InputError: The folder holds something else.
        CheckpointError: A graph gives something else than its network, or the system refuses.
    """
    check_packages()
    target = Path(folder)
    if target.exists() and not (target.is_dir() and _holds_export_or_nothing(target)):
        raise InputError(
            "An export must replace an earlier one, or nothing",
            value=f"{target}, which is something else",
            remedy="Use another folder.",
        )
    if pipeline.dtype != torch.float32:
        raise ConfigError(
            "A model must be in float32 to be exported",
            value=pipeline.dtype,
            remedy="Load it without torch_dtype; runtimes convert graphs to other types.",
        )
    shape = _shape(pipeline, map_shape)
    try:
        with atomic_folder(target) as temporary, torch.no_grad(), evaluating(pipeline.networks.values()):
            differences = {part.name: _export(part, temporary) for part in _parts(pipeline, shape)}
            said = _description(pipeline, shape, differences) | dict(facts or {})
            text = json.dumps(said, indent=1) + "\n"
            (temporary / RECORD_FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CheckpointError(
            "An export must be writable",
            value=f"{target} ({error})",
            remedy="Check the rights of the folder and the free space on the disk.",
        ) from error
    return target


class _ConditionEncoder(nn.Module):
    def __init__(self, pipeline: RadioDiffPipeline) -> None:
        super().__init__()
        self.unet = pipeline.unet

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        return self.unet.encode_condition(condition)


class _Unet(nn.Module):
    def __init__(self, pipeline: RadioDiffPipeline) -> None:
        super().__init__()
        self.unet = pipeline.unet

    def forward(self, noisy: Tensor, t: Tensor, *features: Tensor) -> Tensor:
        prediction: Tensor = self.unet(noisy, t, features=features)
        return prediction


class _Decoder(nn.Module):
    def __init__(self, pipeline: RadioDiffPipeline) -> None:
        super().__init__()
        self.autoencoder = pipeline.autoencoder
        self.scale = float(pipeline.autoencoder.config["scaling_factor"])

    def forward(self, latents: Tensor) -> Tensor:
        maps: Tensor = self.autoencoder.decode(latents / self.scale, return_dict=False)[0]
        return maps


def _parts(pipeline: RadioMapPipeline, shape: tuple[int, int]) -> Iterator[Part]:
    """The networks of a model."""
    random = torch.Generator().manual_seed(0)

    def example(*sizes: int) -> Tensor:
        return torch.randn((EXAMPLES, *sizes), generator=random).clamp(-1.0, 1.0).to(pipeline.device)

    condition = example(len(pipeline.record.encoding.names), *shape)
    if isinstance(pipeline, RegressionPipeline):
        yield Part("network", pipeline.network, {"condition": condition}, ("maps",))
        return
    assert isinstance(pipeline, RadioDiffPipeline)
    features = pipeline.unet.encode_condition(condition)
    named = {f"feature_{number}": feature for number, feature in enumerate(features)}
    yield Part("condition_encoder", _ConditionEncoder(pipeline), {"condition": condition}, tuple(named))
    factor = pipeline.sizes.unit
    latents = example(pipeline.unet.config["latent_channels"], shape[0] // factor, shape[1] // factor)
    times = torch.linspace(1.0, 0.2, EXAMPLES).to(pipeline.device)
    yield Part("unet", _Unet(pipeline), {"noisy": latents, "t": times, **named}, ("prediction",))
    yield Part("decoder", _Decoder(pipeline), {"latents": latents}, ("maps",))


def _export(part: Part, folder: Path) -> float:
    """Write a network, and compare what the graph and the network make of the example."""
    path = folder / f"{part.name}.onnx"
    batch = torch.export.Dim("batch", min=1, max=4096)
    arguments = tuple(part.inputs.values())
    shapes: Any = tuple({0: batch} for _ in arguments)
    if isinstance(part.network, _Unet):
        # Those that stand for any number of arguments are one group.
        shapes = (*shapes[:2], shapes[2:])
    num_bytes = sum(tensor.numel() * 4 for tensor in part.network.state_dict().values())
    with _quietly():
        torch.onnx.export(
            _with_fixed_kernels(part.network),
            arguments,
            str(path),
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=num_bytes > LARGEST_FILE,
            verbose=False,
        )
    difference = _difference(part, path)
    if not difference <= TOLERANCE:
        raise CheckpointError(
            f"A graph must give what its network gives, within {TOLERANCE:g}",
            value=f"a difference of {difference:.3g} in {path.name}",
            remedy="Another version of torch or onnxruntime may convert it: see constraints.txt for tested ones.",
        )
    return difference


def _with_fixed_kernels(network: nn.Module) -> nn.Module:
    """A copy without standardised kernels, which a graph would standardise again at each run."""
    fixed = deepcopy(network)
    for module in fixed.modules():
        if isinstance(module, StandardizedConv2d):
            module.weight.data = module.kernel()
            # What is left of the class is a convolution as any other.
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
    return fixed


def _difference(part: Part, path: Path) -> float:
    """Largest difference of a graph from its network, for the example and for one row of it."""
    import onnxruntime  # type: ignore[import-untyped]

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest = 0.0
    for rows in (EXAMPLES, 1):
        inputs = {name: tensor[:rows] for name, tensor in part.inputs.items()}
        wanted = part.network(*inputs.values())
        wanted = wanted if isinstance(wanted, Sequence) else (wanted,)
        found = session.run(None, {name: tensor.cpu().numpy() for name, tensor in inputs.items()})
        for mine, theirs in zip(wanted, found, strict=True):
            expected = mine.cpu().numpy()
            scale = max(1.0, float(np.abs(expected).max()))
            largest = max(largest, float(np.abs(expected - theirs).max()) / scale)
    return largest


def _description(
    pipeline: RadioMapPipeline, shape: tuple[int, int], differences: Mapping[str, float]
) -> dict[str, Any]:
    """What a program without radiodiff needs to use the graphs."""
    found: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "model": pipeline.record.to_dict(),
        "map_shape": list(shape),
        "graphs": [f"{name}.onnx" for name in differences],
        "largest_differences": dict(differences),
    }
    if isinstance(pipeline, RadioDiffPipeline):
        scheduler = json.loads(pipeline.scheduler.to_json_string())
        found["scheduler"] = {key: value for key, value in scheduler.items() if not key.startswith("_")}
        found["latent_factor"] = pipeline.sizes.unit
    return found


def _shape(pipeline: RadioMapPipeline, map_shape: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of the graphs."""
    wanted = map_shape or pipeline.record.map_shape
    if wanted is None or not all(isinstance(length, int) and length >= 1 for length in wanted):
        raise ConfigError(
            "The rows and columns of an export must be given where the model has none on record",
            value=wanted,
            remedy="Pass map_shape=(256, 256).",
        )
    multiple = pipeline.sizes.multiple
    rows, cols = (-(-length // multiple) * multiple for length in wanted)
    return rows, cols


def _holds_export_or_nothing(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return not names or (RECORD_FILE in names and any(name.endswith(".onnx") for name in names))


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the exporter's notes to itself: what it made is compared with the network."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
