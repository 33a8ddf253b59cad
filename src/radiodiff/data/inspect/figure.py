"""A figure of one item of a data set folder: what goes into a model, and what should come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from radiodiff.data.icassp import PIXEL_M, IcasspReader
from radiodiff.data.inspect.edge_checks import list_edges
from radiodiff.data.inspect.gain_checks import grey_verdict
from radiodiff.data.inspect.icassp_checks import list_icassp
from radiodiff.data.inspect.layout import recognise
from radiodiff.data.inspect.packed_checks import list_packed
from radiodiff.data.inspect.radiomapseer_files import list_radiomapseer
from radiodiff.data.radiomapseer.packed import PackedMaps
from radiodiff.data.radiomapseer.store import MapStore, PngTree, gain_count
from radiodiff.errors import DataSetError
from radiodiff.formats import read_grey_image, read_mask_image, read_radiomapseer_scene
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.scene import Grid, Scene, Transmitter
from radiodiff.viz import draw_path_loss, draw_scene
from radiodiff.viz.map_axes import map_axes, show_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ItemFigure", "draw_item"]

NO_VALUE_COLOUR = "#bcd7f0"
"""Told apart from white ground, grey walls and every colour of the path loss."""

NO_VALUE = "grey 0: no value or below the range"

BESIDE = "; buildings as packed, half a cell beside the gain"

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class ItemFigure:
    """A figure and what it shows.

    Attributes:
        figure: The figure.
        name: Name of the item, usable in a file name.
        caption: What is shown, one line.
    """

    figure: "Figure"
    name: str
    caption: str


def draw_item(root: str | Path, index: int, *, simulation: str = "DPM") -> ItemFigure:
    """Draw one item of a data set.

    Args:
        root: The folder.
        index: Which item: radio maps of a simulation by map and transmitter, ICASSP samples by task and name, pairs of
            edges by path; 0 is the first.
        simulation: Folder under `gain/`, for RadioMapSeer.

    Raises:
        DataSetError: The folder holds no data set that is known, no such simulation, or fewer items.
        FormatError: A file of the item is damaged.
    """
    root = Path(root)
    layout = recognise(root)
    if layout == "icassp":
        return _icassp(root, index)
    if layout == "edges":
        return _edges(root, index)
    return _radio_map(root, index, simulation, is_packed=layout == "packed")


def _item(items: Sequence[Item], index: int, root: Path, what: str) -> Item:
    if not 0 <= index < len(items):
        raise DataSetError(
            f"The index of {what} must be one of 0..{len(items) - 1}" if items else f"The folder must hold {what}",
            value=f"{index} of {root}",
            remedy="Run radiodiff dataset describe to see what is there.",
        )
    return items[index]


def _panels(rows: int, cols: int) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6 * cols, 4.9 * rows), layout="constrained")
    return figure, list(figure.subplots(rows, cols).flat)


def _radio_map(root: Path, index: int, simulation: str, *, is_packed: bool) -> ItemFigure:
    store: MapStore = PackedMaps(root, "all") if is_packed else PngTree(root)
    pairs = _packed_pairs(store, root, simulation) if is_packed else _png_pairs(root, simulation)
    map_id, tx_id = _item(pairs, index, root, f"radio maps of {simulation}")
    grey = store.gain(simulation, map_id, tx_id)
    cells = store.tx_cells(map_id)
    if tx_id >= len(cells):
        raise DataSetError(
            f"Map {map_id} has {len(cells)} transmitters",
            value=f"{root}, {simulation} of transmitter {tx_id}",
            remedy="Run radiodiff dataset validate.",
        )
    row, col = (int(i) for i in cells[tx_id])
    with_cars = simulation.startswith("cars")
    scene = _scene(store, map_id, with_cars) if is_packed else read_radiomapseer_scene(root, map_id, cars=with_cars)
    tx = Transmitter.at_cell(scene.grid, col, row)
    scale = grey_verdict(grey, row, col)
    path_loss_db = RADIOMAPSEER_GREY.to_path_loss_db(grey, thresholded=scale == "thresholded")
    shown_db = np.where(grey > 0, path_loss_db, np.nan)
    figure, (left, right) = _panels(1, 2)
    draw_scene(scene, tx=[tx], axes=left)
    left.set_title(f"map {map_id}, transmitter {tx_id}{', with cars' if with_cars else ''}")
    right.set_facecolor(NO_VALUE_COLOUR)
    draw_path_loss(shown_db, scene.grid, tx=tx, scene=scene, axes=right)
    right.set_title(f"{simulation}, grey read as {'thresholded' if scale == 'thresholded' else 'raw'}")
    _legend(right)
    told = (
        f"scale {scale}, told by the line of sight"
        if scale in ("raw", "thresholded")
        else f"scale {scale}, read as raw"
    )
    lit = shown_db[np.isfinite(shown_db)]
    span = f"{lit.min():.1f} to {lit.max():.1f} dB" if lit.size else "no values"
    caption = (
        f"{simulation} map {map_id} transmitter {tx_id} at row {row}, column {col}: path loss {span}, {told}; "
        f"{(grey == 0).mean():.0%} of the cells are {NO_VALUE}{BESIDE if is_packed else ''}"
    )
    return ItemFigure(figure, f"{simulation}_{map_id}_{tx_id}", caption)


def _png_pairs(root: Path, simulation: str) -> list[tuple[int, int]]:
    gains = list_radiomapseer(root).gains
    if simulation not in gains:
        raise _no_simulation(root, simulation, list(gains))
    return [(map_id, tx_id) for map_id, tx_ids in gains[simulation].items() for tx_id in tx_ids]


def _packed_pairs(store: MapStore, root: Path, simulation: str) -> list[tuple[int, int]]:
    maps, _ = list_packed(root)
    if not any(simulation in packed.simulations for packed in maps):
        raise _no_simulation(root, simulation, list(maps[0].simulations) if maps else [])
    ids = sorted(store.map_ids())
    return [(map_id, tx) for map_id in ids for tx in range(gain_count(simulation, len(store.tx_cells(map_id))))]


def _no_simulation(root: Path, simulation: str, there: list[str]) -> DataSetError:
    return DataSetError(
        f"The simulation must be one of {', '.join(there) or 'none: the data set has no radio maps'}",
        value=f"{simulation!r} of {root}",
        remedy="Name one with --simulation.",
    )


def _scene(store: MapStore, map_id: int, with_cars: bool) -> Scene:
    """Scene of packed masks: outlines are not packed."""
    grid = Grid(*store.shape)
    cars = store.mask("cars", map_id) if with_cars else None
    return Scene(grid, store.mask("buildings_complete", map_id), cars=cars, source=f"packed map {map_id}")


def _legend(axes: "Axes") -> None:
    from matplotlib.patches import Patch

    axes.legend(
        handles=[Patch(facecolor=NO_VALUE_COLOUR, edgecolor="0.4", label=NO_VALUE)],
        loc="upper left",
        bbox_to_anchor=(0.0, -0.12),
        frameon=False,
        fontsize="small",
    )


def _icassp(root: Path, index: int) -> ItemFigure:
    samples = [s for s in list_icassp(root)[0] if s.input_path(root).is_file() and s.output_path(root).is_file()]
    sample_id = _item(samples, index, root, "samples with input and output")
    sample = IcasspReader(root).read(sample_id)
    grid = Grid(*sample.shape, PIXEL_M)
    row, col = sample.tx_cell
    tx = Transmitter.at_cell(grid, col, row)
    figure, axes = _panels(2, 2)
    channels = {
        "reflectance [dB]": sample.reflectance_db,
        "transmittance [dB]": sample.transmittance_db,
        "distance [m]": sample.distance_m,
    }
    for panel, (label, channel) in zip(axes, channels.items(), strict=False):
        figure.colorbar(show_cells(panel, channel, grid, cmap="viridis"), ax=panel)
        map_axes(panel, grid)
        panel.set_title(label)
    draw_path_loss(sample.path_loss_db, grid, tx=tx, axes=axes[3])
    axes[3].set_title("path loss")
    size = f"{grid.rows} x {grid.cols} pixels of {PIXEL_M} m"
    caption = (
        f"task {sample_id.task}, {sample_id.name}: {sample_id.frequency_hz / 1e6:g} MHz, "
        f"{size}, transmitter at row {sample.tx_row:g}, column {sample.tx_col:g}, azimuth "
        f"{sample.azimuth_deg:g} deg, path loss {sample.path_loss_db.min():g} to {sample.path_loss_db.max():g} dB"
    )
    return ItemFigure(figure, f"task{sample_id.task}_{sample_id.name}", caption)


def _edges(root: Path, index: int) -> ItemFigure:
    pair = _item(list_edges(root)[0], index, root, "pairs of image and edges")
    image, edges = read_grey_image(root / pair.image)[0], read_mask_image(root / pair.edge)
    figure, (left, right) = _panels(1, 2)
    left.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    left.set(title=f"image {Path(pair.image).name}", xlabel="column", ylabel="row")
    right.imshow(edges, cmap="gray", interpolation="nearest")
    right.set(title="edges", xlabel="column", ylabel="row")
    size = f"{edges.shape[0]} x {edges.shape[1]}"
    caption = f"{pair.edge}: {size} cells, {edges.mean():.1%} edges, image {pair.image}"
    return ItemFigure(figure, Path(pair.edge).stem, caption)
