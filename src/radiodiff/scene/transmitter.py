"""A transmitter: where it stands and what it radiates."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import GridError, TransmitterError
from radiodiff.scene.antenna import Antenna, IsotropicAntenna
from radiodiff.scene.grid import Grid

__all__ = ["Transmitter"]

LOWEST_FREQUENCY_HZ = 1e6
"""No radio map of a city is drawn below; gigahertz given as a bare number are caught."""


@dataclass(frozen=True)
class Transmitter:
    """One transmitter, in the local metres of a grid (x right, y down).

    Attributes:
        x_m: Position to the right of the grid's left edge [m].
        y_m: Position below the grid's top edge [m].
        height_m: Height above ground [m].
        frequency_hz: Carrier [Hz].
        eirp_dbm: Radiated power towards the antenna's maximum [dBm].
        antenna: Horizontal pattern.
        azimuth_deg: Boresight, clockwise from north (the top of the map) [deg].

    The defaults are those of RadioMapSeer: 1.5 m, 5.9 GHz, 23 dBm, isotropic.

    Raises:
        TransmitterError: A number is not finite, or height or frequency is not positive.
    """

    x_m: float
    y_m: float
    height_m: float = 1.5
    frequency_hz: float = 5.9e9
    eirp_dbm: float = 23.0
    antenna: Antenna = field(default_factory=IsotropicAntenna)
    azimuth_deg: float = 0.0

    def __post_init__(self) -> None:
        for name in ("x_m", "y_m", "eirp_dbm", "azimuth_deg"):
            if not np.isfinite(getattr(self, name)):
                raise TransmitterError(
                    f"Transmitter.{name} must be finite", value=getattr(self, name), remedy="Give a number."
                )
        if not 0 < self.height_m < np.inf:
            raise TransmitterError(
                "Transmitter.height_m must be finite and above 0",
                value=self.height_m,
                remedy="Heights are in metres above ground.",
            )
        if not LOWEST_FREQUENCY_HZ <= self.frequency_hz < np.inf:
            raise TransmitterError(
                f"Transmitter.frequency_hz must be finite and at least {LOWEST_FREQUENCY_HZ:g}",
                value=self.frequency_hz,
                remedy="Frequencies are in hertz: 5.9e9, not 5.9.",
            )

    @classmethod
    def at_cell(cls, grid: Grid, col: float, row: float, **settings: object) -> "Transmitter":
        """Place a transmitter at the centre of cell (col, row); column first, as in `--tx COL,ROW`.

        Fractional cells are allowed: (10.5, 20) lies between columns 10 and 11.

        Raises:
            TransmitterError: The cell is not on the grid.
        """
        if not (-0.5 <= col <= grid.cols - 0.5 and -0.5 <= row <= grid.rows - 0.5):
            raise TransmitterError(
                f"A transmitter must stand on the grid, columns 0..{grid.cols - 1}, rows 0..{grid.rows - 1}",
                value=f"column {col:g}, row {row:g}",
                remedy="Positions are COL,ROW: column first, counted from the top-left cell.",
            )
        return cls((col + 0.5) * grid.cell_size_m, (row + 0.5) * grid.cell_size_m, **settings)  # type: ignore[arg-type]

    def cell(self, grid: Grid) -> tuple[int, int]:
        """(row, col) of the cell this transmitter stands in.

        Raises:
            TransmitterError: It does not stand on the grid.
        """
        try:
            return grid.cell_of(self.x_m, self.y_m)
        except GridError as error:
            raise TransmitterError(
                "A transmitter must stand on the grid", value=error.value, remedy=error.remedy
            ) from error

    def distance_m(self, grid: Grid, *, minimum_m: float = 0.0) -> NDArray[np.float64]:
        """Horizontal distance to every cell centre, (rows, cols), not below `minimum_m` [m]."""
        x_m, y_m = grid.centres_m()
        return np.maximum(np.hypot(x_m - self.x_m, y_m - self.y_m), minimum_m)

    def pattern_gain_db(self, grid: Grid) -> NDArray[np.float64]:
        """Antenna gain relative to its maximum towards every cell, (rows, cols) [dB, <= 0].

        The direction is the straight one: what leaves for a corner is weighed as if it left for the cell.
        """
        x_m, y_m = grid.centres_m()
        bearing_deg = np.degrees(np.arctan2(x_m - self.x_m, self.y_m - y_m))
        return self.antenna.relative_gain_db(bearing_deg - self.azimuth_deg)
