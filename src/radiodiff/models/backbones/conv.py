"""A small convolutional encoder, for use without a GPU."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from radiodiff.models.backbones.base import Backbone

__all__ = ["ConvBackbone"]

ENTRY_CELLS = 4
MOST_GROUPS = 8


class ConvBackbone(Backbone):
    """Squares of 4 x 4 cells become channels, then residual blocks; between levels squares of 2 x 2 become channels.

    Args:
        condition_channels: Channels of the condition.
        widths: Channels of each feature.
        num_blocks: Residual blocks of a level.
    """

    entry_name = "entry.weight"
    is_of_images = False

    def __init__(self, condition_channels: int, widths: Sequence[int], num_blocks: int) -> None:
        super().__init__()
        self.channels = tuple(widths)
        self.entry = nn.Conv2d(condition_channels * ENTRY_CELLS**2, widths[0], 3, padding=1)
        self.levels = nn.ModuleList(nn.Sequential(*(_Block(width) for _ in range(num_blocks))) for width in widths)
        self.steps = nn.ModuleList(nn.Conv2d(4 * fine, coarse, 1) for fine, coarse in pairwise(widths))

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
        x = self.entry(functional.pixel_unshuffle(condition, ENTRY_CELLS))
        features = []
        for i, level in enumerate(self.levels):
            if i > 0:
                x = self.steps[i - 1](functional.pixel_unshuffle(x, 2))
            x = level(x)
            features.append(x)
        return tuple(features)


class _Block(nn.Module):
    """Group normalisation, SiLU, convolution; again; beside an identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        groups = next(count for count in range(MOST_GROUPS, 0, -1) if width % count == 0)
        self.norm_1 = nn.GroupNorm(groups, width)
        self.conv_1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm_2 = nn.GroupNorm(groups, width)
        self.conv_2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.conv_1(functional.silu(self.norm_1(x)))
        result: Tensor = x + self.conv_2(functional.silu(self.norm_2(branch)))
        return result
