"""The first stage in the training of the second: frozen, it turns maps into posteriors of latents."""

import hashlib
import json
from functools import cached_property

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.models.autoencoder import autoencoder_config
from radiodiff.models.padding import NO_RESIDUAL, padded_to_multiple
from radiodiff.pipeline.prior import Prior
from radiodiff.training.precision import without_tensor_float_32

__all__ = ["LatentEncoder"]

ENCODER_PARTS = ("encoder.", "quant_conv.")
"""Names of the weights that latents follow from."""


class LatentEncoder:
    """An autoencoder that learns no more: from now on it is in eval mode, without gradients.

    Args:
        autoencoder: The autoencoder.
        size_multiple: Maps are padded below and on the right to multiples of this many cells: maps with -1, residuals
            with 0.
        prior: What the maps of the autoencoder are the difference to; None where it takes the maps themselves.

    Attributes:
        autoencoder: The same.
        size_multiple: The same.
        prior: The same.
        config: Its settings.

    Raises:
        CheckpointError: A weight is not finite.
        ConfigError: `size_multiple` is no multiple of the autoencoder's factor.
    """

    def __init__(self, autoencoder: AutoencoderKL, size_multiple: int, prior: Prior | None = None) -> None:
        self.prior = prior
        self.autoencoder = autoencoder.requires_grad_(False).eval()
        self.size_multiple = size_multiple
        self.config = autoencoder_config(autoencoder)
        broken = [name for name, weight in autoencoder.named_parameters() if not torch.isfinite(weight).all()]
        if broken:
            raise CheckpointError(
                "The weights of an autoencoder must be finite",
                value=f"{broken[0]}, which is not",
                remedy="The run that made it went wrong: use another autoencoder.",
            )
        if size_multiple % self.config.factor:
            raise ConfigError(
                "Cells along a latent cell must divide the multiple that maps are padded to",
                value=f"{self.config.factor} and {size_multiple}",
                remedy="Build the U-Net with latent_factor of this autoencoder.",
            )

    def to(self, device: torch.device) -> None:
        """Move the autoencoder, and a regression that predicts priors, to a device."""
        network: nn.Module = self.autoencoder
        network.to(device)
        if self.prior is not None:
            self.prior.to(device)

    @torch.no_grad()
    def posterior(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        """Mean and then standard deviation of the latents of maps, (B, 2 * C, h, w) float32, not scaled.

        Computed in float32 and without TF32, whatever the precision of the run: bfloat16 would move latents by some 2 %
        of their standard deviation, and in float16 activations may overflow.

        Args:
            maps: (B, in_channels, rows, cols) in [-1, 1], on the autoencoder's device.
            condition: (B, C, rows, cols) of the maps; needed where there is a prior, of which it is made.
        """
        if self.prior is None:
            images = padded_to_multiple(maps, self.size_multiple)
        else:
            assert condition is not None
            residual = self.prior.residual(maps, self.prior.maps(condition))
            images = padded_to_multiple(residual, self.size_multiple, NO_RESIDUAL)
        with torch.autocast(maps.device.type, enabled=False), without_tensor_float_32():
            found = self.autoencoder.encode(images).latent_dist
        return torch.cat([found.mean, found.std], dim=1)

    def latent_shape(self, rows: int, cols: int) -> tuple[int, int, int]:
        """(C, h, w) of the latents of a map."""
        full = (-(-length // self.size_multiple) * self.size_multiple // self.config.factor for length in (rows, cols))
        return (self.config.latent_channels, *full)  # type: ignore[return-value]

    @cached_property
    def fingerprint(self) -> str:
        """What identifies the encoder, 64 hexadecimal digits: its settings and weights, and those of its prior.

        The decoder's do not count.
        """
        found = hashlib.sha256(self.config.model_dump_json().encode())
        for name, tensor in sorted(self.autoencoder.state_dict().items()):
            if name.startswith(ENCODER_PARTS):
                found.update(f"{name} {tuple(tensor.shape)} ".encode())
                found.update(tensor.float().cpu().contiguous().numpy().tobytes())
        if self.prior is not None:
            found.update(json.dumps(self.prior.record.identity).encode())
        return found.hexdigest()
