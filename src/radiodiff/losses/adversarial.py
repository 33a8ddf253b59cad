"""What a discriminator and its opponent minimise."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from radiodiff.losses.reconstruction import full_precision

__all__ = ["adaptive_weight", "discriminator_loss", "generator_loss"]

STABILISER = 1e-4
"""Added to the length of the generator's gradient, as published."""


def generator_loss(logits: Tensor) -> Tensor:
    """Scalar: minus the mean logit of reconstructions, whatever the discriminator minimises."""
    return -full_precision(logits).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor, kind: Literal["hinge", "vanilla"]) -> Tensor:
    """Scalar that is small where real maps have logits above, and reconstructions below zero.

    Args:
        real_logits: Logits of maps, any shape.
        fake_logits: Logits of reconstructions, any shape.
        kind: "hinge" is `0.5 (mean max(0, 1 - real) + mean max(0, 1 + fake))`; "vanilla" is
            `0.5 (mean softplus(-real) + mean softplus(fake))`.

    Source: Lim and Ye (2017), "Geometric GAN" (hinge); Goodfellow et al. (2014) (softplus: the logistic form).
    """
    real, fake = full_precision(real_logits), full_precision(fake_logits)
    if kind == "hinge":
        return 0.5 * (functional.relu(1.0 - real).mean() + functional.relu(1.0 + fake).mean())
    return 0.5 * (functional.softplus(-real).mean() + functional.softplus(fake).mean())


@torch.no_grad()
def adaptive_weight(reconstruction_gradient: Tensor, generator_gradient: Tensor, largest: float) -> Tensor:
    """The factor that makes the generator's gradient as long as that of the reconstruction.

    Args:
        reconstruction_gradient: Gradient of the reconstruction loss at the last layer.
        generator_gradient: Gradient of the generator loss there.
        largest: Upper bound of the factor.

    Returns:
        Scalar in [0, largest], detached: `|a| / (|b| + 1e-4)`.

    Source: Esser et al. (2021), "Taming Transformers for High-Resolution Image Synthesis", equation 7.
    """
    long, short = (torch.linalg.vector_norm(full_precision(g)) for g in (reconstruction_gradient, generator_gradient))
    return torch.clamp(long / (short + STABILISER), 0.0, largest)
