"""Intervals of figures by drawing cities anew.

Maps of one city share its buildings: they are no independent draws. What is drawn with replacement is therefore the
city with all its maps, as often as there are cities.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.evaluation.config import BootstrapConfig

__all__ = ["Interval", "Resampler"]

Values = NDArray[np.float64]

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Resampler:
    """Weights of the maps in each resample; the same for all figures, so that figures of two models can be compared.

    Attributes:
        cluster_of_map: (maps,) number of the city of each map, from 0.
        weights: (resamples, cities) how often each city was drawn.
        confidence: Share of the resamples inside an interval.
    """

    cluster_of_map: NDArray[np.int64]
    weights: Values
    confidence: float

    @classmethod
    def of_cities(cls, cities: Sequence[int], config: BootstrapConfig | None = None) -> "Resampler":
        """Draw the resamples.

        Args:
            cities: Number of the city of each map.
            config: How many, and by which seed.

        Raises:
            InputError: There is no map.
        """
        config = config or BootstrapConfig()
        if not len(cities) > 0:
            raise InputError("A bootstrap needs at least one map", value="none", remedy="Check the part of the data.")
        names, numbers = np.unique(np.asarray(cities, dtype=np.int64), return_inverse=True)
        random = np.random.default_rng(config.seed)
        weights = random.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=config.num_resamples)
        return cls(numbers.astype(np.int64), weights.astype(np.float64), config.confidence)

    @property
    def num_cities(self) -> int:
        """How many cities there are."""
        return int(self.weights.shape[1])

    def mean_interval(self, values: Values) -> Interval | None:
        """Interval of the mean over the maps that have a value.

        Args:
            values: (maps,) a figure of each map, NaN where it has none.

        Returns:
            The ends; None where fewer than two cities have a map with a value.
        """
        there = np.isfinite(values)
        sums = np.stack([np.where(there, values, 0.0), there.astype(np.float64)], axis=1)
        return self.interval_of_sums(sums, lambda total: total[:, 0] / total[:, 1])

    def interval_of_sums(self, sums: Values, figure: Callable[[Values], Values]) -> Interval | None:
        """Interval of a figure that follows from sums over maps.

        Resamples in which the figure is not defined (no city with a value was drawn) do not count.

        Args:
            sums: (maps, K) what each map adds.
            figure: The figure (resamples,) of sums (resamples, K).

        Returns:
            The ends; None where fewer than two cities have the figure.
        """
        of_cities = np.zeros((self.num_cities, sums.shape[1]))
        np.add.at(of_cities, self.cluster_of_map, sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            if np.isfinite(figure(of_cities)).sum() < 2:
                return None
            found = figure(self.weights @ of_cities)
        found = found[np.isfinite(found)]
        tail = 0.5 * (1.0 - self.confidence)
        low, high = np.quantile(found, [tail, 1.0 - tail]).tolist()
        return low, high
