"""Radiation patterns in polar coordinates."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_polar_pattern"]

LARGEST_SPAN_DB = 40.0
SMALLEST_SPAN_DB = 10.0


def draw_polar_pattern(
    gains_db: NDArray[np.floating], *, title: str = "", beam_deg: tuple[float, float] | None = None
) -> "Figure":
    """Draw gains over the circle, 0 deg at the top, clockwise, relative to the largest.

    Gains further below the largest than the radius shows (10 to 40 dB, by the pattern's range) lie in the centre.

    Args:
        gains_db: (n,) gains at n equal steps from 0 deg [dB].
        title: Title.
        beam_deg: Ends of the main lobe, from the first to the second clockwise, to shade [deg].

    Raises:
        InputError: The gains are not one row of at least four finite numbers.
    """
    from matplotlib.figure import Figure

    gains_db = np.asarray(gains_db, dtype=np.float64)
    if gains_db.ndim != 1 or len(gains_db) < 4 or not np.isfinite(gains_db).all():
        raise InputError(
            "A pattern must be one row of at least four finite gains",
            value=f"shape {gains_db.shape}",
            remedy="Pass one gain per degree [dB].",
        )
    relative_db = gains_db - gains_db.max()
    span_db = float(np.clip(10.0 * np.ceil(-relative_db.min() / 10.0), SMALLEST_SPAN_DB, LARGEST_SPAN_DB))
    angle = np.linspace(0.0, 2.0 * np.pi, len(gains_db) + 1)
    figure = Figure(figsize=(5.2, 5.4), layout="constrained")
    axes = figure.add_subplot(projection="polar")
    # Compass order: the methods belong to polar axes only, which the type of add_subplot does not tell.
    axes.set_theta_zero_location("N")  # type: ignore[attr-defined]
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    if beam_deg is not None:
        first, last = np.radians(beam_deg[0]), np.radians(beam_deg[1])
        arc = np.linspace(first, last if last >= first else last + 2.0 * np.pi, 200)
        axes.fill_between(arc, -span_db, 0.0, color="tab:orange", alpha=0.25)
    axes.plot(angle, np.maximum(np.append(relative_db, relative_db[0]), -span_db), color="tab:blue")
    axes.set_ylim(-span_db, 0.04 * span_db)  # room for a line along the rim
    axes.set_yticks(np.arange(-span_db, 1.0, 5.0 if span_db <= 20.0 else 10.0))
    axes.set_rlabel_position(157.5)  # type: ignore[attr-defined]
    beam = "" if beam_deg is None else "; shaded: half-power beam"
    axes.set_xlabel(f"gain relative to the maximum [dB]{beam}")
    axes.set_title(title)
    return figure
