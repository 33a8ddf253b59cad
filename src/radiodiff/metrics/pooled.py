"""Errors of all cells of many maps together."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PooledErrors"]


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

    def figures(self) -> dict[str, float]:
        """`mse`, `mae`, `rmse` and `nmse` of all cells together; none where no cell counts."""
        if not self.num_values:
            return {}
        mse = self.squared_error / self.num_values
        found = {"mse": mse, "mae": self.absolute_error / self.num_values, "rmse": math.sqrt(mse)}
        return found | ({"nmse": self.squared_error / self.power} if self.power > 0 else {})
