"""Physical values to network values and back: the one border between decibels, metres, masks and tensors.

Every channel is a straight line: `low` becomes -1, `high` becomes +1, what lies outside is clipped. Training and
serving both go through `Encoding`, which is stored with the model (`to_dict`, `from_dict`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError
from radiodiff.grey_scale import RADIOMAPSEER_GREY, GreyScale

__all__ = [
    "CHANNELS",
    "HEIGHT_CHANNELS",
    "PADDING",
    "Channel",
    "Encoding",
    "Scale",
    "encode_geometry",
    "grey_table",
    "path_loss_channel",
    "path_loss_line",
]

Scale = Literal["raw", "thresholded"]
"""Which of the two grey scales of RadioMapSeer a target is on."""

UNITS = {"db": "dB", "dbm": "dBm", "m": "m", "deg": "deg"}
"""Units by the suffix of a name."""


@dataclass(frozen=True)
class Channel:
    """One channel of a network: a name and the range of values that fills [-1, 1].

    Attributes:
        name: What it holds, with the unit as suffix.
        low: Value that becomes -1.
        high: Value that becomes +1; may be the smaller one.
        is_mask: Only `low` and `high` occur: resampled by the nearest cell.

    Raises:
        InputError: The range is empty or not finite.
    """

    name: str
    low: float
    high: float
    is_mask: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low != self.high):
            raise InputError(
                f"Channel {self.name} needs two finite ends that differ",
                value=f"{self.low} and {self.high}",
                remedy="Give the values that become -1 and +1.",
            )

    @property
    def span_db(self) -> float | None:
        """Decibels between -1 and +1, or None where the channel holds something else."""
        return abs(self.high - self.low) if self.name.endswith("_db") else None

    @property
    def label(self) -> str:
        """Its name as people write it, such as `path loss [dB]` of `path_loss_db`."""
        words, _, unit = self.name.rpartition("_")
        return f"{words.replace('_', ' ')} [{UNITS[unit]}]" if words and unit in UNITS else self.name.replace("_", " ")

    def encode(self, values: ArrayLike) -> NDArray[np.float32]:
        """Values in [-1, 1], float32, any shape, kept.

        Raises:
            InputError: A value is NaN.
        """
        values = np.asarray(values)
        if values.dtype == np.bool_:
            values = values.astype(np.float32)
        if np.isnan(values).any():
            raise InputError(
                f"Channel {self.name} must not hold NaN",
                value=f"{int(np.isnan(values).sum())} of {values.size} values",
                remedy=f"Fill them first; {self.low} stands for no value.",
            )
        slope = 2.0 / (self.high - self.low)
        return np.clip((values - self.low) * slope - 1.0, -1.0, 1.0).astype(np.float32)

    def decode(self, encoded: ArrayLike) -> NDArray[np.float64]:
        """Physical values of encoded ones, any shape, kept; nothing is clipped."""
        encoded = np.asarray(encoded, dtype=np.float64)
        return self.low + (encoded + 1.0) * (0.5 * (self.high - self.low))


def encode_geometry(names: Sequence[str], channels: ArrayLike, indoors: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Encoded geometry channels; every one is -1 indoors, where `radiodiff.geometry_channels` has zeros.

    Args:
        names: Names of the channels.
        channels: (C, rows, cols) physical values.
        indoors: (rows, cols) cells inside buildings.

    Returns:
        (C, rows, cols) float32.

    Raises:
        InputError: A value is NaN.
    """
    values = np.asarray(channels)
    encoded = np.stack([CHANNELS[name].encode(array) for name, array in zip(names, values, strict=True)])
    encoded[:, indoors] = -1.0
    return encoded


def path_loss_channel(
    scale: Scale = "raw", grey: GreyScale = RADIOMAPSEER_GREY, *, name: str = "path_loss_db"
) -> Channel:
    """The channel of a target: the weakest path loss of the scale is -1, the least is +1 [dB].

    With `x = 2 g - 1` this is the grey level g of the scale, raw or thresholded.
    """
    weakest, strongest = grey.to_path_loss_db([0.0, 255.0], thresholded=scale == "thresholded")
    return Channel(name, float(weakest), float(strongest))


