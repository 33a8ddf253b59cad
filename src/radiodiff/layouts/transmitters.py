"""Cells where transmitters may stand."""

import numpy as np

from radiodiff.errors import LayoutError
from radiodiff.layouts.streams import Seed, random_stream
from radiodiff.scene import Scene

__all__ = ["draw_transmitter_cells"]

RADIOMAPSEER_MARGIN = 50 / 256
"""RadioMapSeer's transmitters stand in rows and columns 50 to 205 of 256."""


def draw_transmitter_cells(
    scene: Scene,
    count: int,
    seed: Seed,
    *,
    margin_share: float = RADIOMAPSEER_MARGIN,
    clearance_cells: int = 1,
) -> list[tuple[int, int]]:
    """Draw distinct cells for transmitters: outdoors, off the cars, in the central part of the map.

    Closed courtyards are left out: a transmitter there lights nothing but the courtyard.

    Args:
        scene: Buildings, and cars if there are some.
        count: Number of cells.
        seed: A whole number or several; independent of the streams of `generate_city`.
        margin_share: Width of the strip along each border that stays free, as a share of the side.
        clearance_cells: Whole cells that must lie between a transmitter and the nearest building.

    Returns:
        (col, row) of each, in the order drawn.

    Raises:
        LayoutError: An argument is out of range, or the scene has fewer such cells than `count`.
    """
    from scipy.ndimage import binary_dilation, label

    if not (count >= 1 and 0 <= margin_share < 0.5 and clearance_cells >= 0):
        raise LayoutError(
            "Transmitter cells need count >= 1, margin_share in [0, 0.5) and clearance_cells >= 0",
            value=f"count={count}, margin_share={margin_share}, clearance_cells={clearance_cells}",
            remedy="The defaults are those of RadioMapSeer.",
        )
    rows, cols = scene.grid.shape
    labels, _ = label(~scene.buildings)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    is_free = np.isin(labels, border[border > 0])
    reach = 2 * clearance_cells + 1
    is_free &= ~binary_dilation(scene.buildings, np.ones((reach, reach), dtype=bool))
    if scene.cars is not None:
        is_free &= ~scene.cars
    top, left = round(margin_share * rows), round(margin_share * cols)
    row, col = np.nonzero(is_free[top : rows - top, left : cols - left])
    if len(row) < count:
        raise LayoutError(
            f"The scene must have {count} free cells for transmitters",
            value=f"{len(row)} cells outdoors and at least {clearance_cells} cells from a building",
            remedy="Ask for fewer transmitters or a smaller margin, or use a scene with less built ground.",
        )
    drawn = random_stream(seed, "transmitters").choice(len(row), size=count, replace=False)
    return [(left + int(col[index]), top + int(row[index])) for index in drawn]
