"""EfficientNet-B7 as an encoder of the condition, through transformers."""

from typing import Any

from torch import Tensor

from radiodiff.models.backbones.base import Backbone, BackboneNorm
from radiodiff.models.backbones.norms import replace_batch_norm

__all__ = ["EfficientnetBackbone"]

LAYOUT: dict[str, tuple[int, ...]] = {
    "in_channels": (32, 16, 24, 40, 80, 112, 192),
    "out_channels": (16, 24, 40, 80, 112, 192, 320),
    "kernel_sizes": (3, 3, 5, 3, 5, 5, 3),
    "strides": (1, 2, 2, 2, 1, 2, 1),
    "num_block_repeats": (1, 2, 2, 3, 3, 4, 1),
    "expand_ratios": (1, 6, 6, 6, 6, 6, 6),
}
"""The seven stages of B0, which B7 widens and repeats."""

STAGES = (2, 3, 5, 7)
"""Stages up to the last one of strides 4, 8, 16 and 32."""

ENDS = (11, 18, 38, 55)
"""Blocks of B7 up to there."""

WIDTHS = (48, 80, 224, 640)


class EfficientnetBackbone(Backbone):
    """EfficientNet-B7 without its last convolution and classifier, and without random depth.

    Args:
        condition_channels: Channels of the condition.
        num_levels: Features.
        norm: What stands in place of batch normalisation.

    Source: Tan and Le 2019, "EfficientNet", table 1; widths times 2.0, depths times 3.1.
    """

    entry_name = "embeddings.convolution.weight"

    def __init__(self, condition_channels: int, num_levels: int, norm: BackboneNorm) -> None:
        super().__init__()
        from transformers import EfficientNetConfig, EfficientNetModel

        settings: dict[str, Any] = {
            "num_channels": condition_channels,
            "width_coefficient": 2.0,
            "depth_coefficient": 3.1,
            "hidden_dim": 2560,
            "dropout_rate": 0.0,
            "drop_connect_rate": 0.0,
        }
        settings |= {key: list(stages[: STAGES[num_levels - 1]]) for key, stages in LAYOUT.items()}
        whole = EfficientNetModel(EfficientNetConfig(**settings))
        self.channels = WIDTHS[:num_levels]
        self.embeddings = whole.embeddings
        self.blocks = whole.encoder.blocks
        replace_batch_norm(self, norm)

    def names_in_file(self, name: str) -> tuple[str, ...]:
        """As transformers names them in a classifier, or without it."""
        inner = f"encoder.{name}" if name.startswith("blocks.") else name
        return f"efficientnet.{inner}", inner

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
        x = self.embeddings(condition)
        features = []
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number in ENDS:
                features.append(x)
        return tuple(features)
