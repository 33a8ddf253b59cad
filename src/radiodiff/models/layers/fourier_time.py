"""The code of the time: fixed random Fourier features of its logarithm, and a small network on them."""

import math

import torch
from torch import Tensor, nn

__all__ = ["FourierTime"]

UNIT = 2.0**-32
"""Frequencies are kept as whole multiples of this: casting a network to half precision leaves them as they are."""


class FourierTime(nn.Module):
    """Sines and cosines of `2 pi f log(t) / 4` at fixed random frequencies f, then Linear, GELU, Linear, SiLU.

    Phases are computed in float32, whatever the precision of the network.

    Args:
        num_frequencies: Frequencies.
        scale: Their standard deviation.
        channels: Channels of the code.

    Source: Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", appendix C.2
    (Gaussian Fourier features of the noise level).
    """

    frequencies: Tensor

    def __init__(self, num_frequencies: int, scale: float, channels: int) -> None:
        super().__init__()
        # The same frequencies in each network of a size: weights of one can begin another.
        drawn = torch.randn(num_frequencies, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
        self.register_buffer("frequencies", (drawn.double() * (scale / UNIT)).round().long())
        self.linear_1 = nn.Linear(2 * num_frequencies, channels)
        self.linear_2 = nn.Linear(channels, channels)

    def forward(self, t: Tensor) -> Tensor:
        """Code (B, channels) of times t (B,) in (0, 1]."""
        phases = (t.float().log() * (math.pi / 2))[:, None] * (self.frequencies.float() * UNIT)
        features = torch.cat([phases.sin(), phases.cos()], dim=1).to(self.linear_1.weight.dtype)
        hidden = nn.functional.gelu(self.linear_1(features))
        return nn.functional.silu(self.linear_2(hidden))
