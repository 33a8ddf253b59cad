"""The adaptive frequency filter: a learned complex factor for each spatial frequency of each channel."""

import math

import torch
from torch import Tensor, nn

__all__ = ["FrequencyFilter", "interpolation", "waves"]

WEIGHT_STD = 0.02


class FrequencyFilter(nn.Module):
    """Orthonormal Fourier transform, a learned factor for each frequency, inverse transform.

    Factors are kept on a grid of frequencies in cycles per cell, and interpolated (linear, periodic along the rows) to
    the frequencies that a map has. A wave of given length is thus treated alike on maps of all sizes, as by one
    convolution kernel; on a map of `num_cells` x `num_cells` each frequency has its own factor.

    The transforms are written as products with real matrices, in float32 at least: the maps are small here, and complex
    numbers can neither be compiled nor exported. Where TF32 is allowed (`trainer.tf32`) a GPU multiplies these matrices
    with ten bits of mantissa, too.

    Args:
        channels: Channels of its input.
        num_cells: Rows and columns of the grid of factors.
    """

    def __init__(self, channels: int, num_cells: int) -> None:
        super().__init__()
        self.num_cells = num_cells
        self.weight = nn.Parameter(torch.randn(channels, num_cells, num_cells // 2 + 1, 2) * WEIGHT_STD)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape and type of x (B, channels, rows, cols)."""
        with torch.autocast(x.device.type, enabled=False):
            dtype = torch.promote_types(x.dtype, torch.float32)
            return self._filtered(x.to(dtype)).to(x.dtype)

    def factors(self, rows: int, cols: int) -> Tensor:
        """Factors of a map's frequencies, (channels, rows, cols // 2 + 1, 2); the last axis is real, imaginary."""
        weight = self.weight.to(torch.promote_types(self.weight.dtype, torch.float32))
        along_rows = interpolation(rows, self.num_cells, weight, is_half=False)
        along_cols = interpolation(cols, self.num_cells, weight, is_half=True)
        return torch.einsum("rk,ckln,sl->crsn", along_rows, weight, along_cols)

    def _filtered(self, x: Tensor) -> Tensor:
        rows, cols = x.shape[2:]
        factor_real, factor_imag = self.factors(rows, cols).unbind(dim=3)
        row_cos, row_sin = waves(rows, rows, x)
        col_cos, col_sin = waves(cols, cols // 2 + 1, x)
        # Forward: exp(-i angle) along the columns, then along the rows.
        real, imag = x @ col_cos, -(x @ col_sin)
        real, imag = row_cos @ real + row_sin @ imag, row_cos @ imag - row_sin @ real
        real, imag = real * factor_real - imag * factor_imag, real * factor_imag + imag * factor_real
        # Back: exp(i angle). Columns of frequencies that stand for their conjugates, too, count twice.
        real, imag = row_cos @ real - row_sin @ imag, row_cos @ imag + row_sin @ real
        counts = torch.full((cols // 2 + 1,), 2.0, dtype=x.dtype, device=x.device)
        counts[0] = 1.0
        if cols % 2 == 0:
            counts[-1] = 1.0
        return (real * counts) @ col_cos.T - (imag * counts) @ col_sin.T


def waves(num_cells: int, num_frequencies: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of `2 pi cell frequency / num_cells`, over sqrt(num_cells).

    Args:
        num_cells: Cells along the axis.
        num_frequencies: Frequencies, from 0 on.
        like: A tensor of the wanted type and device.

    Returns:
        Each (num_cells, num_frequencies).
    """
    cells, frequencies = (torch.arange(count, device=like.device) for count in (num_cells, num_frequencies))
    # Whole turns go before the rounding.
    angles = (cells[:, None] * frequencies % num_cells).to(like.dtype) * (2.0 * math.pi / num_cells)
    return angles.cos() / math.sqrt(num_cells), angles.sin() / math.sqrt(num_cells)


def interpolation(num_cells: int, num_stored: int, like: Tensor, *, is_half: bool) -> Tensor:
    """Shares of stored factors in the factor of each frequency of an axis, rows that add up to 1.

    Args:
        num_cells: Cells of a map along the axis.
        num_stored: Cells of a map whose frequencies are those of the stored factors.
        like: A tensor of the wanted type and device.
        is_half: The frequencies 0 ... 1/2 of a real transform alone; otherwise all, which repeat with period 1.

    Returns:
        (frequencies of the map, stored factors).
    """
    num_wanted, num_known = (num_cells // 2 + 1, num_stored // 2 + 1) if is_half else (num_cells, num_stored)
    place = torch.arange(num_wanted, device=like.device)[:, None] * num_stored
    lower = place // num_cells
    share = (place % num_cells).to(like.dtype) / num_cells
    # The highest stored frequency is below 1/2 where num_stored is odd; beyond it the last factor holds.
    ends = [end.clamp(max=num_known - 1) if is_half else end % num_known for end in (lower, lower + 1)]
    stored = torch.arange(num_known, device=like.device)
    below, above = ((end == stored).to(like.dtype) for end in ends)
    return (1.0 - share) * below + share * above
