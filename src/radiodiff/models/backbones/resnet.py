"""ResNet-101 as an encoder of the condition, through transformers."""

from typing import Any

from torch import Tensor

from radiodiff.models.backbones.base import Backbone, BackboneNorm
from radiodiff.models.backbones.norms import replace_batch_norm

__all__ = ["ResnetBackbone"]

DEPTHS = (3, 4, 23, 3)
WIDTHS = (256, 512, 1024, 2048)


class ResnetBackbone(Backbone):
    """ResNet-101 without its classifier.

    Args:
        condition_channels: Channels of the condition.
        num_levels: Stages.
        norm: What stands in place of batch normalisation.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition", table 1.
    """

    entry_name = "network.embedder.embedder.convolution.weight"

    def __init__(self, condition_channels: int, num_levels: int, norm: BackboneNorm) -> None:
        super().__init__()
        from transformers import ResNetBackbone as Network
        from transformers import ResNetConfig

        self.channels = WIDTHS[:num_levels]
        settings: dict[str, Any] = {
            "num_channels": condition_channels,
            "depths": list(DEPTHS[:num_levels]),
            "hidden_sizes": list(WIDTHS[:num_levels]),
            "layer_type": "bottleneck",
            "out_features": [f"stage{stage + 1}" for stage in range(num_levels)],
        }
        self.network = Network(ResNetConfig(**settings))
        replace_batch_norm(self.network, norm)

    def names_in_file(self, name: str) -> tuple[str, ...]:
        """As transformers names them in a classifier, or without it."""
        inner = name.removeprefix("network.")
        return f"resnet.{inner}", inner

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
        return tuple(self.network(condition).feature_maps)
