"""Levels g in [0, 1] of encoded maps, and the one change of scale that loses nothing of the figures."""

from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.encoding import Channel, Scale, path_loss_channel
from radiodiff.errors import InputError
from radiodiff.grey_scale import RADIOMAPSEER_GREY

__all__ = ["check_scale_change", "half_step", "levels_of", "on_scale", "prediction_scales", "scale_channel"]

HALF_STEPS = {"raw": 0.5 / 255.0, "thresholded": 0.5 / 255.0 / (1.0 - RADIOMAPSEER_GREY.threshold), "binary": 0.0}
"""Of levels; thresholded ones are made of raw images."""

IMAGE_SCALES = ("raw", "thresholded")


def levels_of(encoded: ArrayLike) -> NDArray[np.float64]:
    """Levels `g = (x + 1) / 2` of encoded values, clipped to [0, 1]; any shape, kept."""
    return np.clip(0.5 * (np.asarray(encoded, dtype=np.float64) + 1.0), 0.0, 1.0)


def check_scale_change(scale: str, wanted: str, whose: str = "maps") -> None:
    """Check that levels can be had on another scale.

    Args:
        scale: Their scale.
        wanted: The other one, or the same.
        whose: What they are, for the message.

    Raises:
        InputError: They cannot.
    """
    if scale != wanted and (scale, wanted) != ("raw", "thresholded"):
        raise InputError(
            "Figures must be on the scale of the maps, or thresholded where these are raw",
            value=f"the {wanted} scale for {whose} on the {scale} scale",
            remedy="Change the scale of the data (data.scale=...) or of the figures (--scale), or use predictions on "
            "the same scale: raw and thresholded figures must not be mixed.",
        )


def half_step(channel: Channel, scale: str) -> float:
    """Half a step of true levels, which files hold in whole grey levels or, on other scales, in whole units.

    Args:
        channel: What the levels are.
        scale: Their scale.
    """
    return HALF_STEPS[scale] if scale in HALF_STEPS else 0.5 / abs(channel.high - channel.low)


def prediction_scales(scale: str) -> tuple[str, ...]:
    """Scales that predictions of maps on a scale may be on."""
    return IMAGE_SCALES if scale in IMAGE_SCALES else (scale,)


def on_scale(levels: NDArray[np.float64], scale: str, wanted: str) -> NDArray[np.float64]:
    """Levels on another scale: raw ones thresholded, `max(0, (g - 0.2) / 0.8)`; any shape, kept.

    Raises:
        InputError: The scale cannot be had from the other: what lies below the threshold is not in thresholded levels.
    """
    check_scale_change(scale, wanted)
    if scale == wanted:
        return levels
    threshold = RADIOMAPSEER_GREY.threshold
    return np.maximum(0.0, (levels - threshold) / (1.0 - threshold))


def scale_channel(channel: Channel, scale: str, wanted: str) -> Channel:
    """The channel of levels that `on_scale` gives, of those of a channel.

    Raises:
        InputError: See `on_scale`; or the channel is not the path loss of RadioMapSeer's images.
    """
    check_scale_change(scale, wanted)
    if scale == wanted:
        return channel
    if channel != path_loss_channel("raw"):
        raise InputError(
            "Only path loss on RadioMapSeer's raw scale can be thresholded",
            value=f"{channel.name} {channel.low:g}..{channel.high:g}",
            remedy="Take the scale of the data.",
        )
    return path_loss_channel(cast(Scale, wanted))
