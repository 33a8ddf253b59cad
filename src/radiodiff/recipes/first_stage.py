"""The first stage that a second one is trained on, wherever it is."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from radiodiff.encoding import Encoding
from radiodiff.errors import CheckpointError
from radiodiff.models.autoencoder import autoencoder_config
from radiodiff.models.autoencoder_folder import AutoencoderRecord, load_autoencoder
from radiodiff.models.config import AutoencoderConfig
from radiodiff.pipeline.component import load_component
from radiodiff.pipeline.load import RUN_FOLDER
from radiodiff.pipeline.model_folder import INDEX_FILE
from radiodiff.pipeline.record import PipelineRecord

__all__ = ["FirstStage", "load_first_stage"]

COMPONENT = "autoencoder"


@dataclass(frozen=True)
class FirstStage:
    """A first stage.

    Attributes:
        network: The autoencoder, on the CPU.
        record: What it was trained on.
        scaling_factor: Factor on its latents that is known: of the diffusion model that it is from, or as measured
            when its run was finished; None where nobody has measured it.
        folder: Where it was found.
    """

    network: AutoencoderKL
    record: AutoencoderRecord
    scaling_factor: float | None
    folder: Path

    @property
    def config(self) -> AutoencoderConfig:
        """Its settings."""
        return autoencoder_config(self.network)


def load_first_stage(path: Path) -> FirstStage:
    """A first stage, from its folder, from the run that left it, or out of a diffusion model or the run that left that.

    Raises:
        CheckpointError: There is none, or it is damaged or of a newer version.
    """
    for folder in (path, path / RUN_FOLDER):
        if (folder / INDEX_FILE).is_file():
            return _of_model(folder)
    network, record = load_autoencoder(path)
    return FirstStage(network, record, None if record.latents is None else record.latents.scaling_factor, path)


def _of_model(folder: Path) -> FirstStage:
    """The autoencoder of a diffusion model; its record says of it what that of the model does."""
    record = PipelineRecord.read(folder)
    if record.kind != "diffusion":
        raise CheckpointError(
            "A model to take the first stage from must be a diffusion model",
            value=f"{folder}, a {record.kind} model",
            remedy="Give the run of a first stage (radiodiff train autoencoder), or of a second one.",
        )
    network = load_component(folder / COMPONENT, AutoencoderKL, torch.float32)
    target = record.encoding.target
    known = AutoencoderRecord(
        encoding=Encoding((target,), target),
        scale=record.scale,
        data=record.data,
        prior=None if record.prior is None else record.prior.identity,
    )
    return FirstStage(network, known, float(network.config["scaling_factor"]), folder / COMPONENT)
