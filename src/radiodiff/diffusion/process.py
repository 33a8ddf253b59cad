"""The decoupled process `x_t = (1 - t) x_0 + sqrt(t) eps`: noisy latents, what is predicted of them, the way back.

It is `x_t = x_0 + C t + W_t` with the constant drift `C = -x_0` and a Wiener process W, t from 0 to 1: at t = 1 nothing
of x_0 is left, and x_1 is the noise itself.

Everything is computed in float32, in float64 for latents of float64. Source: Huang et al. (2023), "Decoupled Diffusion
Models: Simultaneous Image to Zero and Zero to Noise", constant form, with their corrections in the README beside.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from radiodiff.diffusion.config import PredictionType
from radiodiff.errors import InputError

__all__ = [
    "HEADS",
    "Estimate",
    "estimate_from",
    "estimate_of_clean",
    "noisy_latents",
    "per_row",
    "reverse_moments",
    "split_heads",
    "targets_of",
]

HEADS: dict[PredictionType, tuple[str, ...]] = {
    "pred_KC": ("drift", "noise"),
    "pred_x0": ("clean",),
    "pred_noise": ("noise",),
    "pred_v": ("velocity",),
}
"""What a network predicts, in the order of the channels of its output, each of the size of the latents."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """What is believed of noisy latents.

    Attributes:
        clean: (B, C, h, w), latents without noise, x_0.
        noise: (B, C, h, w), standard normal noise in them, eps.
    """

    clean: Tensor
    noise: Tensor


def noisy_latents(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """`(1 - t) x_0 + sqrt(t) eps`; of an estimate, the point of the deterministic way back at the time t.

    Args:
        clean: (B, C, h, w), x_0.
        noise: (B, C, h, w), eps.
        t: (B,), times in [0, 1].

    Raises:
        InputError: The shapes do not fit.
    """
    _check_same_shape(clean, noise)
    times = per_row(t, clean)
    return (1.0 - times) * clean + times.sqrt() * noise


def targets_of(clean: Tensor, noise: Tensor, prediction_type: PredictionType) -> Tensor:
    """What a network must predict, (B, heads * C, h, w).

    "pred_KC": `-x_0` then eps; "pred_x0": x_0; "pred_noise": eps; "pred_v": `eps - x_0`.

    Args:
        clean: (B, C, h, w), x_0.
        noise: (B, C, h, w), eps.
        prediction_type: What the network predicts.

    Raises:
        InputError: The shapes do not fit, or the prediction type is unknown.
    """
    _check_same_shape(clean, noise)
    _check_prediction_type(prediction_type)
    if prediction_type == "pred_KC":
        return torch.cat([-clean, noise], dim=1)
    if prediction_type == "pred_x0":
        return clean
    return noise if prediction_type == "pred_noise" else noise - clean


def split_heads(output: Tensor, noisy: Tensor, prediction_type: PredictionType) -> tuple[Tensor, ...]:
    """The predictions of a network, each (B, C, h, w), named by `HEADS`.

    Args:
        output: (B, heads * C, h, w).
        noisy: (B, C, h, w), latents that they are about.
        prediction_type: What the network predicts.

    Raises:
        InputError: The shapes do not fit, or the prediction type is unknown.
    """
    _check_prediction_type(prediction_type)
    num_heads = len(HEADS[prediction_type])
    if noisy.ndim != 4:
        raise InputError(
            "Latents must have the shape (B, C, h, w)",
            value=tuple(noisy.shape),
            remedy="Add the axes that are missing.",
        )
    batch, channels, rows, cols = noisy.shape
    if output.shape != (batch, num_heads * channels, rows, cols):
        raise InputError(
            f"The output of a network with prediction_type {prediction_type!r} must have the shape "
            f"{(batch, num_heads * channels, rows, cols)}",
            value=tuple(output.shape),
            remedy="Build network and scheduler from the same DiffusionConfig.",
        )
    return output.chunk(num_heads, dim=1)


def estimate_from(output: Tensor, noisy: Tensor, t: Tensor, prediction_type: PredictionType) -> Estimate:
    """What a network's output says of the noisy latents.

    "pred_KC": `x_0 = x_t - C t - sqrt(t) eps` with both predictions, and eps as predicted. The other types predict one
    thing; the other one is what agrees with the noisy latents.

    Args:
        output: (B, heads * C, h, w), predictions.
        noisy: (B, C, h, w), x_t.
        t: (B,), times in (0, 1]; below 1 for "pred_noise", which says nothing of x_0 at t = 1.
        prediction_type: What the network predicts.

    Returns:
        The estimate, in float32 at least.

    Raises:
        InputError: The shapes do not fit, the prediction type is unknown, or its time is 1 and must be below.
    """
    heads = split_heads(output, noisy, prediction_type)
    times = per_row(t, noisy)
    root = times.sqrt()
    noisy = noisy.to(times.dtype)
    prediction = heads[0].to(times.dtype)
    if prediction_type == "pred_KC":
        noise = heads[1].to(times.dtype)
        return Estimate(noisy - times * prediction - root * noise, noise)
    if prediction_type == "pred_x0":
        return estimate_of_clean(prediction, noisy, t)
    if prediction_type == "pred_v":
        clean = (noisy - root * prediction) / (1.0 - times + root)
        return Estimate(clean, clean + prediction)
    if bool((times >= 1).any()):
        raise InputError(
            "Times of prediction_type 'pred_noise' must be below 1",
            value="1",
            remedy="Take the times of DecoupledScheduler.timesteps, which begin below 1 for it.",
        )
    return Estimate((noisy - root * prediction) / (1.0 - times), prediction)


def estimate_of_clean(clean: Tensor, noisy: Tensor, t: Tensor) -> Estimate:
    """The estimate with these clean latents, and the noise that agrees with them: `(x_t - (1 - t) x_0) / sqrt(t)`.

    Args:
        clean: (B, C, h, w), x_0.
        noisy: (B, C, h, w), x_t.
        t: (B,), times in (0, 1].

    Raises:
        InputError: The shapes do not fit.
    """
    _check_same_shape(clean, noisy)
    times = per_row(t, noisy)
    clean = clean.to(times.dtype)
    return Estimate(clean, (noisy - (1.0 - times) * clean) / times.sqrt())


def reverse_moments(estimate: Estimate, noisy: Tensor, t: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the latents at `t - step`, given those at t: a Brownian bridge.

    `mean = x_t - C s - (s / sqrt(t)) eps` with `C = -x_0`, `std = sqrt(s (t - s) / t)`.

    Args:
        estimate: What is believed of the noisy latents.
        noisy: (B, C, h, w), x_t.
        t: (B,), times in (0, 1].
        step: (B,), s in [0, t].

    Returns:
        Mean (B, C, h, w) and standard deviation (B, 1, 1, 1).

    Raises:
        InputError: The shapes do not fit.
    """
    _check_same_shape(estimate.clean, noisy)
    times, steps = per_row(t, noisy), per_row(step, noisy)
    mean = noisy + steps * estimate.clean - (steps / times.sqrt()) * estimate.noise
    return mean, (steps * (times - steps) / times).sqrt()


def per_row(t: Tensor, latents: Tensor) -> Tensor:
    """Numbers of rows (B,) as (B, 1, 1, 1), for arithmetic with latents (B, C, h, w) in float32 at least.

    Raises:
        InputError: There is not one number for each row.
    """
    if latents.ndim != 4 or t.shape != latents.shape[:1]:
        raise InputError(
            "Latents must have the shape (B, C, h, w), and times (B,)",
            value=f"{tuple(latents.shape)} and {tuple(t.shape)}",
            remedy="Expand a time that all rows have: t.expand(latents.shape[0]).",
        )
    return t.to(torch.promote_types(latents.dtype, torch.float32))[:, None, None, None]


def _check_same_shape(first: Tensor, second: Tensor) -> None:
    if first.shape != second.shape:
        raise InputError(
            "Latents and their noise must have one shape (B, C, h, w)",
            value=f"{tuple(first.shape)} and {tuple(second.shape)}",
            remedy="Draw the noise in the shape of the latents.",
        )


def _check_prediction_type(prediction_type: str) -> None:
    if prediction_type not in HEADS:
        raise InputError(
            f"prediction_type must be {', '.join(HEADS)}", value=repr(prediction_type), remedy="Correct the value."
        )
