"""A trained autoencoder, and data for it: what its record says, from a folder that the user gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radiodiff.config import Config, checked
from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import BuildingsConfig, RadioMapSeerConfig
from radiodiff.data.selection import DataConfig, part_config
from radiodiff.errors import ConfigError
from radiodiff.recipes.overrides import with_overrides

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from radiodiff.models.autoencoder_folder import AutoencoderRecord

__all__ = ["ModelData", "load_model", "open_model_data"]

FIXED = {
    "data.root": "--data gives the folder",
    "data.part": "--part gives the part",
    "data.augment": "maps are not turned here",
    "examples.crop_size": "maps are whole here",
    "examples.with_condition": "the model alone is looked at",
}
"""Settings that cannot be changed, and why."""

KIND_WITH_WINDOWS = IcasspConfig.model_fields["kind"].default


class ModelData(Config):
    """Settings of the data that a model is used on; keys as in recipes.

    Attributes:
        data: The data set.
        examples: What the model sees of an example.
    """

    data: DataConfig
    examples: AutoencoderExamplesConfig = AutoencoderExamplesConfig()


def load_model(path: Path, *, on_cpu: bool) -> "tuple[AutoencoderKL, AutoencoderRecord]":
    """An autoencoder, on a GPU where there is one, and its record.

    Raises:
        CheckpointError: There is no autoencoder, or it is damaged.
    """
    import torch

    from radiodiff.models.autoencoder_folder import load_autoencoder

    network, record = load_autoencoder(path)
    if torch.cuda.is_available() and not on_cpu:
        network.cuda()  # type: ignore[call-arg]
    return network, record


def open_model_data(
    record: "AutoencoderRecord",
    root: Path,
    part: str,
    overrides: Sequence[str] = (),
    *,
    for_figures: bool = False,
) -> AutoencoderExamples:
    """Examples as an autoencoder was trained on, without augmentation and windows of `examples.crop_size`.

    Args:
        record: What is stored with it.
        root: Folder of a data set of the same kind.
        part: Which part.
        overrides: Changes `data.key=value` of the settings it was trained with.
        for_figures: Give whole maps also where the data set draws windows of its own (ICASSP), unless a change says
            otherwise, and after the input all buildings, where the data set has them and they are not the input
            themselves, so that cells outside can be told apart.

    Raises:
        ConfigError: A change is not allowed, or gives other channels or another scale than the model knows.
        DataSetError: The data set is not there, or has not what is asked for.
    """
    for text in overrides:
        name = text.partition("=")[0].strip()
        if name in FIXED:
            raise ConfigError(f"{name} cannot be changed: {FIXED[name]}", value=text, remedy="Leave it out.")
    start: dict[str, Any] = {"data": dict(record.data), "examples": dict(record.examples)}
    if for_figures and start["data"].get("kind") == KIND_WITH_WINDOWS:
        start["data"]["crop"] = "none"
    values = with_overrides(start, overrides, ModelData)
    if isinstance(values["data"], dict):
        values["data"] |= {"root": str(root), "part": part}
    config = checked(ModelData, values)
    settings, seen = part_config(config.data, part), config.examples.replaced(crop_size=None, with_condition=False)
    if for_figures and isinstance(settings, RadioMapSeerConfig) and seen.input != "condition":
        # The rest of the condition would be computed for nothing.
        settings = settings.replaced(geometry=(), k2=None, measurements=None, buildings=BuildingsConfig())
        seen = seen.replaced(with_condition=True)
    examples = AutoencoderExamples(settings, seen)
    if (examples.input_encoding, examples.scale) != (record.encoding, record.scale):
        raise ConfigError(
            "The data must have the channels and the scale that the model was trained with: "
            f"{_described(record.encoding, record.scale)}",
            value=_described(examples.input_encoding, examples.scale),
            remedy="Take back the change of the settings, or use another model.",
        )
    return examples


def _described(encoding: Any, scale: str) -> str:
    channels = ", ".join(f"{channel.name} {channel.low:g}..{channel.high:g}" for channel in encoding.condition)
    target = encoding.target
    return f"{channels} to {target.name} {target.low:g}..{target.high:g} on the {scale} scale"
