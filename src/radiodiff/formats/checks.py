"""What every reader checks before it believes a file."""

from pathlib import Path

from radiodiff.errors import FormatError, SceneError
from radiodiff.scene import Scene

__all__ = ["MAX_CELLS", "check_cell_count", "check_file", "check_free_cells"]

MAX_CELLS = 64_000_000
"""Largest grid a reader makes, in cells (8 km x 8 km at 1 m): above it one radio map alone needs 256 MB."""


def check_file(path: str | Path) -> Path:
    """The path of a file that is there and holds something.

    Raises:
        FormatError: There is no such file, it is a folder, or it is empty.
    """
    file = Path(path)
    if not file.is_file():
        found = "a folder" if file.is_dir() else "nothing there"
        raise FormatError("An input file must exist", value=f"{file} ({found})", remedy="Check the path.")
    if file.stat().st_size == 0:
        raise FormatError(
            "An input file must not be empty", value=f"{file} (0 bytes)", remedy="Copy or download it again."
        )
    return file


def check_cell_count(rows: int, cols: int, name: str) -> None:
    """Refuse a grid too large to hold.

    Raises:
        FormatError: More than `MAX_CELLS` cells.
    """
    if not rows * cols <= MAX_CELLS:
        raise FormatError(
            f"A scene must have at most {MAX_CELLS:,} cells",
            value=f"{rows:,} x {cols:,} cells from {name}",
            remedy="Read a part of it (bounds, or a crop of the file) or use larger cells.",
        )


def check_free_cells(scene: Scene, name: str, *, remedy: str) -> Scene:
    """The scene, when at least one of its cells is outdoors.

    Raises:
        SceneError: Every cell is indoors.
    """
    if scene.buildings.all():
        raise SceneError(
            "A scene must have at least one cell outside its buildings",
            value=f"{name}, where all {scene.buildings.size:,} cells are indoors",
            remedy=remedy,
        )
    return scene
