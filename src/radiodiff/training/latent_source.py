"""Latents of training maps: which autoencoder may give them, how they spread, and those of a cache."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.loader import BatchLoader, ExampleSource, spread
from radiodiff.encoding import Encoding
from radiodiff.errors import ConfigError
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.latent_statistics import measure_latents
from radiodiff.models.padding import NO_RESIDUAL, OUTSIDE
from radiodiff.pipeline.prior import Prior
from radiodiff.training.fill_latents import Track, untracked
from radiodiff.training.latent_cache import LatentCache

__all__ = ["CachedExamples", "check_first_stage", "measure_scaling_factor"]


class CachedExamples:
    """Examples of a data set with latents of a cache in place of their targets, which are not read.

    Args:
        cache: The cache, filled.

    Attributes:
        cache: The same.
        encoding: Channels of condition and target.
        scale: Scale of the target.
    """

    def __init__(self, cache: LatentCache) -> None:
        self.cache = cache
        self.encoding: Encoding = cache.source.encoding
        self.scale: str = cache.source.scale

    def __len__(self) -> int:
        return len(self.cache.source)

    def __getitem__(self, index: int | Draw) -> Example:
        """An example, by its number or by number and draw; its target has no channels.

        Raises:
            IndexError: There is no such example.
            CheckpointError: Its file in the cache is not there or damaged.
            DataSetError: See the data set.
            FormatError: See the data set.
        """
        number, draw = numbered(index, len(self))
        example = self.cache.source.without_target((number, draw))
        return replace(example, latents=self.cache.posterior(number, example.symmetry))


def check_first_stage(record: AutoencoderRecord, source: ExampleSource, prior: Prior | None = None) -> None:
    """Check that an autoencoder was trained on the targets of a data set: their channel, their scale, their prior.

    Raises:
        ConfigError: It was not.
    """
    target = source.encoding.target
    first, last = record.encoding.condition, record.encoding.target
    if not (first == (target,) and last == target and record.scale == source.scale):
        raise ConfigError(
            "An autoencoder must take and give the target of the data set, on its scale",
            value=f"{', '.join(map(str, first))} to {last} on scale {record.scale!r} for {target} on scale "
            f"{source.scale!r}",
            remedy="Set data.scale and data.simulation as for the autoencoder, or train one on this target.",
        )
    wanted = None if prior is None else prior.record.identity
    if record.prior != wanted:
        raise ConfigError(
            "An autoencoder must have learnt differences to the prior of the second stage",
            value=f"{_prior_in_words(record.prior)} for {_prior_in_words(wanted)}",
            remedy="Set prior as for the autoencoder, or train one with this prior.",
        )


def measure_scaling_factor(
    autoencoder: AutoencoderKL,
    source: ExampleSource,
    num_examples: int,
    *,
    seed: int,
    track: Track = untracked,
    prior: Prior | None = None,
) -> float:
    """1 / standard deviation of the latents of some maps of a data set, spread over it.

    Args:
        autoencoder: The autoencoder, on the device to measure on.
        source: Training examples, whole and without augmentation.
        num_examples: Maps at most.
        seed: Seed of the sampled latents.
        track: Shows the progress, in maps.
        prior: What its maps are the difference to, on the same device, or None.

    Raises:
        CheckpointError: Latents are not finite.
        DataSetError: See the data set.
        FormatError: See the data set.
        InputError: The latents are all the same.
    """
    wanted = spread(len(source), num_examples)
    device = next(autoencoder.parameters()).device

    def maps() -> Iterator[Tensor]:
        # One at a time: maps may differ in size.
        for batch in BatchLoader(source, 1, sampler=wanted):
            if prior is None:
                yield batch.target
            else:
                moved = batch.to(device)
                yield prior.residual(moved.target, prior.maps(moved.condition))

    tracked = track(maps(), len(wanted), "measuring latents", "maps")
    outside = OUTSIDE if prior is None else NO_RESIDUAL
    return measure_latents(autoencoder, tracked, seed=seed, outside=outside).scaling_factor


def _prior_in_words(prior: Mapping[str, Any] | None) -> str:
    if prior is None:
        return "maps without a prior"
    what = prior["channel"] or f"a regression with the digest {prior['digest']}"
    return f"differences to {what} by {prior['scale']:.6g}"
