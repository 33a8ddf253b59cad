"""Which splits a data set can use."""

from collections.abc import Iterable
from pathlib import Path
from warnings import catch_warnings, simplefilter

from radiodiff.data.inspect.description import SplitFit
from radiodiff.data.splits import MANIFEST, NAMED_SPLITS, Split, named_split

__all__ = ["split_fits"]


def split_fits(root: Path, map_ids: Iterable[int]) -> tuple[SplitFit, ...]:
    """The manifest of a folder, and the named splits whose maps are all there.

    Raises:
        FormatError: The manifest is damaged.
        DataSetError: Its parts share maps.
    """
    there = set(map_ids)
    found = []
    with catch_warnings():
        # What the warning says is in the description: the number of shared maps.
        simplefilter("ignore")
        if (root / MANIFEST).is_file():
            found.append(_fit(Split.read(root / MANIFEST), MANIFEST, there))
        for name in NAMED_SPLITS:
            fit = _fit(named_split(name), "named", there)
            if not fit.absent:
                found.append(fit)
    return tuple(found)


def _fit(split: Split, source: str, there: set[int]) -> SplitFit:
    ids = set(split.ids("all"))
    shared = {f"{one} and {other}": len(maps) for (one, other), maps in split.shared_maps().items()}
    parts = {part: len(maps) for part, maps in split.parts.items()}
    return SplitFit(split.name, source, parts, len(ids - there), len(there - ids), shared)
