"""Latent cells that count, and losses of them alone."""

import torch
from torch import Tensor
from torch.nn import functional

from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.diffusion.objective import ExampleLosses, example_losses
from radiodiff.diffusion.process import targets_of
from radiodiff.training.latent_encoder import LatentEncoder

__all__ = ["counted_losses", "latent_mask"]


def latent_mask(mask: Tensor, encoder: LatentEncoder) -> Tensor:
    """Latent cells (B, 1, h, w) of which every cell of the map counts; those of padding do not.

    An autoencoder mixes neighbouring cells: latents at the border of what counts know a little of what does not.

    Args:
        mask: (B, 1, rows, cols) bool, cells of the map that count.
        encoder: The autoencoder, which pads maps to its multiple.
    """
    multiple, factor = encoder.size_multiple, encoder.config.factor
    rows, cols = mask.shape[-2:]
    beside = functional.pad((~mask).float(), (0, -cols % multiple, 0, -rows % multiple), value=1.0)
    return functional.max_pool2d(beside, factor) == 0


def counted_losses(
    output: Tensor,
    pair: tuple[Tensor, Tensor],
    t: Tensor,
    settings: tuple[DiffusionConfig, DiffusionLossConfig],
    counting: Tensor | None = None,
) -> ExampleLosses:
    """`example_losses`, means over the latent cells that count; 0 for an example of which none does.

    Args:
        output: (B, heads * C, h, w), predictions of the network.
        pair: x_0 and eps, each (B, C, h, w).
        t: (B,), times.
        settings: The process and the weights.
        counting: (B, 1, h, w) bool, latent cells that count; None: all of them.
    """
    clean, noise = pair
    config, loss_config = settings
    if counting is None:
        return example_losses(output, clean, noise, t, config, loss_config)
    # What does not count is right, so that it adds nothing; the mean over all cells is then one over those that count.
    right = torch.where(counting, output.float(), targets_of(clean, noise, config.prediction_type))
    found = example_losses(right, clean, noise, t, config, loss_config)
    share = counting.flatten(1).float().mean(dim=1)
    factor = torch.where(share > 0, 1.0 / share.clamp(min=torch.finfo(share.dtype).tiny), 0.0)
    return ExampleLosses(found.loss * factor, {name: values * factor for name, values in found.terms.items()})
