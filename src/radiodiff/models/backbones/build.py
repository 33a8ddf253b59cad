"""The encoder of the condition that settings name."""

from radiodiff.models.backbones.base import Backbone, BackboneNorm
from radiodiff.models.unet_config import BackboneConfig

__all__ = ["build_backbone"]


def build_backbone(
    config: BackboneConfig, condition_channels: int, num_levels: int, norm: BackboneNorm = "group"
) -> Backbone:
    """An encoder with fresh weights; what lies beyond the last feature asked for is not built.

    Args:
        config: Its settings; the file of weights is not read.
        condition_channels: Channels of the condition.
        num_levels: Features to give, from stride 4 on.
        norm: What stands in place of batch normalisation.
    """
    backbone = _build(config, condition_channels, num_levels, norm)
    return backbone.requires_grad_(not config.is_frozen)


def _build(config: BackboneConfig, condition_channels: int, num_levels: int, norm: BackboneNorm) -> Backbone:
    # The layouts of transformers are imported where they are needed alone.
    match config.kind:
        case "conv":
            from radiodiff.models.backbones.conv import ConvBackbone

            return ConvBackbone(condition_channels, config.widths[:num_levels], config.blocks)
        case "vgg16":
            from radiodiff.models.backbones.vgg16 import Vgg16Backbone

            return Vgg16Backbone(condition_channels, num_levels)
        case "resnet101":
            from radiodiff.models.backbones.resnet import ResnetBackbone

            return ResnetBackbone(condition_channels, num_levels, norm)
        case "efficientnet_b7":
            from radiodiff.models.backbones.efficientnet import EfficientnetBackbone

            return EfficientnetBackbone(condition_channels, num_levels, norm)
        case "swin_b" | "swin_s" | "swin_t":
            from radiodiff.models.backbones.swin import SwinBackbone

            return SwinBackbone(condition_channels, num_levels, config.kind)
