"""The adversary of the first stage: a network that judges a map patch by patch."""

from collections import OrderedDict

from torch import Tensor, nn

from radiodiff.errors import InputError
from radiodiff.models.config import DiscriminatorConfig
from radiodiff.models.seeded_weights import seeded_weights

__all__ = ["PatchDiscriminator", "build_discriminator"]

WIDEST = 8
"""Channels of the widest convolution, in units of the first one's."""

NUM_GROUPS = 8
WEIGHT_STD = 0.02


class PatchDiscriminator(nn.Module):
    """PatchGAN: convolutions 4x4 that end in one logit for each patch; no sigmoid.

    `num_layers` convolutions halve rows and columns, one more widens without, the last one judges; LeakyReLU 0.2
    between them, norms on all but the first and the last.

    Args:
        in_channels: Channels of what it judges, with those of the condition where it sees that too.
        config: Its settings.

    Attributes:
        in_channels: Channels of what it judges.
        config: Its settings.
        layers: The network, by name.

    Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.2 and
    appendix; initial weights as Radford et al. 2016 (DCGAN), section 3.
    """

    def __init__(self, in_channels: int, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.config = config
        widths = [config.base_channels * min(2**level, WIDEST) for level in range(config.num_layers + 1)]
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv_in=nn.Conv2d(in_channels, widths[0], 4, stride=2, padding=1), act_in=nn.LeakyReLU(0.2)
        )
        for level, width in enumerate(widths[1:], 1):
            stride = 2 if level < config.num_layers else 1
            # A norm takes away what a bias adds.
            has_bias = config.norm == "none"
            layers[f"conv_{level}"] = nn.Conv2d(widths[level - 1], width, 4, stride, padding=1, bias=has_bias)
            if config.norm != "none":
                norm = nn.BatchNorm2d(width) if config.norm == "batch" else nn.GroupNorm(NUM_GROUPS, width)
                layers[f"norm_{level}"] = norm
            layers[f"act_{level}"] = nn.LeakyReLU(0.2)
        layers["conv_out"] = nn.Conv2d(widths[-1], 1, 4, stride=1, padding=1)
        self.layers = nn.Sequential(layers)
        self.apply(_set_initial_weights)

    @property
    def smallest_map(self) -> int:
        """Rows, or columns, of the smallest map it can judge: one logit."""
        return self.config.smallest_map

    def forward(self, maps: Tensor) -> Tensor:
        """Logits (B, 1, rows // 2^n - 2, cols // 2^n - 2) of maps (B, in_channels, rows, cols), n = `num_layers`.

        Raises:
            InputError: The maps have other channels or are too small.
        """
        if maps.ndim != 4 or maps.shape[1] != self.in_channels:
            raise InputError(
                f"The discriminator judges maps (B, {self.in_channels}, rows, cols)",
                value=f"shape {tuple(maps.shape)}",
                remedy="Build it for as many channels as the maps, and the condition it sees, have together.",
            )
        if min(maps.shape[2:]) < self.smallest_map:
            raise InputError(
                f"A discriminator with {self.config.num_layers} layers judges maps of at least {self.smallest_map} "
                "rows and columns",
                value=f"{maps.shape[2]} x {maps.shape[3]}",
                remedy="Take larger maps (examples.crop_size), or fewer discriminator.num_layers.",
            )
        logits: Tensor = self.layers(maps)
        return logits


def build_discriminator(in_channels: int, config: DiscriminatorConfig, *, seed: int = 0) -> PatchDiscriminator:
    """A discriminator with fresh weights, on the CPU.

    Args:
        in_channels: Channels of what it judges.
        config: The network.
        seed: Seed of its weights.
    """
    with seeded_weights(seed):
        return PatchDiscriminator(in_channels, config)


def _set_initial_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, WEIGHT_STD)
    elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
        nn.init.normal_(module.weight, 1.0, WEIGHT_STD)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
