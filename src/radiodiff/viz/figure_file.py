"""Figures on disk."""

from pathlib import Path
from typing import TYPE_CHECKING

from radiodiff.atomic_file import atomic_write, check_target
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
    return check_target(target)


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
    # Without a salt of our own, the ids inside an SVG are drawn at random.
    with atomic_write(target) as temporary, matplotlib.rc_context({"svg.hashsalt": "radiodiff"}):
        figure.savefig(temporary, format=suffix[1:], dpi=dpi, metadata=dict(UNDATED[suffix]))
    return target
