"""Maps padded to what a network takes."""

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["NO_RESIDUAL", "OUTSIDE", "padded_to_factor", "padded_to_multiple"]

OUTSIDE = -1.0
"""Value of the padding: that of no signal, as in the data sets."""
NO_RESIDUAL = 0.0
"""The same for residuals: prior and map agree that there is no signal."""


def padded_to_factor(network: AutoencoderKL, maps: Tensor, value: float = OUTSIDE) -> Tensor:
    """Maps with a value below and on the right, up to the next multiples of the network's factor.

    Args:
        network: The autoencoder.
        maps: (..., rows, cols).
        value: The value.

    Returns:
        (..., rows, cols) of multiples of the factor; the maps themselves where they fit.
    """
    return padded_to_multiple(maps, 2 ** (len(network.config["block_out_channels"]) - 1), value)


def padded_to_multiple(maps: Tensor, multiple: int, value: float = OUTSIDE) -> Tensor:
    """Maps with a value below and on the right, up to the next multiples of a number.

    Args:
        maps: (..., rows, cols).
        multiple: The number.
        value: The value.

    Returns:
        (..., rows, cols) of multiples; the maps themselves where they fit.
    """
    rows, cols = maps.shape[-2:]
    return pad(maps, (0, -cols % multiple, 0, -rows % multiple), value=value)
