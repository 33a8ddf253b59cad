"""Convolutions of the U-Net: residual blocks that know the time, and the steps between levels."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ResBlock", "StandardizedConv2d", "Upsample", "downsample"]

VARIANCE_FLOOR = 1e-5


class StandardizedConv2d(nn.Conv2d):
    """A convolution whose kernels have mean 0 and a mean square of 1 / fan-in, whatever is learnt.

    A normalisation must follow it. Published programs leave the factor 1 / sqrt(fan-in) out, which it takes away again;
    with it, half precision does not overflow.

    Source: Qiao et al. 2019, "Weight Standardization", equation 5.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, out_channels, rows, cols) of x (B, in_channels, rows, cols)."""
        return functional.conv2d(x, self.kernel().to(x.dtype), self.bias, self.stride, self.padding)

    def kernel(self) -> Tensor:
        """What x is convolved with, shaped as the weights, in float32 at least."""
        weight = self.weight.to(torch.promote_types(self.weight.dtype, torch.float32))
        fan_in = weight[0].numel()
        variance, mean = torch.var_mean(weight, dim=(1, 2, 3), correction=0, keepdim=True)
        return (weight - mean) * ((variance + VARIANCE_FLOOR) * fan_in).rsqrt()


class ResBlock(nn.Module):
    """Two convolutions beside an identity: convolution, group normalisation, scale and shift by the time, SiLU; again.

    Args:
        in_channels: Channels of its input.
        out_channels: Channels of its output.
        time_channels: Channels of the code of the time.
        norm_groups: Groups of the normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, time_channels: int, norm_groups: int) -> None:
        super().__init__()
        self.time = nn.Linear(time_channels, 2 * out_channels)
        self.conv_1 = StandardizedConv2d(in_channels, out_channels, 3, padding=1)
        self.norm_1 = nn.GroupNorm(norm_groups, out_channels)
        self.conv_2 = StandardizedConv2d(out_channels, out_channels, 3, padding=1)
        self.norm_2 = nn.GroupNorm(norm_groups, out_channels)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()

    def forward(self, x: Tensor, time_code: Tensor) -> Tensor:
        """(B, out_channels, rows, cols) of x (B, in_channels, rows, cols) and time_code (B, time_channels)."""
        scale, shift = self.time(time_code)[:, :, None, None].chunk(2, dim=1)
        branch = functional.silu(torch.addcmul(shift, self.norm_1(self.conv_1(x)), scale + 1))
        branch = functional.silu(self.norm_2(self.conv_2(branch)))
        shortcut: Tensor = self.shortcut(x)
        return branch + shortcut


class Upsample(nn.Module):
    """Each cell becomes 2 x 2 cells, then a convolution 3x3.

    Args:
        in_channels: Channels of its input.
        out_channels: Channels of its output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, out_channels, 2 rows, 2 cols) of x (B, in_channels, rows, cols)."""
        larger: Tensor = self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return larger


def downsample(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A convolution 4x4 that halves rows and columns."""
    return nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1)
