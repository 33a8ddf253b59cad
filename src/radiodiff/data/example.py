"""One item of a data set, in numpy; `radiodiff.data.loader` stacks them to batches of tensors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draw", "Example"]

Draw = tuple[int, int]
"""Number of an example and number of the draw. All randomness of an example (augmentation, mixing, missing buildings,
measured points) follows from the seed of the data set and these two; an epoch is a new draw of every example."""


@dataclass(frozen=True, eq=False)
class Example:
    """A target and its condition, encoded.

    Attributes:
        target: (1, rows, cols) float32 in [-1, 1].
        condition: (C, rows, cols) float32 in [-1, 1]; the data set's `encoding` names the channels.
        tx: Cell (row, col) of the transmitter.
        map_id: Number of the map (RadioMapSeer) or building (ICASSP).
        tx_id: Number of the transmitter on it.
        name: Name of the example's file, without suffix.
        content: (rows, cols) of the map in the top-left corner; the rest is padding.
        weight: (1, rows, cols) float32 in [0, 1] for losses that weight cells, or None.
    """

    target: NDArray[np.float32]
    condition: NDArray[np.float32]
    tx: tuple[int, int]
    map_id: int
    tx_id: int
    name: str
    content: tuple[int, int]
    weight: NDArray[np.float32] | None = None
