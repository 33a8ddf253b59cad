"""Train, validation and test by building: no building serves two purposes."""

from collections.abc import Iterable

import numpy as np

from radiodiff.data.splits import PARTS, Split, proportional_split
from radiodiff.errors import DataSetError

__all__ = ["building_split"]

SHARES = (0.8, 0.1, 0.1)


def building_split(buildings: Iterable[int], seed: int = 0) -> Split:
    """Deal building numbers 80 : 10 : 10 to train, validation and test, in an order drawn from the seed.

    Raises:
        DataSetError: There are fewer than three buildings.
    """
    numbers = sorted(set(buildings))
    if len(numbers) < len(PARTS):
        raise DataSetError(
            "A split by building needs at least three buildings, one for each part",
            value=f"{len(numbers)} buildings",
            remedy="Complete the data set, or use the part 'all' without a split.",
        )
    order = np.random.default_rng(seed).permutation(numbers)
    return proportional_split("icassp-buildings", (int(building) for building in order), SHARES)
