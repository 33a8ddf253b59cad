"""One item of a data set, in numpy; `radiodiff.data.loader` stacks them to batches of tensors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError

__all__ = ["Draw", "Example", "numbered"]

Draw = tuple[int, int]
"""Number of an example and number of the draw. All randomness of an example (augmentation, mixing, missing buildings,
measured points) follows from the seed of the data set and these two; an epoch is a new draw of every example."""


def numbered(index: "int | Draw", length: int) -> Draw:
    """Number and draw of an example; an index alone is draw 0.

    Raises:
        InputError: The index is neither a whole number nor two of them, or the draw is negative.
        IndexError: There is no such example.
    """
    number, draw = index if isinstance(index, tuple) and len(index) == 2 else (index, 0)
    if not (isinstance(number, int | np.integer) and isinstance(draw, int | np.integer) and draw >= 0):
        raise InputError(
            "An example is asked for by its number, or by number and draw, a whole number from 0",
            value=repr(index),
            remedy="Write data[3], or data[3, 0].",
        )
    if not 0 <= number < length:
        raise IndexError(f"example {number} of {length}")
    return int(number), int(draw)


@dataclass(frozen=True, eq=False)
class Example:
    """A target and its condition, encoded.

    Attributes:
        target: (1, rows, cols) float32 in [-1, 1]; views for autoencoders may have more channels, and none at all where
            it was not read because its latents are given.
        condition: (C, rows, cols) float32 in [-1, 1]; the data set's `encoding` names the channels.
        tx: Cell (row, col) of the transmitter.
        map_id: Number of the map (RadioMapSeer) or building (ICASSP).
        tx_id: Number of the transmitter on it.
        name: Name of the example's file, without suffix.
        content: (rows, cols) of the map in the top-left corner; the rest is padding.
        weight: (1, rows, cols) float32 in [0, 1], high on the edges of the target, for losses that emphasise them; or
            None.
        mask: (1, rows, cols) bool, the cells that count; None: all of them.
        symmetry: Number of the symmetry it was turned by, see `radiodiff.data.placement`.
        latents: (2 * C', h, w) float32, mean and then standard deviation of the target's posterior under an
            autoencoder, not scaled; or None.
    """

    target: NDArray[np.float32]
    condition: NDArray[np.float32]
    tx: tuple[int, int]
    map_id: int
    tx_id: int
    name: str
    content: tuple[int, int]
    weight: NDArray[np.float32] | None = None
    mask: NDArray[np.bool_] | None = None
    symmetry: int = 0
    latents: NDArray[np.float32] | None = None
