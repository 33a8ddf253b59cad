"""The second stage's network: a U-Net on noisy latents that looks at the condition.

```
condition -> backbone -> features at strides 4, 8, 16, 32          encode_condition, once for each map
noisy latents, stage-1 feature -> entry
down, each level:   ResBlock, RelationNet, ResBlock, linear attention, downsample
middle:             ResBlock, full attention, ResBlock
for each head:      normalisation, convolution, frequency filter beside an identity
up, each level:     skip, ResBlock, RelationNet, skip, ResBlock, linear attention, upsample
                    skip from the entry, ResBlock, convolution 1x1
preconditioning     fixed skips around all of it
```

Source: Wang et al. 2025, "RadioDiff: An Effective Generative Diffusion Model for Sampling-Free Dynamic Radio Map
Construction"; Ye et al. 2024, "DiffusionEdge" (its layout of levels and heads).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.diffusion.preconditioning import preconditioned
from radiodiff.errors import InputError
from radiodiff.models.backbones.base import BackboneNorm
from radiodiff.models.backbones.build import build_backbone
from radiodiff.models.backbones.weights import load_backbone_weights
from radiodiff.models.layers.fourier_time import FourierTime
from radiodiff.models.layers.levels import DownLevel, Head, Middle
from radiodiff.models.saved_network import SavedNetwork
from radiodiff.models.seeded_weights import seeded_weights
from radiodiff.models.unet_config import UnetConfig

__all__ = ["ConditionalUnet", "build_unet"]

ENTRY_KERNEL = 7


class ConditionalUnet(SavedNetwork):
    """A U-Net on noisy latents (B, latent_channels, h, w) of maps with h * latent_factor rows.

    Its arguments are JSON types, which `config.json` of a saved network holds; `build_unet` makes one from settings.

    Args:
        condition_channels: Channels of the condition.
        latent_channels: Channels of the latents.
        latent_factor: Cells of the map along one edge of a latent cell.
        unet: `UnetConfig` without the backbone's file of weights.
        diffusion: `prediction_type` and `preconditioning` of `DiffusionConfig`.
        backbone_norm: What batch normalisation of the backbone has become: "group", or "frozen" for pretrained
            weights.

    Attributes:
        settings: The network's settings.
        size_multiple: Rows and columns of the map are multiples of it.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        condition_channels: int,
        latent_channels: int,
        latent_factor: int,
        unet: Mapping[str, Any],
        diffusion: Mapping[str, Any],
        backbone_norm: BackboneNorm = "group",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        config = UnetConfig(**unet)
        process = DiffusionConfig(**diffusion)
        self.settings = config
        self.size_multiple = config.size_multiple(latent_factor)
        self._latent_shape = latent_channels, latent_factor
        self._process = process.prediction_type, process.preconditioning
        widths = config.level_channels
        self.backbone = build_backbone(config.backbone, condition_channels, len(widths), backbone_norm)
        level_inputs = (config.base_channels, *widths[:-1])
        self.projections = nn.ModuleList(
            nn.Conv2d(channels, width, 1) for channels, width in zip(self.backbone.channels, level_inputs, strict=True)
        )
        padding = ENTRY_KERNEL // 2
        # One convolution on latents and condition together, written as two: the second is done once for each map.
        self.entry = nn.Conv2d(latent_channels, config.base_channels, ENTRY_KERNEL, padding=padding)
        self.entry_condition = nn.Conv2d(
            self.backbone.channels[0], config.base_channels, ENTRY_KERNEL, padding=padding, bias=False
        )
        self.entry_norm = nn.GroupNorm(config.norm_groups, config.base_channels)
        self.time = FourierTime(config.fourier_features, config.fourier_scale, config.time_channels)
        self.down = nn.ModuleList(DownLevel(config, level) for level in range(len(widths)))
        self.middle = Middle(config)
        self.heads = nn.ModuleList(Head(config, latent_channels) for _ in range(process.num_heads))

    def encode_condition(self, condition: Tensor) -> tuple[Tensor, ...]:
        """What `forward` needs of the condition, once for each map.

        Args:
            condition: (B, condition_channels, rows, cols) in [-1, 1], multiples of `size_multiple`.

        Returns:
            The condition's part of the entry (B, base_channels, h, w), then the condition at each level. Rows may be
            repeated (`repeat_interleave`) for several draws of a map.

        Raises:
            InputError: The condition has other channels, or its rows or columns are no multiples.
        """
        self._check_condition(condition, self.config["condition_channels"])
        features = self.backbone(condition.to(self.entry.weight.dtype))
        cells = [size // self._latent_shape[1] for size in condition.shape[2:]]
        first = features[0]
        if list(first.shape[2:]) != cells:
            first = functional.interpolate(first, size=cells, mode="bilinear", align_corners=False)
        projected = (project(feature) for project, feature in zip(self.projections, features, strict=True))
        return self.entry_condition(first), *projected

    def forward(
        self,
        noisy: Tensor,
        t: Tensor,
        condition: Tensor | None = None,
        features: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Predictions (B, num_heads * latent_channels, h, w), preconditioned, in the precision of the noisy latents.

        Args:
            noisy: (B, latent_channels, h, w), latents at the times t.
            t: (B,), times in (0, 1].
            condition: (B, condition_channels, rows, cols) in [-1, 1]. Either this,
            features: or what `encode_condition` made of it.

        Raises:
            InputError: Neither or both of condition and features are given, or a shape does not fit.
        """
        self._check_latents(noisy, t)
        if (condition is None) == (features is None):
            raise InputError(
                "ConditionalUnet.forward needs either condition or features",
                value="neither" if condition is None else "both",
                remedy="Give the condition, or what encode_condition made of it.",
            )
        if condition is not None:
            features = self.encode_condition(condition)
        assert features is not None
        entry_condition, *levels = features
        self._check_features(noisy, entry_condition, levels)
        time_code = self.time(t)
        entry = self.entry_norm(self.entry(noisy.to(self.entry.weight.dtype)) + entry_condition)
        x = entry
        skips: list[Tensor] = []
        for down, level in zip(self.down, levels, strict=True):
            x, *found = self._run(down, x, level, time_code)
            skips += found
        x = self._run(self.middle, x, time_code)
        raw = [self._run(head, x, entry, time_code, skips, levels) for head in self.heads]
        return preconditioned(torch.cat(raw, dim=1), noisy, t, *self._process)

    def _check_latents(self, noisy: Tensor, t: Tensor) -> None:
        channels, factor = self._latent_shape
        if noisy.ndim != 4 or noisy.shape[1] != channels:
            raise InputError(
                f"The latents of this network must be (B, {channels}, h, w)",
                value=f"shape {tuple(noisy.shape)}",
                remedy="Give it latents of the autoencoder that it was trained with.",
            )
        multiple = self.size_multiple // factor
        if any(size == 0 or size % multiple for size in noisy.shape[2:]):
            raise InputError(
                f"Rows and columns of the latents must be multiples of {multiple}",
                value=f"{noisy.shape[2]} x {noisy.shape[3]}",
                remedy=f"Encode maps whose sides are multiples of {self.size_multiple}.",
            )
        if t.shape != noisy.shape[:1]:
            raise InputError(
                "Times must be one for each row of the latents",
                value=f"shape {tuple(t.shape)} for {noisy.shape[0]} rows",
                remedy="Give a tensor (B,).",
            )

    def _check_features(self, noisy: Tensor, entry_condition: Tensor, levels: Sequence[Tensor]) -> None:
        if len(levels) != len(self.down):
            raise InputError(
                f"Features of the condition must be {len(self.down) + 1} tensors",
                value=f"{len(levels) + 1}",
                remedy="Give what encode_condition of this network returned.",
            )
        # Not len(): an exported network would take batches of one size alone.
        found, wanted = ((x.shape[0], *x.shape[2:]) for x in (entry_condition, noisy))
        if found != wanted or any(level.shape[0] != noisy.shape[0] for level in levels):
            raise InputError(
                "Latents and condition must be of the same maps",
                value=f"latents {tuple(noisy.shape)}, condition for {found[0]} maps of {found[1]} x {found[2]} "
                "latent cells",
                remedy=f"The map has {self._latent_shape[1]} times the rows and columns of its latents; for several "
                "draws of a map, repeat its features (repeat_interleave).",
            )


def build_unet(
    config: UnetConfig,
    *,
    condition_channels: int,
    latent_channels: int,
    latent_factor: int,
    diffusion: DiffusionConfig,
    seed: int = 0,
) -> ConditionalUnet:
    """A U-Net with fresh weights, on the CPU; those of its backbone are read where the settings name a file.

    Args:
        config: The network.
        condition_channels: Channels of the condition.
        latent_channels: Channels of the latents.
        latent_factor: Cells of the map along one edge of a latent cell.
        diffusion: What it predicts, and the skips around it.
        seed: Seed of its weights.

    Raises:
        CheckpointError: The file of the backbone's weights is not there, or is of another network.
    """
    weights = config.backbone.weights
    plain = config.model_dump(mode="json")
    plain["backbone"]["weights"] = None
    with seeded_weights(seed):
        network: ConditionalUnet = ConditionalUnet(
            condition_channels=condition_channels,
            latent_channels=latent_channels,
            latent_factor=latent_factor,
            unet=plain,
            diffusion=diffusion.model_dump(mode="json", include={"prediction_type", "preconditioning"}),
            backbone_norm="group" if weights is None else "frozen",
        )
    if weights is not None:
        load_backbone_weights(network.backbone, weights, config.backbone.kind)
    return network
