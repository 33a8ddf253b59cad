"""Which crops are copies of each other, and which share ground."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import LayoutError
from radiodiff.formats.layout_folder import Layout

__all__ = ["sort_out"]

Value = TypeVar("Value", np.bool_, np.float64)

COARSE_CELLS = 32
"""Crops are first compared as pictures of this many cells a side."""

COARSE_CORRELATION = 0.8
"""Pairs whose coarse pictures correlate less are taken as different without a closer look."""

SAME_IOU = 0.98
SIMILAR_IOU = 0.8
"""Intersection over union of two building rasters above which crops are copies, or similar. Crops of different places
share about as much as their coverage says, 0.2 to 0.4."""


def sort_out(layouts: Sequence[Layout], *, limit: int | None = None) -> list[Layout]:
    """Leave out copies, and mark what is similar and what is disjoint.

    Copies are crops whose buildings are the same cells, turned by quarters or mirrored perhaps (intersection over
    union of at least 0.98); the first stays. Similar ones (0.8) are kept and marked. Crops of a city that overlap and
    crops that are similar exclude each other from the disjoint set, which is filled beginning with those that exclude
    fewest; their groups are connected through such pairs.

    Args:
        layouts: Square layouts of one size, with names of their own.
        limit: Most layouts to keep, disjoint ones first, taken from the cities in turn; None keeps all.

    Returns:
        The layouts that stay, in their order.

    Raises:
        LayoutError: There is none, or the limit is below 1.
    """
    if not layouts:
        raise LayoutError(
            "A set of layouts needs a crop whose coverage is within the range",
            value="none",
            remedy="Widen the range (--min-coverage, --max-coverage), or choose another size or scene.",
        )
    if limit is not None and not limit >= 1:
        raise LayoutError("The limit of layouts must be at least 1", value=limit, remedy="Leave it out to keep all.")
    kept, similar = _without_copies(layouts)
    pairs = {*_overlapping(kept), *similar}
    is_disjoint = _disjoint(len(kept), pairs)
    groups = _groups(len(kept), pairs)
    first_like = {later: earlier for earlier, later in sorted(similar, reverse=True)}
    marked = [
        replace(
            layout,
            group=kept[groups[index]].name,
            is_disjoint=is_disjoint[index],
            similar_to=kept[first_like[index]].name if index in first_like else None,
        )
        for index, layout in enumerate(kept)
    ]
    return marked if limit is None else _first(marked, limit)


def _without_copies(layouts: Sequence[Layout]) -> tuple[list[Layout], list[tuple[int, int]]]:
    """The layouts without copies, and the pairs of numbers (earlier, later) of those that are similar."""
    alike = defaultdict(list)
    for first, second in _candidates(layouts):
        overlap = _best_overlap(layouts[first].scene.buildings, layouts[second].scene.buildings)
        if overlap >= SIMILAR_IOU:
            alike[second].append((first, overlap))
    numbers: dict[int, int] = {}
    pairs = []
    for index in range(len(layouts)):
        # Copies of copies that were left out are similar to the original, too.
        earlier = [(first, overlap) for first, overlap in alike[index] if first in numbers]
        if any(overlap >= SAME_IOU for _, overlap in earlier):
            continue
        numbers[index] = len(numbers)
        pairs += [(numbers[first], numbers[index]) for first, _ in earlier]
    return [layouts[index] for index in numbers], pairs


def _candidates(layouts: Sequence[Layout]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) whose coarse pictures look alike in one of eight positions."""
    pictures = np.stack([_coarse(layout.scene.buildings) for layout in layouts])
    columns = zip(*(_positions(picture) for picture in pictures), strict=True)
    turned = [_unit(np.stack(column)) for column in columns]
    for index in range(len(layouts) - 1):
        likeness = np.max([position[index + 1 :] @ turned[0][index] for position in turned], axis=0)
        for offset in np.flatnonzero(likeness >= COARSE_CORRELATION):
            yield index, index + 1 + int(offset)


def _coarse(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of True cells in at most 32 x 32 blocks."""
    count = min(COARSE_CELLS, *mask.shape)
    rows, cols = (np.linspace(0, size, count, endpoint=False).astype(int) for size in mask.shape)
    sums = np.add.reduceat(np.add.reduceat(mask.astype(np.float64), rows, axis=0), cols, axis=1)
    sizes = np.outer(np.diff([*rows, mask.shape[0]]), np.diff([*cols, mask.shape[1]]))
    shares: NDArray[np.float64] = sums / sizes
    return shares


def _positions(picture: NDArray[Value]) -> list[NDArray[Value]]:
    """A square picture and its quarter turns, each also mirrored."""
    return [np.rot90(mirrored, turns) for mirrored in (picture, picture.T) for turns in range(4)]


def _unit(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pictures (n, rows, cols) as rows of mean 0 and length 1; even ones, which have no shape, as (1, 0, 0, ...)."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    is_even = length[:, 0] < 1e-9
    flat[is_even] = np.eye(1, flat.shape[1])
    unit: NDArray[np.float64] = flat / np.where(is_even[:, None], 1.0, length)
    return unit


def _best_overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Largest intersection over union of a raster and another in its eight positions; 1 where both are empty."""
    union = [(first | other).sum() for other in _positions(second)]
    shared = [(first & other).sum() for other in _positions(second)]
    return max(float(s / u) if u else 1.0 for s, u in zip(shared, union, strict=True))


def _overlapping(layouts: Sequence[Layout]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) of crops of one city that share ground."""
    for (i, one), (j, other) in itertools.combinations(enumerate(layouts), 2):
        rows, cols = one.scene.grid.shape
        if one.city == other.city and abs(one.row - other.row) < rows and abs(one.col - other.col) < cols:
            yield i, j


def _disjoint(count: int, pairs: set[tuple[int, int]]) -> list[bool]:
    """Flags of numbers no two of which are a pair: again and again the one with fewest pairs left, then the first."""
    others: dict[int, set[int]] = {index: set() for index in range(count)}
    for one, other in pairs:
        others[one].add(other)
        others[other].add(one)
    chosen = [False] * count
    while others:
        index = min(others, key=lambda number: (len(others[number]), number))
        chosen[index] = True
        for lost in (index, *others[index]):
            for neighbour in others.pop(lost):
                if neighbour in others:
                    others[neighbour].discard(lost)
    return chosen


def _groups(count: int, pairs: set[tuple[int, int]]) -> list[int]:
    """The lowest number that each number is connected to."""
    lowest = list(range(count))

    def root(index: int) -> int:
        while lowest[index] != index:
            index = lowest[index]
        return index

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        lowest[high] = low
    return [root(index) for index in range(count)]


def _first(layouts: Sequence[Layout], limit: int) -> list[Layout]:
    """At most `limit` layouts: disjoint ones first, from each city in turn, in the order given."""
    turns: dict[tuple[str, bool], int] = defaultdict(int)
    keys = []
    for index, layout in enumerate(layouts):
        kind = (layout.city, layout.is_disjoint)
        keys.append((not layout.is_disjoint, turns[kind], index))
        turns[kind] += 1
    kept = [layouts[index] for index in sorted(key[-1] for key in sorted(keys)[:limit])]
    names = {layout.name for layout in kept}
    return [layout if layout.similar_to in names else replace(layout, similar_to=None) for layout in kept]
