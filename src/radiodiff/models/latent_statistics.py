"""What the latents of an autoencoder look like over a data set."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from radiodiff.errors import CheckpointError, InputError
from radiodiff.models.padding import OUTSIDE, padded_to_factor

__all__ = ["ACTIVE_VARIANCE", "LatentStatistics", "measure_latents"]

ACTIVE_VARIANCE = 0.01
"""A channel whose posterior mean varies more over the data carries information (Burda et al. 2016, section 5.2)."""

PER_CHANNEL = ("mean", "std", "mean_variance", "mean_posterior_std", "divergence_nats")


@dataclass(frozen=True)
class LatentStatistics:
    """Statistics over maps and latent cells; variances divide by their number.

    Attributes:
        num_maps: Maps that were encoded.
        mean: Mean of the sampled latents, per channel.
        std: Their standard deviation, per channel.
        scaling_factor: 1 / standard deviation of all sampled latents, of all channels together: diffusion works on
            latents times this factor.
        mean_variance: Variance of the posterior mean, per channel.
        mean_posterior_std: Mean of the posterior's standard deviation, per channel.
        divergence_nats: Mean divergence of the posterior from the standard normal distribution, per channel and
            latent cell [nat].

    Source: Rombach et al. 2022, appendix G (scaling); Burda et al. 2016, "Importance Weighted Autoencoders", section
    5.2 (active units).
    """

    num_maps: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scaling_factor: float
    mean_variance: tuple[float, ...]
    mean_posterior_std: tuple[float, ...]
    divergence_nats: tuple[float, ...]

    @property
    def num_channels(self) -> int:
        """Channels of the latents."""
        return len(self.mean)

    @property
    def active_units(self) -> int:
        """Channels whose posterior mean has a variance above `ACTIVE_VARIANCE`, of `num_channels`."""
        return sum(variance > ACTIVE_VARIANCE for variance in self.mean_variance)

    def to_dict(self) -> dict[str, Any]:
        """JSON types; `from_dict` reads them. `active_units` is written for readers."""
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return plain | {"active_units": self.active_units}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The statistics that `to_dict` wrote.

        Raises:
            InputError: A key is missing or unknown.
        """
        try:
            per_channel = {name: tuple(map(float, content[name])) for name in PER_CHANNEL}
            if set(content) != {*PER_CHANNEL, "num_maps", "scaling_factor", "active_units"}:
                raise ValueError("other keys")
            if len({len(values) for values in per_channel.values()}) != 1:
                raise ValueError("different numbers of channels")
            return cls(
                num_maps=int(content["num_maps"]), scaling_factor=float(content["scaling_factor"]), **per_channel
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                "Statistics of latents must hold what LatentStatistics.to_dict writes",
                value=f"{error!r} in {content}",
                remedy="Measure them again.",
            ) from error


@dataclass
class _Moments:
    """Mean and sum of squared deviations per channel, merged map by map.

    Source: Chan, Golub, LeVeque 1983, "Algorithms for Computing the Sample Variance", equation 2.1.
    """

    count: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def zero(cls, channels: int) -> Self:
        return cls(0, np.zeros(channels), np.zeros(channels))

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in (C, cells) values."""
        count = values.shape[1]
        mean = values.mean(axis=1)
        deviation = ((values - mean[:, None]) ** 2).sum(axis=1)
        total = self.count + count
        shift = mean - self.mean
        self.deviation = self.deviation + deviation + shift**2 * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total

    @property
    def variance(self) -> NDArray[np.float64]:
        return self.deviation / self.count


def measure_latents(
    network: AutoencoderKL, batches: Iterable[Tensor], *, seed: int, outside: float = OUTSIDE
) -> LatentStatistics:
    """Encode maps and measure their latents; the result does not depend on how the maps are batched.

    Args:
        network: The autoencoder, on any device.
        batches: Maps (B, in_channels, rows, cols) in [-1, 1]; sizes may differ between batches. Rows and columns that
            are no multiples of the network's factor are padded.
        seed: Seed of the samples; map i has a draw of its own, which follows from seed and i.
        outside: Value of the padding.

    Raises:
        InputError: The seed is negative, there are no maps, they do not fit the network, or their latents are all the
            same.
        CheckpointError: Latents are not finite.
    """
    if seed < 0:
        raise InputError("The seed of samples must be at least 0", value=seed, remedy="Correct the value.")
    parameter = next(network.parameters())
    channels = int(network.config["latent_channels"])
    latents, means, stds, divergences = (_Moments.zero(channels) for _ in range(4))
    num_maps = 0
    for batch in batches:
        _check_batch(network, batch)
        with torch.no_grad():
            maps = padded_to_factor(network, batch.to(parameter.device, parameter.dtype), outside)
            posterior = network.encode(maps).latent_dist
        for mean, std in zip(_arrays(posterior.mean), _arrays(posterior.std), strict=True):
            if not (np.isfinite(mean).all() and np.isfinite(std).all()):
                raise CheckpointError(
                    "The latents of an autoencoder must be finite",
                    value=f"not so for map {num_maps}",
                    remedy="Its weights are damaged, or the map holds NaN: look at both.",
                )
            noise = np.random.default_rng((seed, num_maps)).standard_normal(mean.shape)
            latents.add(mean + std * noise)
            means.add(mean)
            stds.add(std)
            divergences.add(0.5 * (mean**2 + std**2 - 1.0 - 2.0 * np.log(std)))
            num_maps += 1
    if num_maps == 0:
        raise InputError("Latents are measured on at least one map", value="none", remedy="Check the part of the data.")
    spread = float(np.sqrt((latents.variance + (latents.mean - latents.mean.mean()) ** 2).mean()))
    if not spread > 0:
        raise InputError(
            "Latents must differ to be scaled",
            value=f"a standard deviation of 0 over {latents.count * channels} numbers",
            remedy="Measure more maps, or larger ones.",
        )
    return LatentStatistics(
        num_maps=num_maps,
        mean=_tuple(latents.mean),
        std=_tuple(np.sqrt(latents.variance)),
        scaling_factor=1.0 / spread,
        mean_variance=_tuple(means.variance),
        mean_posterior_std=_tuple(stds.mean),
        divergence_nats=_tuple(divergences.mean),
    )


def _check_batch(network: AutoencoderKL, batch: Tensor) -> None:
    wanted = network.config["in_channels"]
    if batch.ndim != 4 or batch.shape[1] != wanted:
        raise InputError(
            f"Maps to encode must be (B, {wanted}, rows, cols)",
            value=f"shape {tuple(batch.shape)}",
            remedy="Give the channels it was trained with.",
        )


def _arrays(tensor: Tensor) -> NDArray[np.float64]:
    """(B, C, cells) of (B, C, rows, cols)."""
    array: NDArray[np.float64] = tensor.double().flatten(2).cpu().numpy()
    return array


def _tuple(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(map(float, values))
