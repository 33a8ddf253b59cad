"""Data sets that are to be joined: which maps are taken, what they have, and whether they fit together."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from radiodiff.data.create import RECORD
from radiodiff.data.create.manifest import MANIFEST as MAKING
from radiodiff.data.create.manifest import Manifest, file_sha256
from radiodiff.data.create.scenarios import RX_HEIGHT_M
from radiodiff.data.radiomapseer.packed import is_packed
from radiodiff.data.radiomapseer.store import COMPLETE, PngTree, gain_count
from radiodiff.data.splits import ALL_MAPS, MANIFEST, Split
from radiodiff.errors import DataSetError
from radiodiff.formats import read_json
from radiodiff.formats.radiomapseer_heights import ANTENNA_HEIGHTS, HEIGHTS

__all__ = ["JOINED_FORMAT", "JoinSource", "check_sources", "shared"]

GENERATED_FORMAT = "radiodiff-generated"
JOINED_FORMAT = "radiodiff-joined"

HEIGHT_FOLDERS = (f"polygon/{HEIGHTS}", f"png/{HEIGHTS}", ANTENNA_HEIGHTS)


class JoinSource:
    """A generated data set, and the maps of it that are taken.

    Args:
        root: Its folder.
        part: Part of its maps where it has no split.
        most: Most maps, spread evenly over each part; None takes all.

    Attributes:
        root: Its folder.
        tree: Its arrays.
        record: Its record.
        parts: Numbers of the maps that are taken, by part. Maps that its split does not name are not.

    Raises:
        DataSetError: It is packed, was not generated, lacks maps of its split, or has no maps.
        FormatError: Its record or split is damaged.
    """

    def __init__(self, root: Path, part: str, most: int | None) -> None:
        self.root = root
        if is_packed(root):
            raise DataSetError(
                "Data sets to be joined must lie in folders",
                value=f"{root}, which is packed",
                remedy="Join the folders that they were packed from, and pack the result.",
            )
        self.tree = PngTree(root)
        self.record: dict[str, Any] = read_json(root / RECORD) if (root / RECORD).is_file() else {}
        # Checks that the record is one, too.
        self.cell_size_m = self.tree.cell_size_m
        if self.record.get("format") not in (GENERATED_FORMAT, JOINED_FORMAT):
            raise DataSetError(
                f"Data sets to be joined must be generated, and say so in {RECORD}",
                value=root,
                remedy="Make them with radiodiff dataset create or radiodiff dataset bench.",
            )
        split = Split.read(root / MANIFEST) if (root / MANIFEST).is_file() else None
        if split is None or ALL_MAPS in split.parts:
            ids = self.tree.map_ids() if split is None else split.ids(ALL_MAPS)
            split = Split(part, {part: ids})
        split.check_maps(self.tree.map_ids(), root)
        ordered = [(name, map_id) for name, ids in split.parts.items() for map_id in sorted(ids)]
        count = len(ordered) if most is None else min(most, len(ordered))
        taken = [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]
        self.parts = {name: tuple(i for one, i in taken if one == name) for name in split.parts}

    @property
    def map_ids(self) -> list[int]:
        """Numbers of the maps that are taken, in order."""
        return sorted(map_id for ids in self.parts.values() for map_id in ids)

    @cached_property
    def height_folders(self) -> tuple[str, ...]:
        """Folders of heights; none where it lacks one."""
        return HEIGHT_FOLDERS if all((self.root / name).is_dir() for name in HEIGHT_FOLDERS) else ()

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Layers that it has both as images and as outlines."""
        found = [path.relative_to(self.root / "png") for path in (self.root / "png").glob("*/")]
        found += [path.relative_to(self.root / "png") for path in (self.root / "png").glob("*/*/")]
        names = [str(path) for path in found if path.name not in (HEIGHTS, "antennas")]
        return tuple(sorted(name for name in names if self._has_files(name)))

    def files(self, map_id: int, simulations: Sequence[str], layers: Sequence[str]) -> list[str]:
        """Files of a map, with {} in the place of its number; that of the transmitters last.

        Args:
            map_id: Number of the map.
            simulations: Folders under `gain`.
            layers: Layers under `png` and `polygon`.
        """
        count = len(self.tree.tx_cells(map_id))
        names = [
            f"{kind}/{layer}/{{}}.{end}" for layer in layers for kind, end in (("polygon", "json"), ("png", "png"))
        ]
        names += [f"png/antennas/{{}}_{tx}.png" for tx in range(count)]
        names += [f"gain/{name}/{{}}_{tx}.png" for name in simulations for tx in range(gain_count(name, count))]
        names += [f"{folder}/{{}}.{'png' if folder.startswith('png') else 'json'}" for folder in self.height_folders]
        return [*names, "antenna/{}.json"]

    @cached_property
    def manifest(self) -> Manifest | None:
        """What is known of its making."""
        return Manifest(self.root) if (self.root / MAKING).is_file() else None

    def made(self, map_id: int) -> dict[str, Any]:
        """What the manifest says of a map; nothing where there is none."""
        return self.manifest.record(map_id) if self.manifest is not None and map_id in self.manifest else {}

    def sums(self, map_id: int, files: Sequence[str]) -> dict[str, str]:
        """Checksums of some files of a map: those of the manifest, the others computed.

        Raises:
            DataSetError: A file is not there.
        """
        known = self.made(map_id).get("sha256", {})
        found = {}
        for file in files:
            name = file.format(map_id)
            if not (self.root / name).is_file():
                raise DataSetError(
                    "Data sets to be joined must be whole",
                    value=f"{self.root} without {name}",
                    remedy="Run the command that made it again: it completes what is missing.",
                )
            found[file] = known[name] if name in known else file_sha256(self.root / name)
        return found

    def digest(self, simulations: Sequence[str], layers: Sequence[str]) -> str:
        """What identifies the files that are taken.

        Raises:
            DataSetError: A file is not there.
        """
        content = hashlib.sha256()
        for map_id in self.map_ids:
            sums = self.sums(map_id, self.files(map_id, simulations, layers))
            content.update(json.dumps([map_id, sums]).encode())
        return content.hexdigest()

    def _has_files(self, layer: str) -> bool:
        return any((self.root / "png" / layer).glob("*.png")) and (self.root / "polygon" / layer).is_dir()


