"""Any data set by its settings. Importing this loads no reader: recipes hold settings."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.errors import ConfigError

if TYPE_CHECKING:
    from radiodiff.data.repeated_targets import RepeatedTargets

__all__ = [
    "DataConfig",
    "check_repeated_channels",
    "check_repeated_targets",
    "open_data_set",
    "part_config",
    "shows_all_buildings",
    "windows_in_words",
]

DataConfig = Annotated[RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig, Field(discriminator="kind")]
"""Settings of a data set; `kind` says which: "radiomapseer", "icassp" or "edges"."""

AnyConfig = RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig


def open_data_set(config: RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig) -> "RepeatedTargets":
    """The data set of some settings.

    Raises:
        DataSetError: The folder is not there or is another data set, or it has no such part (and the cases of each
            reader).
        FormatError: A file that describes the data set is damaged.
    """
    if isinstance(config, RadioMapSeerConfig):
        from radiodiff.data.radiomapseer.dataset import RadioMapSeer

        return RadioMapSeer(config)
    if isinstance(config, IcasspConfig):
        from radiodiff.data.icassp.dataset import IcasspDataSet

        return IcasspDataSet(config)
    from radiodiff.data.edges.dataset import EdgeDataSet

    return EdgeDataSet(config)


def part_config(config: AnyConfig, part: str) -> AnyConfig:
    """The same settings for another part, without augmentation: what a model is validated on.

    What else is drawn (windows, left-out buildings, measured points) stays, and is the same in every validation:
    examples that are asked for by number alone are draw 0.

    Args:
        config: Settings of the part that is trained on.
        part: The other part. Opening the data set says so where it has none of this name.

    Raises:
        ConfigError: The data set cannot have such a part.
    """
    return config.replaced(part=part, augment=False)


def check_repeated_targets(config: AnyConfig) -> None:
    """Check that targets follow from their number and symmetry, so that their latents can be kept.

    Raises:
        ConfigError: Something else of them is drawn anew in each epoch.
    """
    if isinstance(config, RadioMapSeerConfig) and config.simulation == "mix" and config.mix_weight is None:
        raise ConfigError(
            "Latents of targets that are mixed anew in each epoch cannot be kept",
            value="data.simulation='mix' without data.mix_weight",
            remedy="Set data.mix_weight, or leave out latents.cache to encode the maps of each step.",
        )
    if isinstance(config, IcasspConfig) and config.crop == "tx-aware":
        raise ConfigError(
            "Latents of windows that are drawn anew in each epoch cannot be kept",
            value=f"data.crop={config.crop!r}",
            remedy="Set data.crop to 'tx-centred', or leave out latents.cache to encode the maps of each step.",
        )


def check_repeated_channels(config: AnyConfig, names: Iterable[str]) -> None:
    """Check that channels of conditions follow from number and symmetry, as targets do.

    Args:
        config: Settings of the data set.
        names: Names of the channels.

    Raises:
        ConfigError: Something of them is drawn anew in each epoch.
    """
    if not isinstance(config, RadioMapSeerConfig):
        return
    buildings, names = config.buildings, set(names)
    drawn = {
        "data.buildings": buildings.layer != "complete" and "random" in (buildings.count, buildings.variant),
        "data.measurements": bool(names & {"measured_path_loss_db", "measurement_mask"}),
        "data.unknown_heights": config.unknown_heights > 0 and "building_height_m" in names,
    }
    found = [key for key, is_drawn in drawn.items() if is_drawn]
    if found:
        raise ConfigError(
            "Latents of differences to a prior that is drawn anew in each epoch cannot be kept",
            value=f"a prior made of {', '.join(sorted(names))}, with {' and '.join(found)}",
            remedy="Leave out latents.cache to encode the maps of each step.",
        )


def shows_all_buildings(config: AnyConfig) -> bool:
    """Whether the buildings of the condition are those of the map: none are left out of it."""
    return not isinstance(config, RadioMapSeerConfig) or config.buildings.layer == "complete"


def windows_in_words(config: AnyConfig) -> str:
    """What windows the examples of a data set are; empty for whole maps."""
    if isinstance(config, IcasspConfig) and config.crop != "none":
        return f"{config.crop} windows of {config.size} x {config.size} cells"
    return ""
