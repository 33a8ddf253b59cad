"""Latents of training maps on disk: made once for an autoencoder and a data set, read back by memory map.

```
<folder>/latents.json                           says that the folder is a cache
<folder>/<digest>/content.json                  what the digest is of
<folder>/<digest>/<symmetry>/<number>.safetensors
```

A file holds `posterior`, (n, 2 * C, h, w) float16: mean and then standard deviation of the latents, not scaled, of the
next `MAPS_PER_FILE` targets in one symmetry. The digest is that of all they follow from: the encoder with its prior,
the names of the examples, some of their targets, and what the prior is made of in these. Other autoencoders and other
targets may therefore share a folder, each with files of its own; runs that differ in the condition alone share files.
What nothing asks for any more stays until somebody deletes it.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.data.array_file import ArrayFile
from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.loader import BatchLoader, spread
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import check_repeated_channels, check_repeated_targets
from radiodiff.errors import CheckpointError, ConfigError, FormatError
from radiodiff.pipeline.prior import Prior
from radiodiff.training.latent_encoder import LatentEncoder

__all__ = ["MAPS_PER_FILE", "LatentCache", "Shard"]

MAPS_PER_FILE = 256

NUM_TARGETS = 64
"""Targets that the digest is of, spread over the data set."""

FORMAT = {"format": "radiodiff latents", "version": 1}
RECORD, CONTENT = "latents.json", "content.json"
POSTERIOR = "posterior"

Shard = tuple[int, int]
"""A file of a cache: its symmetry and its number."""


class LatentCache:
    """Posteriors of the targets of a data set under an autoencoder.

    Args:
        root: Folder of caches; made where it is not there.
        encoder: The autoencoder.
        source: The data set, with the augmentation that latents are wanted for.

    Attributes:
        encoder: The autoencoder.
        source: The data set.
        folder: Where the files for both are.

    Raises:
        ConfigError: Targets do not follow from number and symmetry, or do not fit the autoencoder.
        DataSetError: A target cannot be read.
        FormatError: A target cannot be read.
    """

    def __init__(self, root: Path, encoder: LatentEncoder, source: RepeatedTargets) -> None:
        check_repeated_targets(source.config)
        if encoder.prior is not None:
            check_repeated_channels(source.config, encoder.prior.names)
        self.root = root
        self.encoder = encoder
        self.source = source
        self._symmetries, self._names = source.symmetries, source.example_names
        self._shape = source.target(0, 0).shape
        channels, rows, cols = self._shape
        if channels != encoder.config.in_channels:
            raise ConfigError(
                "An autoencoder must take the target of the data set",
                value=f"{encoder.config.in_channels} channels, a target of {channels}",
                remedy="Use an autoencoder that was trained on this target.",
            )
        depth, *cells = encoder.latent_shape(rows, cols)
        self._latent_shape = (2 * depth, *cells)
        self._content: dict[str, Any] = {
            **FORMAT,
            "encoder": encoder.fingerprint,
            "latents": self._latent_shape,
            "target": asdict(source.encoding.target),
            "scale": source.scale,
            "num_examples": len(source),
            "names": hashlib.sha256(json.dumps(self._names).encode()).hexdigest(),
            "targets": self._digest_of_targets(),
        }
        if encoder.prior is not None:
            self._content |= {"prior": encoder.prior.record.identity, "prior_channels": self._digest_of(encoder.prior)}
        self.digest = hashlib.sha256(json.dumps(self._content).encode()).hexdigest()
        self.folder = root / self.digest[:16]
        self._files: dict[Shard, ArrayFile] = {}

    @property
    def num_bytes(self) -> int:
        """Size of the whole on disk."""
        return self._bytes_of(len(self.source) * len(self._symmetries))

    def missing(self) -> list[Shard]:
        """Files that are not there, cut short or damaged, in order."""
        count = -(-len(self.source) // MAPS_PER_FILE)
        wanted = ((symmetry, number) for symmetry in self._symmetries for number in range(count))
        return [shard for shard in wanted if self._opened(shard) is None]

    def begin(self, missing: Sequence[Shard]) -> None:
        """Make the folder, and check that there is room for what is missing.

        Raises:
            CheckpointError: It is something else than a cache, the system refuses, or the disk is too full.
        """
        self._check_root()
        needed = self._bytes_of(sum(self.num_maps(shard) for shard in missing))
        try:
            # The root's first: a root with anything else and without it is refused.
            contents = {self.root / RECORD: FORMAT, self.folder / CONTENT: self._described()}
            for path, content in contents.items():
                if path.is_file():
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_write(path) as temporary:
                    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            free = shutil.disk_usage(self.folder).free
        except (OSError, FormatError) as error:
            raise _not_writable(self.root, error) from error
        if not needed <= free:
            raise CheckpointError(
                "The disk of a cache of latents must have room for it",
                value=f"{needed / 1e9:.3g} GB for {self.root}, {free / 1e9:.3g} GB free",
                remedy="Set latents.cache to another disk, switch data.augment off, or leave latents.cache out.",
            )

    def make(self, shard: Shard, *, batch_size: int, threads: int = 2) -> Iterator[int]:
        """Make a file on the device of the autoencoder; what was there is replaced when it is whole.

        Args:
            shard: Which one.
            batch_size: Maps to encode at a time.
            threads: Threads that read ahead.

        Yields:
            The number of maps just encoded.

        Raises:
            CheckpointError: Latents are not finite, the system refuses, or the disk is full.
            ConfigError: The targets have different sizes.
            DataSetError: A target cannot be read.
            FormatError: A target cannot be read.
        """
        symmetry, number = shard
        numbers = self._numbers(number)
        device = next(self.encoder.autoencoder.parameters()).device
        loader = BatchLoader(_Targets(self, symmetry), batch_size, sampler=numbers, threads=threads)
        found = np.empty((len(numbers), *self._latent_shape), dtype=np.float16)
        done = 0
        for batch in loader:
            with np.errstate(over="ignore"):
                posterior = self.encoder.posterior(batch.target.to(device), batch.condition.to(device))
                part = posterior.cpu().numpy().astype(np.float16)
            for name, values in zip(batch.names, part, strict=True):
                if not _is_whole(values):
                    raise CheckpointError(
                        "The latents of an autoencoder must be finite, and below 65,504 to be kept",
                        value=f"not so for {name}",
                        remedy="The autoencoder is not fit for this map: look at its reconstruction.",
                    )
            found[done : done + len(part)] = part
            done += len(part)
            yield len(part)
        self._write(shard, found)

    def posterior(self, number: int, symmetry: int) -> NDArray[np.float32]:
        """Mean and then standard deviation (2 * C, h, w) of the latents of a target in a symmetry.

        Raises:
            CheckpointError: The file is not there or damaged.
        """
        place, index = divmod(number, MAPS_PER_FILE)
        shard = (symmetry, place)
        file = self._files.get(shard) or self._opened(shard)
        if file is not None:
            self._files[shard] = file
            try:
                values: NDArray[np.float16] = file[POSTERIOR, index]
            except FormatError as error:
                raise self._damaged(shard, error.value) from error
            if _is_whole(values):
                return values.astype(np.float32)
        raise self._damaged(shard, "not there, or not whole" if file is None else f"not finite at {index}")

    def read_target(self, number: int, symmetry: int) -> NDArray[np.float32]:
        """A target of the data set.

        Raises:
            ConfigError: It has another size than the first one.
        """
        return self._checked(number, self.source.target(number, symmetry))

    def read_example(self, number: int, symmetry: int) -> Example:
        """A target of the data set with its condition.

        Raises:
            ConfigError: It has another size than the first one.
        """
        example = self.source.in_symmetry(number, symmetry)
        self._checked(number, example.target)
        return example

    def _checked(self, number: int, target: NDArray[np.float32]) -> NDArray[np.float32]:
        if target.shape != self._shape:
            raise ConfigError(
                "Maps whose latents are kept must all have one size",
                value=f"{self._names[number]} of {target.shape[1]} x {target.shape[2]} cells, others of "
                f"{self._shape[1]} x {self._shape[2]}",
                remedy="Give the data set a size, or leave out latents.cache.",
            )
        return target

    def name(self, number: int) -> str:
        """Name of an example."""
        return self._names[number]

    def num_maps(self, shard: Shard) -> int:
        """Maps of a file."""
        return len(self._numbers(shard[1]))

    def _bytes_of(self, num_maps: int) -> int:
        return num_maps * 2 * math.prod(self._latent_shape)

    def _numbers(self, number: int) -> range:
        """Examples of a file."""
        return range(number * MAPS_PER_FILE, min((number + 1) * MAPS_PER_FILE, len(self.source)))

    def _digest_of_targets(self) -> str:
        found = hashlib.sha256()
        for number in spread(len(self.source), NUM_TARGETS):
            target = self.read_target(number, 0)
            found.update(f"{target.shape} ".encode() + np.ascontiguousarray(target).tobytes())
        return found.hexdigest()

    def _digest_of(self, prior: Prior) -> str:
        """Of what the prior is made of in the same examples: it may change without the targets."""
        found = hashlib.sha256()
        for number in spread(len(self.source), NUM_TARGETS):
            seen = prior.seen(torch.from_numpy(self.read_example(number, 0).condition)[None])
            found.update(np.ascontiguousarray(seen.numpy()).tobytes())
        return found.hexdigest()

    def _described(self) -> dict[str, Any]:
        """What a reader of the folder may want to know."""
        data = self.source.config.model_dump(mode="json", exclude={"augment", "seed"})
        return self._content | {"maps_per_file": MAPS_PER_FILE, "data": data}

    def _path(self, shard: Shard) -> Path:
        return self.folder / str(shard[0]) / f"{shard[1]:05d}.safetensors"

    def _opened(self, shard: Shard) -> ArrayFile | None:
        """A file, where it is there, whole, and for this cache."""
        try:
            file = ArrayFile(self._path(shard))
        except FormatError:
            # Made again: it holds nothing that cannot be computed.
            return None
        is_ours = file.metadata.get("digest") == self.digest and file.names == (POSTERIOR,)
        wanted = (self.num_maps(shard), *self._latent_shape)
        return file if is_ours and file.shape(POSTERIOR) == wanted else None

    def _write(self, shard: Shard, values: NDArray[np.float16]) -> None:
        path, metadata = self._path(shard), {"format": str(FORMAT["format"]), "digest": self.digest}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as temporary:
                save_file({POSTERIOR: values}, temporary, metadata)
                # safetensors gives its files to their owner alone.
                shutil.copymode(self.folder / CONTENT, temporary)
                with open(temporary, "rb") as opened:
                    os.fsync(opened.fileno())
        except (OSError, SafetensorError, FormatError) as error:
            raise _not_writable(self.root, error) from error
        self._files.pop(shard, None)

    def _check_root(self) -> None:
        if not self.root.exists():
            return
        record = self.root / RECORD
        is_empty = self.root.is_dir() and all(path.name.startswith(TEMPORARY_PREFIX) for path in self.root.iterdir())
        if is_empty:
            return
        try:
            content = json.loads(record.read_bytes()) if record.is_file() else None
        except ValueError:
            content = None
        if content != FORMAT:
            raise CheckpointError(
                "The folder of a cache of latents must be empty, absent or a cache of this version",
                value=f"{self.root}, which is something else",
                remedy="Set latents.cache to another folder.",
            )

    def _damaged(self, shard: Shard, found: object) -> CheckpointError:
        return CheckpointError(
            "A cache of latents must stay whole while it is used",
            value=f"{self._path(shard)} ({found})",
            remedy="Delete this file and start again: it is made anew.",
        )


class _Targets:
    """The targets of a cache's data set in one symmetry; with their conditions where a prior needs them."""

    def __init__(self, cache: LatentCache, symmetry: int) -> None:
        self._cache = cache
        self._symmetry = symmetry
        self.encoding, self.scale = cache.source.encoding, cache.source.scale

    def __len__(self) -> int:
        return len(self._cache.source)

    def __getitem__(self, index: int | Draw) -> Example:
        number, _ = numbered(index, len(self))
        if self._cache.encoder.prior is not None:
            return self._cache.read_example(number, self._symmetry)
        target = self._cache.read_target(number, self._symmetry)
        return Example(target, target[:0], (0, 0), 0, 0, self._cache.name(number), target.shape[1:])


def _is_whole(posterior: NDArray[np.float16]) -> bool:
    """Whether means are finite and deviations positive: what a disk has lost reads as zeros."""
    deviations = posterior[len(posterior) // 2 :]
    return bool(np.isfinite(posterior).all() and (deviations > 0).all())


def _not_writable(root: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        "A cache of latents must be writable",
        value=f"{root} ({error})",
        remedy="Check the rights of the folder and the free space on the disk, then start again: what is done is kept.",
    )
