"""Which way an azimuth and the rows of a pattern turn: the one place that knows.

A convention is named `<zero>-<azimuth>-<pattern>`: the direction of azimuth 0 on the image (right, down, left, up),
the sense in which azimuths grow (cw, ccw: clockwise or counterclockwise as seen on the image, row 0 on top), and the
sense in which the rows of a pattern table go round from the antenna's main direction.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError

__all__ = ["AZIMUTH_CONVENTIONS", "DEFAULT_CONVENTION", "AzimuthConvention", "pattern_angle_deg"]

AzimuthConvention = Literal[
    "right-cw-cw",
    "right-cw-ccw",
    "right-ccw-cw",
    "right-ccw-ccw",
    "down-cw-cw",
    "down-cw-ccw",
    "down-ccw-cw",
    "down-ccw-ccw",
    "left-cw-cw",
    "left-cw-ccw",
    "left-ccw-cw",
    "left-ccw-ccw",
    "up-cw-cw",
    "up-cw-ccw",
    "up-ccw-cw",
    "up-ccw-ccw",
]

AZIMUTH_CONVENTIONS: tuple[AzimuthConvention, ...] = get_args(AzimuthConvention)

DEFAULT_CONVENTION: AzimuthConvention = "right-cw-ccw"
"""That of one public script, probably the sample code of the challenge: pattern row
`180 - angle(pixel to transmitter) + azimuth`, with the angle `atan2(rows down, columns right)`. Other public codes
differ, and no data was at hand to decide: `decide_azimuth_convention` does."""

ZERO_DEG = {"right": 0.0, "down": 90.0, "left": 180.0, "up": 270.0}
"""Direction of azimuth 0, clockwise on the image from right."""

SENSE = {"cw": 1.0, "ccw": -1.0}


def pattern_angle_deg(
    shape: tuple[int, int],
    tx: tuple[float, float],
    azimuth_deg: float,
    convention: AzimuthConvention = DEFAULT_CONVENTION,
) -> NDArray[np.float64]:
    """Row of the pattern table that faces each pixel, as an angle in [0, 360) deg, shape (rows, cols).

    Args:
        shape: (rows, cols).
        tx: (row, col) of the transmitter. The angle at the transmitter itself is that of a pixel to the right.
        azimuth_deg: Direction of the antenna.
        convention: What these angles mean.

    Raises:
        InputError: There is no such convention.
    """
    if convention not in AZIMUTH_CONVENTIONS:
        raise InputError(
            "An azimuth convention must be named <right|down|left|up>-<cw|ccw>-<cw|ccw>: where azimuth 0 points, how "
            "azimuths turn, how the rows of a pattern turn",
            value=repr(convention),
            remedy=f"The data set's sample code uses {DEFAULT_CONVENTION}.",
        )
    zero, turn, pattern_turn = convention.split("-")
    row, col = np.mgrid[: shape[0], : shape[1]]
    seen_deg = np.degrees(np.arctan2(row - tx[0], col - tx[1]))
    main_deg = ZERO_DEG[zero] + SENSE[turn] * azimuth_deg
    return np.asarray((SENSE[pattern_turn] * (seen_deg - main_deg)) % 360.0)
