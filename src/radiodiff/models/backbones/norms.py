"""What stands in place of batch normalisation: a map's features must not depend on the other maps of a batch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from radiodiff.models.backbones.base import BackboneNorm

__all__ = ["FrozenBatchNorm2d", "replace_batch_norm"]

MOST_GROUPS = 32


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation by stored statistics alone, for pretrained weights; factor and shift may learn.

    Names and values in `state_dict` are those of `torch.nn.BatchNorm2d`.

    Args:
        channels: Channels of its input.
        floor: What is added to variances.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, floor: float) -> None:
        super().__init__()
        self.floor = floor
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x (B, channels, rows, cols)."""
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.floor)


def replace_batch_norm(network: nn.Module, norm: BackboneNorm) -> None:
    """Put another normalisation, with its first weights, in place of each `BatchNorm2d` of a network.

    Args:
        network: The network, changed in place.
        norm: "group" for weights that begin at random, "frozen" for pretrained ones.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, _replacement(child, norm))


def _replacement(child: nn.BatchNorm2d, norm: BackboneNorm) -> nn.Module:
    channels = child.num_features
    if norm == "frozen":
        return FrozenBatchNorm2d(channels, child.eps)
    groups = next(count for count in range(MOST_GROUPS, 0, -1) if channels % count == 0)
    return nn.GroupNorm(groups, channels, eps=child.eps)
