"""The parts of the U-Net, from its settings: levels on the way down, the middle, a head with its way up."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from radiodiff.models.layers.attention import FullAttention, LinearAttention
from radiodiff.models.layers.blocks import ResBlock, Upsample, downsample
from radiodiff.models.layers.frequency_filter import FrequencyFilter
from radiodiff.models.layers.relation import ConditionSum, RelationNet
from radiodiff.models.unet_config import UnetConfig

__all__ = ["DownLevel", "Head", "Middle"]


class Widths(NamedTuple):
    """Channels at the finer and at the coarser end of a level."""

    fine: int
    coarse: int


class DownLevel(nn.Module):
    """ResBlock, look at the condition, ResBlock, linear attention; then on to the next level.

    Args:
        config: Settings of the network.
        level: Number of the level, 0 for the finest.
    """

    def __init__(self, config: UnetConfig, level: int) -> None:
        super().__init__()
        fine, coarse = widths(config)[level]
        self.block_1 = ResBlock(fine, fine, config.time_channels, config.norm_groups)
        self.relation = relation(config, level, fine, fine)
        self.block_2 = ResBlock(fine, fine, config.time_channels, config.norm_groups)
        self.attention = LinearAttention(fine, config.attention_heads, config.head_channels)
        is_last = level == len(config.channel_multipliers) - 1
        self.resample = nn.Conv2d(fine, coarse, 3, padding=1) if is_last else downsample(fine, coarse)

    def forward(self, x: Tensor, condition: Tensor, time_code: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What goes on to the next level, and two skips to the same level of the way up."""
        first: Tensor = self.block_1(x, time_code)
        second: Tensor = self.attention(self.block_2(self.relation(condition, first), time_code))
        return self.resample(second), first, second


class Middle(nn.Module):
    """ResBlock, full attention, ResBlock at the coarsest level.

    Args:
        config: Settings of the network.
    """

    def __init__(self, config: UnetConfig) -> None:
        super().__init__()
        width = config.level_channels[-1]
        self.block_1 = ResBlock(width, width, config.time_channels, config.norm_groups)
        self.attention = FullAttention(width, config.attention_heads, config.head_channels)
        self.block_2 = ResBlock(width, width, config.time_channels, config.norm_groups)

    def forward(self, x: Tensor, time_code: Tensor) -> Tensor:
        """Of the shape of x."""
        result: Tensor = self.block_2(self.attention(self.block_1(x, time_code)), time_code)
        return result


class UpLevel(nn.Module):
    """Skip, ResBlock, look at the condition, skip, ResBlock, linear attention; then on to the next finer level.

    Args:
        config: Settings of the network.
        level: Number of the level, 0 for the finest.
    """

    def __init__(self, config: UnetConfig, level: int) -> None:
        super().__init__()
        fine, coarse = widths(config)[level]
        self.block_1 = ResBlock(coarse + fine, coarse, config.time_channels, config.norm_groups)
        self.relation = relation(config, level, fine, coarse)
        self.block_2 = ResBlock(coarse + fine, coarse, config.time_channels, config.norm_groups)
        self.attention = LinearAttention(coarse, config.attention_heads, config.head_channels)
        self.resample = nn.Conv2d(coarse, fine, 3, padding=1) if level == 0 else Upsample(coarse, fine)

    def forward(self, x: Tensor, skips: Sequence[Tensor], condition: Tensor, time_code: Tensor) -> Tensor:
        """What goes on to the next finer level; of the two skips of this level the second comes first."""
        first, second = skips
        x = self.block_1(torch.cat([x, second], dim=1), time_code)
        x = self.relation(condition, x)
        x = self.block_2(torch.cat([x, first], dim=1), time_code)
        result: Tensor = self.resample(self.attention(x))
        return result


class Head(nn.Module):
    """One prediction: a branch with the frequency filter, then a whole way up.

    Args:
        config: Settings of the network.
        out_channels: Channels of the prediction.
    """

    def __init__(self, config: UnetConfig, out_channels: int) -> None:
        super().__init__()
        width, base = config.level_channels[-1], config.base_channels
        self.norm = nn.GroupNorm(config.norm_groups, width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.filter = FrequencyFilter(width, config.filter_cells)
        self.up = nn.ModuleList(UpLevel(config, level) for level in reversed(range(len(config.channel_multipliers))))
        self.block = ResBlock(2 * base, base, config.time_channels, config.norm_groups)
        self.out = nn.Conv2d(base, out_channels, 1)

    def forward(
        self, x: Tensor, entry: Tensor, time_code: Tensor, skips: Sequence[Tensor], levels: Sequence[Tensor]
    ) -> Tensor:
        """The prediction (B, out_channels, h, w).

        Args:
            x: (B, channels, rows, cols), the middle.
            entry: (B, base_channels, h, w), the entry of the network.
            time_code: (B, time_channels).
            skips: Two from each level of the way down, finest first.
            levels: The condition at each level, finest first.
        """
        x = x + self.filter(self.conv(self.norm(x)))
        for i, up in enumerate(self.up):
            level = len(self.up) - 1 - i
            x = up(x, skips[2 * level : 2 * level + 2], levels[level], time_code)
        result: Tensor = self.out(self.block(torch.cat([x, entry], dim=1), time_code))
        return result


def widths(config: UnetConfig) -> list[Widths]:
    """Channels of each level: what it takes from the finer one, what it gives to the coarser one."""
    return [
        Widths(fine, coarse)
        for fine, coarse in zip((config.base_channels, *config.level_channels), config.level_channels, strict=False)
    ]


def relation(config: UnetConfig, level: int, condition_channels: int, channels: int) -> nn.Module:
    """How a level looks at the condition."""
    if config.relation is None:
        return ConditionSum(condition_channels, channels)
    return RelationNet(
        condition_channels,
        channels,
        config.relation.window_sizes[level],
        config.relation.num_heads,
        config.norm_groups,
        config.relation.query,
    )
