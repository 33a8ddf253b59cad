"""Settings of the first stage's networks."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError

__all__ = ["AutoencoderConfig", "DiscriminatorConfig", "LevelChannels"]

Count = Annotated[int, Field(ge=1)]


class LevelChannels:
    """What the settings of networks with levels share.

    Attributes:
        base_channels: Channels of the first level.
        channel_multipliers: Channels of each level, in units of `base_channels`.
        norm_groups: Groups of the group normalisation.
    """

    base_channels: int
    channel_multipliers: tuple[int, ...]
    norm_groups: int

    @property
    def level_channels(self) -> tuple[int, ...]:
        """Channels of each level."""
        return tuple(self.base_channels * factor for factor in self.channel_multipliers)

    def check_norm_groups(self) -> None:
        """Check that the groups fit.

        Raises:
            ConfigError: The channels of a level do not divide into the groups.
        """
        uneven = [width for width in self.level_channels if width % self.norm_groups]
        if uneven:
            raise ConfigError(
                f"{type(self).__name__}.norm_groups must divide the channels of every level",
                value=f"{self.norm_groups} groups, {uneven[0]} channels",
                remedy="Choose base_channels as a multiple of norm_groups.",
            )


class AutoencoderConfig(LevelChannels, Config):
    """A KL autoencoder; the defaults are the published KL-f4 network (55,307,453 parameters).

    Attributes:
        in_channels: Channels of its input.
        out_channels: Channels of its output.
        base_channels: Channels of the first level.
        channel_multipliers: Channels of each level, in units of `base_channels`; each level after the first halves rows
            and columns.
        blocks_per_level: Residual blocks of a level of the encoder; the decoder has one more.
        latent_channels: Channels of the latents.
        norm_groups: Groups of its group normalisation.
        middle_attention: Self-attention at the coarsest level.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or the channels of a level do not divide into the groups.
    """

    in_channels: Count = 1
    out_channels: Count = 1
    base_channels: Count = 128
    channel_multipliers: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 2, 4)
    blocks_per_level: Count = 2
    latent_channels: Count = 3
    norm_groups: Count = 32
    middle_attention: bool = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_norm_groups()
        return self

    @property
    def factor(self) -> int:
        """Cells of the map along one edge of a latent cell."""
        return int(2 ** (len(self.channel_multipliers) - 1))


class DiscriminatorConfig(Config):
    """A patch discriminator; the defaults are the published PatchGAN (2,763,585 parameters for one channel).

    Attributes:
        base_channels: Channels of the first convolution; the next ones have 2, 4 and 8 times as many at most.
        num_layers: Convolutions that halve rows and columns.
        norm: "batch" as published. "group" does not depend on the other maps of a batch: the result of a step is then
            the same however the batch is dealt to processes. "none" has none.
    """

    base_channels: Annotated[int, Field(ge=8, multiple_of=8)] = 64
    num_layers: Count = 3
    norm: Literal["batch", "group", "none"] = "batch"

    @property
    def smallest_map(self) -> int:
        """Rows, or columns, of the smallest map that it judges: one logit."""
        return int(3 * 2**self.num_layers)
