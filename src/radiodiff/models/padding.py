"""Maps padded to what a network takes."""

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["padded_to_factor", "padded_to_multiple"]

OUTSIDE = -1.0
"""Value of the padding: that of no signal, as in the data sets."""


def padded_to_factor(network: AutoencoderKL, maps: Tensor) -> Tensor:
    """Maps with -1 below and on the right, up to the next multiples of the network's factor.

    Args:
        network: The autoencoder.
        maps: (..., rows, cols).

    Returns:
        (..., rows, cols) of multiples of the factor; the maps themselves where they fit.
    """
    return padded_to_multiple(maps, 2 ** (len(network.config["block_out_channels"]) - 1))


def padded_to_multiple(maps: Tensor, multiple: int) -> Tensor:
    """Maps with -1 below and on the right, up to the next multiples of a number.

    Args:
        maps: (..., rows, cols).
        multiple: The number.

    Returns:
        (..., rows, cols) of multiples; the maps themselves where they fit.
    """
    rows, cols = maps.shape[-2:]
    return pad(maps, (0, -cols % multiple, 0, -rows % multiple), value=OUTSIDE)
