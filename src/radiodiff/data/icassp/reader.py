"""One radio map of the ICASSP 2025 data set with everything that belongs to it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.icassp.layout import SampleId
from radiodiff.data.icassp.tables import Positions, check_line, read_pattern, read_positions
from radiodiff.errors import FormatError
from radiodiff.formats import read_grey_image, read_rgb_image
from radiodiff.scene import TableAntenna

__all__ = ["FARTHEST_OUTSIDE_PX", "IcasspReader", "IcasspSample"]

FARTHEST_OUTSIDE_PX = 5.0
"""How far beside its map a transmitter may stand [pixels]: tables of tasks 2 and 3 are reported to hold a few such
positions, by up to 5 pixels. Distances follow the table; the transmitter's cell is the nearest one on the map."""


@dataclass(frozen=True, eq=False)
class IcasspSample:
    """One radio map.

    Attributes:
        id: Task, building, antenna, band and sample.
        reflectance_db: (rows, cols) float32, reflection loss of the walls, 0 in air [dB].
        transmittance_db: (rows, cols) float32, transmission loss of the walls, 0 in air [dB].
        distance_m: (rows, cols) float32, distance to the transmitter, whole metres [m].
        path_loss_db: (rows, cols) float32, whole decibels [dB].
        tx_row: Row of the transmitter in pixels; may lie a little outside the map.
        tx_col: Column of the transmitter in pixels.
        azimuth_deg: Direction of the antenna, see `radiodiff.data.icassp.azimuth`.
        pattern: Gains of the antenna.
    """

    id: SampleId
    reflectance_db: NDArray[np.float32]
    transmittance_db: NDArray[np.float32]
    distance_m: NDArray[np.float32]
    path_loss_db: NDArray[np.float32]
    tx_row: float
    tx_col: float
    azimuth_deg: float
    pattern: TableAntenna

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        rows, cols = self.path_loss_db.shape
        return rows, cols

    @property
    def tx(self) -> tuple[float, float]:
        """(row, col) of the transmitter in pixels, as in the table."""
        return self.tx_row, self.tx_col

    @property
    def tx_cell(self) -> tuple[int, int]:
        """(row, col) of the map's cell nearest to the transmitter."""
        row, col = (round(min(max(at, 0), n - 1)) for at, n in zip(self.tx, self.shape, strict=True))
        return row, col

    @property
    def frequency_hz(self) -> float:
        """Carrier [Hz]."""
        return self.id.frequency_hz


class IcasspReader:
    """Reads samples of one folder; keeps the tables it has read.

    Args:
        root: The folder that holds `Inputs`.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._positions: dict[Path, Positions] = {}
        self._patterns: dict[Path, TableAntenna] = {}

    def pattern(self, sample: SampleId) -> TableAntenna:
        """Gains of a sample's antenna.

        Raises:
            FormatError: The pattern file is not there or damaged.
        """
        path = sample.pattern_path(self.root)
        if path not in self._patterns:
            self._patterns[path] = read_pattern(path)
        return self._patterns[path]

    def transmitter(self, sample: SampleId) -> tuple[float, float, float]:
        """Row, column [pixels] and azimuth [deg] of a sample's transmitter.

        Raises:
            FormatError: The position table is not there, damaged, or has no line for the sample.
        """
        path = sample.positions_path(self.root)
        if path not in self._positions:
            self._positions[path] = read_positions(path)
        table = self._positions[path]
        check_line(table, path, sample.sample, sample.name)
        i = sample.sample
        return float(table.row[i]), float(table.col[i]), float(table.azimuth_deg[i])

    def read(self, sample: SampleId) -> IcasspSample:
        """Read a sample.

        Raises:
            FormatError: A file is not there or damaged, the two images differ in size, or the transmitter lies more
                than 5 pixels beside the map.
        """
        inputs = read_rgb_image(sample.input_path(self.root)).astype(np.float32)
        output = read_grey_image(sample.output_path(self.root))[0].astype(np.float32)
        if inputs.shape[:2] != output.shape:
            raise FormatError(
                "Input and output of a sample must have one size",
                value=f"{sample.input_path(self.root)}, {inputs.shape[0]} x {inputs.shape[1]} pixels, and "
                f"{sample.output_path(self.root)}, {output.shape[0]} x {output.shape[1]}",
                remedy="Unpack the data set again.",
            )
        row, col, azimuth_deg = self.transmitter(sample)
        if not all(
            -FARTHEST_OUTSIDE_PX <= at <= n - 1 + FARTHEST_OUTSIDE_PX
            for at, n in zip((row, col), output.shape, strict=True)
        ):
            raise FormatError(
                f"A transmitter must stand on its map, or at most {FARTHEST_OUTSIDE_PX:g} pixels beside it",
                value=f"row {row:g}, column {col:g} on {output.shape[0]} x {output.shape[1]} pixels, for {sample.name} "
                f"in {sample.positions_path(self.root)}",
                remedy="X is the row and Y the column: check the table.",
            )
        reflectance_db, transmittance_db, distance_m = np.ascontiguousarray(np.moveaxis(inputs, -1, 0))
        return IcasspSample(
            sample,
            reflectance_db,
            transmittance_db,
            distance_m,
            output,
            row,
            col,
            azimuth_deg,
            self.pattern(sample),
        )
