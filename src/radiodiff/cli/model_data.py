"""A trained model, and data for it: what its record says, from a folder that the user gives."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from radiodiff.config import Config, checked
from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import BuildingsConfig, RadioMapSeerConfig
from radiodiff.data.selection import AnyConfig, DataConfig, part_config
from radiodiff.encoding import Encoding
from radiodiff.errors import ConfigError
from radiodiff.recipes.overrides import with_overrides

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from radiodiff.evaluation.examples import NamedExamples
    from radiodiff.models.autoencoder_folder import AutoencoderRecord
    from radiodiff.pipeline.record import PipelineRecord

__all__ = ["ModelData", "PipelineData", "load_model", "open_model_data", "pipeline_data"]

FIXED_DATA = {"data.root": "--data gives the folder", "data.augment": "maps are not turned here"}

FIXED = {
    **FIXED_DATA,
    "data.part": "--part gives the part",
    "examples.crop_size": "maps are whole here",
    "examples.with_condition": "the model alone is looked at",
}
"""Settings of an autoencoder's data that cannot be changed, and why."""

FIXED_OF_PIPELINE = {**FIXED_DATA, "data.part": "--split gives the part"}
"""Settings of a second stage's data that cannot be changed, and why."""

DEFAULT_KIND = RadioMapSeerConfig.model_fields["kind"].default
KIND_WITH_WINDOWS = IcasspConfig.model_fields["kind"].default

ROOMS_FOLDER = "Inputs"
"""What the folder of an ICASSP data set holds."""


class ModelData(Config):
    """Settings of the data that a model is used on; keys as in recipes.

    Attributes:
        data: The data set.
        examples: What the model sees of an example.
    """

    data: DataConfig
    examples: AutoencoderExamplesConfig = AutoencoderExamplesConfig()


class PipelineData(Config):
    """Settings of the data that a model of the second stage is used on; keys as in recipes.

    Attributes:
        data: The data set.
    """

    data: DataConfig


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
        ConfigError: A change is not allowed, or gives other channels or another scale than the model knows, or the
            model takes differences to a prior.
        DataSetError: The data set is not there, or has not what is asked for.
    """
    if record.prior is not None:
        raise ConfigError(
            "The autoencoder must take maps themselves to be used alone",
            value=f"one of differences to {record.prior['channel'] or 'the maps of a regression'}",
            remedy="Its run has figures of its maps (metrics/) and statistics of its latents (autoencoder/); evaluate "
            "the diffusion model that is trained on it.",
        )
    _check_changes(overrides, FIXED)
    start: dict[str, Any] = {"data": _start(record.data, whole=for_figures), "examples": dict(record.examples)}
    config = checked(ModelData, _with_changes(start, overrides, ModelData, root, part))
    settings, seen = part_config(config.data, part), config.examples.replaced(crop_size=None, with_condition=False)
    if for_figures and isinstance(settings, RadioMapSeerConfig) and seen.input != "condition":
        # The rest of the condition would be computed for nothing.
        settings = settings.replaced(geometry=(), k2=None, measurements=None, buildings=BuildingsConfig())
        seen = seen.replaced(with_condition=True)
    examples = AutoencoderExamples(settings, seen)
    _check_same((record.encoding, record.scale), (examples.input_encoding, examples.scale))
    return examples


def pipeline_data(
    record: "PipelineRecord | None", root: Path, part: str, overrides: Sequence[str] = ()
) -> tuple["NamedExamples", AnyConfig]:
    """The data set that a model of the second stage was trained on, whole maps without augmentation; and its settings.

    Args:
        record: What is stored with the model; None for predictions without one, on a data set in the layout of
            RadioMapSeer or of ICASSP.
        root: Folder of a data set of the same kind.
        part: Which part.
        overrides: Changes `data.key=value` of the settings it was trained with.

    Raises:
        ConfigError: A change is not allowed, or gives other channels or another scale than the model knows.
        DataSetError: The data set is not there, or has not what is asked for.
    """
    from radiodiff.data.selection import open_data_set

    _check_changes(overrides, FIXED_OF_PIPELINE)
    is_rooms = (root / ROOMS_FOLDER).is_dir()
    known = record.data if record is not None else {"kind": KIND_WITH_WINDOWS if is_rooms else DEFAULT_KIND}
    values = _with_changes({"data": _start(known, whole=True)}, overrides, PipelineData, root, part)
    config = checked(PipelineData, values).data
    settings = part_config(config, part)
    source = cast("NamedExamples", open_data_set(settings))
    if record is not None:
        _check_same((record.encoding, record.scale), (source.encoding, source.scale))
    return source, settings


def _check_changes(overrides: Sequence[str], fixed: Mapping[str, str]) -> None:
    """Refuse changes of settings that something else gives."""
    for text in overrides:
        name = text.partition("=")[0].strip()
        if name in fixed:
            raise ConfigError(f"{name} cannot be changed: {fixed[name]}", value=text, remedy="Leave it out.")


def _start(data: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """Settings of the data on record; whole maps also where the data set draws windows of its own (ICASSP)."""
    return dict(data) | ({"crop": "none"} if whole and data.get("kind") == KIND_WITH_WINDOWS else {})


def _with_changes(
    start: dict[str, Any], overrides: Sequence[str], schema: type[Config], root: Path, part: str
) -> dict[str, Any]:
    values = with_overrides(start, overrides, schema)
    if isinstance(values["data"], dict):
        values["data"] |= {"root": str(root), "part": part}
    return values


def _check_same(known: tuple[Encoding, str], given: tuple[Encoding, str]) -> None:
    """Refuse data with other channels or another scale than a model knows."""
    if known != given:
        raise ConfigError(
            f"The data must have the channels and the scale that the model was trained with: {_described(*known)}",
            value=_described(*given),
            remedy="Take back the change of the settings, or use another model.",
        )


def _described(encoding: Encoding, scale: str) -> str:
    channels = ", ".join(f"{channel.name} {channel.low:g}..{channel.high:g}" for channel in encoding.condition)
    target = encoding.target
    return f"{channels} to {target.name} {target.low:g}..{target.high:g} on the {scale} scale"