def path_loss_line(channel: Channel, target: Channel) -> tuple[float, float]:
    """Slope and offset from encoded values of a channel to those of a target, by the decibels that both hold.

    `clip(slope * x + offset, -1, 1)` is what `target.encode` gives of the path loss of x; the line from a channel to a
    target of the same range is (1, 0) exactly.

    Args:
        channel: A gain or a path loss of every cell [dB].
        target: A path loss [dB].

    Raises:
        InputError: One of them holds something else.
    """
    sign = -1.0 if channel.name.endswith("_gain_db") else 1.0
    is_loss = channel.name.endswith("_loss_db") and not channel.name.startswith("measured")
    if not ((sign < 0 or is_loss) and target.name.endswith("_loss_db")):
        raise InputError(
            "A channel that stands for a map must be a gain or a path loss in dB of every cell, as the target is",
            value=f"{channel.name} for {target.name}",
            remedy="Use dominant_path_gain_db, ray_launching_gain_db, over_roofs_gain_db, log_distance_gain_db or "
            "free_space_loss_db.",
        )
    per_db = 2.0 / (target.high - target.low)
    slope = 0.5 * sign * (channel.high - channel.low) * per_db
    offset = (0.5 * sign * (channel.low + channel.high) - target.low) * per_db - 1.0
    # What is left of two equal ranges is rounding.
    return round(slope, 12), round(offset, 12) + 0.0


_WINDOW_DB = (RADIOMAPSEER_GREY.min_gain_db, RADIOMAPSEER_GREY.max_gain_db)

CHANNELS = {
    channel.name: channel
    for channel in (
        Channel("buildings", 0.0, 1.0, is_mask=True),
        Channel("transmitter", 0.0, 1.0, is_mask=True),
        Channel("cars", 0.0, 1.0, is_mask=True),
        Channel("measurement_mask", 0.0, 1.0, is_mask=True),
        Channel("los_mask", 0.0, 1.0, is_mask=True),
        Channel("log_distance_gain_db", *_WINDOW_DB),
        Channel("obstructed_length_m", 0.0, 256.0),
        Channel("shortest_path_length_m", 0.0, 512.0),
        Channel("turning_angle_deg", 0.0, 360.0),
        Channel("dominant_path_gain_db", *_WINDOW_DB),
        Channel("over_roofs_gain_db", -180.0, _WINDOW_DB[1]),
        Channel("ray_launching_gain_db", *_WINDOW_DB),
        Channel("k2", 0.0, 1.0),
        Channel("building_height_m", 0.0, 100.0),
        Channel("transmitter_height_m", 0.0, 100.0),
    )
}
"""The channels of conditions with their usual ranges, by name. Distances are those of a map of 256 m.

Both heights have one range, so that their difference, which says whether a roof is in the way, is a straight line of
the two channels; what is higher than 100 m counts as 100 m.
"""

HEIGHT_CHANNELS = ("building_height_m", "transmitter_height_m")
"""Roofs, 0 outdoors; and the height of the transmitter above ground at every cell alike. One cell would do to tell a
single height, but networks that halve the resolution, and windows of large maps without the transmitter, would lose it.
"""


PADDING = {
    "reflectance_db": 0.0,
    "transmittance_db": 0.0,
    "distance_m": 255.0,
    "free_space_loss_db": 160.0,
    "path_loss_db": 160.0,
}
"""What stands beside the map in channels of the ICASSP data set, by name: air, far away, without a signal."""


