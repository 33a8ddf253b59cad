"""A model of the second stage as commands use it: on its device, with the way of drawing that was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from radiodiff.errors import InputError

if TYPE_CHECKING:
    import torch

    from radiodiff.data.loader import ExampleSource
    from radiodiff.evaluation.pipeline_predictor import DrawSettings
    from radiodiff.pipeline.base import RadioMapPipeline

__all__ = ["DrawRequest", "check_counts", "check_kind", "digest_of", "distinct_names", "load_second_stage", "name_of"]

PRECISIONS = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


@dataclass(frozen=True)
class DrawRequest:
    """How maps are to be drawn, as the user says it.

    Attributes:
        draws: Draws of each map.
        seed: Seed of all draws.
        is_stochastic: Which sampler; None takes that of the model.
        batch_size: Maps, and draws, at a time.
        window: "auto", "whole" or cells.
        precision: Weights of the networks.
        masks_buildings: Put level 0 into buildings, but for cells at walls, where the true maps have it.

    Raises:
        InputError: A number is not positive, or a word is unknown.
    """

    draws: int
    seed: int
    is_stochastic: bool | None
    batch_size: int
    window: str
    precision: str
    masks_buildings: bool = True

    def __post_init__(self) -> None:
        check_counts({"--draws": self.draws, "--batch-size": self.batch_size})
        check_counts({"--seed": self.seed}, least=0)
        if self.precision not in PRECISIONS:
            raise InputError(
                f"--precision must be one of {', '.join(PRECISIONS)}", value=repr(self.precision), remedy="Correct it."
            )
        if self.window not in ("auto", "whole") and not (self.window.isdecimal() and int(self.window) > 0):
            raise InputError(
                "--window must be auto, whole or a number of cells above 0",
                value=repr(self.window),
                remedy="Leave it out to cut only what is larger than the maps of the training.",
            )

    def asked_of_draws(self) -> dict[str, bool]:
        """Options of diffusion models, and whether they ask for anything."""
        return {"--draws": self.draws > 1, "--seed": self.seed > 0, "--stochastic": self.is_stochastic is not None}

    def asked_of_models(self) -> dict[str, bool]:
        """Options of models, and whether they ask for anything."""
        return {
            **self.asked_of_draws(),
            "--window": self.window != "auto",
            "--precision": self.precision != "fp32",
            "--no-mask": not self.masks_buildings,
        }

    def check_kind(self, pipeline: "RadioMapPipeline", steps: Sequence[int | None]) -> None:
        """Refuse what a model has no use for.

        Args:
            pipeline: The model.
            steps: Steps of a draw that were asked for.

        Raises:
            InputError: It is a regression, and steps, draws, their seed or a sampler were asked for.
        """
        check_kind(pipeline, {"--steps": any(count not in (None, 1) for count in steps), **self.asked_of_draws()})

    def settings(self, pipeline: "RadioMapPipeline", steps: int | None, source: "ExampleSource") -> "DrawSettings":
        """The same for one model; a regression has one step and one draw.

        Args:
            pipeline: The model.
            steps: Steps of a draw; None takes those of the model.
            source: The data set with the condition of the model.
        """
        from radiodiff.evaluation.examples import has_level_0_indoors
        from radiodiff.evaluation.pipeline_predictor import DrawSettings

        is_diffusion = pipeline.record.kind == "diffusion"
        window = int(self.window) if self.window.isdecimal() else cast(Literal["auto", "whole"], self.window)
        return DrawSettings(
            num_inference_steps=steps if is_diffusion else 1,
            num_draws=self.draws if is_diffusion else 1,
            seed=self.seed,
            is_stochastic=self.is_stochastic,
            batch_size=self.batch_size,
            window=window,
            is_masked=self.masks_buildings and has_level_0_indoors(source),
        )


def check_kind(pipeline: "RadioMapPipeline", asked: Mapping[str, bool]) -> None:
    """Refuse what a regression has no use for.

    Args:
        pipeline: The model.
        asked: Options of diffusion models, and whether they ask for anything.

    Raises:
        InputError: It is a regression, and one of them does.
    """
    if pipeline.record.kind != "diffusion" and any(asked.values()):
        raise InputError(
            f"{', '.join(asked)} belong to diffusion models: a regression has one prediction",
            value=" and ".join(name for name, is_asked in asked.items() if is_asked),
            remedy="Leave them out.",
        )


def load_second_stage(path: Path, precision: str, device: "torch.device | str") -> "RadioMapPipeline":
    """A model on a device.

    Raises:
        CheckpointError: There is none, or it is damaged.
    """
    import torch

    from radiodiff.pipeline.bundled import locate_model
    from radiodiff.pipeline.load import load_pipeline

    pipeline = load_pipeline(locate_model(path), getattr(torch, PRECISIONS[precision]))
    if torch.device(device).type != "cpu":
        pipeline.to(device)
    return pipeline


def digest_of(path: Path) -> str:
    """What tells a model from another one: the content of its files.

    Raises:
        CheckpointError: There is no model.
    """
    import hashlib

    from radiodiff.pipeline.bundled import locate_model

    folder = locate_model(path)
    found = hashlib.sha256()
    for file in sorted(
        file for file in folder.rglob("*") if file.is_file() and file.suffix in (".json", ".safetensors")
    ):
        found.update(str(file.relative_to(folder)).encode())
        with open(file, "rb") as opened:
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()[:16]


def name_of(path: Path) -> str:
    """Name of a folder for tables; that of the run for the model in it."""
    return _folder_of(path).name


def distinct_names(paths: Sequence[Path], taken: Sequence[str] = ()) -> dict[Path, str]:
    """Names of folders for tables: the shortest ends of their paths that tell them from each other.

    Args:
        paths: The folders; one that is given twice has one name.
        taken: Names of something else.
    """
    folders = {path: _folder_of(path) for path in paths}
    different = set(folders.values())
    found = {}
    for path, folder in folders.items():
        for length in range(1, len(folder.parts) + 1):
            found[path] = str(Path(*folder.parts[-length:]))
            alike = [one for one in different if one.parts[-length:] == folder.parts[-length:]]
            if len(alike) == 1 and found[path] not in taken:
                break
    return found


def _folder_of(path: Path) -> Path:
    """The folder itself; the run for the model in it."""
    resolved = path.resolve()
    return resolved.parent if resolved.name == "pipeline" else resolved


def check_counts(counts: Mapping[str, int | None], *, least: int = 1) -> None:
    """Refuse numbers that are too small.

    Raises:
        InputError: One is.
    """
    for name, count in counts.items():
        if count is not None and count < least:
            raise InputError(
                f"{name} must be a whole number of at least {least}",
                value=count,
                remedy=f"Give {max(least, 1)} or more.",
            )
