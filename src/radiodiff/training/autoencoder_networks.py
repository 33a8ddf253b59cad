"""The two networks of the first stage as they are trained."""

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from radiodiff.models.discriminator import PatchDiscriminator

__all__ = ["Critic", "TrainedAutoencoder"]


class TrainedAutoencoder(nn.Module):
    """An autoencoder with the variance of its reconstruction error: one forward gives all that a step needs.

    Args:
        autoencoder: The network.
        logvar: First logarithm of the variance.
        learn_logvar: Whether it is a parameter.
    """

    def __init__(self, autoencoder: AutoencoderKL, logvar: float, learn_logvar: bool) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        value = torch.tensor(logvar)
        if learn_logvar:
            self.log_variance: Tensor = nn.Parameter(value)
        else:
            self.register_buffer("log_variance", value)

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Reconstruct images from drawn latents.

        Args:
            images: (B, C, rows, cols) in [-1, 1].
            noise: Standard normal noise of the shape of the latents.

        Returns:
            Reconstruction (B, C', rows, cols); mean and logarithm of the variance of the posterior, each of the shape
            of the latents; logarithm of the variance of the reconstruction error, a scalar.
        """
        posterior = self.autoencoder.encode(images).latent_dist
        latents = posterior.mean + posterior.std * noise
        return self.autoencoder.decode(latents).sample, posterior.mean, posterior.logvar, self.log_variance


class Critic(nn.Module):
    """A discriminator that judges true and reconstructed maps in one forward, each as a batch of its own.

    Args:
        discriminator: The network.
    """

    def __init__(self, discriminator: PatchDiscriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, true: Tensor, reconstructed: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits of both, (B, 1, ., .)."""
        return self.judge(true, condition), self.judge(reconstructed, condition)

    def judge(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Logits of images (B, C, rows, cols), beside the condition (B, C', rows, cols) where there is one."""
        logits: Tensor = self.discriminator(images if condition is None else torch.cat([images, condition], dim=1))
        return logits
