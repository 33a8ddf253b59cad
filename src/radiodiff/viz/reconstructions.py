"""Several maps, each with its reconstruction, their difference and, where it has one, the spread of its draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.viz.figure_file import check_figure_path, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ReconstructionRow", "draw_reconstructions", "reconstruction_figure"]

COLOURS = "inferno"
DIFFERENCE_COLOURS = "RdBu_r"
SPREAD_COLOURS = "viridis"

LIMIT_PERCENTILE = 99.0

SMALLEST_LIMIT = 0.01
"""Differences below this share of the range stay pale: a map that agrees must look as if it did."""

PANEL_INCHES = 2.6
DPI = 110.0


@dataclass(frozen=True, eq=False)
class ReconstructionRow:
    """One row of the picture.

    Attributes:
        title: Name of the map.
        truth: (rows, cols).
        prediction: (rows, cols).
        label: What the values are, with their unit.
        dark: Value of the darkest colour.
        bright: Value of the brightest colour; may be the smaller one.
        rmse: Error to print, on levels in [0, 1]; None prints none.
        spread: (rows, cols) standard deviation of the prediction, or None.
        made_by: What predicted it; empty where that is clear.

    Raises:
        InputError: The arrays are no maps of one shape, or both ends of the colours are the same.
    """

    title: str
    truth: NDArray[np.floating]
    prediction: NDArray[np.floating]
    label: str
    dark: float
    bright: float
    rmse: float | None
    spread: NDArray[np.floating] | None = None
    made_by: str = ""

    def __post_init__(self) -> None:
        shapes = {array.shape for array in (self.truth, self.prediction, self.spread) if array is not None}
        if not (self.truth.ndim == 2 and len(shapes) == 1):
            raise InputError(
                "Truth, prediction and spread of a row must be maps (rows, cols) of one shape",
                value=f"{' and '.join(map(str, sorted(shapes)))} for {self.title}",
                remedy="Give one channel, cropped to one grid.",
            )
        if not (np.isfinite(self.dark) and np.isfinite(self.bright) and self.dark != self.bright):
            raise InputError(
                "The colours of a row need two finite ends that differ",
                value=f"{self.dark} and {self.bright} for {self.title}",
                remedy="Give the range of the channel.",
            )


def draw_reconstructions(rows: Sequence[ReconstructionRow], path: str | Path) -> Path:
    """Draw truth, prediction and difference of each row and write the picture.

    Args:
        rows: The rows, at least one.
        path: Where to: .png, .pdf or .svg.

    Returns:
        The path.

    Raises:
        InputError: There is no row.
        FormatError: The path cannot be written.
    """
    check_figure_path(path)
    return save_figure(reconstruction_figure(rows), path, dpi=DPI)


def reconstruction_figure(rows: Sequence[ReconstructionRow]) -> "Figure":
    """The picture: truth and prediction on the colours of the whole range, and prediction minus truth.

    Rows with one label share the colours of their difference, which end at the 99th percentile of its size, and at 1 %
    of the range at least: red is above the truth, blue below. Where a row has a spread, there is a fourth column, whose
    colours end where those of the difference do.

    Raises:
        InputError: There is no row.
    """
    from matplotlib.figure import Figure

    if not rows:
        raise InputError("A picture of reconstructions needs a row", value="none", remedy="Give at least one map.")
    limits = {row.label: _difference_limit([other for other in rows if other.label == row.label]) for row in rows}
    num_columns = 4 if any(row.spread is not None for row in rows) else 3
    size = (num_columns * PANEL_INCHES + 2.4 + (num_columns - 3), (PANEL_INCHES + 0.2) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    for row, panels in zip(rows, figure.subplots(len(rows), num_columns, squeeze=False), strict=True):
        left, middle, right = panels[:3]
        is_falling = row.dark > row.bright
        colours = COLOURS + "_r" if is_falling else COLOURS
        low, high = sorted((row.dark, row.bright))
        for axes, values in ((left, row.truth), (middle, row.prediction)):
            image = axes.imshow(values, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        limit = limits[row.label]
        difference = right.imshow(
            row.prediction - row.truth, cmap=DIFFERENCE_COLOURS, vmin=-limit, vmax=limit, interpolation="nearest"
        )
        left.set_title(f"truth of {row.title}", fontsize="medium")
        middle.set_title(f"prediction{': ' if row.made_by else ''}{row.made_by}", fontsize="medium")
        error = "" if row.rmse is None else f", rmse {row.rmse:.4f}"
        right.set_title(f"difference{error}", fontsize="medium")
        for axes in panels:
            axes.set(xticks=[], yticks=[])
        bar = figure.colorbar(image, ax=[left, middle], label=row.label)
        if is_falling:
            bar.ax.invert_yaxis()
        figure.colorbar(difference, ax=right, label=f"prediction - truth{_unit(row.label)}", extend="both")
        if row.spread is not None:
            _show_spread(panels[3], row.spread, limit, _unit(row.label))
        elif num_columns == 4:
            panels[3].set_axis_off()
    return figure


def _show_spread(axes: "Axes", spread: NDArray[np.floating], limit: float, unit: str) -> None:
    image = axes.imshow(spread, cmap=SPREAD_COLOURS, vmin=0.0, vmax=limit, interpolation="nearest")
    axes.set_title("spread of the draws", fontsize="medium")
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=axes, label=f"standard deviation{unit}", extend="max")


def _difference_limit(rows: Sequence[ReconstructionRow]) -> float:
    sizes = np.concatenate([np.abs(row.prediction - row.truth).ravel() for row in rows])
    smallest = SMALLEST_LIMIT * max(abs(row.bright - row.dark) for row in rows)
    return max(float(np.percentile(sizes, LIMIT_PERCENTILE)), smallest)


def _unit(label: str) -> str:
    """` [dB]` of `path loss [dB]`."""
    _, bracket, unit = label.partition(" [")
    return bracket + unit
