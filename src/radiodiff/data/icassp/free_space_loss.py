"""Free-space path loss with an antenna pattern: what the map would be without the building."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.icassp.azimuth import DEFAULT_CONVENTION, AzimuthConvention, pattern_angle_deg
from radiodiff.data.icassp.layout import PIXEL_M
from radiodiff.scene import TableAntenna
from radiodiff.units import free_space_path_loss_db

__all__ = ["distance_law_db", "free_space_loss_db", "pattern_loss_db", "pixel_distance_m"]

SHORTEST_M = 0.1
"""Shorter distances count as this one [m]."""

DEEPEST_PATTERN_DB = 100.0
"""A pattern takes at most this much: gains below 1e-10 of the largest count as 1e-10."""


def pixel_distance_m(shape: tuple[int, int], tx: tuple[float, float]) -> NDArray[np.float64]:
    """Distance of every pixel (rows, cols) from the transmitter at (row, col) [m]."""
    row, col = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(PIXEL_M * np.hypot(row - tx[0], col - tx[1]))


def distance_law_db(shape: tuple[int, int], tx: tuple[float, float], frequency_hz: float) -> NDArray[np.float64]:
    """`20 log10(4 pi d f / c)` of every pixel, d at least 0.1 m, (rows, cols) [dB]."""
    return free_space_path_loss_db(np.maximum(pixel_distance_m(shape, tx), SHORTEST_M), frequency_hz)


def pattern_loss_db(
    shape: tuple[int, int],
    tx: tuple[float, float],
    pattern: TableAntenna,
    azimuth_deg: float,
    convention: AzimuthConvention = DEFAULT_CONVENTION,
) -> NDArray[np.float64]:
    """Gain of the antenna towards each pixel below its maximum, (rows, cols), 0 to 100 [dB].

    `-10 log10(max(G / G_max, 1e-10))`; between the degrees of the table the gain is linear in dB.
    """
    angle_deg = pattern_angle_deg(shape, tx, azimuth_deg, convention)
    return np.minimum(-pattern.relative_gain_db(angle_deg), DEEPEST_PATTERN_DB)


def free_space_loss_db(
    shape: tuple[int, int],
    tx: tuple[float, float],
    frequency_hz: float,
    pattern: TableAntenna,
    azimuth_deg: float,
    convention: AzimuthConvention = DEFAULT_CONVENTION,
) -> NDArray[np.float64]:
    """Path loss in free space with the antenna's pattern, (rows, cols) [dB].

    Args:
        shape: (rows, cols).
        tx: (row, col) of the transmitter, in pixels; it may lie beside the map.
        frequency_hz: Carrier [Hz].
        pattern: Gains of the antenna.
        azimuth_deg: Direction of the antenna.
        convention: What angles mean.

    Raises:
        InputError: There is no such convention.
    """
    return distance_law_db(shape, tx, frequency_hz) + pattern_loss_db(shape, tx, pattern, azimuth_deg, convention)
