"""Attention among the cells of a map: linear in their number, or full."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ChannelNorm", "FullAttention", "LinearAttention", "cells_of", "heads_of", "map_of"]

VARIANCE_FLOOR = 1e-5


class ChannelNorm(nn.Module):
    """Each cell's channels with mean 0 and variance 1, then a learned factor for each channel.

    Args:
        channels: Channels of its input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, cells: Tensor) -> Tensor:
        """Of the shape and type of cells (B, number, channels)."""
        return functional.layer_norm(cells, self.scale.shape, self.scale, eps=VARIANCE_FLOOR).to(cells.dtype)


class LinearAttention(nn.Module):
    """Attention whose cost grows with the cells, not with their square, beside an identity.

    Queries are a softmax over the channels of a head, keys a softmax over the cells. The published program also divides
    the values by the number of cells; the floor of the normalisation that follows then outweighs what is left on larger
    maps, so nothing is divided here.

    Args:
        channels: Channels of its input.
        num_heads: Heads.
        head_channels: Channels of a head.

    Source: Shen et al. 2021, "Efficient Attention: Attention with Linear Complexities", equation 4.
    """

    def __init__(self, channels: int, num_heads: int, head_channels: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = ChannelNorm(channels)
        self.qkv = nn.Linear(channels, 3 * num_heads * head_channels, bias=False)
        self.out = nn.Linear(num_heads * head_channels, channels)
        self.norm_out = ChannelNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols)."""
        parts = self.qkv(self.norm(cells_of(x))).chunk(3, dim=2)
        query, key, value = (heads_of(part, self.num_heads) for part in parts)
        context = key.softmax(dim=2).transpose(2, 3) @ value
        found = (query.softmax(dim=3) * query.shape[3] ** -0.5) @ context
        return x + map_of(self.norm_out(self.out(found.transpose(1, 2).flatten(2))), x)


class FullAttention(nn.Module):
    """Attention of each cell to all, by the fused kernels of torch, beside an identity.

    Args:
        channels: Channels of its input.
        num_heads: Heads.
        head_channels: Channels of a head.
    """

    def __init__(self, channels: int, num_heads: int, head_channels: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = ChannelNorm(channels)
        self.qkv = nn.Linear(channels, 3 * num_heads * head_channels, bias=False)
        self.out = nn.Linear(num_heads * head_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols)."""
        parts = self.qkv(self.norm(cells_of(x))).chunk(3, dim=2)
        query, key, value = (heads_of(part, self.num_heads) for part in parts)
        found = functional.scaled_dot_product_attention(query, key, value)
        return x + map_of(self.out(found.transpose(1, 2).flatten(2)), x)


def cells_of(x: Tensor) -> Tensor:
    """(B, rows * cols, channels) of x (B, channels, rows, cols)."""
    return x.flatten(2).transpose(1, 2)


def map_of(cells: Tensor, like: Tensor) -> Tensor:
    """(B, channels, rows, cols) of cells (B, rows * cols, channels), with the rows and columns of another map."""
    return cells.transpose(1, 2).reshape(cells.shape[0], -1, *like.shape[2:])


def heads_of(cells: Tensor, num_heads: int) -> Tensor:
    """(B, num_heads, number, channels of a head) of cells (B, number, channels)."""
    return cells.reshape(*cells.shape[:2], num_heads, -1).transpose(1, 2)
