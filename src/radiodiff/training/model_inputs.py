"""What goes into a model in its training: data that its record says, and conditions of a size that it takes."""

from torch import Tensor

from radiodiff.data.loader import ExampleSource
from radiodiff.errors import ConfigError
from radiodiff.pipeline.prediction import padded
from radiodiff.pipeline.record import PipelineRecord

__all__ = ["check_data", "padded_condition"]


def check_data(record: PipelineRecord, *sources: ExampleSource) -> None:
    """Check that training and validation data are those that the record of a model says.

    Raises:
        ConfigError: They have another encoding or scale.
    """
    for source in sources:
        if (source.encoding, source.scale) != (record.encoding, record.scale):
            raise ConfigError(
                "Training and validation data must have the encoding and the scale of the model's record",
                value=f"{', '.join(source.encoding.names)} to {source.encoding.target.name} on scale "
                f"{source.scale!r}, {', '.join(record.encoding.names)} to {record.encoding.target.name} on scale "
                f"{record.scale!r} in the record",
                remedy="Make the record from the data set.",
            )


def padded_condition(condition: Tensor, multiple: int, record: PipelineRecord) -> Tensor:
    """Conditions (B, C, rows, cols) padded below and on the right to multiples, as the model does when it predicts."""
    rows, cols = (-(-length // multiple) * multiple for length in condition.shape[-2:])
    return padded(condition, (rows, cols), record.encoding)
