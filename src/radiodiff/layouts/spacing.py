"""Keeping shapes apart."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["keep_apart"]


def keep_apart(shapes: NDArray[np.object_], distance_m: float) -> list[int]:
    """Numbers of the shapes that stay when each one closer than a distance to an earlier one goes."""
    import shapely

    later, earlier = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=distance_m)
    neighbours: dict[int, list[int]] = {}
    for index, other in zip(later.tolist(), earlier.tolist(), strict=True):
        if other < index:
            neighbours.setdefault(index, []).append(other)
    kept: set[int] = set()
    for index in range(len(shapes)):
        if kept.isdisjoint(neighbours.get(index, ())):
            kept.add(index)
    return sorted(kept)
