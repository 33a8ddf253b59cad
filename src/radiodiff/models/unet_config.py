"""Settings of the second stage's networks, and of the regression network beside them."""

from math import lcm
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError
from radiodiff.models.config import LevelChannels

__all__ = ["BackboneConfig", "RadioUnetConfig", "RelationConfig", "UnetConfig"]

Count = Annotated[int, Field(ge=1)]

FINEST_STRIDE = 4
"""Cells of the map along one edge of a cell of the backbone's first feature; each next one has twice as many."""

BackboneKind = Literal["swin_b", "swin_s", "swin_t", "resnet101", "efficientnet_b7", "vgg16", "conv"]


class BackboneConfig(Config):
    """The encoder of the condition: four features at strides 4, 8, 16 and 32, of which a U-Net of n levels takes n.

    With pretrained weights, batch normalisation keeps their statistics; without, it becomes group normalisation. No map
    depends on the others of a batch either way.

    Attributes:
        kind: Its layout. "conv" is a small convolutional encoder for use without a GPU: cells of 4 x 4 become channels,
            so that nothing is lost at the entry.
        widths: Channels of the four features of "conv".
        blocks: Residual blocks of each level of "conv".
        weights: Safetensors or torch file with pretrained weights, or None for random ones: model.safetensors of the
            classifiers of microsoft/swin-*-patch4-window7-224, microsoft/resnet-101 or google/efficientnet-b7, or
            torchvision's VGG16.
        is_frozen: Do not train it.
    """

    kind: BackboneKind = "swin_b"
    widths: tuple[Count, Count, Count, Count] = (64, 128, 192, 256)
    blocks: Count = 2
    weights: Path | None = None
    is_frozen: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        # Not whether they are given: the recipe in a run's folder gives every setting.
        fields = type(self).model_fields
        if self.kind != "conv" and any(getattr(self, key) != fields[key].default for key in ("widths", "blocks")):
            raise ConfigError(
                "BackboneConfig.widths and blocks belong to kind 'conv'",
                value=f"kind={self.kind!r}",
                remedy="Leave them out, or set kind to 'conv'.",
            )
        return self


class RelationConfig(Config):
    """Cross-attention between the condition and the features of a level, on a grid of tokens.

    Attributes:
        window_sizes: Latent cells of a level along one edge of a token, level by level. The published ones give 8 x 8
            tokens for maps of 256 cells; larger maps have more tokens, in windows of the same size.
        num_heads: Attention heads.
        query: Which of both asks: "condition" as in the published program, "features" as in the paper.
    """

    window_sizes: Annotated[tuple[Count, ...], Field(min_length=1)] = (8, 4, 2, 1)
    num_heads: Count = 8
    query: Literal["condition", "features"] = "condition"


class UnetConfig(LevelChannels, Config):
    """The conditional U-Net of the second stage; the defaults are the published network.

    Attributes:
        base_channels: Channels of the first level.
        channel_multipliers: Channels of each level, in units of `base_channels`.
        backbone: The encoder of the condition.
        relation: Cross-attention with the condition, or None to add the projected condition alone.
        attention_heads: Heads of the linear and of the full attention.
        head_channels: Channels of a head.
        norm_groups: Groups of its group normalisation.
        fourier_features: Fixed random frequencies of the time.
        fourier_scale: Their standard deviation.
        filter_cells: Rows and columns of the grid that the learned frequency weights are stored on; they are
            interpolated for maps of other sizes.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    base_channels: Count = 128
    channel_multipliers: Annotated[tuple[Count, ...], Field(min_length=2, max_length=4)] = (1, 2, 4, 4)
    backbone: BackboneConfig = BackboneConfig()
    relation: RelationConfig | None = RelationConfig()
    attention_heads: Count = 4
    head_channels: Count = 32
    norm_groups: Count = 8
    fourier_features: Count = 64
    fourier_scale: Annotated[float, Field(gt=0)] = 16.0
    filter_cells: Annotated[int, Field(ge=2)] = 8

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_norm_groups()
        relation = self.relation
        if relation is None:
            return self
        if len(relation.window_sizes) != len(self.channel_multipliers):
            raise ConfigError(
                "UnetConfig.relation.window_sizes must have one size for each level of channel_multipliers",
                value=f"{len(relation.window_sizes)} sizes, {len(self.channel_multipliers)} levels",
                remedy="Give as many; the published network has 8, 4, 2, 1.",
            )
        odd = [width for width in self.level_channels if width % relation.num_heads]
        if odd:
            raise ConfigError(
                "UnetConfig.relation.num_heads must divide the channels of every level",
                value=f"{relation.num_heads} heads, {odd[0]} channels",
                remedy="Choose fewer heads.",
            )
        return self

    @property
    def factor(self) -> int:
        """Latent cells along one edge of a cell of the coarsest level."""
        return int(2 ** (len(self.channel_multipliers) - 1))

    @property
    def time_channels(self) -> int:
        """Channels of the code of the time."""
        return 4 * self.base_channels

    def size_multiple(self, latent_factor: int) -> int:
        """What rows and columns of a map must be multiples of.

        Args:
            latent_factor: Cells of the map along one edge of a latent cell.
        """
        strides = [2**level for level in range(len(self.channel_multipliers))]
        windows = (1,) * len(strides) if self.relation is None else self.relation.window_sizes
        backbone = FINEST_STRIDE * strides[-1]
        return lcm(backbone, *(latent_factor * stride * size for stride, size in zip(strides, windows, strict=True)))


class RadioUnetConfig(LevelChannels, Config):
    """A U-Net that regresses the map from the condition; the defaults have about the size of RadioUNet (13 M).

    Attributes:
        base_channels: Channels of the first level.
        channel_multipliers: Channels of each level, in units of `base_channels`; each level after the first halves rows
            and columns.
        blocks_per_level: Convolutions of a level on the way down and on the way up.
        stem_factor: Cells along one edge that become channels at the entry and cells again at the exit; 1 works on the
            map's own cells.
        norm_groups: Groups of its group normalisation.
        mixes_condition: The map is a sum of the condition's channels with weights that the network gives for each cell,
            and of a part of its own. Channels that predict the map keep their sharp edges in it.
    """

    base_channels: Count = 32
    channel_multipliers: Annotated[tuple[Count, ...], Field(min_length=2)] = (1, 2, 4, 8, 10, 10)
    blocks_per_level: Count = 2
    stem_factor: Count = 1
    norm_groups: Count = 8
    mixes_condition: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_norm_groups()
        return self

    @property
    def factor(self) -> int:
        """Cells of the map along one edge of a cell of the coarsest level."""
        return int(self.stem_factor * 2 ** (len(self.channel_multipliers) - 1))
