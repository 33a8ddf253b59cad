"""Transmit antenna patterns in the horizontal plane, relative to their own maximum."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import TransmitterError

__all__ = ["Antenna", "IsotropicAntenna", "SectorAntenna", "TableAntenna"]


class Antenna(ABC):
    """A horizontal pattern. EIRP is the power towards the maximum, so gains here are at most 0 dB."""

    @abstractmethod
    def relative_gain_db(self, offset_deg: ArrayLike) -> NDArray[np.float64]:
        """Gain below the maximum [dB, <= 0] at an angle from boresight, clockwise [deg], any shape, kept."""


@final
@dataclass(frozen=True)
class IsotropicAntenna(Antenna):
    """The same gain in every direction."""

    def relative_gain_db(self, offset_deg: ArrayLike) -> NDArray[np.float64]:
        """Zero everywhere."""
        return np.zeros_like(np.asarray(offset_deg, dtype=np.float64))


@final
@dataclass(frozen=True)
class SectorAntenna(Antenna):
    """A sector panel: `-min(12 (offset / beam_width)^2, front_to_back)` dB.

    Attributes:
        beam_width_deg: Half-power beam width [deg].
        front_to_back_db: Largest attenuation [dB].

    Source: 3GPP TR 38.901 v17, table 7.3-1, horizontal cut (65 deg, 30 dB).
    """

    beam_width_deg: float = 65.0
    front_to_back_db: float = 30.0

    def __post_init__(self) -> None:
        if not (0.0 < self.beam_width_deg <= 360.0 and 0.0 < self.front_to_back_db < np.inf):
            raise TransmitterError(
                "A sector antenna needs a beam width in (0, 360] deg and a front-to-back ratio above 0 dB",
                value=f"{self.beam_width_deg} deg and {self.front_to_back_db} dB",
                remedy="TR 38.901 uses 65 deg and 30 dB.",
            )

    def relative_gain_db(self, offset_deg: ArrayLike) -> NDArray[np.float64]:
        """Parabolic main lobe, flat back lobe."""
        offset = (np.asarray(offset_deg, dtype=np.float64) + 180.0) % 360.0 - 180.0
        return -np.minimum(12.0 * (offset / self.beam_width_deg) ** 2, self.front_to_back_db)


@final
@dataclass(frozen=True)
class TableAntenna(Antenna):
    """A measured pattern: one gain per degree, clockwise from boresight, linear in dB between them.

    Attributes:
        gains_db: 360 gains [dB]; only differences to the largest one count.
    """

    gains_db: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.gains_db) != 360 or not np.isfinite(self.gains_db).all():
            raise TransmitterError(
                "An antenna table must hold 360 finite gains in dB, one per degree",
                value=f"{len(self.gains_db)} values, {int((~np.isfinite(self.gains_db)).sum())} not finite",
                remedy="Sample the pattern at 0, 1, ..., 359 deg clockwise from boresight.",
            )

    def relative_gain_db(self, offset_deg: ArrayLike) -> NDArray[np.float64]:
        """Interpolated over the circle."""
        gains = np.asarray(self.gains_db) - max(self.gains_db)
        offset = np.asarray(offset_deg, dtype=np.float64) % 360.0
        return np.asarray(np.interp(offset, np.arange(361.0), np.append(gains, gains[0])))
