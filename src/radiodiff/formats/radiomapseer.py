"""The RadioMapSeer folder: one scene of it by map number."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError
from radiodiff.formats.checks import check_free_cells
from radiodiff.formats.images import image_size, read_building_png, read_mask_image
from radiodiff.formats.radiomapseer_heights import read_outline_heights
from radiodiff.formats.radiomapseer_json import (
    CAR_PNG_SAMPLE_OFFSET,
    PNG_SAMPLE_OFFSET,
    RADIOMAPSEER_GRID,
    PolygonLayer,
    polygon_layer,
    read_antennas_json,
    read_json,
    read_polygons_json,
    read_rings_json,
)
from radiodiff.formats.scene_file import SceneFile
from radiodiff.scene import Footprint, Grid, Scene, rasterize
from radiodiff.scene.trace import trace_footprints

__all__ = [
    "DATA_SET_RECORD",
    "load_radiomapseer_map",
    "load_radiomapseer_polygons",
    "outlines_beside",
    "read_cell_size_m",
    "read_radiomapseer_cars",
    "read_radiomapseer_polygons",
    "read_radiomapseer_scene",
    "read_radiomapseer_transmitters",
    "same_sized_mask",
]

DATA_SET_RECORD = "dataset.json"
"""Settings of a data set that `radiodiff dataset create` made, in its folder."""

MOST_DIFFERING_CELLS = 0.01
"""Of cells that differ by more than a neighbour; the image of map 419 has none."""

BUILDING_LAYER = re.compile(r"complete|(missing|removed)[1-4]/[1-6]")


def read_radiomapseer_scene(root: str | Path, map_id: int, *, cars: bool = False, buildings: str = "complete") -> Scene:
    """Scene of one map of a RadioMapSeer folder.

    Buildings come from `polygon/` by the rule of the gain images; where a map has no polygon file, from
    `png/`, traced and moved by the half cell that it stands beside the gain (`radiodiff.formats.radiomapseer_json`).
    Cars likewise. Buildings have heights where `polygon/heights` holds them.

    Args:
        root: The folder that holds `antenna`, `gain`, `png` and `polygon`.
        map_id: Number of the map.
        cars: Read the cars too.
        buildings: "complete", or a layer with missing or removed buildings such as "missing2/5".

    Raises:
        FormatError: The folder or the map is not there, or one of its files is damaged.
        SceneError: Every cell is indoors.
    """
    return load_radiomapseer_map(root, map_id, cars=cars, buildings=buildings).scene


def read_radiomapseer_polygons(path: str | Path, *, grid: Grid | None = None) -> Scene:
    """Scene from a RadioMapSeer polygon file, by the rule of the gain images.

    Args:
        path: The file.
        grid: Its grid; by default that of the image beside it in a RadioMapSeer folder, else 256 x 256 cells of 1 m.

    Raises:
        FormatError: The file is absent, empty, or not a list of polygons.
        SceneError: Every cell is indoors.
    """
    return load_radiomapseer_polygons(path, grid=grid).scene


def read_cell_size_m(root: str | Path) -> float:
    """Edge of the cells of a folder in RadioMapSeer's layout [m]: 1 m, unless its record says otherwise.

    Raises:
        FormatError: The record is damaged.
    """
    path = Path(root) / DATA_SET_RECORD
    record = read_json(path) if path.is_file() else {}
    city = record.get("city") if isinstance(record, dict) else None
    usual = city.get("cell_size_m") if isinstance(city, dict) else RADIOMAPSEER_GRID.cell_size_m
    found: Any = record.get("cell_size_m", usual) if isinstance(record, dict) else None
    if not (type(found) in (int, float) and 0 < found < np.inf):
        raise FormatError(
            f"{DATA_SET_RECORD} must hold settings, and its cell_size_m be a number above 0",
            value=f"{path}, cell_size_m {found!r}",
            remedy="It is damaged or of another program: make the data set again.",
        )
    return float(found)


def read_radiomapseer_transmitters(
    root_or_file: str | Path, map_id: int | None = None, *, rows: int | None = None
) -> list[tuple[int, int]]:
    """Cells (col, row) of the transmitters of one map, for `Transmitter.at_cell`.

    Args:
        root_or_file: A RadioMapSeer folder, or an antenna file.
        map_id: Number of the map, needed with a folder.
        rows: Rows of the grid; by default those of the building image of a folder, else 256.

    Raises:
        FormatError: The file is not there or not a list of [x, y] pairs; a folder came without a map number.
    """
    path = Path(root_or_file)
    if path.is_dir():
        image = path / "png" / "buildings_complete" / f"{_check_map_id(map_id)}.png"
        rows = image_size(image)[0] if rows is None and image.is_file() else rows
        path = path / "antenna" / f"{map_id}.json"
    return read_antennas_json(path, rows=rows or RADIOMAPSEER_GRID.rows)


def load_radiomapseer_map(
    root: str | Path, map_id: int | None, *, cars: bool = False, buildings: str = "complete"
) -> SceneFile:
    """`read_radiomapseer_scene` with its notes.

    Raises:
        FormatError: See there; also a missing map number.
        SceneError: See there.
    """
    root = Path(root)
    map_id = _check_map_id(map_id)
    if not BUILDING_LAYER.fullmatch(buildings):
        raise FormatError(
            "The building layer must be complete, missing1/1 .. missing4/6 or removed1/1 .. removed4/6",
            value=repr(buildings),
            remedy="Leave it out for the complete buildings.",
        )
    image = root / "png" / f"buildings_{buildings}" / f"{map_id}.png"
    outlines = root / "polygon" / f"buildings_{buildings}" / f"{map_id}.json"
    if not (image.is_file() or outlines.is_file()):
        raise FormatError(
            f"Map {map_id} must be in the RadioMapSeer folder",
            value=f"neither {image} nor {outlines}",
            remedy="Give the folder that holds png/ and polygon/, and a map number of it (0..700).",
        )
    if outlines.is_file():
        found = load_radiomapseer_polygons(outlines)
    else:
        grid = _image_grid(image)
        note = f"{outlines} is not there: the buildings are traced from the image and moved half a cell, to the gain."
        traced = _traced(grid, read_building_png(image).buildings, PNG_SAMPLE_OFFSET)
        found = SceneFile(Scene.from_footprints(grid, traced), (note,))
    scene = replace(found.scene, source=f"RadioMapSeer map {map_id}, buildings {buildings}")
    if not cars:
        return SceneFile(scene, found.notes)
    scene, notes = read_radiomapseer_cars(scene, root, map_id)
    return SceneFile(scene, found.notes + notes)


def load_radiomapseer_polygons(path: str | Path, *, grid: Grid | None = None) -> SceneFile:
    """`read_radiomapseer_polygons` with its notes.

    Raises:
        FormatError: See there.
        SceneError: See there.
    """
    image = image_beside(path) if grid is None else None
    grid = grid or (RADIOMAPSEER_GRID if image is None else _image_grid(image))
    rings = read_rings_json(path)
    layer = polygon_layer(rings, grid, read_outline_heights(path, rings))
    scene = Scene.from_footprints(grid, layer.footprints, source=Path(path).name)
    if image is not None:
        _check_same_map(scene, image, path)
    check_free_cells(scene, str(path), remedy="Check that the file holds buildings, not the map's frame.")
    return SceneFile(scene, _notes(layer, "building"))


def _check_same_map(scene: Scene, image: Path, outlines: str | Path) -> None:
    """Refuse an image that does not show the outlines: another size, or another map."""
    outlined = [footprint.polygon for footprint in scene.footprints or ()]
    from scipy.ndimage import binary_dilation

    drawn = rasterize(scene.grid, outlined, sample_offset=PNG_SAMPLE_OFFSET)
    shown = read_mask_image(image)
    near = np.ones((3, 3), dtype=bool)
    beside = (shown & ~binary_dilation(drawn, near)) | (drawn & ~binary_dilation(shown, near))
    differing = float(beside.mean())
    if differing > MOST_DIFFERING_CELLS:
        raise FormatError(
            "The image and the outlines of a map must show the same buildings",
            value=f"{image}, {scene.grid.cols} x {scene.grid.rows} cells, {differing:.1%} unlike {outlines}",
            remedy="Check that the image has the size of the map (256 x 256 in RadioMapSeer) and belongs to it.",
        )


def _image_grid(image: Path) -> Grid:
    """The grid of an image in a folder in RadioMapSeer's layout."""
    root = next((folder.parent for folder in image.absolute().parents if folder.name == "png"), None)
    return Grid(*image_size(image), RADIOMAPSEER_GRID.cell_size_m if root is None else read_cell_size_m(root))


