"""Figures of the ICASSP 2025 data set: samples, and squares of an arrangement."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.icassp import PIXEL_M, IcasspReader
from radiodiff.data.icassp.arrange import ARRANGED_FOLDERS
from radiodiff.data.inspect.arranged_checks import IMAGE_FOLDERS, list_arranged
from radiodiff.data.inspect.figure_parts import ItemFigure, new_panels, pick_item
from radiodiff.data.inspect.icassp_checks import list_icassp
from radiodiff.errors import DataSetError
from radiodiff.formats import read_grey_image, read_mask_image
from radiodiff.scene import Grid, Transmitter
from radiodiff.viz import draw_path_loss
from radiodiff.viz.map_axes import map_axes, show_cells
from radiodiff.viz.scene_layers import mark_transmitters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_arranged", "draw_icassp"]

LABELS = {
    "reflectance_db": "reflectance [dB]",
    "transmittance_db": "transmittance [dB]",
    "distance_m": "distance [m]",
    "free_space_loss_db": "free-space loss [dB]",
}
"""Panels of the condition."""

BESIDE_COLOUR = "#bcd7f0"
"""What lies beside the map: told apart from every colour of the channels."""


def draw_icassp(root: Path, index: int) -> ItemFigure:
    """Draw the channels of a sample and its path loss.

    Raises:
        DataSetError: There is no such sample.
        FormatError: A file of it is damaged.
    """
    samples = [s for s in list_icassp(root)[0] if s.input_path(root).is_file() and s.output_path(root).is_file()]
    sample_id = pick_item(samples, index, root, "samples with input and output")
    sample = IcasspReader(root).read(sample_id)
    grid = Grid(*sample.shape, PIXEL_M)
    row, col = sample.tx_cell
    figure, axes = new_panels(2, 2)
    for panel, name in zip(axes[:3], LABELS, strict=False):
        _draw_channel(panel, getattr(sample, name), grid, LABELS[name])
    draw_path_loss(sample.path_loss_db, grid, tx=Transmitter.at_cell(grid, col, row), axes=axes[3])
    axes[3].set_title("path loss")
    caption = (
        f"task {sample_id.task}, {sample_id.name}: {sample_id.frequency_hz / 1e6:g} MHz, {_size(grid)}, "
        f"transmitter at row {sample.tx_row:g}, column {sample.tx_col:g}, azimuth "
        f"{sample.azimuth_deg:g} deg, path loss {sample.path_loss_db.min():g} to {sample.path_loss_db.max():g} dB"
    )
    return ItemFigure(figure, f"task{sample_id.task}_{sample_id.name}", caption)


def draw_arranged(root: Path, index: int) -> ItemFigure:
    """Draw the channels of a square, its path loss, and its part on the map.

    Raises:
        DataSetError: There is no such radio map, its images differ in size, or its transmitter is not one pixel.
        FormatError: A file of it is damaged.
    """
    items = [item for item in list_arranged(root)[0] if len(item.folders) == len(IMAGE_FOLDERS)]
    sample = pick_item(items, index, root, "radio maps with all their images").sample
    paths = {name: root / folder / f"{sample.name}.png" for name, folder in ARRANGED_FOLDERS.items()}
    values = {name: read_grey_image(path)[0].astype(np.float64) for name, path in paths.items()}
    on_map, antenna = (read_mask_image(root / folder / f"{sample.name}.png") for folder in ("mask", "antenna"))
    cells = np.argwhere(antenna)
    if len(cells) != 1 or len({array.shape for array in (on_map, antenna, *values.values())}) > 1:
        raise DataSetError(
            "The images of a radio map must have one size, and its transmitter be one pixel",
            value=f"{sample.name} of {root}",
            remedy="Run radiodiff dataset validate.",
        )
    row, col = (int(at) for at in cells[0])
    grid = Grid(on_map.shape[0], on_map.shape[1], PIXEL_M)
    shown = {name: np.where(on_map, array, np.nan) for name, array in values.items()}
    figure, axes = new_panels(2, 3)
    for panel, (name, label) in zip(axes[:4], LABELS.items(), strict=True):
        panel.set_facecolor(BESIDE_COLOUR)
        _draw_channel(panel, shown[name], grid, label)
    axes[4].set_facecolor(BESIDE_COLOUR)
    tx = Transmitter.at_cell(grid, col, row)
    draw_path_loss(shown["path_loss_db"], grid, tx=tx, axes=axes[4])
    axes[4].set_title("path loss")
    show_cells(axes[5], on_map, grid, cmap="gray", vmin=0, vmax=1)
    mark_transmitters(axes[5], grid, (tx,))
    map_axes(axes[5], grid)
    axes[5].set_title("white: on the map")
    lit = values["path_loss_db"][on_map]
    span = f"{lit.min():g} to {lit.max():g} dB" if lit.size else "no values"
    caption = (
        f"{sample.name}: {sample.frequency_hz / 1e6:g} MHz, {_size(grid)}, transmitter at row {row}, column {col}, "
        f"path loss {span}, {on_map.mean():.0%} of the square on the map"
    )
    return ItemFigure(figure, sample.name, caption)


def _draw_channel(panel: "Axes", values: NDArray[np.floating], grid: Grid, label: str) -> None:
    figure = panel.get_figure()
    assert figure is not None
    figure.colorbar(show_cells(panel, values, grid, cmap="viridis"), ax=panel)
    map_axes(panel, grid)
    panel.set_title(label)


def _size(grid: Grid) -> str:
    return f"{grid.rows} x {grid.cols} pixels of {PIXEL_M} m"
