"""Where a transmitter stands among the outlines."""

from collections.abc import Sequence

import numpy as np

from radiodiff.errors import TransmitterError
from radiodiff.scene import Footprint, Transmitter

__all__ = ["clear_position"]

CLEARANCE_M = 0.05
"""How far from a wall a transmitter is put that was inside it."""


def clear_position(
    tx: Transmitter, height_m: float, footprints: Sequence[Footprint], reach_m: float
) -> tuple[float, float]:
    """A place outside the walls: the transmitter's own, or the nearest where an outline juts out over its cell.

    The raster decides which cells are free, and a free cell may lie partly under an outline: from inside a building,
    no ray would leave it.

    Args:
        tx: The transmitter, in a free cell or above a roof.
        height_m: Its height [m].
        footprints: Outlines with heights.
        reach_m: Farthest it may be moved [m].

    Returns:
        Local x and y [m].

    Raises:
        TransmitterError: It stands deeper inside a building than that.
    """
    import shapely

    as_high = [footprint.polygon for footprint in footprints if (footprint.height_m or np.inf) >= height_m]
    point = shapely.Point(tx.x_m, tx.y_m)
    if not shapely.intersects(as_high, point).any():
        return tx.x_m, tx.y_m
    walls = shapely.boundary(shapely.buffer(shapely.union_all(as_high), CLEARANCE_M, join_style="mitre"))
    _, nearest = shapely.get_coordinates(shapely.shortest_line(point, walls))
    if shapely.distance(point, walls) > reach_m:
        raise TransmitterError(
            "A transmitter must stand outside the walls, or above the roof",
            value=f"x {tx.x_m:g} m, y {tx.y_m:g} m, {shapely.distance(point, walls):.1f} m inside an outline",
            remedy="Move it to a free place; the raster and the outlines of the scene may not belong together.",
        )
    return float(nearest[0]), float(nearest[1])
