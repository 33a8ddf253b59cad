"""What a recipe's data will look like, from its settings alone: channels, ranges and sizes."""

from radiodiff.data.autoencoder_examples import AutoencoderExamplesConfig
from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.icassp.channels import view_encoding
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import DataConfig
from radiodiff.encoding import path_loss_channel

__all__ = [
    "is_view",
    "level_channels",
    "map_size",
    "num_condition_channels",
    "num_target_channels",
    "padded_size",
    "target_span_db",
    "window_size",
]


def num_target_channels(data: DataConfig) -> int:
    """Channels of a target."""
    return num_condition_channels(data) if is_view(data) else 1


def num_condition_channels(data: DataConfig) -> int:
    """Channels of a condition."""
    if isinstance(data, RadioMapSeerConfig):
        return (
            2
            + (data.third_channel != "absent")
            + 2 * (data.measurements is not None)
            + len(data.geometry)
            + (data.k2 is not None)
        )
    if isinstance(data, IcasspConfig):
        return len(view_encoding(data.view, data.condition2).condition)
    return 1 if data.scene is None else 3


def is_view(data: DataConfig) -> bool:
    """Whether the condition is the target: views of the ICASSP data set for autoencoders."""
    return isinstance(data, IcasspConfig) and data.view != "multi-condition"


def level_channels(data: DataConfig) -> tuple[str, ...]:
    """Channels of the condition that hold a gain or a path loss in dB of every cell: what can be a prior."""
    if isinstance(data, RadioMapSeerConfig):
        return tuple(name for name in data.geometry if name.endswith("_gain_db"))
    if isinstance(data, IcasspConfig):
        return tuple(n for n in view_encoding(data.view, data.condition2).names if n.endswith("_loss_db"))
    return ()


def target_span_db(data: DataConfig) -> float | None:
    """Decibels from -1 to +1 of the target's channel, or None where it holds none."""
    if isinstance(data, EdgeDataSetConfig):
        return None
    if isinstance(data, RadioMapSeerConfig):
        channel = path_loss_channel(data.scale)
    else:
        encoding = view_encoding(data.view, data.condition2)
        if not encoding.target.name.endswith("_db"):
            return None
        channel = encoding.target
    return abs(channel.high - channel.low)


def map_size(data: DataConfig) -> tuple[str, int] | None:
    """Key and rows (or columns) of the maps, or None where the files say how large they are."""
    if isinstance(data, RadioMapSeerConfig) and data.size is not None:
        return "data.size", data.size
    if isinstance(data, IcasspConfig) and data.crop != "none":
        return "data.size", data.size
    return None


def padded_size(data: DataConfig) -> tuple[str, int] | None:
    """Key and number that rows and columns of the maps are multiples of, or None where the files say it."""
    if isinstance(data, IcasspConfig) and data.crop == "none":
        return "data.multiple", data.multiple
    return map_size(data)


def window_size(data: DataConfig, examples: AutoencoderExamplesConfig) -> tuple[str, int] | None:
    """Key and rows (or columns) of a training example, or None where the files say how large it is."""
    return map_size(data) if examples.crop_size is None else ("examples.crop_size", examples.crop_size)
