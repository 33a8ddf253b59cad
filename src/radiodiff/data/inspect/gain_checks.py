"""What one radio map in grey says about itself: its scale, its sign, and where its transmitter is."""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation.dominant_path.law import DominantPathLaw

__all__ = ["Verdict", "check_peak", "grey_verdict"]

Verdict = Literal["raw", "thresholded", "inverted", "unclear", "unknown"]
"""Scale of a radio map: "unclear" where there is too little line of sight to tell, "unknown" where there is enough and
its levels are those of no scale."""

NEAREST_M, FARTHEST_M = 3, 12
"""Where the profile is compared. Nearer, IRT has its plateau; farther, its reflections, and less line of sight."""

MOST_LEVELS_OFF = 5

LEAST_SHARE: "dict[Verdict, float]" = {"raw": 0.15, "thresholded": 0.3}
"""Share of the lit cells in reach that must lie on the profile, asked in this order. A raw map may have cells on the
thresholded profile, behind cars and corners; a thresholded map has none on the raw one, which lies above its line of
sight. Measured on RadioMapSeer: of 42 gains of five simulations at least 0.75 on their own scale, of the thresholded
ones at most 0.01 on the raw one."""

DARK = 128
"""A transmitter below this level is dark: the image may be inverted."""

PEAK_REACH = 2
"""Cells that the middle of the strongest signal may lie beside the transmitter. The plateau of IRT has five cells and
more: of 9 gains of RadioMapSeer its middle lies at most 0.3 cells aside."""

LEAST_LIT = 0.5
"""Share of the cells in reach that must be lit for a verdict that the scale is no known one."""


def grey_verdict(grey: NDArray[np.uint8], row: int, col: int) -> Verdict:
    """Scale and sign of a radio map, from the line of sight around its transmitter.

    In line of sight each scale has one grey level for each distance; behind corners and cars a map lies below it.

    Args:
        grey: (rows, cols) stored levels.
        row: Row of the transmitter.
        col: Its column.
    """
    top, left = max(row - FARTHEST_M, 0), max(col - FARTHEST_M, 0)
    near = grey[top : row + FARTHEST_M + 1, left : col + FARTHEST_M + 1]
    first_row, first_col = top - row + FARTHEST_M, left - col + FARTHEST_M
    part = np.s_[first_row : first_row + near.shape[0], first_col : first_col + near.shape[1]]
    is_in_reach, profiles = _profiles()
    levels = near[is_in_reach[part]].astype(np.int16)
    is_dark = bool(grey[row, col] < DARK)
    seen = 255 - levels if is_dark else levels
    lit = max(int((seen > 0).sum()), 1)
    for scale, profile in profiles.items():
        is_near = np.abs(seen - profile[part][is_in_reach[part]]) <= MOST_LEVELS_OFF
        if (is_near & (seen > 0)).sum() >= LEAST_SHARE[scale] * lit:
            return "inverted" if is_dark else scale
    return "unknown" if (levels > 0).mean() >= LEAST_LIT else "unclear"


@cache
def _profiles() -> tuple[NDArray[np.bool_], dict[Verdict, NDArray[np.int16]]]:
    """Cells in reach of a transmitter in the middle, and the levels of a line of sight there on each scale."""
    offsets = np.arange(-FARTHEST_M, FARTHEST_M + 1)
    distance_m = np.hypot(offsets[:, None], offsets)
    path_loss_db = DominantPathLaw().line_of_sight_loss_db(distance_m)
    scales: tuple[Verdict, Verdict] = ("raw", "thresholded")
    levels = {
        scale: RADIOMAPSEER_GREY.to_grey(path_loss_db, thresholded=scale == "thresholded").astype(np.int16)
        for scale in scales
    }
    return (distance_m >= NEAREST_M) & (distance_m <= FARTHEST_M), levels


def check_peak(
    grey: NDArray[np.uint8], row: int, col: int, *, is_dominant_path: bool = False
) -> tuple[str, str] | None:
    """Kind and reason of a finding where the strongest signal is not at the transmitter, else None.

    Args:
        grey: (rows, cols) stored levels.
        row: Row of the transmitter.
        col: Its column.
        is_dominant_path: Whether the strongest level must be in the transmitter's own cell, as it is in every DPM gain.
    """
    brightest = np.argwhere(grey == grey.max())
    if is_dominant_path and grey[row, col] == grey.max():
        return None
    if not is_dominant_path and _is_at(brightest, (row, col)):
        return None
    rows, cols = grey.shape
    where = f"strongest at row {brightest[0, 0]}, column {brightest[0, 1]}, transmitter at row {row}, column {col}"
    mirrored = {
        "tx-mirrored": [(rows - 1 - row, col), (row, cols - 1 - col), (rows - 1 - row, cols - 1 - col)],
        "tx-transposed": [(col, row)],
    }
    for kind, places in mirrored.items():
        # Of a transmitter near its mirror image nobody can tell.
        far = [place for place in places if max(abs(place[0] - row), abs(place[1] - col)) > 2 * PEAK_REACH]
        if any(_is_at(brightest, place) for place in far):
            return kind, where
    return "gain-peak", where


def _is_at(brightest: NDArray[np.intp], place: tuple[int, int]) -> bool:
    """Whether the middle of the strongest cells (n, 2) near a place is that place."""
    offsets = brightest - place
    near = offsets[np.abs(offsets).max(axis=1) <= 2 * PEAK_REACH]
    return len(near) > 0 and bool(np.abs(near.mean(axis=0)).max() <= PEAK_REACH)
