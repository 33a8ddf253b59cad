"""Any data set by its settings. Importing this loads no reader: recipes hold settings."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig

if TYPE_CHECKING:
    from radiodiff.data.loader import ExampleSource

__all__ = ["DataConfig", "open_data_set", "part_config"]

DataConfig = Annotated[RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig, Field(discriminator="kind")]
"""Settings of a data set; `kind` says which: "radiomapseer", "icassp" or "edges"."""

AnyConfig = RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig


def open_data_set(config: RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig) -> "ExampleSource":
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
