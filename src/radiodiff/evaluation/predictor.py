"""What an evaluation asks of whatever predicts maps."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.loader import Batch

__all__ = ["Predictor"]


class Predictor(Protocol):
    """Something that predicts the maps of examples.

    Attributes:
        label: Short name, for tables.
    """

    label: str

    @property
    def scale(self) -> str:
        """Scale of the predicted levels."""

    def predict(self, batch: Batch) -> list[NDArray[np.float64]]:
        """Levels (draws, rows, cols) in [0, 1] of each map of a batch, at least as large as the map itself.

        Raises:
            RadiodiffError: A map cannot be predicted.
        """

    def facts(self) -> Mapping[str, Any]:
        """What predicts and how, by name, JSON types; for the protocol."""
