"""The constants of the dominant path model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import PropagationError
from radiodiff.propagation.constants import check_constant

__all__ = ["RADIOMAPSEER_LAW", "DominantPathLaw"]


@dataclass(frozen=True)
class DominantPathLaw:
    """Loss of a path as a function of its length and of the corners it turns around.

    Line of sight: `reference_loss_db + 10 los_exponent log10 d`. Around corners, over a total length l:
    `reference_loss_db + 10 nlos_exponent log10 l + sum over corners of corner_loss(phi)`, where
    `corner_loss(phi) = corner_offset_db + (corner_max_db - corner_offset_db) min(phi / corner_saturation_deg, 1)`.
    Over the roofs (the way into a closed courtyard): the straight distance d with `over_roof_loss_db` in place of the
    corner losses. A cell in line of sight receives the straight path, any other the path of least loss.

    Attributes:
        reference_loss_db: Loss at 1 m at the reference frequency [dB].
        reference_frequency_hz: Where the constants hold; other carriers add 20 log10 of their ratio to it [Hz].
        los_exponent: Path-loss exponent in line of sight.
        nlos_exponent: Path-loss exponent behind a corner.
        corner_offset_db: Loss of the slightest turn [dB].
        corner_max_db: Loss of a turn of `corner_saturation_deg` and more [dB].
        corner_saturation_deg: Where the angle law ends, in (0, 120] [deg].
        car_loss_los_db: Loss of a line of sight that crosses one car or more [dB].
        car_loss_nlos_db: The same for every straight stretch of a path around corners [dB].
        over_roof_loss_db: Loss of the straight path over the roofs on top of the distance law [dB].
        max_corners: Longest corner sequence searched.
        minimum_distance_m: Shorter distances count as this one [m].

    The defaults reproduce WinProp's dominant path maps in RadioMapSeer.
    Source: form of the law: Wahl, Woelfle, Wertz, Wildbolz, Landstorfer (2005), "Dominant path prediction model for
    urban scenarios", 14th IST Mobile and Wireless Communications Summit. Constants: measured on RadioMapSeer,
    see benchmarks/README.md.
    """

    reference_loss_db: float = 47.84
    reference_frequency_hz: float = 5.9e9
    los_exponent: float = 2.5
    nlos_exponent: float = 2.8
    corner_offset_db: float = 2.4
    corner_max_db: float = 12.7
    corner_saturation_deg: float = 68.0
    car_loss_los_db: float = 4.3
    car_loss_nlos_db: float = 1.3
    over_roof_loss_db: float = 3 * 12.7
    max_corners: int = 3
    minimum_distance_m: float = 1.0

    def __post_init__(self) -> None:
        remedy = "Start from RADIOMAPSEER_LAW and change one constant at a time."
        for name in (
            "reference_frequency_hz",
            "los_exponent",
            "nlos_exponent",
            "corner_saturation_deg",
            "minimum_distance_m",
        ):
            check_constant(self, name, remedy)
        if not self.corner_saturation_deg <= 120.0:
            raise PropagationError(
                "DominantPathLaw.corner_saturation_deg must not exceed 120 deg",
                value=self.corner_saturation_deg,
                remedy="WinProp's DiffrBreakpoint lies between 70 and 90 deg.",
            )
        if not 0.0 <= self.corner_offset_db <= self.corner_max_db <= self.over_roof_loss_db < np.inf:
            raise PropagationError(
                "Losses must obey 0 <= corner_offset_db <= corner_max_db <= over_roof_loss_db",
                value=f"{self.corner_offset_db}, {self.corner_max_db}, {self.over_roof_loss_db} dB",
                remedy=remedy,
            )
        for name in ("car_loss_los_db", "car_loss_nlos_db"):
            check_constant(self, name, remedy, may_be_zero=True)
        if not np.isfinite(self.reference_loss_db):
            raise PropagationError(
                "DominantPathLaw.reference_loss_db must be finite", value=self.reference_loss_db, remedy=remedy
            )
        if isinstance(self.max_corners, bool) or not (isinstance(self.max_corners, int) and self.max_corners >= 0):
            raise PropagationError(
                "DominantPathLaw.max_corners must be a whole number of at least 0",
                value=repr(self.max_corners),
                remedy="3 covers all but a few cells; 1 is fastest.",
            )

    @classmethod
    def from_winprop(
        cls,
        *,
        exponent_los: float,
        exponent_olos: float,
        diffr_offset: float,
        diffr_loss: float,
        diffr_breakpoint: float,
    ) -> "DominantPathLaw":
        """The law with WinProp's own parameter names.

        Args:
            exponent_los: Path-loss exponent in line of sight (WinProp: before break point, LOS).
            exponent_olos: Path-loss exponent in obstructed line of sight (before break point, OLOS).
            diffr_offset: DiffrOffset [dB].
            diffr_loss: DiffrLoss [dB].
            diffr_breakpoint: DiffrBreakpoint [deg].

        Break points in distance, waveguiding and the building loss per metre have no counterpart: RadioMapSeer's
        maps show none of the three.
        """
        return cls(
            los_exponent=exponent_los,
            nlos_exponent=exponent_olos,
            corner_offset_db=diffr_offset,
            corner_max_db=diffr_loss,
            corner_saturation_deg=diffr_breakpoint,
            over_roof_loss_db=3 * diffr_loss,
        )

    def reference_loss_at_db(self, frequency_hz: float) -> float:
        """Loss at 1 m at a carrier [dB]."""
        return self.reference_loss_db + 20.0 * float(np.log10(frequency_hz / self.reference_frequency_hz))

    def line_of_sight_loss_db(
        self, distance_m: NDArray[np.floating], frequency_hz: float | None = None
    ) -> NDArray[np.floating]:
        """Loss in line of sight [dB], any shape, kept; the carrier is by default that of the constants."""
        reference_db = self.reference_loss_db if frequency_hz is None else self.reference_loss_at_db(frequency_hz)
        decades: NDArray[np.floating] = np.log10(np.maximum(distance_m, self.minimum_distance_m))
        return reference_db + 10.0 * self.los_exponent * decades


RADIOMAPSEER_LAW = DominantPathLaw()
"""WinProp's dominant path model as drawn in RadioMapSeer (DPM)."""
