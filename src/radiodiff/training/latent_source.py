"""Latents of training maps: which autoencoder may give them, by which factor they are scaled, and those of a cache."""

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
from radiodiff.training.diffusion_config import LatentSourceConfig
from radiodiff.training.fill_latents import Track, untracked
from radiodiff.training.latent_cache import LatentCache

__all__ = ["CachedExamples", "check_first_stage", "find_scaling_factor"]


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


def find_scaling_factor(
    config: LatentSourceConfig,
    first_stage: tuple[AutoencoderKL, AutoencoderRecord],
    source: ExampleSource,
    *,
    seed: int,
    track: Track = untracked,
) -> float:
    """The factor on latents: a fixed one, that of the autoencoder's record, or one that is measured now.

    Args:
        config: Which of them.
        first_stage: The autoencoder, on the device to measure on, and its record.
        source: Training examples, whole and without augmentation.
        seed: Seed of the sampled latents.
        track: Shows the progress, in maps.

    Raises:
        CheckpointError: Latents are not finite.
        DataSetError: See the data set.
        FormatError: See the data set.
        InputError: The latents are all the same.
    """
    if config.scaling_factor != "measured":
        return config.scaling_factor
    network, record = first_stage
    if record.latents is not None:
        return record.latents.scaling_factor
    wanted = spread(len(source), config.num_examples)

    def maps() -> Iterator[Tensor]:
        # One at a time: maps may differ in size.
        for batch in BatchLoader(source, 1, sampler=wanted):
            yield batch.target

    tracked = track(maps(), len(wanted), "measuring latents", "maps")
    return measure_latents(network, tracked, seed=seed).scaling_factor
