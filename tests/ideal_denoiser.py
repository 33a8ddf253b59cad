"""Denoisers that are right: the posterior mean of the clean latents under a law that is known in closed form.

With one of them, a sampler must return what the law says, without any training:

    denoise = IdealDenoiser(FiniteSet(points), "pred_KC")          # lands on the points, each as often as it should
    denoise = IdealDenoiser(Gaussian(mean=2.0, std=0.5), "pred_v")  # mean and variance in the limit of many steps

They stand in for a network with its condition (`radiodiff.diffusion.sampling.Denoise`) and count their calls. The
formulas are written out again here, in float64 and without the code that they are to test.
"""

from typing import Protocol

import torch
from torch import Tensor

__all__ = ["CleanLaw", "FiniteSet", "Gaussian", "IdealDenoiser"]


class CleanLaw(Protocol):
    """A law of clean latents."""

    def posterior_mean(self, noisy: Tensor, t: Tensor) -> Tensor:
        """`E[x_0 | x_t]`, (B, C, h, w), of noisy latents (B, C, h, w) at times (B, 1, 1, 1), all float64."""
        ...


class FiniteSet:
    """Points, each as likely as its weight.

    Args:
        points: (K, C, h, w).
        weights: (K,), not all 0; None: all the same.
    """

    def __init__(self, points: Tensor, weights: Tensor | None = None) -> None:
        self.points = points.double()
        self.weights = torch.ones(len(points)) if weights is None else weights

    def posterior_mean(self, noisy: Tensor, t: Tensor) -> Tensor:
        distance = (noisy[:, None] - (1 - t[:, None]) * self.points).square().sum(dim=(2, 3, 4))
        logits = self.weights.double().log() - distance / (2 * t[:, :, 0, 0])
        return torch.einsum("bk,kchw->bchw", logits.softmax(dim=1), self.points)


class Gaussian:
    """Independent cells of one mean and standard deviation."""

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = mean, std

    def posterior_mean(self, noisy: Tensor, t: Tensor) -> Tensor:
        variance = self.std**2
        gain = (1 - t) * variance / ((1 - t) ** 2 * variance + t)
        return self.mean + gain * (noisy - (1 - t) * self.mean)


class IdealDenoiser:
    """What an ideal network says, in the type of the noisy latents.

    Args:
        law: Law of the clean latents.
        prediction_type: What the network predicts.

    Attributes:
        num_calls: How often it was asked.
    """

    def __init__(self, law: CleanLaw, prediction_type: str) -> None:
        self.law = law
        self.prediction_type = prediction_type
        self.num_calls = 0

    def __call__(self, noisy: Tensor, t: Tensor) -> Tensor:
        self.num_calls += 1
        wide, times = noisy.double(), t.double()[:, None, None, None]
        clean = self.law.posterior_mean(wide, times)
        noise = (wide - (1 - times) * clean) / times.sqrt()
        outputs = {
            "pred_KC": torch.cat([-clean, noise], dim=1),
            "pred_x0": clean,
            "pred_noise": noise,
            "pred_v": noise - clean,
        }
        return outputs[self.prediction_type].to(noisy.dtype)
