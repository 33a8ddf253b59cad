"""Latents of training maps: which autoencoder may give them, how they spread, and those of a cache."""

from collections.abc import Iterator
from dataclasses import replace

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.loader import BatchLoader, ExampleSource, spread
from radiodiff.encoding import Encoding
from radiodiff.errors import ConfigError
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.latent_statistics import measure_latents
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


def check_first_stage(record: AutoencoderRecord, source: ExampleSource) -> None:
    """Check that an autoencoder was trained on the targets of a data set: their channel, and their scale.

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


def measure_scaling_factor(
    autoencoder: AutoencoderKL, source: ExampleSource, num_examples: int, *, seed: int, track: Track = untracked
) -> float:
    """1 / standard deviation of the latents of some maps of a data set, spread over it.

    Args:
        autoencoder: The autoencoder, on the device to measure on.
        source: Training examples, whole and without augmentation.
        num_examples: Maps at most.
        seed: Seed of the sampled latents.
        track: Shows the progress, in maps.

    Raises:
        CheckpointError: Latents are not finite.
        DataSetError: See the data set.
        FormatError: See the data set.
        InputError: The latents are all the same.
    """
    wanted = spread(len(source), num_examples)

    def maps() -> Iterator[Tensor]:
        # One at a time: maps may differ in size.
        for batch in BatchLoader(source, 1, sampler=wanted):
            yield batch.target

    tracked = track(maps(), len(wanted), "measuring latents", "maps")
    return measure_latents(autoencoder, tracked, seed=seed).scaling_factor
