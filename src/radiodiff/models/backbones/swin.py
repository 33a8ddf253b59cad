"""Swin transformers as encoders of the condition, through transformers."""

from typing import Any, Literal

from torch import Tensor, nn

from radiodiff.models.backbones.base import Backbone

__all__ = ["SwinBackbone"]

LAYOUTS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "swin_t": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "swin_s": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "swin_b": (128, (2, 2, 18, 2), (4, 8, 16, 32)),
}
"""Channels of the first stage, blocks and attention heads of each stage; windows of 7 x 7 everywhere."""


class SwinBackbone(Backbone):
    """Swin-T, Swin-S or Swin-B, each stage's end normalised; without random depth, head and last normalisation.

    Args:
        condition_channels: Channels of the condition.
        num_levels: Stages.
        kind: Its layout.

    Source: Liu et al. 2021, "Swin Transformer", section 3.3.
    """

    entry_name = "network.swin.embeddings.patch_embeddings.projection.weight"

    def __init__(self, condition_channels: int, num_levels: int, kind: Literal["swin_b", "swin_s", "swin_t"]) -> None:
        super().__init__()
        from transformers import SwinBackbone as Network
        from transformers import SwinConfig

        width, depths, num_heads = LAYOUTS[kind]
        self.channels = tuple(width * 2**stage for stage in range(num_levels))
        settings: dict[str, Any] = {
            "num_channels": condition_channels,
            "embed_dim": width,
            "depths": list(depths[:num_levels]),
            "num_heads": list(num_heads[:num_levels]),
            "window_size": 7,
            "drop_path_rate": 0.0,
            "out_features": [f"stage{stage + 1}" for stage in range(num_levels)],
        }
        self.network = Network(SwinConfig(**settings))
        # Nothing here reads what it would normalise.
        self.network.swin.layernorm = nn.Identity()

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
        return tuple(self.network(condition).feature_maps)
