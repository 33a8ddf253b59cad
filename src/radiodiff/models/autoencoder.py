"""The KL autoencoder of the first stage: `diffusers.AutoencoderKL` in the terms of `AutoencoderConfig`.

Parameters of the published network: 22,348,934 in the encoder, 32,958,465 in the decoder, and 54 in the two 1x1
convolutions at the latents (42 after the encoder, 12 before the decoder), which belong to neither: 55,307,453 in all.
"""

from math import gcd
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from radiodiff.errors import ConfigError
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.seeded_weights import seeded_weights

__all__ = ["autoencoder_config", "build_autoencoder", "diffusers_settings"]

UNSCALED = 1.0
"""Scaling factor of latents that nobody has measured yet."""

DOWN_BLOCK, UP_BLOCK = "DownEncoderBlock2D", "UpDecoderBlock2D"
FIXED = {"act_fn": "silu", "use_quant_conv": True, "use_post_quant_conv": True, "shift_factor": None}
"""Settings of the class that `AutoencoderConfig` has no key for."""


def build_autoencoder(config: AutoencoderConfig, *, seed: int = 0) -> AutoencoderKL:
    """An autoencoder with fresh weights, on the CPU.

    `network.encode(x).latent_dist` is the posterior of maps x (B, in_channels, rows, cols) in [-1, 1], with latents
    (B, latent_channels, rows / factor, cols / factor); `network.decode(z).sample` are maps (B, out_channels, rows,
    cols), not bounded. Rows and columns are multiples of `config.factor`; they need not be equal.

    Args:
        config: The network.
        seed: Seed of its weights.

    Source: Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models" (KL-f4).
    """
    with seeded_weights(seed):
        network: AutoencoderKL = AutoencoderKL(**diffusers_settings(config))
    return network


def diffusers_settings(config: AutoencoderConfig) -> dict[str, Any]:
    """Arguments of `diffusers.AutoencoderKL`."""
    levels = len(config.level_channels)
    return {
        "in_channels": config.in_channels,
        "out_channels": config.out_channels,
        "down_block_types": (DOWN_BLOCK,) * levels,
        "up_block_types": (UP_BLOCK,) * levels,
        "block_out_channels": config.level_channels,
        "layers_per_block": config.blocks_per_level,
        "latent_channels": config.latent_channels,
        "norm_num_groups": config.norm_groups,
        "mid_block_add_attention": config.middle_attention,
        # Only tiling reads it.
        "sample_size": 256,
        "scaling_factor": UNSCALED,
    }


def autoencoder_config(network: AutoencoderKL) -> AutoencoderConfig:
    """The settings of a network; `base_channels` are those of its first level where these divide all others.

    Raises:
        ConfigError: The network has parts that `AutoencoderConfig` has no key for.
    """
    found = network.config
    blocks = {DOWN_BLOCK: found["down_block_types"], UP_BLOCK: found["up_block_types"]}
    foreign = [f"{key}={found[key]!r}" for key, usual in FIXED.items() if found[key] != usual]
    foreign += [name for usual, names in blocks.items() for name in names if name != usual]
    if foreign:
        raise ConfigError(
            f"An autoencoder must be made of {DOWN_BLOCK} and {UP_BLOCK}, with {FIXED}",
            value=", ".join(foreign),
            remedy="Use a network made by build_autoencoder, or one of the same layout.",
        )
    widths = tuple(found["block_out_channels"])
    base = widths[0] if all(width % widths[0] == 0 for width in widths) else gcd(*widths)
    return AutoencoderConfig(
        in_channels=found["in_channels"],
        out_channels=found["out_channels"],
        base_channels=base,
        channel_multipliers=tuple(width // base for width in widths),
        blocks_per_level=found["layers_per_block"],
        latent_channels=found["latent_channels"],
        norm_groups=found["norm_num_groups"],
        middle_attention=found["mid_block_add_attention"],
    )
