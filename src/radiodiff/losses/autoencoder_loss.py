"""Everything that the first stage minimises, without a weight of its own to learn or to save."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from radiodiff.errors import ConfigError
from radiodiff.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss
from radiodiff.losses.config import AdversarialConfig, AutoencoderLossConfig
from radiodiff.losses.divergence import standard_normal_divergence
from radiodiff.losses.helmholtz import check_one_channel, helmholtz_residual
from radiodiff.losses.lpips import Lpips
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
        terms: Scalars to read, detached, whatever the reduction: "l1", "mse", "nll" (means over the cells that
            count), "logvar", and, where the settings have them, "edge" (likewise), "perceptual" and "helmholtz" (means
            over the maps). Each is without its own weight.
    """

    nll: Tensor
    terms: Mapping[str, Tensor]


class AutoencoderLoss(nn.Module):
    """What the autoencoder and its discriminator minimise.

    It holds nothing to learn, and its `state_dict` is empty. It computes in float32 (float64 for such maps), also under
    autocast.

    Args:
        config: Terms and weights.
        num_channels: Channels of the target.

    Raises:
        ConfigError: The Helmholtz term is asked for and the target has more than one channel.
        CheckpointError: A file of perceptual weights is not there, cannot be read, or is not what it should be.

    Source: Rombach et al. (2022), "High-Resolution Image Synthesis with Latent Diffusion Models", appendix G.
    """

    def __init__(self, config: AutoencoderLossConfig, num_channels: int) -> None:
        super().__init__()
        self.config = config
        if config.helmholtz is not None:
            check_one_channel(num_channels)
        self._lpips: Lpips | None = None
        perceptual = config.perceptual
        if perceptual is not None and perceptual.kind == "lpips":
            assert perceptual.vgg16 is not None
            assert perceptual.heads is not None
            self._lpips = Lpips(perceptual.vgg16, perceptual.heads)

    def reconstruction(  # noqa: PLR0913  each is an array of its own
        self,
        prediction: Tensor,
        target: Tensor,
        log_variance: Tensor,
        *,
        weight: Tensor | None = None,
        tx: Tensor | None = None,
        buildings: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> ReconstructionTerms:
        """Error of a reconstruction.

        Each cell has the error `l1 |d| + mse d^2 + edge (l1 |d w| + mse (d w)^2) + perceptual P + helmholtz H`, with d
        the difference, w the weights of the edges, P and H one number per map, and the name of a term for its weight;
        `nll` is `error / exp(log_variance) + log_variance` of it.

        Args:
            prediction: (B, C, rows, cols).
            target: (B, C, rows, cols) in [-1, 1].
            log_variance: Scalar.
            weight: (B, 1, rows, cols) weights of the edges in [0, 1].
            tx: (B, 2) int64, cell (row, col) of each transmitter, inside or outside the maps.
            buildings: (B, 1, rows, cols) bool.
            mask: (B, 1, rows, cols) bool, the cells that count; None: all. "sum" sums over them, "mean" averages over
                those of each map and then over the maps. A map without any costs nothing. Terms of a whole map see the
                target in the other cells, and each cell that counts has them.

        Raises:
            ConfigError: `edge_weight` is above 0 and there are no weights.
            InputError: The shapes differ, or the maps are too small for the perceptual term.
        """
        check_same_shape(prediction, target)
        with torch.autocast(prediction.device.type, enabled=False):
            prediction, target = full_precision(prediction), full_precision(target)
            if mask is not None:
                prediction = torch.where(mask, prediction, target.detach())
            difference = (prediction - target).detach()
            terms = {"l1": reduced(difference.abs(), "mean", mask), "mse": reduced(difference.square(), "mean", mask)}
            error = self._pointwise(prediction, target)
            if self.config.edge_weight > 0:
                share = self._edge_share(weight)
                edge = self._pointwise(prediction * share, target * share)
                terms["edge"] = reduced(edge.detach(), "mean", mask)
                error = error + self.config.edge_weight * edge
            if self.config.perceptual is not None:
                compare = structure_difference if self._lpips is None else self._lpips
                perceptual = compare(prediction, target)
                terms["perceptual"] = perceptual.detach().mean()
                error = error + self.config.perceptual.weight * perceptual[:, None, None, None]
            if self.config.helmholtz is not None:
                residual = helmholtz_residual(prediction, target, self.config.helmholtz, tx=tx, buildings=buildings)
                terms["helmholtz"] = residual.detach().mean()
                error = error + self.config.helmholtz.weight * residual[:, None, None, None]
            nll = negative_log_likelihood(error, full_precision(log_variance))
            terms |= {"nll": reduced(nll.detach(), "mean", mask), "logvar": log_variance.detach().clone()}
            return ReconstructionTerms(reduced(nll, self.config.reduction, mask), terms)

    def divergence(self, mean: Tensor, logvar: Tensor) -> Tensor:
        """Divergence of a posterior from the standard normal distribution, before `kl_weight`.

        Args:
            mean: (B, C, rows, cols).
            logvar: (B, C, rows, cols), logarithm of the variance.

        Returns:
            Scalar, reduced as the settings say.
        """
        return reduced(standard_normal_divergence(mean, logvar), self.config.reduction)

    def generator(self, logits: Tensor) -> Tensor:
        """Scalar that the autoencoder minimises of the logits of its reconstructions, before its weights."""
        return generator_loss(logits)

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Scalar that the discriminator minimises of its logits of maps and of reconstructions.

        Raises:
            ConfigError: The settings have no adversarial part.
        """
        return discriminator_loss(real_logits, fake_logits, self._adversarial().kind)

    def adaptive_weight(self, reconstruction_gradient: Tensor, generator_gradient: Tensor) -> Tensor:
        """Scalar factor of the generator's loss, detached, before its base weight.

        Args:
            reconstruction_gradient: Gradient of `nll` at the last layer of the decoder.
            generator_gradient: Gradient of `generator` there.

        Raises:
            ConfigError: The settings have no adversarial part.
        """
        return adaptive_weight(reconstruction_gradient, generator_gradient, self._adversarial().max_adaptive)

    def _pointwise(self, prediction: Tensor, target: Tensor) -> Tensor:
        config = self.config
        return pointwise_error(prediction, target, l1_weight=config.l1_weight, mse_weight=config.mse_weight)

    def _edge_share(self, weight: Tensor | None) -> Tensor:
        if weight is None:
            raise ConfigError(
                "AutoencoderLossConfig.edge_weight needs examples with weights",
                value=f"edge_weight={self.config.edge_weight:g} and examples without",
                remedy="Set data.edge_weights, or loss.edge_weight to 0.",
            )
        return weight if self.config.edge_mode == "edges" else 1.0 - weight

    def _adversarial(self) -> AdversarialConfig:
        if self.config.adversarial is None:
            raise ConfigError(
                "The loss of a discriminator needs AutoencoderLossConfig.adversarial",
                value="None",
                remedy="Give its settings, or train the autoencoder alone.",
            )
        return self.config.adversarial
