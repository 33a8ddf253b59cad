"""Radio maps by a trained model, in one call."""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypedDict, Unpack, get_args, overload

import torch

from radiodiff.errors import ConfigError, InputError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.bundled import BUNDLED_MODELS, bundled_folder, locate_model
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.measurements import Measurements
from radiodiff.pipeline.model_folder import INDEX_FILE, RUN_FOLDER
from radiodiff.pipeline.scene_maps import LARGEST_SEED
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Scene, Transmitter

__all__ = ["load_model", "predict"]

ModelName = str | os.PathLike[str]

Backend = Literal["torch", "onnx"]

MOST_MODELS = 4
"""Models that stay loaded."""


def load_model(
    model: ModelName = "default", backend: Backend = "torch", graphs: str | os.PathLike[str] | None = None
) -> RadioMapPipeline:
    """A model on the CPU in float32; it is kept, and loaded again only where its folder has been written anew.

    Args:
        model: Name of a bundled model ("default", "radiomapseer-dpm"), or folder of a saved one or of its run.
        backend: What its networks run in, see `predict`.
        graphs: Folder of its ONNX graphs.

    Raises:
        CheckpointError: There is none, or it is not whole or damaged.
        ConfigError: The backend is unknown or not installed, or lacks a folder of graphs.
    """
    if backend not in get_args(Backend) or (backend == "onnx") != (graphs is not None):
        raise ConfigError(
            "backend must be 'torch', or 'onnx' with the folder of the model's graphs",
            value=f"backend={backend!r}, graphs={None if graphs is None else str(graphs)!r}",
            remedy="Give graphs=FOLDER (--graphs FOLDER): they are exported there at the first use.",
        )
    is_bundled = str(model) in BUNDLED_MODELS
    folder = bundled_folder(str(model)) if is_bundled else Path(model).resolve()
    indices = (folder / INDEX_FILE, folder / RUN_FOLDER / INDEX_FILE)
    written = tuple(path.stat().st_mtime_ns for path in indices if path.is_file())
    place = None if graphs is None else str(Path(graphs).resolve())
    return _loaded(str(model) if is_bundled else str(folder), place, written)


@lru_cache(maxsize=MOST_MODELS)
def _loaded(model: str, graphs: str | None, written: tuple[int, ...]) -> RadioMapPipeline:
    pipeline = load_pipeline(locate_model(model))
    if graphs is not None:
        from radiodiff.pipeline.onnx_runtime import use_onnx_runtime

        use_onnx_runtime(pipeline, graphs)
    return pipeline


class PredictionOptions(TypedDict, total=False):
    """Keyword arguments of `predict`."""

    model: ModelName
    steps: int | None
    draws: int
    measurements: Measurements | Sequence[Measurements | None] | None
    seed: int | None
    backend: Backend
    graphs: str | os.PathLike[str] | None


@overload
def predict(scene: Scene, tx: Transmitter, **options: Unpack[PredictionOptions]) -> RadioMap: ...


@overload
def predict(scene: Scene, tx: Sequence[Transmitter], **options: Unpack[PredictionOptions]) -> list[RadioMap]: ...


@overload
def predict(
    scene: Sequence[Scene], tx: Transmitter | Sequence[Transmitter], **options: Unpack[PredictionOptions]
) -> list[RadioMap]: ...


def predict(  # noqa: PLR0913  each is a choice of its own
    scene: Scene | Sequence[Scene],
    tx: Transmitter | Sequence[Transmitter],
    *,
    model: ModelName = "default",
    steps: int | None = 1,
    draws: int = 1,
    measurements: Measurements | Sequence[Measurements | None] | None = None,
    seed: int | None = None,
    backend: Backend = "torch",
    graphs: str | os.PathLike[str] | None = None,
) -> RadioMap | list[RadioMap]:
    """Radio maps of scenes and transmitters by a trained model; the first call loads it.

    Args:
        scene: A scene, or one for each transmitter.
        tx: A transmitter, or one for each scene; several on one scene share the work of its geometry channels.
        model: Name of a bundled model ("default", "radiomapseer-dpm"), or folder of a saved one or of its run.
        steps: Steps of a draw; None takes those of the model.
        draws: Draws of each map; the map is their mean, and with several `RadioMap.ensemble` has their standard
            deviation and quantiles [dB].
        measurements: Points that the map is to agree with; for several maps a list, with None for a map without.
        seed: Seed of the draws; None takes a fresh one, which `RadioMap.meta["seed"]` tells.
        backend: What the networks run in: "torch", or "onnx" for ONNX Runtime, which needs `graphs`.
        graphs: Folder of the model's ONNX graphs; what is not in it is exported there at the first use.

    Returns:
        A radio map, or a list of them where a list was given.

    Raises:
        CheckpointError: There is no such model, or it is not whole or damaged.
        ConfigError: The model or the backend cannot do what it is asked for.
        InputError: The scene, the transmitter, the measurements or the seed break a rule.
    """
    if seed is not None and not (isinstance(seed, int) and 0 <= seed <= LARGEST_SEED):
        raise InputError(
            f"seed must be a whole number from 0 to {LARGEST_SEED}",
            value=repr(seed),
            remedy="Leave it out for a fresh one.",
        )
    pipeline = load_model(model, backend, graphs)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return pipeline(
        scene, tx, generator=generator, measurements=measurements, num_inference_steps=steps, num_draws=draws
    )
