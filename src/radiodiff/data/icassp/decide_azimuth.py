"""Which azimuth convention the data follow: the one whose pattern shows in the maps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.icassp.azimuth import AZIMUTH_CONVENTIONS, DEFAULT_CONVENTION, AzimuthConvention
from radiodiff.data.icassp.free_space_loss import distance_law_db, pattern_loss_db, pixel_distance_m
from radiodiff.data.icassp.layout import PIXEL_M, scan_icassp
from radiodiff.data.icassp.rays import crossed_transmittance_db
from radiodiff.data.icassp.reader import IcasspReader, IcasspSample
from radiodiff.errors import DataSetError

__all__ = ["AzimuthDecision", "decide_azimuth_convention", "decide_azimuth_in"]

NEAREST_M = 0.5
"""Nearer pixels are left out: there a pixel is too large an angle."""

FARTHEST_M = 10.0
"""So are pixels farther along a row or column: few of them are in sight, and rays cost their length."""

SMALLEST_RANGE_DB = 1.0
"""An antenna with less between its strongest and weakest direction tells nothing."""

FEWEST_PIXELS = 30

TIE = 1e-6


@dataclass(frozen=True)
class AzimuthDecision:
    """What the correlation test found.

    Attributes:
        correlations: Of each convention, over all pixels used, in [-1, 1].
        best: The convention with the largest; among equals the default, or else the first.
        tied: Every convention that is as good as the best: with patterns that are the same on both sides their sense
            cannot be told, with one azimuth only neither can that of azimuths.
        samples: Radio maps used.
        pixels: Pixels used.
    """

    correlations: Mapping[AzimuthConvention, float]
    best: AzimuthConvention
    tied: tuple[AzimuthConvention, ...]
    samples: int
    pixels: int


def decide_azimuth_convention(samples: Iterable[IcasspSample]) -> AzimuthDecision:
    """Correlate path loss less the distance law with the pattern of each convention, on pixels in line of sight.

    In sight are air pixels with no wall on the straight way, at least 0.5 m from the transmitter and at most 10 m from
    it along rows and columns. The mean of each map is taken off both sides, so that a gain that all directions share
    does not enter. Antennas whose gains differ by less than 1 dB, and maps with fewer than 30 pixels in sight, are left
    out; `samples` of the result counts the rest.

    Raises:
        DataSetError: Nothing is left: with omnidirectional antennas no convention can be told from another.
    """
    sums = {convention: np.zeros(3) for convention in AZIMUTH_CONVENTIONS}
    maps = pixels = 0
    for sample in samples:
        near = _near(sample)
        in_sight = _in_sight(near)
        if np.ptp(sample.pattern.gains_db) < SMALLEST_RANGE_DB or np.count_nonzero(in_sight) < FEWEST_PIXELS:
            continue
        maps += 1
        pixels += int(np.count_nonzero(in_sight))
        law_db = distance_law_db(near.shape, near.tx, near.frequency_hz)
        residual_db = _centred((near.path_loss_db - law_db)[in_sight])
        for convention, total in sums.items():
            loss_db = pattern_loss_db(near.shape, near.tx, near.pattern, near.azimuth_deg, convention)
            loss_db = _centred(loss_db[in_sight])
            total += (residual_db @ loss_db, residual_db @ residual_db, loss_db @ loss_db)
    if not maps or not all(total[1] > 0 and total[2] > 0 for total in sums.values()):
        raise DataSetError(
            "The azimuth convention can only be found from directional antennas with pixels in line of sight",
            value="samples without any",
            remedy="Pass samples of task 3 with antennas that are not omnidirectional.",
        )
    correlations = {name: float(total[0] / np.sqrt(total[1] * total[2])) for name, total in sums.items()}
    largest = max(correlations.values())
    tied = tuple(name for name, value in correlations.items() if value > largest - TIE)
    best = DEFAULT_CONVENTION if DEFAULT_CONVENTION in tied else tied[0]
    return AzimuthDecision(correlations, best, tied, maps, pixels)


def decide_azimuth_in(root: str | Path, task: int = 3, *, most_samples: int = 100) -> AzimuthDecision:
    """`decide_azimuth_convention` of a folder: of samples with directional antennas, evenly from the first to the last.

    Args:
        root: The folder that holds `Inputs`.
        task: Task of the challenge; 1 and 2 have no directional antenna.
        most_samples: Radio maps to read.

    Raises:
        DataSetError: The folder is not the data set, or no antenna of the task is directional.
        FormatError: A file is damaged.
    """
    reader = IcasspReader(root)
    ids = [i for i in scan_icassp(root, task) if float(np.ptp(reader.pattern(i).gains_db)) >= SMALLEST_RANGE_DB]
    chosen = np.linspace(0, len(ids) - 1, min(len(ids), most_samples)).round().astype(int)
    return decide_azimuth_convention(reader.read(ids[index]) for index in chosen)


def _near(sample: IcasspSample) -> IcasspSample:
    """The part of a map within `FARTHEST_M` of the transmitter along rows and columns."""
    reach = round(FARTHEST_M / PIXEL_M)
    row, col = (max(at - reach, 0) for at in sample.tx_cell)
    part = np.s_[row : sample.tx_cell[0] + reach + 1, col : sample.tx_cell[1] + reach + 1]
    return replace(
        sample,
        reflectance_db=sample.reflectance_db[part],
        transmittance_db=sample.transmittance_db[part],
        distance_m=sample.distance_m[part],
        path_loss_db=sample.path_loss_db[part],
        tx_row=sample.tx_row - row,
        tx_col=sample.tx_col - col,
    )


def _in_sight(sample: IcasspSample) -> NDArray[np.bool_]:
    """Air pixels with nothing on the straight way, at least `NEAREST_M` away."""
    is_clear = crossed_transmittance_db(sample.transmittance_db, sample.tx) == 0
    is_air = sample.reflectance_db == 0
    return np.asarray(is_clear & is_air & (pixel_distance_m(sample.shape, sample.tx) >= NEAREST_M))


def _centred(values_db: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(values_db - values_db.mean(), dtype=np.float64)
