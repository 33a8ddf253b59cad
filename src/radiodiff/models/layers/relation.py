"""The relation between the condition and the features of a level: cross-attention on a grid of tokens."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from radiodiff.models.layers.attention import cells_of, heads_of, map_of

__all__ = ["ConditionSum", "RelationNet", "position_code"]

LONGEST_PERIOD = 200.0 * math.pi
"""Bound in tokens that the waves of the position code stay below; they grow from 2 pi in equal ratios."""


class RelationNet(nn.Module):
    """Features that have looked at the condition, beside an identity.

    Both are projected to the channels of the level and pooled to tokens, squares of `window_size` cells of the level:
    larger maps have more tokens, not larger ones. One of both asks the other; what the asking one learns goes through a
    small network and back to the cells. Each example is normalised by itself: the published program has batch
    normalisation here, and no division by the square root of a head's channels.

    Args:
        condition_channels: Channels of the condition's feature.
        channels: Channels of the level.
        window_size: Cells of the level along one edge of a token.
        num_heads: Attention heads.
        norm_groups: Groups of the normalisation.
        query: Which of both asks.
    """

    def __init__(
        self,
        condition_channels: int,
        channels: int,
        window_size: int,
        num_heads: int,
        norm_groups: int,
        query: Literal["condition", "features"],
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.num_heads = num_heads
        self.is_condition_asking = query == "condition"
        self.condition_in = nn.Conv2d(condition_channels, channels, 1)
        self.condition_norm = nn.GroupNorm(norm_groups, channels)
        self.features_in = nn.Conv2d(channels, channels, 1)
        self.features_norm = nn.GroupNorm(norm_groups, channels)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.mlp_1 = nn.Conv2d(channels, 2 * channels, 1)
        self.mlp_2 = nn.Conv2d(2 * channels, channels, 1)
        # One convolution on both together, written as two: each works where its input is.
        self.mix_condition = nn.Conv2d(channels, channels, 1, bias=False)
        self.mix_features = nn.Conv2d(channels, channels, 1)
        self.mix_norm = nn.GroupNorm(norm_groups, channels)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, condition: Tensor, x: Tensor) -> Tensor:
        """Of the shape of x.

        Args:
            condition: (B, condition_channels, any rows, any cols), a feature of the same map.
            x: (B, channels, rows, cols), rows and cols multiples of `window_size`.
        """
        condition = self.condition_norm(self.condition_in(condition))
        features = self.features_norm(self.features_in(x))
        tokens = self._attended(condition, features)
        mixed = features + self.mix_features(features) + resized(self.mix_condition(condition), features)
        # A convolution 1x1 and an interpolation may change places; on tokens it costs less.
        result: Tensor = x + self.mix_norm(mixed) + resized(self.out(tokens), features)
        return result

    def _attended(self, condition: Tensor, features: Tensor) -> Tensor:
        """Tokens (B, channels, token rows, token cols) of the asking one after attention and the network."""
        grid = features.shape[2] // self.window_size, features.shape[3] // self.window_size
        asking, asked = pooled(condition, grid), pooled(features, grid)
        if not self.is_condition_asking:
            asking, asked = asked, asking
        code = position_code(asking.shape[1], *grid, device=asking.device).to(asking.dtype)
        asked_cells, asking_cells = cells_of(asked + code), cells_of(asking + code)
        parts = (self.query(asking_cells), self.key(asked_cells), self.value(asked_cells))
        query, key, value = (heads_of(part, self.num_heads) for part in parts)
        found = functional.scaled_dot_product_attention(query, key, value)
        tokens = asking + map_of(found.transpose(1, 2).flatten(2), asking)
        hidden: Tensor = self.mlp_2(functional.silu(self.mlp_1(tokens)))
        return tokens + hidden


class ConditionSum(nn.Module):
    """Features plus the projected condition, in place of the attention.

    Args:
        condition_channels: Channels of the condition's feature.
        channels: Channels of the level.
    """

    def __init__(self, condition_channels: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(condition_channels, channels, 1)

    def forward(self, condition: Tensor, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols); the condition may have other rows and columns."""
        return x + resized(self.project(condition), x)


def pooled(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Means of x (B, C, rows, cols) over the cells of each token, (B, C, *grid); finer grids repeat cells."""
    rows, cols = x.shape[2:]
    if (rows, cols) == grid:
        return x
    if rows % grid[0] == 0 and cols % grid[1] == 0:
        return functional.avg_pool2d(x, (rows // grid[0], cols // grid[1]))
    return functional.adaptive_avg_pool2d(x, grid)


def resized(x: Tensor, other: Tensor) -> Tensor:
    """X interpolated to the rows and cols of the other."""
    if x.shape[2:] == other.shape[2:]:
        return x
    return functional.interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=False)


def position_code(channels: int, rows: int, cols: int, device: torch.device | None = None) -> Tensor:
    """Sines and cosines of the row, then of the column, (channels, rows, cols), float32.

    The code of a token depends on its row and column alone, not on the size of the grid.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.5, for two axes.
    """
    num_waves = -(-channels // 4)
    waves = torch.arange(num_waves, dtype=torch.float32, device=device)
    rates = (2.0 * math.pi / LONGEST_PERIOD) ** (waves / num_waves)
    codes = []
    for count, shape in ((rows, (-1, rows, 1)), (cols, (-1, 1, cols))):
        angles = rates[:, None] * torch.arange(count, dtype=torch.float32, device=device)
        code = torch.cat([angles.sin(), angles.cos()])
        codes.append(code.view(shape).expand(-1, rows, cols))
    return torch.cat(codes)[:channels]
