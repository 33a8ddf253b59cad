"""VGG16 without its classifier: 13 convolutions, for the perceptual loss and as an encoder of the condition.

Source: Simonyan and Zisserman (2015), "Very Deep Convolutional Networks", configuration D.
"""

from collections.abc import Callable, Iterator

from torch import Tensor, nn
from torch.nn import functional

from radiodiff.models.backbones.base import Backbone

__all__ = ["STAGES", "Vgg16Backbone", "stage_ends"]

STAGES = (
    ((0, 3, 64), (2, 64, 64)),
    ((5, 64, 128), (7, 128, 128)),
    ((10, 128, 256), (12, 256, 256), (14, 256, 256)),
    ((17, 256, 512), (19, 512, 512), (21, 512, 512)),
    ((24, 512, 512), (26, 512, 512), (28, 512, 512)),
)
"""Convolutions 3x3, each with its number in torchvision's file (`features.<n>.weight`) and its channels in and out; a
ReLU follows each, and a maximum over 2 x 2 cells stands between two stages."""

COARSER = 1
"""Stages before the first one whose maximum has stride 4."""


class Vgg16Backbone(Backbone):
    """VGG16; its features are the maxima after the second stage and the next ones.

    Args:
        condition_channels: Channels of the condition.
        num_levels: Features.
    """

    entry_name = "features.0.weight"

    def __init__(self, condition_channels: int, num_levels: int) -> None:
        super().__init__()
        stages = STAGES[: COARSER + num_levels]
        self.channels = tuple(stage[-1][2] for stage in stages[COARSER:])
        self.features = nn.ModuleDict()
        for number, width_in, width_out in (convolution for stage in stages for convolution in stage):
            convolution = nn.Conv2d(condition_channels if number == 0 else width_in, width_out, 3, padding=1)
            # Nothing is normalised on the way: without this the signal would fade. He et al. 2015, equation 14.
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            self.features[str(number)] = convolution

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Features (B, channels[i], rows / stride, cols / stride) of a condition (B, C, rows, cols)."""
        ends = stage_ends(condition, self._parameters_of, num_stages=COARSER + len(self.channels))
        return tuple(functional.max_pool2d(end, 2) for i, end in enumerate(ends) if i >= COARSER)

    def _parameters_of(self, number: int) -> tuple[Tensor, Tensor]:
        convolution = self.features[str(number)]
        return convolution.get_parameter("weight"), convolution.get_parameter("bias")


def stage_ends(
    images: Tensor, parameters_of: Callable[[int], tuple[Tensor, Tensor]], num_stages: int = len(STAGES)
) -> Iterator[Tensor]:
    """What each stage ends with, after the last ReLU and before the maximum.

    Args:
        images: (B, channels, rows, cols).
        parameters_of: Weight and bias of a convolution, by its number.
        num_stages: Stages to go through.
    """
    x = images
    for i, stage in enumerate(STAGES[:num_stages]):
        if i > 0:
            x = functional.max_pool2d(x, 2)
        for number, _, _ in stage:
            weight, bias = parameters_of(number)
            x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
        yield x
