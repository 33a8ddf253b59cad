"""Cells where transmitters may stand."""

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import LayoutError
from radiodiff.layouts.streams import Seed, random_stream
from radiodiff.scene import Scene

__all__ = ["draw_roof_cells", "draw_transmitter_cells"]

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

    _check_arguments(count, margin_share, clearance_cells)
    labels, _ = label(~scene.buildings)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    is_free = np.isin(labels, border[border > 0])
    reach = 2 * clearance_cells + 1
    is_free &= ~binary_dilation(scene.buildings, np.ones((reach, reach), dtype=bool))
    if scene.cars is not None:
        is_free &= ~scene.cars
    cells = _central(is_free, margin_share)
    if len(cells) < count:
        raise LayoutError(
            f"The scene must have {count} free cells for transmitters",
            value=f"{len(cells)} cells outdoors and at least {clearance_cells} cells from a building",
            remedy="Ask for fewer transmitters or a smaller margin, or use a scene with less built ground.",
        )
    return _drawn(cells, count, random_stream(seed, "transmitters"))


def draw_roof_cells(
    scene: Scene, count: int, seed: Seed, *, margin_share: float = RADIOMAPSEER_MARGIN, clearance_cells: int = 1
) -> list[tuple[int, int]]:
    """Draw distinct cells on roofs of known height in the central part of the map.

    Args:
        scene: Buildings with heights.
        count: Number of cells.
        seed: A whole number or several; independent of `draw_transmitter_cells`.
        margin_share: Width of the strip along each border that stays free, as a share of the side.
        clearance_cells: Whole cells that must lie between a transmitter and the edge of the building.

    Returns:
        (col, row) of each, in the order drawn.

    Raises:
        LayoutError: An argument is out of range, or the scene has fewer such cells than `count`.
    """
    from scipy.ndimage import binary_dilation

    _check_arguments(count, margin_share, clearance_cells)
    reach = 2 * clearance_cells + 1
    # Not an erosion of the buildings: beyond the border of the map a roof may go on.
    is_roof = ~binary_dilation(~scene.buildings, np.ones((reach, reach), dtype=bool))
    is_roof &= np.isfinite(scene.roof_height_m)
    cells = _central(is_roof, margin_share)
    if len(cells) < count:
        raise LayoutError(
            f"The scene must have {count} roof cells for transmitters",
            value=f"{len(cells)} cells on roofs of known height, at least {clearance_cells} cells from their edge",
            remedy="Ask for fewer transmitters, or use a scene with more buildings and with heights.",
        )
    return _drawn(cells, count, random_stream(seed, "roofs"))


def _check_arguments(count: int, margin_share: float, clearance_cells: int) -> None:
    if not (count >= 1 and 0 <= margin_share < 0.5 and clearance_cells >= 0):
        raise LayoutError(
            "Transmitter cells need count >= 1, margin_share in [0, 0.5) and clearance_cells >= 0",
            value=f"count={count}, margin_share={margin_share}, clearance_cells={clearance_cells}",
            remedy="The defaults are those of RadioMapSeer.",
        )


def _central(is_usable: NDArray[np.bool_], margin_share: float) -> NDArray[np.int64]:
    """(n, 2) cells (col, row) that are usable and not in the strip along the border, row by row."""
    rows, cols = is_usable.shape
    top, left = round(margin_share * rows), round(margin_share * cols)
    row, col = np.nonzero(is_usable[top : rows - top, left : cols - left])
    return np.column_stack([left + col, top + row])


def _drawn(cells: NDArray[np.int64], count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    drawn = rng.choice(len(cells), size=count, replace=False)
    return [(int(cells[index, 0]), int(cells[index, 1])) for index in drawn]
