"""What tests of predictions share."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline


def conditions(count: int, rows: int = 32, cols: int = 32) -> Tensor:
    return torch.rand((count, 5, rows, cols), generator=torch.Generator().manual_seed(9)) * 2 - 1


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


class Calls:
    """Counts the rows that go through a module, call by call."""

    def __init__(self, module: nn.Module) -> None:
        self.rows: list[int] = []
        module.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _: nn.Module, arguments: tuple[Tensor, ...], __: dict[str, Any]) -> None:
        self.rows.append(len(arguments[0]))


class Oracle(nn.Module):
    """Stands for a U-Net that knows the clean latents: it says them of any noisy ones."""

    def __init__(self, pipeline: RadioDiffPipeline, latents: Tensor) -> None:
        super().__init__()
        self.config = pipeline.unet.config
        self.size_multiple = pipeline.unet.size_multiple
        self.latents = latents
        self.device = torch.device("cpu")

    def encode_condition(self, condition: Tensor) -> tuple[Tensor, ...]:
        return (condition.flatten(1).mean(1),)

    def forward(self, noisy: Tensor, t: Tensor, features: Sequence[Tensor]) -> Tensor:
        times = t[:, None, None, None]
        clean = self.latents.expand_as(noisy)
        return torch.cat([-clean, (noisy - (1 - times) * clean) / times.sqrt()], dim=1)
