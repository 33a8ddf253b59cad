"""Buildings, cars and transmitters."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from radiodiff.viz.map_axes import map_axes, new_axes, show_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_scene", "draw_scene_layers", "mark_transmitters"]

BUILDING_COLOUR = "0.55"
OUTLINE_COLOUR = "0.25"
# Told apart from white ground, grey walls and every colour of the path loss.
CAR_COLOUR = "#00b8cc"
TX_STYLE = {"marker": "*", "s": 110.0, "facecolor": "white", "edgecolor": "black", "linewidth": 1.0, "zorder": 5}


def draw_scene(scene: Scene, *, tx: Iterable[Transmitter] = (), axes: "Axes | None" = None) -> "Axes":
    """Draw the plan of a scene: buildings grey, cars outlined, transmitters as stars.

    Args:
        scene: The scene.
        tx: Transmitters to mark.
        axes: Where to draw; None makes a new figure.

    Returns:
        The axes, in metres (y down) or in map coordinates where the grid has a CRS.
    """
    axes = axes if axes is not None else new_axes()
    draw_scene_layers(axes, scene)
    mark_transmitters(axes, scene.grid, tx)
    map_axes(axes, scene.grid)
    return axes


def draw_scene_layers(axes: "Axes", scene: Scene) -> None:
    """Add buildings and cars to axes."""
    _fill_cells(axes, scene.buildings, scene.grid, BUILDING_COLOUR)
    if scene.footprints is not None:
        _outline(axes, scene.footprints, scene.grid, OUTLINE_COLOUR)
    if scene.car_footprints is not None:
        _outline(axes, scene.car_footprints, scene.grid, CAR_COLOUR)
    elif scene.cars is not None:
        _fill_cells(axes, scene.cars, scene.grid, CAR_COLOUR)


def mark_transmitters(axes: "Axes", grid: Grid, txs: Iterable[Transmitter]) -> None:
    """Add a star at each transmitter."""
    positions = np.array([(tx.x_m, tx.y_m) for tx in txs]).reshape(-1, 2)
    if len(positions):
        axes.scatter(*_to_map(grid, positions).T, **TX_STYLE)  # type: ignore[arg-type]


def _fill_cells(axes: "Axes", mask: NDArray[np.bool_], grid: Grid, colour: str) -> None:
    """Colour the cells of a mask and leave the others as they are."""
    from matplotlib.colors import to_rgba

    pixels = np.zeros((*mask.shape, 4))
    pixels[mask] = to_rgba(colour)
    show_cells(axes, pixels, grid, zorder=2)


def _outline(axes: "Axes", footprints: Iterable[Footprint], grid: Grid, colour: str) -> None:
    """Draw the edges of footprints, courtyards included."""
    from matplotlib.collections import LineCollection

    rings: list[Any] = []
    for footprint in footprints:
        rings += [footprint.polygon.exterior, *footprint.polygon.interiors]
    lines = [_to_map(grid, np.asarray(ring.coords)) for ring in rings]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.6, zorder=3), autolim=False)


def _to_map(grid: Grid, points_m: NDArray[np.floating]) -> NDArray[np.float64]:
    """Map coordinates (n, 2) of points (n, 2 or 3) in local metres."""
    cells = points_m[:, :2] / grid.cell_size_m
    return np.stack(grid.cells_to_map(cells[:, 0], cells[:, 1]), axis=1)
