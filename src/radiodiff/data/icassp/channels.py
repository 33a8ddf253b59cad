"""What networks see of the ICASSP 2025 data set: channels with their ranges, and what stands beside the map."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.encoding import Channel, Encoding
from radiodiff.errors import InputError

__all__ = ["ICASSP_CHANNELS", "View", "decode_view", "view_encoding"]

View = Literal["multi-condition", "condition", "building", "antenna", "radio"]

ICASSP_CHANNELS = {
    channel.name: channel
    for channel in (
        Channel("reflectance_db", 0.0, 40.0),
        Channel("transmittance_db", 0.0, 40.0),
        Channel("distance_m", 0.0, 128.0),
        Channel("free_space_loss_db", 160.0, 13.0),
        Channel("path_loss_db", 160.0, 13.0),
    )
}
"""Channels by name. Little loss is +1, as a strong signal is in RadioMapSeer; 13 to 160 dB is the range of the path
loss images. A wall above 40 dB lets nothing through that the range of the maps would show: it counts as 40 dB. Maps
are below 128 m wide. `statistics.json` of an arranged data set says what ranges the data really has."""

_WHOLE_VIEWS = {"building": ("reflectance_db", "transmittance_db"), "antenna": ("free_space_loss_db",)}


def view_encoding(view: View, condition2: Literal["distance", "free-space"] = "distance") -> Encoding:
    """Channels of a view.

    | view | condition | target |
    |---|---|---|
    | `multi-condition` | condition 1 (reflectance, transmittance), condition 2 (distance or free space) | path loss |
    | `condition` | the three of `multi-condition` | the same three |
    | `building` | reflectance, transmittance | the same two |
    | `antenna` | free-space loss | the same |
    | `radio` | path loss | the same |

    All but the first are for autoencoders: their target holds the channels of their condition. With more than one of
    them the encoding's target is the straight line from -1 to 1, because one channel cannot hold two ranges;
    `decode_view` gives physical values of each.
    """
    third = "distance_m" if condition2 == "distance" else "free_space_loss_db"
    path_loss = ICASSP_CHANNELS["path_loss_db"]
    if view == "radio":
        return Encoding((path_loss,), path_loss)
    names = _WHOLE_VIEWS.get(view, ("reflectance_db", "transmittance_db", third))
    channels = tuple(ICASSP_CHANNELS[name] for name in names)
    if view == "multi-condition":
        return Encoding(channels, path_loss)
    return Encoding(channels, channels[0] if len(channels) == 1 else Channel(f"{view}_encoded", -1.0, 1.0))


def decode_view(encoding: Encoding, encoded: ArrayLike) -> NDArray[np.float64]:
    """Physical values of an encoded condition, or target of an autoencoder's view, (C, rows, cols), clipped to range.

    Raises:
        InputError: The number of channels is another one.
    """
    encoded = np.asarray(encoded)
    if encoded.ndim != 3 or len(encoded) != len(encoding.condition):
        raise InputError(
            f"The view has {len(encoding.condition)} channels: {', '.join(encoding.names)}",
            value=f"an array of shape {encoded.shape}",
            remedy="Pass (channels, rows, cols) of one example.",
        )
    pairs = zip(encoding.condition, encoded, strict=True)
    return np.stack([channel.decode(np.clip(values, -1.0, 1.0)) for channel, values in pairs])
