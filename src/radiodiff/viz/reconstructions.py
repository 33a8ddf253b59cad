"""Several maps, each with its reconstruction and their difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.viz.figure_file import check_figure_path, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ReconstructionRow", "draw_reconstructions", "reconstruction_figure"]

COLOURS = "inferno"
DIFFERENCE_COLOURS = "RdBu_r"

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

    def __post_init__(self) -> None:
        if not (self.truth.ndim == 2 and self.truth.shape == self.prediction.shape):
            raise InputError(
                "Truth and prediction of a row must be maps (rows, cols) of one shape",
                value=f"{self.truth.shape} and {self.prediction.shape} for {self.title}",
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
    of the range at least: red is above the truth, blue below.

    Raises:
        InputError: There is no row.
    """
    from matplotlib.figure import Figure

    if not rows:
        raise InputError("A picture of reconstructions needs a row", value="none", remedy="Give at least one map.")
    limits = {row.label: _difference_limit([other for other in rows if other.label == row.label]) for row in rows}
    size = (3 * PANEL_INCHES + 2.4, (PANEL_INCHES + 0.2) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    for row, panels in zip(rows, figure.subplots(len(rows), 3, squeeze=False), strict=True):
        left, middle, right = panels
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
        middle.set_title("prediction", fontsize="medium")
        error = "" if row.rmse is None else f", rmse {row.rmse:.4f}"
        right.set_title(f"difference{error}", fontsize="medium")
        for axes in panels:
            axes.set(xticks=[], yticks=[])
        bar = figure.colorbar(image, ax=[left, middle], label=row.label)
        if is_falling:
            bar.ax.invert_yaxis()
        figure.colorbar(difference, ax=right, label=f"prediction - truth{_unit(row.label)}", extend="both")
    return figure


def _difference_limit(rows: Sequence[ReconstructionRow]) -> float:
    sizes = np.concatenate([np.abs(row.prediction - row.truth).ravel() for row in rows])
    smallest = SMALLEST_LIMIT * max(abs(row.bright - row.dark) for row in rows)
    return max(float(np.percentile(sizes, LIMIT_PERCENTILE)), smallest)


def _unit(label: str) -> str:
    """` [dB]` of `path loss [dB]`."""
    _, bracket, unit = label.partition(" [")
    return bracket + unit