def image_beside(outlines: str | Path) -> Path | None:
    """The image that belongs to a polygon file inside a RadioMapSeer folder, when there is one."""
    return _counterpart(outlines, "polygon", "png", ".png")


def outlines_beside(image: str | Path) -> Path | None:
    """The polygon file that belongs to a building image inside a RadioMapSeer folder, when there is one."""
    return _counterpart(image, "png", "polygon", ".json")


def _counterpart(path: str | Path, kind: str, other: str, suffix: str) -> Path | None:
    path = Path(path).absolute()
    for root in path.parents[1:]:
        if root.name == kind:
            counterpart = root.parent / other / path.relative_to(root).with_suffix(suffix)
            return counterpart if counterpart.is_file() else None
    return None


def read_radiomapseer_cars(scene: Scene, path: str | Path, map_id: int | None = None) -> tuple[Scene, tuple[str, ...]]:
    """A scene with the cars of RadioMapSeer on it, and what there is to say of them.

    Args:
        scene: The scene.
        path: A polygon file, or the folder of the data set.
        map_id: Number of the map, needed with a folder.

    Raises:
        FormatError: There is no such file, it is damaged, or its image has another size than the scene.
    """
    path = Path(path)
    outlines, image = path, None
    if path.is_dir():
        map_id = _check_map_id(map_id)
        image, outlines = path / "png" / "cars" / f"{map_id}.png", path / "polygon" / "cars" / f"{map_id}.json"
    if image is None or outlines.is_file():
        layer = read_polygons_json(outlines, scene.grid)
        return scene.with_cars(layer.footprints), _notes(layer, "car")
    if not image.is_file():
        raise FormatError(
            f"Map {map_id} must have cars when they are asked for",
            value=f"neither {image} nor {outlines}",
            remedy="Add the file, or read the scene without cars.",
        )
    mask = same_sized_mask(read_mask_image(image), scene.grid, image)
    return scene.with_cars(_traced(scene.grid, mask, CAR_PNG_SAMPLE_OFFSET)), ()


