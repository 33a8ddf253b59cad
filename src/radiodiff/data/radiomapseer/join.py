"""Join generated data sets: one data set of their maps.

```
dataset.json        what it was made of: records of the sources, numbers of maps, digests; written first
split.json          parts of the sources
dataset.csv         one row per radio map
manifest.jsonl      lines of the sources' manifests, with the set and the number that each map comes from
```

All other files are those of the sources under new numbers: hard links where the file system allows, else copies. A file
that is there is whole, and the transmitters of a map come last. What an interrupted run left is completed.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.atomic_file import atomic_write
from radiodiff.data.create import RECORD, check_count
from radiodiff.data.create.manifest import Manifest
from radiodiff.data.create.scenarios import RX_HEIGHT_M
from radiodiff.data.map_files import write_index
from radiodiff.data.radiomapseer.join_sources import JOINED_FORMAT, JoinSource, check_sources, shared
from radiodiff.data.splits import MANIFEST, PARTS, Split
from radiodiff.data.work_folder import begin_folder, is_begun, is_whole
from radiodiff.errors import DataSetError, InputError
from radiodiff.formats import read_json
from radiodiff.version import __version__

__all__ = ["JoinReport", "JoinSettings", "join_data_sets"]

FORMAT_VERSION = 1

SPLIT_NAME = "joined"

IDENTITY = ("format", "format_version", "radiodiff", "simulations", "layers", "sha256")
"""Keys of the record that a run shares with the one that it goes on with; checksums stand for the sources."""

WITHOUT_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)
"""What a system says that has no hard link for a file: another disk, no such thing, too many of them."""


@dataclass(frozen=True)
class JoinSettings:
    """How data sets are joined.

    Attributes:
        part: Part of the maps of a data set without a split.
        maps: Most maps of each, spread evenly; None takes all.

    Raises:
        InputError: There is no such part, or the number is not positive.
    """

    part: str = "train"
    maps: int | None = None

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise InputError(
                f"JoinSettings.part must be one of {', '.join(PARTS)}", value=repr(self.part), remedy="Correct it."
            )
        if self.maps is not None:
            check_count("JoinSettings.maps", self.maps, 1)


@dataclass(frozen=True)
class JoinReport:
    """What a joined data set holds.

    Attributes:
        parts: Number of maps by part.
        simulations: Folders under `gain`.
        left_out: Simulations and layers that not all sources have.
        num_copied: Files that this run copied, where no link was possible.
    """

    parts: dict[str, int]
    simulations: tuple[str, ...]
    left_out: tuple[str, ...]
    num_copied: int


def join_data_sets(
    out: Path, roots: Sequence[Path], settings: JoinSettings = JoinSettings()
) -> Generator[tuple[int, int], None, JoinReport]:
    """Write a data set of the maps of several, or what an interrupted run left missing of it.

    Args:
        out: The folder; made where it is not there.
        roots: The data sets.
        settings: How they are joined.

    Yields:
        (maps done, maps wanted).

    Returns:
        What there is now.

    Raises:
        DataSetError: A source is no generated data set in folders, or not whole; they do not fit together (size, cells,
            carrier, receivers, scale, heights, no simulation that all have, the same buildings in two parts); the
            folder holds something else, or a data set of other sources; the system refuses a file.
        FormatError: A file of a source is damaged, or a list cannot be written.
        InputError: No data set is given, or one twice.
    """
    sources = _sources(roots, settings)
    simulations, lone = shared(sources, lambda one: one.tree.simulations())
    layers, lone_layers = shared(sources, lambda one: one.layers)
    if not simulations:
        raise DataSetError(
            "Data sets to be joined must have a simulation that all of them have",
            value="; ".join(f"{one.root}: {', '.join(one.tree.simulations())}" for one in sources),
            remedy="Make it of the sets that lack it (radiodiff dataset create --engine), or leave these out.",
        )
    record = _record(sources, simulations, layers)
    # What was added later stays.
    earlier = read_json(out / RECORD) if is_begun(out, RECORD, {key: record[key] for key in IDENTITY}) else {}
    heights = sources[0].height_folders
    folders = [f"{kind}/{layer}" for layer in layers for kind in ("polygon", "png")]
    folders += ["antenna", "png/antennas", *(f"gain/{name}" for name in simulations), *heights]
    begin_folder(out, RECORD, earlier | record, folders)
    wanted = [(one, map_id) for one in sources for map_id in one.map_ids]
    yield 0, len(wanted)
    num_copied, most_tx = 0, 0
    manifest = Manifest(out)
    for number, (one, map_id) in enumerate(wanted):
        files = one.files(map_id, simulations, layers)
        num_copied += sum(_take(one.root / name.format(map_id), out / name.format(number)) for name in files)
        manifest.append([_manifest_record(one, map_id, number, files)])
        most_tx = max(most_tx, len(one.tree.tx_cells(map_id)))
        yield number + 1, len(wanted)
    numbers = {(one.root, map_id): number for number, (one, map_id) in enumerate(wanted)}
    parts = _parts(sources, numbers)
    manifest.write()
    Split(SPLIT_NAME, parts).write(out / MANIFEST)
    write_index(out, range(len(wanted)), dict.fromkeys(simulations, most_tx), rows=sources[0].tree.shape[0])
    sizes = {part: len(ids) for part, ids in parts.items()}
    return JoinReport(sizes, tuple(simulations), (*lone, *lone_layers), num_copied)


def _sources(roots: Sequence[Path], settings: JoinSettings) -> list[JoinSource]:
    if not roots or len({root.resolve() for root in roots}) < len(roots):
        raise InputError(
            "Data sets to be joined must be different ones",
            value=", ".join(map(str, roots)) or "none",
            remedy="Give each folder once.",
        )
    sources = [JoinSource(root, settings.part, settings.maps) for root in roots]
    check_sources(sources)
    return sources


def _record(sources: Sequence[JoinSource], simulations: Sequence[str], layers: Sequence[str]) -> dict[str, Any]:
    """The record of the data set. Folders are named without those above them, which are of this machine."""
    first = sources[0]
    licences = {licence for one in sources for licence in one.record.get("licences", ())}
    digests = [one.digest(simulations, layers) for one in sources]
    scenarios = sorted({scenario for one in sources for scenario in _scenarios(one.record)})
    return {
        "format": JOINED_FORMAT,
        "format_version": FORMAT_VERSION,
        "radiodiff": __version__,
        "frequency_hz": first.tree.frequency_hz,
        "cell_size_m": first.cell_size_m,
        "rx_height_m": first.record.get("rx_height_m", RX_HEIGHT_M),
        "scenarios": scenarios,
        "simulations": list(simulations),
        "layers": list(layers),
        "licences": sorted(licences),
        "grey": first.record.get("grey"),
        "sha256": hashlib.sha256(json.dumps([digests, [one.parts for one in sources]]).encode()).hexdigest(),
        "sources": [
            {
                "name": one.root.resolve().name,
                "num_maps": len(one.map_ids),
                "parts": {part: len(ids) for part, ids in one.parts.items()},
                "sha256": digest,
                "record": one.record,
            }
            for one, digest in zip(sources, digests, strict=True)
        ],
    }


def _scenarios(record: dict[str, Any]) -> list[str]:
    found: list[str] = record.get("scenarios") or [record.get("scenario", "radiomapseer")]
    return found


def _parts(sources: Sequence[JoinSource], numbers: dict[tuple[Path, int], int]) -> dict[str, tuple[int, ...]]:
    """New numbers by part, train, validation and test first."""
    names = dict.fromkeys((*PARTS, *(part for one in sources for part in one.parts)))
    parts = {
        name: tuple(sorted(numbers[one.root, map_id] for one in sources for map_id in one.parts.get(name, ())))
        for name in names
    }
    return {name: ids for name, ids in parts.items() if ids}


def _take(source: Path, target: Path) -> bool:
    """Link a file, or copy it where there are no links; returns whether it was copied.

    Raises:
        DataSetError: The system refuses.
    """
    if is_whole(target):
        return False
    try:
        target.unlink(missing_ok=True)
        os.link(source, target)
        return False
    except OSError as error:
        if error.errno not in WITHOUT_LINKS:
            raise DataSetError(
                "The files of a data set must be readable, and its folder writable",
                value=f"{source} to {target} ({error.strerror or error})",
                remedy="Check rights and free space, and run the same command again: what is done is kept.",
            ) from error
    with atomic_write(target) as temporary:
        shutil.copyfile(source, temporary)
    return True


def _manifest_record(one: JoinSource, map_id: int, number: int, files: Sequence[str]) -> dict[str, Any]:
    """Line of the manifest of a map: what its source says, for the files that were taken."""
    made = {"source": None, "seed": None, "facts": {}} | one.made(map_id)
    sums = {name.format(number): digest for name, digest in one.sums(map_id, files).items()}
    return made | {
        "map": number,
        "joined_from": {"set": one.root.resolve().name, "map": map_id},
        "num_tx": len(one.tree.tx_cells(map_id)),
        "num_bytes": sum((one.root / name.format(map_id)).stat().st_size for name in files),
        "sha256": sums,
    }
