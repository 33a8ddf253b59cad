"""Path loss on a map."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.scene import Grid, Scene, Transmitter
from radiodiff.viz.map_axes import checked_values, map_axes, new_axes, show_cells
from radiodiff.viz.scene_layers import draw_scene_layers, mark_transmitters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["PATH_LOSS_LABEL", "draw_path_loss", "path_loss_image"]

PATH_LOSS_COLOURS = "inferno_r"
"""Perceptually uniform; reversed, so that little loss (a strong signal) is bright."""

PATH_LOSS_LABEL = "path loss [dB]"


def draw_path_loss(
    path_loss_db: NDArray[np.floating],
    grid: Grid,
    *,
    tx: Transmitter | None = None,
    scene: Scene | None = None,
    axes: "Axes | None" = None,
) -> "Axes":
    """Draw path loss, strong signal bright, with buildings, cars and the transmitter.

    Args:
        path_loss_db: (rows, cols) [dB]; NaN cells stay transparent.
        grid: The grid.
        tx: Transmitter to mark.
        scene: Buildings (grey) and cars (outlined) to draw.
        axes: Where to draw; None makes a new figure.

    Returns:
        The axes, in metres (y down) or in map coordinates where the grid has a CRS. The colour bar is in dB,
        with its bright end up.

    Raises:
        InputError: The array has another size than the grid.
    """
    axes = axes if axes is not None else new_axes()
    image = path_loss_image(axes, path_loss_db, grid, tx=tx, scene=scene)
    bar = axes.get_figure(root=True).colorbar(image, ax=axes, label=PATH_LOSS_LABEL)  # type: ignore[union-attr]
    bar.ax.invert_yaxis()
    return axes


def path_loss_image(
    axes: "Axes",
    path_loss_db: NDArray[np.floating],
    grid: Grid,
    *,
    tx: Transmitter | None = None,
    scene: Scene | None = None,
) -> "AxesImage":
    """Draw all but the colour bar; returns the image, for a colour bar that several axes share.

    Raises:
        InputError: The array has another size than the grid.
    """
    image = show_cells(axes, checked_values("path_loss_db", path_loss_db, grid), grid, cmap=PATH_LOSS_COLOURS)
    if scene is not None:
        draw_scene_layers(axes, scene)
    mark_transmitters(axes, grid, () if tx is None else (tx,))
    map_axes(axes, grid)
    return image
