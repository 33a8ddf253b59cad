"""A model's networks in ONNX Runtime, in the place of torch.

Graphs are of one size: each size of map (or of window) has a folder `<rows>x<cols>` of its own in the folder that the
user names, exported when it is first needed. Sampling, windows and measured points are those of the pipeline.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.component import read_json
from radiodiff.pipeline.onnx import check_packages, export_onnx
from radiodiff.pipeline.record import RECORD_FILE
from radiodiff.pipeline.weights_digest import weights_digest

__all__ = ["GraphFolder", "use_onnx_runtime"]

WEIGHTS = "weights"
"""Key of the digest of the weights that the graphs hold."""


def use_onnx_runtime(pipeline: RadioMapPipeline, folder: str | Path) -> None:
    """Have the networks of a model run in ONNX Runtime on the CPU from now on.

    Its maps are those of torch but for rounding, see `radiodiff.pipeline.onnx.TOLERANCE`.

    Args:
        pipeline: The model, in float32.
        folder: Folder of its graphs; what is not in it is exported there when it is first needed.

    Raises:
        ConfigError: The package onnxruntime is not installed.
    """
    pipeline.graphs = GraphFolder(pipeline, folder)


class GraphFolder:
    """Graphs of one model for maps of all sizes.

    Args:
        pipeline: The model, in float32.
        folder: Their folder, made where it is not there.

    Raises:
        ConfigError: The package onnxruntime is not installed.
    """

    def __init__(self, pipeline: RadioMapPipeline, folder: str | Path) -> None:
        check_packages(("onnxruntime",))
        self._pipeline = pipeline
        self._folder = Path(folder)
        self._digest = weights_digest(pipeline.networks)
        self._sessions: dict[tuple[str, tuple[int, int]], Any] = {}

    def run(self, name: str, map_shape: tuple[int, int], *tensors: Tensor) -> tuple[Tensor, ...]:
        """What a graph makes of tensors.

        Args:
            name: Its name: condition_encoder, unet, decoder or network.
            map_shape: (rows, cols) of the map or window.
            tensors: Its inputs, in order.

        Raises:
            ConfigError: The folder holds graphs of another model, or a package for the export is missing.
            CheckpointError: A graph cannot be read or made.
        """
        session = self._sessions.get((name, map_shape))
        if session is None:
            session = self._sessions[name, map_shape] = self._open(name, map_shape)
        inputs = {given.name: tensor for given, tensor in zip(session.get_inputs(), tensors, strict=True)}
        found = session.run(None, {name: tensor.detach().cpu().float().numpy() for name, tensor in inputs.items()})
        return tuple(torch.from_numpy(array).to(tensors[0].device) for array in found)

    def _open(self, name: str, map_shape: tuple[int, int]) -> Any:
        import onnxruntime  # type: ignore[import-untyped]

        folder = self._folder / "{}x{}".format(*map_shape)
        if not (folder / RECORD_FILE).is_file():
            export_onnx(self._pipeline, folder, map_shape=map_shape, facts={WEIGHTS: self._digest})
        self._check(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        path = folder / f"{name}.onnx"
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        # onnxruntime has a class of its own for each status of its core.
        except Exception as error:
            raise CheckpointError(
                "A graph must be a file that ONNX Runtime reads",
                value=f"{path} ({' '.join(str(error).split())[:200]})",
                remedy=f"It is not there or damaged: delete {folder}, which is then exported again.",
            ) from error

    def _check(self, folder: Path) -> None:
        said: Mapping[str, Any] = read_json(folder / RECORD_FILE)
        if said.get(WEIGHTS) != self._digest:
            raise ConfigError(
                "A folder of graphs must hold those of the model that is used",
                value=f"{folder}, exported from another one",
                remedy="Give each model a folder of its own, or delete this one.",
            )
