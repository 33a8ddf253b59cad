"""Crops of larger scenes."""

from collections.abc import Iterator

from radiodiff.errors import LayoutError
from radiodiff.scene import Scene

__all__ = ["crop_scenes"]


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
    if not (1 <= rows <= scene.grid.rows and 1 <= cols <= scene.grid.cols):
        raise LayoutError(
            f"A crop must lie within the scene of {scene.grid.rows} x {scene.grid.cols} cells",
            value=f"{rows} x {cols}",
            remedy="Choose a smaller crop or a larger scene.",
        )
    if not stride >= 1:
        raise LayoutError(
            "The stride between crops must be at least 1 cell",
            value=stride,
            remedy="Use for example half a crop.",
        )
    low, high = coverage
    if not 0.0 <= low <= high <= 1.0:
        raise LayoutError(
            "The coverage of crops must be (lowest, highest) within 0..1",
            value=coverage,
            remedy="Give two numbers in ascending order.",
        )
    return _fitting_windows(scene, rows, cols, stride, (low, high))


def _fitting_windows(scene: Scene, rows: int, cols: int, stride: int, coverage: tuple[float, float]) -> Iterator[Scene]:
    for row in range(0, scene.grid.rows - rows + 1, stride):
        for col in range(0, scene.grid.cols - cols + 1, stride):
            share = scene.buildings[row : row + rows, col : col + cols].mean()
            if coverage[0] <= share <= coverage[1]:
                yield scene.crop(row, col, rows, cols)
