"""Decibel algebra and free-space propagation: the constants and formulas every other module uses."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SPEED_OF_LIGHT_M_PER_S",
    "db_to_ratio",
    "dbm_to_watt",
    "free_space_path_loss_db",
    "noise_power_dbm",
    "ratio_to_db",
    "watt_to_dbm",
]

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
"""Speed of light in vacuum. Source: SI definition of the metre (2019)."""

BOLTZMANN_J_PER_K = 1.380649e-23
"""Boltzmann constant. Source: SI definition of the kelvin (2019)."""

Values = TypeVar("Values", float, NDArray[np.float64], NDArray[np.floating])


def db_to_ratio(value_db: Values) -> Values:
    """Turn decibels into a power ratio."""
    ratio: Values = 10.0 ** (value_db / 10.0)
    return ratio


def ratio_to_db(ratio: Values) -> Values:
    """Turn a power ratio (> 0) into decibels."""
    value_db: Values = 10.0 * np.log10(ratio)
    return value_db


def dbm_to_watt(power_dbm: Values) -> Values:
    """Turn dBm into watt."""
    power_w: Values = 10.0 ** ((power_dbm - 30.0) / 10.0)
    return power_w


def watt_to_dbm(power_w: Values) -> Values:
    """Turn watt (> 0) into dBm."""
    power_dbm: Values = 10.0 * np.log10(power_w) + 30.0
    return power_dbm


def free_space_path_loss_db(distance_m: Values, frequency_hz: float) -> Values:
    """Path loss between isotropic antennas in free space.

    Args:
        distance_m: Distance, > 0 [m].
        frequency_hz: Carrier frequency, > 0 [Hz].

    Source: Friis (1946); ITU-R P.525-4, eq. 3: `20 log10(4 pi d f / c)`.
    """
    loss_db: Values = 20.0 * np.log10(4.0 * np.pi * distance_m * frequency_hz / SPEED_OF_LIGHT_M_PER_S)
    return loss_db


def noise_power_dbm(bandwidth_hz: float, noise_figure_db: float = 0.0, temperature_k: float = 290.0) -> float:
    """Thermal noise power `k T B` raised by the receiver's noise figure [dBm].

    Source: ITU-R P.372-16, section 2.
    """
    return float(watt_to_dbm(BOLTZMANN_J_PER_K * temperature_k * bandwidth_hz)) + noise_figure_db