def same_sized_mask(mask: NDArray[np.bool_], grid: Grid, image: Path) -> NDArray[np.bool_]:
    """The mask of an image, when it has the size of a grid.

    Raises:
        FormatError: It has not.
    """
    if mask.shape != grid.shape:
        raise FormatError(
            f"A car image must have the {grid.rows} x {grid.cols} cells of the buildings",
            value=f"{image} of {mask.shape[0]} x {mask.shape[1]}",
            remedy="Take both from the same data set.",
        )
    return mask


def _traced(grid: Grid, mask: NDArray[np.bool_], sample_offset: tuple[float, float]) -> tuple[Footprint, ...]:
    """Outlines of a RadioMapSeer image in the frame of the gain; `sample_offset` is the rule it was drawn by."""
    from shapely.affinity import translate

    right_m, down_m = (round(2 * cells) / 2 * grid.cell_size_m for cells in sample_offset)
    return tuple(replace(f, polygon=translate(f.polygon, right_m, down_m)) for f in trace_footprints(grid, mask))


def _notes(layer: PolygonLayer, what: str) -> tuple[str, ...]:
    notes = [f"{len(layer.footprints)} {what} outlines."]
    if layer.repaired:
        notes.append(f"{layer.repaired} {what} outlines touched or crossed themselves and were repaired.")
    if layer.dropped:
        notes.append(f"{layer.dropped} {what} outlines without an area were left out.")
    return tuple(notes)


def _check_map_id(map_id: int | None) -> int:
    if map_id is None or map_id < 0:
        raise FormatError(
            "A RadioMapSeer folder needs the number of a map, 0 or above",
            value=f"map_id={map_id}",
            remedy="Give map_id (0..700 in the original).",
        )
    return map_id
