"""A figure of one item of a data set folder: what goes into a model, and what should come out."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from radiodiff.data.inspect.edge_checks import list_edges
from radiodiff.data.inspect.figure_icassp import draw_arranged, draw_icassp
from radiodiff.data.inspect.figure_parts import ItemFigure, new_panels, pick_item
from radiodiff.data.inspect.gain_checks import grey_verdict
from radiodiff.data.inspect.layout import LAYOUTS, recognise
from radiodiff.data.inspect.packed_checks import list_packed
from radiodiff.data.inspect.radiomapseer_files import list_radiomapseer
from radiodiff.data.radiomapseer.packed import PackedMaps
from radiodiff.data.radiomapseer.store import MapStore, PngTree, gain_count
from radiodiff.errors import DataSetError, InputError
from radiodiff.formats import read_grey_image, read_mask_image, read_radiomapseer_scene
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.scene import Grid, Scene, Transmitter
from radiodiff.viz import draw_path_loss, draw_scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_item"]

NO_VALUE_COLOUR = "#bcd7f0"
"""Told apart from white ground, grey walls and every colour of the path loss."""

NO_VALUE = "grey 0: no value or below the range"

BESIDE = "; buildings as packed, half a cell beside the gain"


def draw_item(root: str | Path, index: int, *, simulation: str | None = None) -> ItemFigure:
    """Draw one item of a data set.

    Args:
        root: The folder.
        index: Which item: radio maps of a simulation by map and transmitter, ICASSP samples by task and name, squares
            of an arrangement by name, pairs of edges by path; 0 is the first.
        simulation: Folder under `gain/`, for RadioMapSeer, where None takes DPM.

    Raises:
        DataSetError: The folder holds no data set that is known, no such simulation, or fewer items.
        FormatError: A file of the item is damaged.
        InputError: A simulation is given for a folder of another layout.
    """
    root = Path(root)
    layout = recognise(root)
    if simulation is not None and layout in ("icassp", "arranged", "edges"):
        raise InputError(
            "A simulation can be chosen for RadioMapSeer's layout and packed sets",
            value=f"{simulation!r} for {root}, {LAYOUTS[layout]}",
            remedy="Leave it out: the index alone says which item.",
        )
    if layout == "arranged":
        return draw_arranged(root, index)
    if layout == "icassp":
        return draw_icassp(root, index)
    if layout == "edges":
        return _edges(root, index)
    return _radio_map(root, index, simulation or "DPM", is_packed=layout == "packed")


def _radio_map(root: Path, index: int, simulation: str, *, is_packed: bool) -> ItemFigure:
    store: MapStore = PackedMaps(root, "all") if is_packed else PngTree(root)
    pairs = _packed_pairs(store, root, simulation) if is_packed else _png_pairs(root, simulation)
    map_id, tx_id = pick_item(pairs, index, root, f"radio maps of {simulation}")
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
    figure, (left, right) = new_panels(1, 2)
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
    grid = Grid(*store.shape, store.cell_size_m)
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


def _edges(root: Path, index: int) -> ItemFigure:
    pair = pick_item(list_edges(root)[0], index, root, "pairs of image and edges")
    image, edges = read_grey_image(root / pair.image)[0], read_mask_image(root / pair.edge)
    figure, (left, right) = new_panels(1, 2)
    left.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    left.set(title=f"image {Path(pair.image).name}", xlabel="column", ylabel="row")
    right.imshow(edges, cmap="gray", interpolation="nearest")
    right.set(title="edges", xlabel="column", ylabel="row")
    size = f"{edges.shape[0]} x {edges.shape[1]}"
    caption = f"{pair.edge}: {size} cells, {edges.mean():.1%} edges, image {pair.image}"
    return ItemFigure(figure, Path(pair.edge).stem, caption)
