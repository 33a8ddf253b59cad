"""Many scenes side by side, their roofs coloured by height."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from radiodiff.errors import InputError
from radiodiff.scene import Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ScenePanel", "roof_height_figure"]

COLOURS = "viridis_r"
UNKNOWN_COLOUR = "0.6"
MARK_COLOUR = "tab:red"
PANEL_INCHES = 1.15
LEAST_WIDTH_INCHES = 7.0
"""Few scenes are drawn larger: the title and the scale need room."""
LIMIT_PERCENTILE = 99.0
"""The colours end at this percentile of the heights: one tower must not make all else look flat."""


@dataclass(frozen=True, eq=False)
class ScenePanel:
    """One scene of the figure.

    Attributes:
        title: What to write above it.
        scene: The scene.
        is_marked: Whether its frame is red.
    """

    title: str
    scene: Scene
    is_marked: bool = False


def roof_height_figure(panels: Sequence[ScenePanel], *, title: str = "") -> "Figure":
    """Draw scenes as small multiples, roofs coloured by height on one scale, roofs of unknown height grey.

    Raises:
        InputError: There is no scene.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    if not panels:
        raise InputError("A figure of scenes needs a scene", value="none", remedy="Give at least one.")
    heights_m = [panel.scene.roof_height_m for panel in panels]
    known_m = np.concatenate([height[np.isfinite(height) & (height > 0.0)] for height in heights_m])
    limit_m = float(np.percentile(known_m, LIMIT_PERCENTILE)) if known_m.size else 1.0
    num_columns = int(np.ceil(np.sqrt(1.5 * len(panels))))
    num_rows = -(-len(panels) // num_columns)
    panel_inches = max(PANEL_INCHES, min(LEAST_WIDTH_INCHES / num_columns, LEAST_WIDTH_INCHES / 2))
    size = (num_columns * panel_inches + 0.8, num_rows * (panel_inches + 0.12) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    colours = colormaps[COLOURS].with_extremes(bad=UNKNOWN_COLOUR, under="white")
    all_axes = figure.subplots(num_rows, num_columns, squeeze=False)
    for axes in all_axes.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, panel, height_m in zip(all_axes.flat, panels, heights_m, strict=False):
        # Outdoors is 0, below the scale: white.
        image = axes.imshow(height_m, cmap=colours, vmin=1e-3, vmax=limit_m, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(panel.title, fontsize=5 if panel_inches < 2 else 8, pad=1.5)
        if panel.is_marked:
            for spine in axes.spines.values():
                spine.set(color=MARK_COLOUR, linewidth=1.2)
    figure.colorbar(
        image,
        ax=all_axes,
        label="roof height [m]",
        extend="max",
        aspect=50,
        fraction=0.02,
        pad=0.01,
    )
    if title:
        figure.suptitle(title, fontsize=8, wrap=True)
    return figure
