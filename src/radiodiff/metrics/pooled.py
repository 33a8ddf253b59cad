"""Errors of all cells of many maps together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIGURES_OF_SUMS", "PooledErrors"]

FIGURES_OF_SUMS: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "mse": lambda sums: sums[:, 1] / sums[:, 0],
    "mae": lambda sums: sums[:, 2] / sums[:, 0],
    "rmse": lambda sums: np.sqrt(sums[:, 1] / sums[:, 0]),
    "nmse": lambda sums: sums[:, 1] / sums[:, 3],
}
"""Figures (n,) of sums (n, 4): values, squared errors, absolute errors, squared true values."""


@dataclass
class PooledErrors:
    """Sums over all cells of all maps.

    Attributes:
        num_cells: Cells.
        num_values: Values: those of all channels.
        squared_error: Sum of squared errors.
        absolute_error: Sum of absolute errors.
        power: Sum of squared true values.
    """

    num_cells: int = 0
    num_values: int = 0
    squared_error: float = 0.0
    absolute_error: float = 0.0
    power: float = 0.0

    def add(self, prediction: NDArray[np.float64], truth: NDArray[np.float64]) -> None:
        """Take in cells (C, cells)."""
        self.num_cells += truth.shape[1]
        self.num_values += truth.size
        self.squared_error += float(((prediction - truth) ** 2).sum())
        self.absolute_error += float(np.abs(prediction - truth).sum())
        self.power += float((truth**2).sum())

    @property
    def sums(self) -> tuple[float, float, float, float]:
        """Values, squared errors, absolute errors, squared true values."""
        return float(self.num_values), self.squared_error, self.absolute_error, self.power

    def figures(self) -> dict[str, float]:
        """`mse`, `mae`, `rmse` and `nmse` of all cells; none where no cell counts, no `nmse` where the truth is 0."""
        if not self.num_values:
            return {}
        sums = np.array([self.sums])
        names = [name for name in FIGURES_OF_SUMS if name != "nmse" or self.power > 0]
        return {name: float(FIGURES_OF_SUMS[name](sums)[0]) for name in names}
