"""Figures of merit of a radiation pattern: range, beam width, front-to-back ratio, class."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import TableAntenna

__all__ = ["PatternClass", "PatternReport", "analyse_pattern"]

PatternClass = Literal[
    "omnidirectional", "weakly directional", "moderately directional", "highly directional", "extremely directional"
]

HALF_POWER_DB = 3.0
"""The beam ends where the gain is this far below its maximum [dB]."""

CLASS_LIMITS_DB: tuple[tuple[float, PatternClass], ...] = (
    (3.0, "omnidirectional"),
    (10.0, "weakly directional"),
    (20.0, "moderately directional"),
    (30.0, "highly directional"),
)
"""Range below which a pattern is of a class [dB]; anything else is extremely directional. Below 3 dB no direction has
less than half the power of the best one, and there is no beam to speak of."""


@dataclass(frozen=True)
class PatternReport:
    """What a pattern is like.

    Attributes:
        range_db: Largest minus smallest gain [dB].
        peak_deg: Row of the largest gain, the first of equals [deg].
        beam_deg: Where the gain first falls by 3 dB, before and after the peak, linear between degrees, both in
            [0, 360) [deg]; None where it never does.
        beam_width_deg: Half-power beam width: from the one end of the beam over the peak to the other, up to 360 [deg];
            None where there is no beam.
        front_to_back_db: Gain at the peak minus gain opposite to it [dB].
        kind: Class by `range_db`: below 3 dB omnidirectional, below 10 weakly, below 20 moderately, below 30 highly,
            else extremely directional.
    """

    range_db: float
    peak_deg: int
    beam_deg: tuple[float, float] | None
    beam_width_deg: float | None
    front_to_back_db: float
    kind: PatternClass


def analyse_pattern(pattern: TableAntenna) -> PatternReport:
    """Figures of a pattern of 360 gains, one per degree."""
    gains_db = np.asarray(pattern.gains_db)
    range_db = float(np.ptp(gains_db))
    peak = int(gains_db.argmax())
    # Seen from the peak, both sides go on over 359 -> 0 by themselves.
    right_db = np.roll(gains_db, -peak) - gains_db[peak]
    left_db = np.roll(right_db[::-1], 1)
    before, after = _crossing_deg(left_db), _crossing_deg(right_db)
    beam_deg = width_deg = None
    if before is not None and after is not None:
        beam_deg = (peak - before) % 360.0, (peak + after) % 360.0
        # Not the difference of the ends: a beam of 360 deg ends where it begins.
        width_deg = before + after
    return PatternReport(
        range_db=range_db,
        peak_deg=peak,
        beam_deg=beam_deg,
        beam_width_deg=width_deg,
        front_to_back_db=float(0.0 - right_db[180]),
        kind=next((kind for limit_db, kind in CLASS_LIMITS_DB if range_db < limit_db), "extremely directional"),
    )


def _crossing_deg(relative_db: NDArray[np.float64]) -> float | None:
    """Angle from the peak at which the gain first falls by 3 dB, of gains (360,) that begin at the peak with 0 dB."""
    below = np.flatnonzero(relative_db <= -HALF_POWER_DB)
    if not below.size:
        return None
    after = int(below[0])
    before_db, after_db = relative_db[after - 1], relative_db[after]
    return float(after - 1 + (before_db + HALF_POWER_DB) / (before_db - after_db))
