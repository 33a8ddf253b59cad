"""Truth, prediction and their difference, side by side."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.scene import Grid, Scene, Transmitter
from radiodiff.viz.map_axes import checked_values, map_axes, show_cells
from radiodiff.viz.path_loss import PATH_LOSS_LABEL, path_loss_image
from radiodiff.viz.scene_layers import draw_scene_layers, mark_transmitters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_comparison"]

SMALLEST_LIMIT_DB = 1.0
"""Differences below this stay pale: a map that agrees must look as if it did."""

LIMIT_PERCENTILE = 99.0


def draw_comparison(  # noqa: PLR0913  what is drawn, and how
    truth_db: NDArray[np.floating],
    prediction_db: NDArray[np.floating],
    grid: Grid,
    *,
    tx: Transmitter | None = None,
    scene: Scene | None = None,
    difference_limit_db: float | None = None,
    truth_name: str = "truth",
) -> "Figure":
    """Draw true and predicted path loss on one colour scale, and prediction minus truth.

    Args:
        truth_db: True path loss, (rows, cols) [dB]; NaN where there is none.
        prediction_db: Predicted path loss, (rows, cols) [dB]; NaN where there is none.
        grid: The grid.
        tx: Transmitter to mark.
        scene: Buildings and cars to draw.
        difference_limit_db: Difference at the ends of its colour scale [dB]; None takes the 99th percentile
            of the absolute difference, at least 1 dB. Blue is too strong a signal, red too weak.
        truth_name: What the first map is called, where it is no truth.

    Returns:
        A figure with the axes truth, prediction, difference and two colour bars.

    Raises:
        InputError: An array has another size than the grid, or the limit is not above 0.
    """
    from matplotlib.figure import Figure

    truth_db = checked_values("truth_db", truth_db, grid)
    prediction_db = checked_values("prediction_db", prediction_db, grid)
    difference_db = prediction_db - truth_db
    error_db = np.abs(difference_db[np.isfinite(difference_db)])
    if difference_limit_db is None:
        largest_db = float(np.percentile(error_db, LIMIT_PERCENTILE)) if error_db.size else 0.0
        difference_limit_db = max(largest_db, SMALLEST_LIMIT_DB)
    if not 0.0 < difference_limit_db < np.inf:
        raise InputError(
            "difference_limit_db must be finite and above 0",
            value=difference_limit_db,
            remedy="Use None to take it from the data.",
        )

    figure = Figure(figsize=(13.0, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, sharex=True, sharey=True)
    images = [
        path_loss_image(axes, values_db, grid, tx=tx, scene=scene)
        for axes, values_db in ((left, truth_db), (middle, prediction_db))
    ]
    known_db = np.concatenate([values_db[np.isfinite(values_db)] for values_db in (truth_db, prediction_db)])
    if known_db.size:
        for image in images:
            image.set_clim(float(known_db.min()), float(known_db.max()))
    limits = {"vmin": -difference_limit_db, "vmax": difference_limit_db}
    difference = show_cells(right, difference_db, grid, cmap="RdBu_r", **limits)
    if scene is not None:
        draw_scene_layers(right, scene)
    mark_transmitters(right, grid, () if tx is None else (tx,))
    map_axes(right, grid, is_beside=True)

    left.set_title(truth_name)
    middle.set_title("prediction")
    right.set_title(f"difference, median of |error| {np.median(error_db):.2f} dB" if error_db.size else "difference")
    for axes in (middle, right):
        axes.set_ylabel("")
    figure.colorbar(images[0], ax=[left, middle], label=PATH_LOSS_LABEL).ax.invert_yaxis()
    figure.colorbar(difference, ax=right, label=f"prediction - {truth_name} [dB]", extend="both")
    return figure
