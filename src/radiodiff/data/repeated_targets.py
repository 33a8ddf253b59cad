"""Data sets whose targets can be had one by one: latents of them can be made once and kept."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.example import Draw, Example
from radiodiff.data.loader import ExampleSource

if TYPE_CHECKING:
    from radiodiff.data.selection import AnyConfig

__all__ = ["RepeatedTargets"]


class RepeatedTargets(ExampleSource, Protocol):
    """A data set of which each target follows from its number and a symmetry.

    Where `radiodiff.data.selection.check_repeated_targets` refuses the settings, `target` is that of draw 0 alone.
    """

    @property
    def config(self) -> "AnyConfig":
        """What was asked for."""

    @property
    def symmetries(self) -> tuple[int, ...]:
        """Symmetries that examples may be in, by number (`radiodiff.data.placement`)."""

    @property
    def example_names(self) -> tuple[str, ...]:
        """Names of the examples, in order."""

    def target(self, number: int, symmetry: int) -> NDArray[np.float32]:
        """Encoded target (1, rows, cols) of an example in a symmetry."""

    def without_target(self, index: int | Draw) -> Example:
        """An example whose target has no channels."""

    def in_symmetry(self, number: int, symmetry: int) -> Example:
        """Draw 0 of an example, in a symmetry; its target is `target(number, symmetry)`."""
