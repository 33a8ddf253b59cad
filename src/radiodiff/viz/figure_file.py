"""Figures on disk."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from radiodiff.errors import FormatError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURE_SUFFIXES", "check_figure_path", "save_figure"]

# No dates in the file: the same figure gives the same bytes.
UNDATED: dict[str, dict[str, None]] = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}

FIGURE_SUFFIXES = tuple(UNDATED)
"""What a figure can be saved as."""


def check_figure_path(path: str | Path) -> Path:
    """The path of a figure that can be written, checked before the work that fills it.

    Raises:
        FormatError: The suffix is unknown, the folder is not there, or the path is a folder.
    """
    target = Path(path)
    if target.suffix.lower() not in FIGURE_SUFFIXES:
        raise FormatError(
            "A figure file must end in .png, .pdf or .svg",
            value=target,
            remedy="Change the name; the suffix says how the figure is written.",
        )
    if not target.parent.is_dir() or target.is_dir():
        raise FormatError(
            "A figure file must lie in a folder that exists, and not be one itself",
            value=target,
            remedy=f"Check the name, or create the folder: mkdir -p {target.parent}",
        )
    return target


def save_figure(figure: "Figure", path: str | Path, *, dpi: float = 150.0) -> Path:
    """Write a figure, whole or not at all; the suffix says how.

    Args:
        figure: The figure.
        path: Where to: .png, .pdf or .svg.
        dpi: Pixels per inch of .png and of images inside the others.

    Returns:
        The path.

    Raises:
        FormatError: The path cannot be written.
    """
    import matplotlib

    target = check_figure_path(path)
    suffix = target.suffix.lower()
    temporary = target.with_name(f".radiodiff-{uuid4().hex}{suffix}")
    try:
        # Without a salt of our own, the ids inside an SVG are drawn at random.
        with matplotlib.rc_context({"svg.hashsalt": "radiodiff"}):
            figure.savefig(temporary, format=suffix[1:], dpi=dpi, metadata=dict(UNDATED[suffix]))
        os.replace(temporary, target)
    except OSError as error:
        raise FormatError(
            "A figure file must be writable",
            value=f"{target} ({error.strerror or error})",
            remedy="Check the rights of the folder and the free space on the disk.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return target
