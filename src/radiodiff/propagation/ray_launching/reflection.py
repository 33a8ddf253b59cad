"""Power that walls and the ground reflect, as tables for the kernels."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.propagation.materials import complex_permittivity, fresnel
from radiodiff.propagation.ray_launching.settings import RayLaunchingSettings
from radiodiff.units import db_to_ratio

__all__ = ["ground_share", "wall_reflectivity"]

NUM_ANGLES = 4097
"""Linear between so many cosines of the angle of incidence, the table is good to 1e-5 of the reflected power."""


def wall_reflectivity(settings: RayLaunchingSettings, frequency_hz: float) -> NDArray[np.float64]:
    """Share of the power that a wall reflects, (NUM_ANGLES,), over the cosine of the angle of incidence in 0..1.

    Rays run in the plane and walls are vertical: the field of a vertical antenna is perpendicular to the plane of
    incidence (TE), that of a horizontal one parallel to it (TM).

    Raises:
        PropagationError: The carrier is outside the range of the material.
    """
    if settings.reflection_loss_db is not None:
        return np.full(NUM_ANGLES, db_to_ratio(-settings.reflection_loss_db))
    is_te = settings.polarization == "vertical"
    return _reflectivity(settings.building_material, np.linspace(0.0, 1.0, NUM_ANGLES), frequency_hz, is_te=is_te)


def ground_share(
    settings: RayLaunchingSettings, length_m: NDArray[np.float64], tx_height_m: float, frequency_hz: float
) -> NDArray[np.float64]:
    """Power of a path by way of the ground over that of the same path without it, at horizontal lengths, same shape.

    Raises:
        PropagationError: The carrier is outside the range of the material.
    """
    if settings.ground_material is None:
        return np.zeros_like(length_m)
    heights_m = tx_height_m + settings.rx_height_m
    slanted_m = np.hypot(length_m, heights_m)
    # The ground is seen the other way round: a vertical field lies in its plane of incidence.
    is_te = settings.polarization == "horizontal"
    reflected = _reflectivity(settings.ground_material, heights_m / slanted_m, frequency_hz, is_te=is_te)
    share: NDArray[np.float64] = reflected * (length_m / slanted_m) ** settings.distance_exponent
    return share


def _reflectivity(
    material: str, cosine: NDArray[np.float64], frequency_hz: float, *, is_te: bool
) -> NDArray[np.float64]:
    te, tm = fresnel(complex_permittivity(material, frequency_hz), cosine)
    reflectivity: NDArray[np.float64] = np.abs(te if is_te else tm) ** 2
    return reflectivity