@dataclass(frozen=True)
class Encoding:
    """What a network sees: the channels of its condition, in order, and its target.

    Attributes:
        condition: Channels of the condition.
        target: Channel of the target.

    Raises:
        InputError: Two channels of the condition have one name.
    """

    condition: tuple[Channel, ...]
    target: Channel

    def __post_init__(self) -> None:
        object.__setattr__(self, "condition", tuple(self.condition))
        if len(set(self.names)) != len(self.names):
            raise InputError(
                "The channels of a condition must have different names",
                value=", ".join(self.names),
                remedy="Name each channel once.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the condition's channels, in order."""
        return tuple(channel.name for channel in self.condition)

    def encode_condition(self, values: Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        """Condition (C, rows, cols) of arrays (rows, cols) by channel name.

        Raises:
            InputError: A channel is missing, one is not asked for, the sizes differ, or a value is NaN.
        """
        if set(values) != set(self.names):
            raise InputError(
                f"A condition needs the channels {', '.join(self.names)}",
                value=", ".join(values) or "none",
                remedy="Give each of them, and no other: a model takes the channels it was trained with.",
            )
        shapes = {np.shape(array) for array in values.values()}
        if len(shapes) > 1:
            raise InputError(
                "The channels of a condition must have one size",
                value=", ".join(f"{name} {np.shape(array)}" for name, array in values.items()),
                remedy="Crop or resample them to one grid.",
            )
        return np.stack([channel.encode(values[channel.name]) for channel in self.condition])

    def encode_target(self, path_loss_db: ArrayLike) -> NDArray[np.float32]:
        """Target (1, rows, cols) of path loss (rows, cols) [dB]; NaN (indoors) becomes -1.

        Raises:
            InputError: The array has not two dimensions.
        """
        values = np.asarray(path_loss_db, dtype=np.float64)
        if values.ndim != 2:
            raise InputError(
                "A target must be an array (rows, cols)", value=f"shape {values.shape}", remedy="Encode map by map."
            )
        return self.target.encode(np.where(np.isnan(values), self.target.low, values))[None]

    def decode_target(self, encoded: ArrayLike) -> NDArray[np.float64]:
        """Path loss [dB] of encoded targets, any shape, kept; what lies outside [-1, 1] is clipped."""
        return self.target.decode(np.clip(encoded, -1.0, 1.0))

    def to_dict(self) -> dict[str, Any]:
        """JSON types; `from_dict` reads them."""
        return {"condition": [asdict(channel) for channel in self.condition], "target": asdict(self.target)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The encoding that `to_dict` wrote.

        Raises:
            InputError: A key is missing or unknown.
        """
        try:
            channels = tuple(Channel(**channel) for channel in content["condition"])
            return cls(channels, Channel(**content["target"]))
        except (KeyError, TypeError) as error:
            raise InputError(
                "An encoding must hold `condition`, a list of channels, and `target`, a channel",
                value=f"{content!r} ({error})",
                remedy="Pass what Encoding.to_dict wrote.",
            ) from error

    @classmethod
    def of_names(cls, names: Iterable[str], target: Channel) -> Self:
        """The encoding of channels with their usual ranges.

        Raises:
            InputError: A name is not in `CHANNELS`.
        """
        names = tuple(names)
        unknown = [name for name in names if name not in CHANNELS]
        if unknown:
            raise InputError(
                f"A channel must be one of {', '.join(CHANNELS)}",
                value=", ".join(unknown),
                remedy="Correct the name, or make a Channel of your own.",
            )
        return cls(tuple(CHANNELS[name] for name in names), target)


def grey_table(
    target: Channel, grey: GreyScale = RADIOMAPSEER_GREY, *, thresholded: bool = False
) -> NDArray[np.float32]:
    """Encoded value of each grey level 0..255 of stored images, (256,): `np.take(table, image)` encodes an image.

    It holds `target.encode` of the path loss of each level: reading an image and encoding a path loss agree.

    Args:
        target: Channel of the target.
        grey: Scale of the images.
        thresholded: Whether the images are on the thresholded scale.
    """
    return target.encode(grey.to_path_loss_db(np.arange(256), thresholded=thresholded))
