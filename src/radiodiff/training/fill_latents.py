"""Making what a cache of latents lacks, by all processes of a run together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from radiodiff.errors import CheckpointError, RadiodiffError
from radiodiff.training.latent_cache import LatentCache, Shard

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
        CheckpointError: See `LatentCache.begin` and `make`, or another process failed.
        RadiodiffError: See `LatentCache.make`.
    """
    from accelerate.utils import broadcast_object_list

    cache.encoder.to(accelerator.device)
    found: list[list[Shard]] = [[]]
    failure: Exception | None = None
    if accelerator.is_main_process:
        try:
            found[0] = cache.missing()
            cache.begin(found[0])
        except (RadiodiffError, OSError) as error:
            failure = error
    _agree(accelerator, failure)
    if accelerator.num_processes > 1:
        broadcast_object_list(found)
    _agree(accelerator, None if cache.folder.is_dir() else _unseen(cache))
    missing = found[0]
    rank, world = accelerator.process_index, accelerator.num_processes
    rounds = [missing[first : first + world] for first in range(0, len(missing), world)]
    mine = sum(cache.num_maps(shard) for shards in rounds for shard in shards[rank : rank + 1])
    maps = _encoded(cache, accelerator, rounds, (batch_size, threads))
    if rounds:
        for _ in track(maps, mine, "encoding latents", "maps"):
            pass
    _agree(accelerator, _unseen(cache) if cache.missing() else None)
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
        _agree(accelerator, failure)


def _unseen(cache: LatentCache) -> CheckpointError:
    return CheckpointError(
        "Every process must see the whole cache of latents",
        value=f"one that does not find all of {cache.folder}",
        remedy="Set latents.cache to a folder that all machines share.",
    )


def _agree(accelerator: "Accelerator", failure: Exception | None) -> None:
    """Raise an error in all processes where one has failed."""
    from accelerate.utils import gather_object

    texts = [None if failure is None else str(failure)]
    if accelerator.num_processes > 1:
        texts = gather_object(texts)
    if failure is not None:
        raise failure
    others = [text for text in texts if text is not None]
    if others:
        raise CheckpointError(
            "Every process must be able to make its share of the latents",
            value=f"another process that could not: {others[0]}",
            remedy="Mend what it says, then start again: what is done is kept.",
        )
