"""Checks of one image: that it opens, is grey, has the size of the others, and holds something."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.inspect.findings import Finding
from radiodiff.errors import FormatError
from radiodiff.formats import image_size, read_grey_image, read_rgb_image

__all__ = ["ImageChecks"]


class ImageChecks:
    """Reads the images of a data set and notes what is wrong with them.

    Args:
        root: Folder of the data set.
        shape: (rows, cols) that images must have; None takes any.

    Attributes:
        findings: What was found so far.
        num_files: Files read so far.
    """

    def __init__(self, root: Path, shape: tuple[int, int] | None) -> None:
        self.root = root
        self.shape = shape
        self.findings: list[Finding] = []
        self.num_files = 0

    def note(self, kind: str, file: str, reason: str) -> None:
        """Add a finding; paths in its reason are those below the folder."""
        self.findings.append(Finding(kind, file, reason.replace(f"{self.root}/", "")))

    def grey(self, file: str) -> NDArray[np.uint8] | None:
        """A grey image (rows, cols), or None where something is wrong with it."""
        image = self._read(file, lambda path: read_grey_image(path)[0], ("1", "L"))
        if image is not None and self.shape is not None and image.shape != self.shape:
            rows, cols = image.shape
            self.note("image-size", file, f"{rows} x {cols}, most others {self.shape[0]} x {self.shape[1]}")
            return None
        return image

    def rgb(self, file: str) -> NDArray[np.uint8] | None:
        """A colour image (rows, cols, 3), or None where something is wrong with it."""
        return self._read(file, read_rgb_image, ("RGB",))

    def _read(
        self, file: str, read: Callable[[Path], NDArray[np.uint8]], modes: tuple[str, ...]
    ) -> NDArray[np.uint8] | None:
        self.num_files += 1
        try:
            return read(self.root / file)
        except FormatError as error:
            mode = _mode(self.root / file)
            is_other = mode is not None and mode not in modes
            reason = f"mode {mode} instead of {' or '.join(modes)}" if is_other else str(error.value)
            self.note(
                "image-mode" if is_other else "unreadable",
                file,
                reason.removeprefix(f"{self.root / file} ").strip("()"),
            )
            return None

    def mask(self, file: str, *, empty: str | None = None) -> NDArray[np.bool_] | None:
        """A two-level image as a mask, or None where something is wrong with it.

        Args:
            file: The image, below the folder.
            empty: Kind of the finding where it is 0 everywhere; None allows that.
        """
        image = self.grey(file)
        if image is None:
            return None
        levels = np.flatnonzero(np.bincount(image.ravel(), minlength=256))
        if len(levels) > 2 or (len(levels) == 2 and levels[0] != 0):
            shown = ", ".join(map(str, levels[:5]))
            self.note("not-binary", file, f"{len(levels)} levels: {shown}{', ...' if len(levels) > 5 else ''}")
            return None
        if levels[-1] == 0:
            if empty is not None:
                self.note(empty, file, "0 everywhere")
        elif levels[-1] != 255:
            self.note("mask-level", file, f"level {levels[-1]} instead of 255")
        return image > 0

    def json(self, file: str, read: Any) -> Any:
        """What `read(path)` reads of a JSON file, or None where it is damaged or of another schema."""
        self.num_files += 1
        try:
            return read(self.root / file)
        except FormatError as error:
            self.note("json-schema", file, str(error))
            return None


def _mode(path: Path) -> str | None:
    """Pillow's name of the kind of an image's pixels; None where it is no image, or too large for one."""
    from PIL import Image

    try:
        # Refuses damaged headers, and images so large that Pillow itself would warn or raise.
        image_size(path)
    except FormatError:
        return None
    with Image.open(path) as image:
        return str(image.mode)
