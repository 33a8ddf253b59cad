"""Figures of each map of one predictor, and what all maps give together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.evaluation.bootstrap import Interval, Resampler
from radiodiff.evaluation.examples import TrueMap
from radiodiff.evaluation.regions import ALL_CELLS, REGIONS
from radiodiff.metrics import FIGURES_OF_SUMS, PooledErrors, compare_draws, compare_grey_regions

__all__ = ["DRAW_FIGURES", "Figure", "MapRow", "Preview", "ScoreSheet", "figure_name"]

DRAW_FIGURES = (
    "spread",
    "spread_db",
    "mean_std",
    "mean_std_db",
    "crps",
    "crps_db",
    "coverage_90",
    "coverage_90_student",
    "spearman",
)
"""Figures that several draws have."""


def figure_name(region: str, name: str) -> str:
    """Name of a figure in a region; that of all cells has no prefix."""
    return name if region == ALL_CELLS else f"{region}/{name}"


@dataclass(frozen=True)
class Figure:
    """A figure of a whole data set.

    Attributes:
        value: The figure.
        interval: Ends of its interval, or None where there are too few cities for one.
        num_maps: Maps that have it.
    """

    value: float
    interval: Interval | None
    num_maps: int

    def times(self, factor: float) -> "Figure":
        """The figure in another unit."""
        low_high = None if self.interval is None else (self.interval[0] * factor, self.interval[1] * factor)
        return Figure(self.value * factor, low_high, self.num_maps)


@dataclass(frozen=True)
class MapRow:
    """Figures of one map.

    Attributes:
        name: Name of its example.
        map_id: Number of the city.
        tx_id: Number of the transmitter.
        figures: Figures by name, those of regions under `<region>/<name>`; what the map does not have is left out.
        sums: By region: values, squared errors, absolute errors, squared true levels.
    """

    name: str
    map_id: int
    tx_id: int
    figures: Mapping[str, float]
    sums: Mapping[str, tuple[float, float, float, float]]


@dataclass(frozen=True, eq=False)
class Preview:
    """A map for a picture.

    Attributes:
        true: The true map.
        prediction: (rows, cols) levels.
        spread: (rows, cols) standard deviation of the draws [levels], or None.
    """

    true: TrueMap
    prediction: NDArray[np.float64]
    spread: NDArray[np.float64] | None


@dataclass
class ScoreSheet:
    """Gathers the figures of maps one by one.

    Attributes:
        rows: Figures of each map so far.
        previews: Maps for a picture.
        span_db: Decibels between level 0 and level 1, or None where levels are something else.
        num_unknown: Cells outside buildings without a true value; None where all have one.
    """

    rows: list[MapRow] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    span_db: float | None = None
    num_unknown: int | None = None

    def add(self, true: TrueMap, draws: NDArray[np.float64], *, is_shown: bool = False) -> None:
        """Take in a map; its prediction is the mean of the draws.

        Args:
            true: The true map.
            draws: (draws, rows, cols) levels on its scale; what hangs over the map is cut off.
            is_shown: Whether to keep the map for a picture.

        Raises:
            InputError: The draws are smaller than the map, or not finite.
        """
        rows, cols = true.levels.shape
        drawn = draws[:, :rows, :cols]
        if drawn.shape[1:] != (rows, cols):
            raise InputError(
                f"A prediction must have the {rows} x {cols} cells of its map",
                value=f"shape {draws.shape} for {true.name}",
                remedy="Predict whole maps.",
            )
        if true.unknown is not None:
            self.num_unknown = (self.num_unknown or 0) + int(true.unknown.sum())
            # Figures of neighbourhoods, the structural similarity first of all, must not see an error there either.
            drawn = np.where(true.unknown, true.levels, drawn)
        prediction = drawn.mean(axis=0) if len(drawn) > 1 else drawn[0]
        self.span_db = span_db = true.channel.span_db
        compared = compare_grey_regions(prediction, true.levels, true.regions, span_db=span_db)
        figures: dict[str, float] = {}
        sums = {}
        for region, mask in true.regions.items():
            found = compared[region]
            if len(drawn) > 1 and mask.any():
                found |= compare_draws(drawn, true.levels, mask, resolution=true.half_step, span_db=span_db)
            figures |= {figure_name(region, name): value for name, value in found.items()}
            pool = PooledErrors()
            pool.add(prediction[mask][None], true.levels[mask][None])
            sums[region] = pool.sums
        self.rows.append(MapRow(true.name, true.map_id, true.tx_id, figures, sums))
        if is_shown:
            spread = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else None
            self.previews.append(Preview(true, prediction, spread))

    @property
    def cities(self) -> list[int]:
        """City of each map."""
        return [row.map_id for row in self.rows]

    def values(self, name: str) -> NDArray[np.float64]:
        """A figure of each map (maps,), NaN where a map does not have it."""
        return np.array([row.figures.get(name, np.nan) for row in self.rows])

    def means(self, resampler: Resampler) -> dict[str, Figure]:
        """Mean of each figure over the maps that have it, by name.

        Args:
            resampler: For the intervals; of the cities of these maps.
        """
        found = {}
        for name in dict.fromkeys(name for row in self.rows for name in row.figures):
            values = self.values(name)
            there = np.isfinite(values)
            value = float(values[there].mean())
            found[name] = Figure(value, resampler.mean_interval(values), int(there.sum()))
        return found

    def pooled(self, resampler: Resampler) -> dict[str, Figure]:
        """`mse`, `mae`, `rmse` and `nmse` of all cells of all maps together, by name; in regions `<region>/<name>`.

        Where levels are a straight line of decibels, `rmse_db` and `mae_db`, too.

        Args:
            resampler: For the intervals; of the cities of these maps.
        """
        found = {}
        for region in REGIONS:
            sums = self._sums(region)
            total = sums.sum(axis=0, keepdims=True)
            num_maps = int((sums[:, 0] > 0).sum())
            for name, figure in FIGURES_OF_SUMS.items():
                if total[0, 0] > 0 and (name != "nmse" or total[0, 3] > 0):
                    interval = resampler.interval_of_sums(sums, figure)
                    pooled = Figure(float(figure(total)[0]), interval, num_maps)
                    found[figure_name(region, name)] = pooled
                    if self.span_db is not None and name in ("rmse", "mae"):
                        found[figure_name(region, f"{name}_db")] = pooled.times(self.span_db)
        return found

    def num_cells(self) -> dict[str, int]:
        """Cells of each region that occurs, over all maps."""
        return {
            region: int(self._sums(region)[:, 0].sum())
            for region in REGIONS
            if any(region in row.sums for row in self.rows)
        }

    def rmse_ratio(self, other: "ScoreSheet", region: str, resampler: Resampler) -> Figure | None:
        """Pooled `rmse` over that of another predictor on the same maps; below 1 is better than the other.

        The interval is that of the ratio: both are resampled together. None where a region is empty or the other has no
        error.
        """
        sums = np.concatenate([self._sums(region), other._sums(region)], axis=1)
        total = sums.sum(axis=0, keepdims=True)
        if not total[0, 5] > 0:
            return None

        def ratio(values: NDArray[np.float64]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = np.sqrt(values[:, 1] / values[:, 5])
            return found

        return Figure(float(ratio(total)[0]), resampler.interval_of_sums(sums, ratio), int((sums[:, 0] > 0).sum()))

    def _sums(self, region: str) -> NDArray[np.float64]:
        return np.array([row.sums.get(region, (0.0, 0.0, 0.0, 0.0)) for row in self.rows]).reshape(-1, 4)