@dataclass(frozen=True)
class _Fact:
    """What all data sets must share."""

    name: str
    of: Callable[[JoinSource], object]
    remedy: str


FACTS = (
    _Fact("size", lambda one: "{} x {} cells".format(*one.tree.shape), "Make them with one size."),
    _Fact("cell size", lambda one: f"{one.cell_size_m:g} m", "Make them with one cell size."),
    _Fact("carrier", lambda one: f"{one.tree.frequency_hz:g} Hz", "Make them with one carrier (--frequency)."),
    _Fact(
        "height of receivers", lambda one: f"{one.record.get('rx_height_m', RX_HEIGHT_M):g} m", "Leave the others out."
    ),
    _Fact("grey scale", lambda one: json.dumps(one.record.get("grey"), sort_keys=True), "Leave the others out."),
    _Fact(
        "kind of heights",
        lambda one: "heights" if one.height_folders else "no heights",
        "Make all of them for the scenario street or rooftop, which have heights.",
    ),
)


def check_sources(sources: Sequence[JoinSource]) -> None:
    """Check that data sets fit together.

    Raises:
        DataSetError: They differ in size, cells, carrier, height of receivers, scale or heights, or have the same
            buildings in two parts.
    """
    for fact in FACTS:
        found = [(one.root, fact.of(one)) for one in sources]
        if len({value for _, value in found}) > 1:
            raise DataSetError(
                f"Data sets to be joined must have one {fact.name}",
                value="; ".join(f"{root}: {value}" for root, value in found),
                remedy=fact.remedy,
            )
    _check_parts(sources)


def _check_parts(sources: Sequence[JoinSource]) -> None:
    """Check that no buildings are in two parts."""
    seen: dict[str, tuple[str, str]] = {}
    for one in sources:
        for part, ids in one.parts.items():
            for map_id in ids:
                file = f"polygon/{COMPLETE}/{{}}.json"
                (digest,) = one.sums(map_id, [file]).values()
                where = f"map {map_id} of {one.root}"
                other, place = seen.setdefault(digest, (part, where))
                if other != part:
                    raise DataSetError(
                        "No buildings may be in two parts of a joined data set",
                        value=f"{place} in {other}, {where} in {part}",
                        remedy="Give these data sets splits that agree (split.json), or leave one out: shared "
                        "buildings make test figures worthless.",
                    )


def shared(sources: Sequence[JoinSource], of: Callable[[JoinSource], Sequence[str]]) -> tuple[list[str], list[str]]:
    """Names that all data sets have, and those that some lack, in the order of the first."""
    names = list(dict.fromkeys(name for one in sources for name in of(one)))
    common = [name for name in names if all(name in of(one) for one in sources)]
    return common, [name for name in names if name not in common]
