"""Directions of the rays: most of them where the street is, with the weights that undo it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import PropagationError

__all__ = ["Directions", "batch_shift"]

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0

PLASTIC = 1.324_717_957_244_746
"""Real root of x^3 = x + 1. Source: the R2 sequence of Roberts (2018), "The unreasonable effectiveness of
quasirandom sequences": steps of 1 / PLASTIC and 1 / PLASTIC^2."""


def batch_shift(batch: int) -> tuple[float, float]:
    """How far the lattice of a batch is moved around and down, both in [0, 1).

    The lattice of directions is fixed: moved as a whole, modulo 1, it samples every direction equally often over all
    shifts, so that batches are estimates of the same map with an error of their own.
    Source: Cranley and Patterson (1976), "Randomization of number theoretic methods for multiple integration".
    """
    return (0.5 + batch / PLASTIC) % 1.0, (0.5 + batch / PLASTIC**2) % 1.0


@dataclass(frozen=True)
class Directions:
    """A law for the elevation z (sine of the angle above the horizon) of a ray.

    On each side of the horizon, rays steeper than `edge` have a density proportional to 1 / z^2: from a height h above
    the receivers they meet their plane evenly over the distance, out to about h / edge. The flatter ones, `share_flat`
    of all, are spread evenly: they meet the plane further away or after many reflections. With one half, the density
    over the distance is continuous.

    Attributes:
        edge: Elevation z, in (0, 1).
        share_down: Share of the rays that start downwards, in (0, 1].
        share_flat: Share of the rays flatter than `edge`, in (0, 1).

    Raises:
        PropagationError: A number is outside its range.
    """

    edge: float
    share_down: float = 0.5
    share_flat: float = 0.5

    def __post_init__(self) -> None:
        if not (0.0 < self.edge < 1.0 and 0.0 < self.share_flat < 1.0 and 0.0 < self.share_down <= 1.0):
            raise PropagationError(
                "Directions need edge and share_flat in (0, 1) and share_down in (0, 1]",
                value=(self.edge, self.share_flat, self.share_down),
                remedy="Directions without rays would leave paths out.",
            )

    def elevation(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Elevations z in [-1, 1], rising, of numbers in [0, 1)."""
        share_up = max(1.0 - self.share_down, np.finfo(np.float64).tiny)
        is_down = uniform < self.share_down
        part = np.where(is_down, 1.0 - uniform / self.share_down, (uniform - self.share_down) / share_up)
        steep = (part - self.share_flat) / (1.0 - self.share_flat)
        inverse = 1.0 / self.edge - np.maximum(steep, 0.0) * (1.0 / self.edge - 1.0)
        z = np.where(part < self.share_flat, self.edge * part / self.share_flat, 1.0 / inverse)
        return np.where(is_down, -z, z)

    def weight(self, elevation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Density of even directions over that of the law: what the power of a ray is multiplied by."""
        share = np.where(elevation < 0.0, self.share_down, max(1.0 - self.share_down, np.finfo(np.float64).tiny))
        z = np.abs(elevation)
        steep = (1.0 - self.share_flat) / (1.0 / self.edge - 1.0) / np.maximum(z, self.edge) ** 2
        weight: NDArray[np.float64] = 0.5 / (share * np.where(z < self.edge, self.share_flat / self.edge, steep))
        return weight
