"""The mean of batches and its standard error."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.units import db_to_ratio

__all__ = ["BatchMean"]

DB_PER_NEPER_OF_POWER = 10.0 / np.log(10.0)


class BatchMean:
    """Path gains of rounds of batches of rays, added up.

    All batches of a round have the same number of rays, and the next round's have more. The map is the mean over all
    rays. Its standard error is taken from the spread of the batches of the last round, `spread / sqrt(their number)`,
    in dB by the slope of the logarithm: an upper bound, as earlier rounds only add to it, and as the shifts of the
    batches fill the unit square more evenly than chance would.

    Args:
        shape: (rows, cols).
        floor_db: Path loss above which a cell is too weak to count for the error [dB].
    """

    def __init__(self, shape: tuple[int, int], floor_db: float) -> None:
        self._earlier = np.zeros(shape)
        self._sum = np.zeros(shape)
        self._sum_of_squares = np.zeros(shape)
        self._floor = db_to_ratio(-floor_db)
        self._earlier_rays = 0
        self._num_rays = 0
        self.count = 0
        self.total_count = 0

    def start_round(self, num_rays: int) -> None:
        """Begin a round whose batches have `num_rays` rays each."""
        self._earlier += self._sum * self._num_rays
        self._earlier_rays += self.count * self._num_rays
        self._sum[:] = 0.0
        self._sum_of_squares[:] = 0.0
        self._num_rays, self.count = num_rays, 0

    def add(self, gain: NDArray[np.floating]) -> None:
        """Add the estimate of one batch, (rows, cols), as a power ratio. Rounding may leave it below 0."""
        clipped = np.maximum(gain.astype(np.float64), 0.0)
        self._sum += clipped
        self._sum_of_squares += clipped**2
        self.count += 1
        self.total_count += 1

    @property
    def num_rays(self) -> int:
        """Rays of all batches."""
        return self._earlier_rays + self.count * self._num_rays

    @property
    def gain(self) -> NDArray[np.float64]:
        """Mean path gain, (rows, cols), a power ratio."""
        return (self._earlier + self._sum * self._num_rays) / self.num_rays

    @property
    def path_loss_db(self) -> NDArray[np.float64]:
        """Path loss of the mean, (rows, cols); NaN where no ray arrived [dB]."""
        with np.errstate(divide="ignore"):
            loss_db: NDArray[np.float64] = -10.0 * np.log10(self.gain)
        loss_db[~np.isfinite(loss_db)] = np.nan
        return loss_db

    def standard_errors_db(self) -> NDArray[np.float64]:
        """Standard error of every cell above the floor, one-dimensional [dB]; needs two batches."""
        counts = self.gain > self._floor
        mean = self._sum[counts] / self.count
        variance = np.maximum(self._sum_of_squares[counts] / self.count - mean**2, 0.0)
        of_the_mean = np.sqrt(variance / (self.count - 1))
        errors_db: NDArray[np.float64] = DB_PER_NEPER_OF_POWER * of_the_mean / self.gain[counts]
        return errors_db

    def quantile_error_db(self, share: float) -> float:
        """Standard error that `1 - share` of the cells above the floor exceed; 0 where there is none [dB].

        The spread of a few batches is more often below than above what it estimates: divided by the median of its
        distribution for normal errors, by the cube law of Wilson and Hilferty (1931).
        """
        errors_db = self.standard_errors_db()
        if not errors_db.size:
            return 0.0
        median_of_spread = float((1.0 - 2.0 / (9.0 * (self.count - 1))) ** 1.5)
        return float(np.quantile(errors_db, share)) / median_of_spread

    def median_error_db(self) -> float:
        """Median standard error of a cell above the floor; 0 where there is none [dB]."""
        return self.quantile_error_db(0.5)
