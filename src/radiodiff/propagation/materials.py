"""Building materials at a carrier: permittivity, and what a smooth surface of them reflects."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import PropagationError
from radiodiff.propagation.choice import choose

__all__ = ["MATERIALS", "Material", "complex_permittivity", "electrical_constants", "fresnel", "material"]

VACUUM_PERMITTIVITY_F_PER_M = 8.854_187_8188e-12
"""Source: CODATA 2022."""


@dataclass(frozen=True)
class Material:
    """A material of ITU-R P.2040: `eps_r = a f^b`, `sigma = c f^d`, with f in GHz and sigma in S/m.

    Attributes:
        name: As in the recommendation, with underscores.
        a: Relative permittivity at 1 GHz.
        b: Exponent of the relative permittivity.
        c: Conductivity at 1 GHz [S/m].
        d: Exponent of the conductivity.
        lowest_ghz: Where the constants begin to hold [GHz].
        highest_ghz: Where they cease to hold [GHz].

    Source: ITU-R P.2040-3 (2023), table 3.
    """

    name: str
    a: float
    b: float
    c: float
    d: float
    lowest_ghz: float
    highest_ghz: float

    def holds_at(self, frequency_ghz: float) -> bool:
        """Whether the constants hold at a frequency [GHz]."""
        return self.lowest_ghz <= frequency_ghz <= self.highest_ghz


MATERIALS: dict[str, Material] = {
    row.name: row
    for row in (
        Material("concrete", 5.24, 0.0, 0.0462, 0.7822, 1.0, 100.0),
        Material("brick", 3.91, 0.0, 0.0238, 0.16, 1.0, 40.0),
        Material("plasterboard", 2.73, 0.0, 0.0085, 0.9395, 1.0, 100.0),
        Material("wood", 1.99, 0.0, 0.0047, 1.0718, 0.001, 100.0),
        Material("glass", 6.31, 0.0, 0.0036, 1.3394, 0.1, 100.0),
        Material("marble", 7.074, 0.0, 0.0055, 0.9262, 1.0, 60.0),
        Material("metal", 1.0, 0.0, 1e7, 0.0, 1.0, 100.0),
        Material("very_dry_ground", 3.0, 0.0, 0.00015, 2.52, 1.0, 10.0),
        Material("medium_dry_ground", 15.0, -0.1, 0.035, 1.63, 1.0, 10.0),
        Material("wet_ground", 30.0, -0.4, 0.15, 1.30, 1.0, 10.0),
    )
}
"""Materials by name, each in the range of frequencies in which cities are served."""


def material(name: str) -> Material:
    """The material of a name.

    Raises:
        PropagationError: There is none of that name.
    """
    return choose("A material", name, MATERIALS)


def electrical_constants(name: str, frequency_hz: float) -> tuple[float, float]:
    """Relative permittivity and conductivity [S/m] of a material.

    Args:
        name: Name of a material.
        frequency_hz: Carrier [Hz].

    Raises:
        PropagationError: There is no such material, or its constants do not hold at this frequency.

    Source: ITU-R P.2040-3, eqs. 28 and 29.
    """
    found = material(name)
    frequency_ghz = frequency_hz / 1e9
    if not found.holds_at(frequency_ghz):
        others = ", ".join(other.name for other in MATERIALS.values() if other.holds_at(frequency_ghz))
        raise PropagationError(
            f"The constants of {name} hold from {found.lowest_ghz:g} to {found.highest_ghz:g} GHz",
            value=f"{frequency_ghz:g} GHz",
            remedy="Choose another carrier, or another material (--building-material, --ground-material; no ground: "
            f"none); those that hold there: {others or 'none does'}.",
        )
    return found.a * frequency_ghz**found.b, found.c * frequency_ghz**found.d


def complex_permittivity(name: str, frequency_hz: float) -> complex:
    """Relative permittivity of a material with its losses, `eps_r - j sigma / (2 pi f eps_0)`.

    Args:
        name: Name of a material.
        frequency_hz: Carrier [Hz].

    Raises:
        PropagationError: There is no such material, or its constants do not hold at this frequency.

    Source: ITU-R P.2040-3, eq. 9b.
    """
    permittivity, conductivity_s_per_m = electrical_constants(name, frequency_hz)
    return complex(permittivity, -conductivity_s_per_m / (2.0 * np.pi * frequency_hz * VACUUM_PERMITTIVITY_F_PER_M))


def fresnel(
    permittivity: complex, cos_incidence: ArrayLike
) -> tuple[NDArray[np.complexfloating[Any, Any]], NDArray[np.complexfloating[Any, Any]]]:
    """Amplitude reflected by the smooth surface of a thick wall.

    Args:
        permittivity: Complex relative permittivity of the wall (imaginary part <= 0).
        cos_incidence: Cosine of the angle between the ray and the normal of the surface, in [0, 1], any shape.

    Returns:
        Reflection coefficients of the field across the plane of incidence (TE) and in it (TM), in the shape of
        `cos_incidence`. A vertical antenna's field is TE on a wall and TM on the ground.

    Source: ITU-R P.2040-3, eqs. 31a and 31b, the first medium being air.
    """
    cosine = np.asarray(cos_incidence, dtype=np.float64)
    refracted = np.sqrt(permittivity - (1.0 - cosine**2) + 0j)
    across = (cosine - refracted) / (cosine + refracted)
    inside = (permittivity * cosine - refracted) / (permittivity * cosine + refracted)
    return across, inside
