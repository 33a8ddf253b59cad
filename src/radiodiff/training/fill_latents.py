"""Making what a cache of latents lacks, by all processes of a run together."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from radiodiff.errors import CheckpointError, RadiodiffError
from radiodiff.training.latent_cache import LatentCache, Shard
from radiodiff.training.processes import in_all_processes, in_first_process

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["Track", "fill_latents", "untracked"]

Item = TypeVar("Item")


class Track(Protocol):
    """Passes items on and shows how far it is."""

    def __call__(self, items: Iterable[Item], total: int, title: str, unit: str, /) -> Iterator[Item]:
        """Pass items on.

        Args:
            items: The items.
            total: How many there are.
            title: What is done.
            unit: What the items are.
        """


def untracked(items: Iterable[Item], total: int, title: str, unit: str, /) -> Iterator[Item]:
    """Pass items on in silence."""
    return iter(items)


def fill_latents(
    cache: LatentCache, accelerator: "Accelerator", *, batch_size: int = 16, threads: int = 2, track: Track = untracked
) -> int:
    """Make what a cache lacks, each process its share; all of them end together, with or without an error.

    What is done is kept: after an interruption the same call goes on there. Other runs may fill the same cache at the
    same time; they do some work twice.

    Args:
        cache: The cache; its autoencoder is moved to the device.
        accelerator: Processes and devices.
        batch_size: Maps to encode at a time.
        threads: Threads that read ahead.
        track: Shows the progress, in maps of this process.

    Returns:
        Maps that were encoded by all processes together.

    Raises:
        CheckpointError: See `LatentCache.begin`; or a process does not see what others have made.
        RadiodiffError: See `LatentCache.make`; ConfigError where another process failed.
    """
    from accelerate.utils import broadcast_object_list

    cache.encoder.to(accelerator.device)

    def begin() -> list[Shard]:
        missing = cache.missing()
        cache.begin(missing)
        return missing

    found = [in_first_process(accelerator, begin)]
    if accelerator.num_processes > 1:
        broadcast_object_list(found)
    missing = found[0] or []
    in_all_processes(accelerator, lambda: _check_seen(cache, cache.folder.is_dir()))
    rank, world = accelerator.process_index, accelerator.num_processes
    rounds = [missing[first : first + world] for first in range(0, len(missing), world)]
    mine = sum(cache.num_maps(shard) for shards in rounds for shard in shards[rank : rank + 1])
    maps = _encoded(cache, accelerator, rounds, (batch_size, threads))
    if rounds:
        for _ in track(maps, mine, "encoding latents", "maps"):
            pass
    in_all_processes(accelerator, lambda: _check_seen(cache, not cache.missing()))
    return sum(map(cache.num_maps, missing))


def _encoded(
    cache: LatentCache, accelerator: "Accelerator", rounds: Sequence[Sequence[Shard]], settings: tuple[int, int]
) -> Iterator[None]:
    """Make the files of this process, one of each round; an item for each map.

    After each round the processes agree: none waits for another longer than for a file.
    """
    batch_size, threads = settings
    for shards in rounds:
        failure: Exception | None = None
        try:
            for shard in shards[accelerator.process_index : accelerator.process_index + 1]:
                for count in cache.make(shard, batch_size=batch_size, threads=threads):
                    yield from [None] * count
        except (RadiodiffError, OSError) as error:
            failure = error
        in_all_processes(accelerator, partial(_raise, failure))


def _raise(failure: Exception | None) -> None:
    if failure is not None:
        raise failure


def _check_seen(cache: LatentCache, is_seen: bool) -> None:
    if not is_seen:
        raise CheckpointError(
            "Every process must see the whole cache of latents",
            value=f"one that does not find all of {cache.folder}",
            remedy="Set latents.cache to a folder that all machines share.",
        )
