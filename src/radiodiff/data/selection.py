"""Any data set by its settings."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.icassp.dataset import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig

if TYPE_CHECKING:
    from radiodiff.data.loader import ExampleSource

__all__ = ["DataConfig", "open_data_set"]

DataConfig = Annotated[RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig, Field(discriminator="kind")]
"""Settings of a data set; `kind` says which: "radiomapseer", "icassp" or "edges"."""


def open_data_set(config: RadioMapSeerConfig | IcasspConfig | EdgeDataSetConfig) -> "ExampleSource":
    """The data set of some settings.

    Raises:
        DataSetError: The folder is not there or is another data set (and the cases of each reader).
    """
    raise NotImplementedError
