"""Attention among the cells of a map: linear in their number, or full."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ChannelNorm", "FullAttention", "LinearAttention", "heads_of"]


class ChannelNorm(nn.Module):
    """Each cell's channels with mean 0 and variance 1, then a learned factor for each channel.

    Args:
        channels: Channels of its input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols)."""
        variance, mean = torch.var_mean(x.float(), dim=1, correction=0, keepdim=True)
        factor = (variance + 1e-5).rsqrt()
        return ((x - mean) * factor).to(x.dtype) * self.scale


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
        self.qkv = nn.Conv2d(channels, 3 * num_heads * head_channels, 1, bias=False)
        self.out = nn.Conv2d(num_heads * head_channels, channels, 1)
        self.norm_out = ChannelNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols)."""
        query, key, value = (heads_of(part, self.num_heads) for part in self.qkv(self.norm(x)).chunk(3, dim=1))
        query = query.softmax(dim=2) * query.shape[2] ** -0.5
        key = key.softmax(dim=3)
        context = value @ key.transpose(2, 3)
        found = (context @ query).reshape(x.shape[0], -1, *x.shape[2:])
        result: Tensor = self.norm_out(self.out(found))
        return x + result


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
        self.qkv = nn.Conv2d(channels, 3 * num_heads * head_channels, 1, bias=False)
        self.out = nn.Conv2d(num_heads * head_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols)."""
        parts = self.qkv(self.norm(x)).chunk(3, dim=1)
        query, key, value = (heads_of(part, self.num_heads).transpose(2, 3) for part in parts)
        found = functional.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.out(found.transpose(2, 3).reshape(x.shape[0], -1, *x.shape[2:]))
        return x + result


def heads_of(x: Tensor, num_heads: int) -> Tensor:
    """(B, num_heads, channels of a head, cells) of x (B, channels, rows, cols)."""
    return x.reshape(x.shape[0], num_heads, -1, x.shape[2] * x.shape[3])
