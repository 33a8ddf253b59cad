"""Crops of larger scenes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from radiodiff.errors import LayoutError
from radiodiff.formats.layout_folder import Layout
from radiodiff.layouts.city_scenes import SceneSource
from radiodiff.scene import Footprint, Grid, Scene
from radiodiff.scene.raster import crop_footprints

__all__ = ["CropSettings", "count_windows", "crop_scenes", "cut_layouts"]

SMALLEST_PIECE_M2 = 1.0
THINNEST_PIECE_M = 0.2
"""What the border of a crop leaves of a building is dropped below these."""


@dataclass(frozen=True)
class CropSettings:
    """How crops are cut.

    Attributes:
        size: Rows and columns of a crop.
        stride: Cells from one crop to the next, both ways; `stride = size` tiles the scene.
        coverage: Lowest and highest share of cells that are indoors.

    Raises:
        LayoutError: The size, the stride or the range is not valid.
    """

    size: int = 256
    stride: int = 128
    coverage: tuple[float, float] = (0.1, 0.6)

    def __post_init__(self) -> None:
        if not self.size >= 1:
            raise LayoutError(
                "The size of crops must be at least 1 cell", value=self.size, remedy="Use for example 256."
            )
        _check_stride(self.stride)
        _check_coverage(self.coverage)


def crop_scenes(
    scene: Scene, rows: int, cols: int, *, stride: int, coverage: tuple[float, float] = (0.1, 0.6)
) -> Iterator[Scene]:
    """Cut a scene into windows, row by row, and keep those with a fitting share of built ground.

    Args:
        scene: The scene to cut, at least as large as one window.
        rows: Rows of a window.
        cols: Columns of a window.
        stride: Cells from one window to the next, both ways; `stride = rows = cols` tiles the scene.
        coverage: Lowest and highest share of cells that are indoors.

    Yields:
        The windows, each with its outlines cut at its border.

    Raises:
        LayoutError: The window is larger than the scene, or the stride or the range is not valid.
    """
    _check_within(scene, rows, cols)
    _check_stride(stride)
    _check_coverage(coverage)
    corners = _corners(scene, rows, cols, stride)
    return (scene.crop(*corner, rows, cols) for corner in _fitting(scene, (rows, cols), corners, coverage))


def count_windows(source: SceneSource, settings: CropSettings) -> int:
    """How many windows a scene has, whatever their coverage.

    Raises:
        LayoutError: The scene is smaller than one crop.
    """
    _check_within(source.scene, settings.size, settings.size)
    return len(_corners(source.scene, settings.size, settings.size, settings.stride))


def cut_layouts(source: SceneSource, settings: CropSettings) -> Iterator[Layout | None]:
    """Cut a scene with outlines into layouts, row by row.

    Yields:
        One item per window: the layout, or None where the coverage does not fit. Each layout is its own group and not
        disjoint: `radiodiff.layouts.sort_out` says so when it has seen all.

    Raises:
        LayoutError: The scene is smaller than one crop, or an outline or a height is not known.
    """
    footprints = source.scene.footprints
    if footprints is None or any(footprint.height_m is None for footprint in footprints):
        raise LayoutError(
            "A scene to cut layouts from must have outlines with heights",
            value=f"{source.city} without {'outlines' if footprints is None else 'some heights'}",
            remedy="Give the height of the buildings that have none: --height 12",
        )
    count_windows(source, settings)
    return _layouts(source, footprints, settings)


def _layouts(source: SceneSource, footprints: tuple[Footprint, ...], settings: CropSettings) -> Iterator[Layout | None]:
    size, cell_size_m = settings.size, source.scene.grid.cell_size_m
    bounds = np.array([footprint.polygon.bounds for footprint in footprints]).reshape(-1, 4)
    grid = Grid(size, size, cell_size_m)
    corners = _corners(source.scene, size, size, settings.stride)
    fitting = set(_fitting(source.scene, (size, size), corners, settings.coverage))
    for row, col in corners:
        if (row, col) not in fitting:
            yield None
            continue
        low = np.array([col, row]) * cell_size_m
        is_near = (bounds[:, :2] < low + size * cell_size_m).all(axis=1) & (bounds[:, 2:] > low).all(axis=1)
        near = tuple(footprints[index] for index in np.flatnonzero(is_near))
        kept = [piece for piece in crop_footprints(near, grid, (low[0], low[1])) or () if _is_building(piece)]
        name = f"{source.city}_r{row:04d}_c{col:04d}"
        scene = Scene.from_footprints(grid, kept, source=f"layout {name}")
        yield Layout(name, source.city, scene, row, col, source.licence, group=name, is_disjoint=False)


def _is_building(piece: Footprint) -> bool:
    return piece.polygon.area >= SMALLEST_PIECE_M2 and not piece.polygon.buffer(-THINNEST_PIECE_M / 2.0).is_empty


def _corners(scene: Scene, rows: int, cols: int, stride: int) -> list[tuple[int, int]]:
    return [
        (row, col)
        for row in range(0, scene.grid.rows - rows + 1, stride)
        for col in range(0, scene.grid.cols - cols + 1, stride)
    ]


def _fitting(
    scene: Scene, size: tuple[int, int], corners: list[tuple[int, int]], coverage: tuple[float, float]
) -> Iterator[tuple[int, int]]:
    """The corners of windows whose coverage is within a range."""
    for row, col in corners:
        if coverage[0] <= scene.buildings[row : row + size[0], col : col + size[1]].mean() <= coverage[1]:
            yield row, col


def _check_within(scene: Scene, rows: int, cols: int) -> None:
    if not (1 <= rows <= scene.grid.rows and 1 <= cols <= scene.grid.cols):
        raise LayoutError(
            f"A crop must lie within the scene of {scene.grid.rows} x {scene.grid.cols} cells ({scene.source})",
            value=f"{rows} x {cols}",
            remedy="Choose a smaller crop or a larger scene.",
        )


def _check_stride(stride: int) -> None:
    if not stride >= 1:
        raise LayoutError(
            "The stride between crops must be at least 1 cell", value=stride, remedy="Use for example half a crop."
        )


def _check_coverage(coverage: tuple[float, float]) -> None:
    low, high = coverage
    if not 0.0 <= low <= high <= 1.0:
        raise LayoutError(
            "The coverage of crops must be (lowest, highest) within 0..1",
            value=coverage,
            remedy="Give two numbers in ascending order.",
        )
