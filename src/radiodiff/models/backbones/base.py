"""What every encoder of the condition is."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

__all__ = ["Backbone"]


class Backbone(nn.Module, ABC):
    """An encoder with features at strides 4, 8, 16, 32, or the first few of them.

    What it says of a map depends on no other map of the batch, and on no random numbers.

    Attributes:
        channels: Channels of each feature.
        entry_name: Name of the weight that sees the condition's channels.
    """

    channels: tuple[int, ...]
    entry_name: str

    @abstractmethod
    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
