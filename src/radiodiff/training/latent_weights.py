"""How much latent cells count where a map has no value in some cells."""

from torch import Tensor
from torch.nn import functional

from radiodiff.training.latent_encoder import LatentEncoder

__all__ = ["latent_weights"]


def latent_weights(mask: Tensor, encoder: LatentEncoder) -> Tensor:
    """Share (B, 1, h, w) of the cells of the map under each latent cell that count; those of padding do not.

    Args:
        mask: (B, 1, rows, cols) bool, cells of the map that count.
        encoder: The autoencoder, which pads maps to its multiple.
    """
    multiple, factor = encoder.size_multiple, encoder.config.factor
    rows, cols = mask.shape[-2:]
    return functional.avg_pool2d(functional.pad(mask.float(), (0, -cols % multiple, 0, -rows % multiple)), factor)
