"""The Helmholtz residual: does a reconstruction bend as the field of the target does?

A field of squared wave number k^2 obeys `lap u + k^2 u = -f u` with a source f. What is called k2 here is minus that:
`k2 = (lap u + f u) / u`, with the 5-point Laplacian at a step of one cell. It is negative where a wave oscillates and
positive where the field decays, behind corners and along shadow borders.

A map in decibels is no field. Its amplitude, `10^(dB / 20)`, is one: the standing wave `sin(k col)`, written as a map
in decibels and read back so, has `k2 = 2 cos k - 2`, the eigenvalue of the 5-point Laplacian, which tends to `-k^2`;
with the level itself in its place, k2 would depend on the unit. So "amplitude" is the default; "level" is what
curvature maps are made of (`radiodiff.data.curvature`).

Source: Wang et al. (2025), "RadioDiff-k2", arXiv 2504.15623.
"""

import math

import torch
from torch import Tensor

from radiodiff.errors import ConfigError
from radiodiff.losses.config import HelmholtzConfig
from radiodiff.losses.reconstruction import check_same_shape, full_precision

__all__ = ["effective_k2", "field", "helmholtz_residual", "laplacian"]

LOWEST_LEVEL = 0.5 / 255.0
"""Levels below half a step of grey hold no value; as a divisor, k2 stays finite above it."""


def laplacian(u: Tensor) -> Tensor:
    """5-point Laplacian at a step of one cell; (..., rows, cols) becomes (..., rows - 2, cols - 2), without the rim."""
    centre = u[..., 1:-1, 1:-1]
    # Differences first: between cells that are nearly equal they are exact.
    return (
        (u[..., :-2, 1:-1] - centre)
        + (u[..., 2:, 1:-1] - centre)
        + (u[..., 1:-1, :-2] - centre)
        + (u[..., 1:-1, 2:] - centre)
    )


def effective_k2(u: Tensor, source: Tensor | None = None) -> Tensor:
    """`(lap u + f u) / u`, minus the squared wave number [1/cell^2].

    Args:
        u: (..., rows, cols), nowhere 0.
        source: (..., rows, cols) source mask f, 1 at the transmitter; None for no source.

    Returns:
        (..., rows - 2, cols - 2).
    """
    centre = u[..., 1:-1, 1:-1]
    driven = laplacian(u) if source is None else laplacian(u) + source[..., 1:-1, 1:-1] * centre
    return driven / centre


def field(encoded: Tensor, config: HelmholtzConfig) -> Tensor:
    """What obeys the equation, of an encoded map, any shape; positive, at most 1.

    Levels outside [-1, 1] are those of the ends: no map holds others.
    """
    level = 0.5 * (encoded.clamp(-1.0, 1.0) + 1.0)
    if config.quantity == "level":
        return level.clamp(min=LOWEST_LEVEL)
    return torch.exp((level - 1.0) * (config.span_db * math.log(10.0) / 20.0))


def helmholtz_residual(
    prediction: Tensor,
    target: Tensor,
    config: HelmholtzConfig,
    *,
    tx: Tensor | None = None,
    buildings: Tensor | None = None,
) -> Tensor:
    """Mean relative difference of k2 between a reconstruction and its target, of each map.

    In each cell `|k2_p - k2_t| / (|k2_p| + |k2_t| + floor)`: the residual `lap u_p - k2_t u_p` of the reconstruction in
    the medium of the target, over u_p, on a scale from 0 to 1 whatever the strength of the field. Cells of buildings,
    of the transmitter and of level 0 are left out, with the four neighbours that their value would enter; so is the
    rim. The source is the same in both and stands in cells left out: it drops out of the difference.

    Args:
        prediction: (B, 1, rows, cols) in [-1, 1].
        target: (B, 1, rows, cols) in [-1, 1].
        config: Settings.
        tx: (B, 2) int64 cells (row, col) of the transmitters; those outside the window leave no cell out.
        buildings: (B, 1, rows, cols) bool.

    Returns:
        (B,), from 0 to 1; 0 for a map without a cell to look at.

    Raises:
        ConfigError: The maps have more than one channel.
        InputError: The shapes differ.
    """
    check_same_shape(prediction, target)
    check_one_channel(prediction.shape[1])
    with torch.autocast(prediction.device.type, enabled=False):
        prediction, target = full_precision(prediction), full_precision(target)
        excluded = target < 2.0 * LOWEST_LEVEL - 1.0
        if buildings is not None:
            excluded = excluded | buildings
        if tx is not None:
            excluded = excluded | _cells(tx, target)
        counted = ~_touched(excluded)
        found, wanted = (effective_k2(field(values, config)) for values in (prediction, target))
        residual = (found - wanted).abs() / (found.abs() + wanted.abs() + config.floor)
        total = torch.where(counted, residual, 0.0).sum(dim=(1, 2, 3))
        return total / counted.sum(dim=(1, 2, 3)).clamp(min=1)


def check_one_channel(num_channels: int) -> None:
    """Refuse maps that are no field.

    Raises:
        ConfigError: There is more than one channel.
    """
    if num_channels != 1:
        raise ConfigError(
            "AutoencoderLossConfig.helmholtz needs maps of one channel",
            value=f"{num_channels} channels",
            remedy="Set loss.helmholtz to null: the equation is about one field.",
        )


def _cells(tx: Tensor, like: Tensor) -> Tensor:
    """(B, 1, rows, cols) bool, true at the transmitters that lie inside."""
    rows, cols = (torch.arange(size, device=like.device) for size in like.shape[2:])
    at_row, at_col = tx[:, 0, None] == rows, tx[:, 1, None] == cols
    return (at_row[:, :, None] & at_col[:, None, :])[:, None]


def _touched(excluded: Tensor) -> Tensor:
    """(B, 1, rows - 2, cols - 2): cells that are left out or whose Laplacian sees one."""
    return (
        excluded[..., 1:-1, 1:-1]
        | excluded[..., :-2, 1:-1]
        | excluded[..., 2:, 1:-1]
        | excluded[..., 1:-1, :-2]
        | excluded[..., 1:-1, 2:]
    )
