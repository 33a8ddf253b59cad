"""What every encoder of the condition is."""

from abc import ABC, abstractmethod
from typing import Literal

from torch import Tensor, nn

__all__ = ["Backbone", "BackboneNorm"]

BackboneNorm = Literal["group", "frozen"]
"""What stands in place of batch normalisation: group normalisation, or the stored statistics of pretrained weights."""


class Backbone(nn.Module, ABC):
    """An encoder with features at strides 4, 8, 16, 32, or the first few of them.

    What it says of a map depends on no other map of the batch, and on no random numbers.

    Attributes:
        channels: Channels of each feature.
        entry_name: Name of the weight that sees the condition's channels.
        is_of_images: Whether pretrained weights of this layout are for images of three colours.
    """

    channels: tuple[int, ...]
    entry_name: str
    is_of_images: bool = True

    def names_in_file(self, name: str) -> tuple[str, ...]:
        """Names that a weight may have in a file of pretrained weights; none where such files do not have it.

        Args:
            name: Its name in `state_dict`.
        """
        return (name,)

    @abstractmethod
    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
