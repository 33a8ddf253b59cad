"""Everything that the first stage minimises, without a weight of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from radiodiff.errors import ConfigError
from radiodiff.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss
from radiodiff.losses.config import AdversarialConfig, AutoencoderLossConfig
from radiodiff.losses.divergence import standard_normal_divergence
from radiodiff.losses.reconstruction import (
    check_same_shape,
    full_precision,
    negative_log_likelihood,
    pointwise_error,
    reduced,
)
from radiodiff.losses.structure import structure_difference

__all__ = ["AutoencoderLoss", "ReconstructionTerms"]


@dataclass(frozen=True, eq=False)
class ReconstructionTerms:
    """The error of a reconstruction.

    Attributes:
        nll: Scalar to minimise, reduced as the settings say.
        terms: Means per cell by name, before their weights, detached.
    """

    nll: Tensor
    terms: Mapping[str, Tensor]


class AutoencoderLoss(nn.Module):
    """What the autoencoder and its discriminator minimise.

    Args:
        config: Terms and weights.
        num_channels: Channels of the target.
    """

    def __init__(self, config: AutoencoderLossConfig, num_channels: int) -> None:
        super().__init__()
        self.config = config
        self.num_channels = num_channels

    def reconstruction(
        self,
        prediction: Tensor,
        target: Tensor,
        log_variance: Tensor,
        *,
        weight: Tensor | None = None,
        tx: Tensor | None = None,
        buildings: Tensor | None = None,
    ) -> ReconstructionTerms:
        """Error of a reconstruction."""
        check_same_shape(prediction, target)
        with torch.autocast(prediction.device.type, enabled=False):
            prediction, target = full_precision(prediction), full_precision(target)
            config = self.config
            difference = (prediction - target).detach()
            terms = {"l1": difference.abs().mean(), "mse": difference.square().mean()}
            weights = {"l1_weight": config.l1_weight, "mse_weight": config.mse_weight}
            error = pointwise_error(prediction, target, **weights)
            if config.edge_weight > 0:
                if weight is None:
                    raise ConfigError(
                        "AutoencoderLossConfig.edge_weight needs examples with weights",
                        value=f"edge_weight={config.edge_weight:g} and examples without",
                        remedy="Set data.edge_weights, or edge_weight to 0.",
                    )
                edge = pointwise_error(prediction * weight, target * weight, **weights)
                terms["edge"] = edge.detach().mean()
                error = error + config.edge_weight * edge
            if config.perceptual is not None:
                perceptual = structure_difference(prediction, target)
                terms["perceptual"] = perceptual.detach().mean()
                error = error + config.perceptual.weight * perceptual[:, None, None, None]
            nll = negative_log_likelihood(error, log_variance)
            terms |= {"nll": nll.detach().mean(), "logvar": log_variance.detach()}
            return ReconstructionTerms(reduced(nll, config.reduction), terms)

    def divergence(self, mean: Tensor, logvar: Tensor) -> Tensor:
        """Divergence of the posterior from the standard normal distribution, reduced as the settings say."""
        return reduced(standard_normal_divergence(mean, logvar), self.config.reduction)

    def generator(self, logits: Tensor) -> Tensor:
        """What the autoencoder minimises of the discriminator's logits of reconstructions."""
        return generator_loss(logits)

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises."""
        return discriminator_loss(real_logits, fake_logits, self._adversarial.kind)

    def adaptive_weight(self, reconstruction_gradient: Tensor, generator_gradient: Tensor) -> Tensor:
        """Factor of the generator loss, before its base weight."""
        return adaptive_weight(reconstruction_gradient, generator_gradient, self._adversarial.max_adaptive)

    @property
    def _adversarial(self) -> AdversarialConfig:
        if self.config.adversarial is None:
            raise ConfigError(
                "The loss of a discriminator needs AutoencoderLossConfig.adversarial",
                value="None",
                remedy="Give its settings, or train the autoencoder alone.",
            )
        return self.config.adversarial
