"""Splits: named lists of map numbers, so that no map serves two purposes.

The manifest of a data set is a file `split.json` in its folder:

```
{"format": "radiodiff-split", "format_version": 1, "name": "...", "parts": {"train": [3, 5, ...], ...}}
```

A key `"overlapping": true` marks the one published split whose parts share maps.
"""

import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from radiodiff.atomic_file import atomic_write
from radiodiff.errors import DataSetError, FormatError, RadiodiffWarning
from radiodiff.formats import read_json

__all__ = ["ALL_MAPS", "MANIFEST", "NAMED_SPLITS", "PARTS", "Split", "find_split", "named_split", "proportional_split"]

MANIFEST = "split.json"

PARTS = ("train", "validation", "test")

PART_NAME = re.compile(r"[A-Za-z0-9_-]+")

FORMAT = {"format": "radiodiff-split", "format_version": 1}

ALL_MAPS = "all"
"""The split of all maps that are there, and its one part."""

NAMED_SPLITS = ("disjoint", "radiounet", "radiodiff")
"""Splits of RadioMapSeer that every data set with its map numbers can use."""


@dataclass(frozen=True)
class Split:
    """Map numbers of each part of a data set.

    Attributes:
        name: What it is called.
        parts: Map numbers by part, in order.
        overlapping: Parts may share maps; for one published split only, and with a warning.

    Raises:
        DataSetError: A map is in two parts (unless `overlapping`), or twice in one; a part is empty, or its name is no
            file name.
    """

    name: str
    parts: Mapping[str, tuple[int, ...]]
    overlapping: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", {part: tuple(ids) for part, ids in self.parts.items()})
        if self.overlapping:
            warnings.warn(
                f"The parts of split {self.name!r} share maps: use it to reproduce published numbers only.",
                RadiodiffWarning,
                stacklevel=3,
            )
        for part, ids in self.parts.items():
            if not PART_NAME.fullmatch(part) or (part == "all" and len(self.parts) > 1):
                raise DataSetError(
                    "The name of a part must be letters, digits and - _, and not 'all' beside others",
                    value=repr(part),
                    remedy="Parts are file names, and 'all' means every part: use train, validation, test.",
                )
            if len(set(ids)) != len(ids) or not ids:
                raise DataSetError(
                    f"Part {part} of split {self.name} must hold at least one map, and each once",
                    value=f"{len(ids)} entries, {len(set(ids))} different",
                    remedy="Correct the list of map numbers.",
                )
        if (shared := self.shared_maps()) and not self.overlapping:
            (one, other), ids = next(iter(shared.items()))
            raise DataSetError(
                f"No map of split {self.name} may be in two parts",
                value=f"{_listed(ids)} in {one} and {other}",
                remedy="Take each map out of all parts but one: a shared map makes test figures worthless.",
            )

    def shared_maps(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Maps that two parts share, by the names of the two; empty where no map is in two parts."""
        found = {
            (one, other): tuple(sorted(set(self.parts[one]) & set(self.parts[other])))
            for one, other in combinations(self.parts, 2)
        }
        return {pair: ids for pair, ids in found.items() if ids}

    def ids(self, part: str) -> tuple[int, ...]:
        """Map numbers of a part; "all" gives those of all parts, sorted.

        Raises:
            DataSetError: There is no such part.
        """
        if part == "all":
            return tuple(sorted({map_id for ids in self.parts.values() for map_id in ids}))
        if part not in self.parts:
            raise DataSetError(
                f"Split {self.name} has the parts {', '.join(self.parts)}",
                value=repr(part),
                remedy="Give all: --split all on the command line, data.part=all in a recipe."
                if ALL_MAPS in self.parts
                else "Name one of them, or all.",
            )
        return self.parts[part]

    def check_maps(self, there: Iterable[int], where: Path | str) -> None:
        """Check that every map of the split is in a data set.

        Raises:
            DataSetError: A map is absent.
        """
        absent = sorted(set(self.ids("all")) - set(there))
        if absent and self.name in NAMED_SPLITS and (Path(where) / MANIFEST).is_file():
            raise DataSetError(
                f"Every map of split {self.name} must be in the data set",
                value=f"{where} without {_listed(absent)}",
                remedy=f"Leave the split out (data.split=null): the data set has its own {MANIFEST}.",
            )
        if absent:
            raise DataSetError(
                f"Every map of split {self.name} must be in the data set",
                value=f"{where} without {_listed(absent)}",
                remedy=f"Complete the data set, write its own {MANIFEST}, or take the split 'all'.",
            )

    def write(self, path: str | Path) -> None:
        """Write the manifest.

        Raises:
            FormatError: The file cannot be written.
        """
        parts = {part: list(ids) for part, ids in self.parts.items()}
        content = {**FORMAT, "name": self.name, **({"overlapping": True} if self.overlapping else {}), "parts": parts}
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> "Split":
        """The split of a manifest.

        Raises:
            FormatError: The file is absent, no JSON, or of another schema.
            DataSetError: A map is in two parts.
        """
        content = read_json(path)
        parts = content.get("parts") if isinstance(content, dict) else None
        is_ours = isinstance(content, dict) and all(content.get(key) == value for key, value in FORMAT.items())
        if not (
            is_ours
            and isinstance(content.get("name"), str)
            and isinstance(parts, dict)
            and parts
            and all(isinstance(ids, list) and all(type(i) is int and i >= 0 for i in ids) for ids in parts.values())
        ):
            raise FormatError(
                'A split manifest must hold "format": "radiodiff-split", "format_version": 1, "name", and "parts", '
                "lists of map numbers by name",
                value=path,
                remedy="Write it with radiodiff.data.Split.write, or by that example.",
            )
        return cls(content["name"], parts, overlapping=content.get("overlapping") is True)


def named_split(name: str) -> Split:
    """A split of RadioMapSeer's 701 maps.

    | name | train / validation / test | maps |
    |---|---|---|
    | `disjoint` | 500 / 100 / 101 | 0..700, none twice |
    | `radiounet` | 501 / 100 / 99 | 1..700, none twice |
    | `radiodiff` | 601 / 51 / 100 | 1..700; test lies in validation and train in part |

    All follow one shuffled order of the maps 1..700. `disjoint` puts its train part inside that of `radiounet` and the
    test part of `radiounet` inside its own, so that a model trained on it may be tested on both.

    Raises:
        DataSetError: There is no such split.

    Source: Levie et al. (2021), "RadioUNet", published code: positions 0..500, 501..600 and 601..699, ends included, of
    a shuffle with seed 42; Wang et al. (2025), "RadioDiff", published code: positions 0..600, 600..650, 600..699.
    """
    order = np.arange(700, dtype=np.int16)
    np.random.RandomState(42).shuffle(order)  # the published order comes from numpy's legacy generator
    ids = [int(i) + 1 for i in order]
    if name == "disjoint":
        ends = {"train": ids[:500], "validation": ids[500:600], "test": [*ids[600:], 0]}
    elif name == "radiounet":
        ends = {"train": ids[:501], "validation": ids[501:601], "test": ids[601:]}
    elif name == "radiodiff":
        ends = {"train": ids[:601], "validation": ids[600:651], "test": ids[600:]}
    else:
        raise DataSetError(
            f"A named split must be one of {', '.join((*NAMED_SPLITS, ALL_MAPS))}",
            value=repr(name),
            remedy=f"Correct the name, or give the path of a {MANIFEST}.",
        )
    return Split(name, {part: tuple(ids) for part, ids in ends.items()}, overlapping=name == "radiodiff")


def proportional_split(
    name: str, map_ids: Iterable[int], shares: tuple[float, float, float] = (0.70, 0.15, 0.15)
) -> Split:
    """Deal maps to train, validation and test in these shares, at least one to each.

    The first three maps go one to each part, every further one to the part that is furthest behind its share. A data
    set that grows therefore never moves a map to another part. The order of the maps decides; nothing is drawn.

    Args:
        name: Name of the split.
        map_ids: Map numbers; their order must say nothing about the maps.
        shares: Shares of train, validation and test; they sum to 1.

    Raises:
        DataSetError: There are fewer than three maps, or the shares are not positive or do not sum to 1.
    """
    map_ids = tuple(map_ids)
    if len(map_ids) < len(PARTS):
        raise DataSetError(
            "A split needs at least three maps, one for each part",
            value=f"{len(map_ids)} maps",
            remedy="Make more maps, or use the part 'all' without a split.",
        )
    if not (all(share > 0 for share in shares) and abs(sum(shares) - 1.0) < 1e-9):
        raise DataSetError(
            "The shares of a split must be above 0 and sum to 1", value=shares, remedy="Give for example 0.7 0.15 0.15."
        )
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for count, map_id in enumerate(map_ids):
        behind = [share * (count + 1) - len(parts[part]) for part, share in zip(PARTS, shares, strict=True)]
        part = PARTS[count] if count < len(PARTS) else PARTS[int(np.argmax(np.round(behind, 9)))]
        parts[part].append(map_id)
    return Split(name, {part: tuple(ids) for part, ids in parts.items()})


def find_split(root: Path, wanted: str | None, map_ids: Iterable[int] = ()) -> Split:
    """The split of a data set folder.

    Args:
        root: The folder.
        wanted: Name of a split, path of a manifest, "all" for all maps in one part "all", or None for the manifest of
            the folder and, where there is none, `disjoint`.
        map_ids: Maps of the data set, for "all".

    Raises:
        DataSetError: There is no such split.
        FormatError: The manifest is damaged.
    """
    manifest = root / MANIFEST
    if wanted == ALL_MAPS:
        return Split(ALL_MAPS, {ALL_MAPS: tuple(map_ids)})
    if wanted is None:
        return Split.read(manifest) if manifest.is_file() else named_split("disjoint")
    if wanted.endswith(".json"):
        return Split.read(wanted)
    return named_split(wanted)


def _listed(ids: Iterable[int]) -> str:
    ids = list(ids)
    shown = ", ".join(str(i) for i in ids[:5])
    return f"map{'s' if len(ids) > 1 else ''} {shown}{f' and {len(ids) - 5} more' if len(ids) > 5 else ''}"
