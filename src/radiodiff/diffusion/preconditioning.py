"""Fixed skips around the network: it learns what noisy latents alone do not tell."""

import torch
from torch import Tensor

from radiodiff.diffusion.config import Preconditioning, PredictionType
from radiodiff.diffusion.process import per_row, split_heads

__all__ = ["preconditioned"]


def preconditioned(
    raw: Tensor, noisy: Tensor, t: Tensor, prediction_type: PredictionType, kind: Preconditioning
) -> Tensor:
    """Predictions from what a network gives.

    With the network's F:
    * drift: `C = -(1 - t) x_t + t / sqrt(t^2 + 1) F`; kind "published" has `+(1 - t)`, a mistake of sign that
      published weights have learnt to live with
    * noise: `eps = sqrt(t) x_t + sqrt(1 - t) / sqrt(t^2 + 1) F`
    * clean: `x_0 = (1 - t) x_t + t / sqrt(t^2 + 1) F`, the drift with the other sign
    * velocity, the noise plus the drift: `v = (sqrt(t) - 1 + t) x_t + sqrt(t^2 - t + 1) / sqrt(t^2 + 1) F`; its factor
      on F is the root of the sum of both squares, as for independent errors

    At t = 1 the skip gives all of the noise, which is x_1 itself, and nothing of x_0. For normal latents of unit
    variance an ideal F is of the order of 1 at all times.

    Args:
        raw: (B, heads * C, h, w), output of the network.
        noisy: (B, C, h, w), x_t: the latents themselves, not rounded to the network's precision ("pred_noise" divides
            small differences of them by `1 - t`).
        t: (B,), times in (0, 1].
        prediction_type: What the network predicts.
        kind: One that `DiffusionConfig` allows for it.

    Returns:
        (B, heads * C, h, w), in the wider of both types: computed in float32 at least.

    Raises:
        InputError: The shapes do not fit.
    """
    heads = split_heads(raw, noisy, prediction_type)
    dtype = torch.promote_types(raw.dtype, noisy.dtype)
    if kind == "none":
        return raw.to(dtype)
    times = per_row(t, noisy)
    root, remaining = times.sqrt(), 1.0 - times
    length = (times.square() + 1.0).sqrt()
    if prediction_type == "pred_v":
        skips, factors = [root - remaining], [(times.square() + remaining).sqrt()]
    else:
        of_clean, of_noise = (remaining, times), (root, remaining.sqrt())
        of_drift = (remaining if kind == "published" else -remaining, times)
        chosen = {"pred_KC": (of_drift, of_noise), "pred_x0": (of_clean,), "pred_noise": (of_noise,)}[prediction_type]
        skips, factors = [list(values) for values in zip(*chosen, strict=True)]
    outputs = [skip * noisy + factor / length * head for skip, factor, head in zip(skips, factors, heads, strict=True)]
    return torch.cat(outputs, dim=1).to(dtype)
