"""Outlines of blocks as vertex arrays: cutting, walking along the frontage, local frames.

Sums, products and square roots only: what last bits still differ between machines is far below the
lattice on which finished outlines are rounded.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["SUBDIVISIONS", "Frame", "Outline", "Vertices", "cut_by_line"]

Vertices = NDArray[np.float64]
"""(n, 2) corners of a ring [m], the first one not repeated."""

SUBDIVISIONS = 64
"""Vertices are rounded to 1/64 m, so that the last bit of a sine, which differs between machines, is gone."""

SHARP_COSINE = 0.85
"""Cosine of the turn (32 deg) above which a vertex ends a frontage."""


def cut_by_line(ring: Vertices, point: Vertices, normal: Vertices) -> Vertices:
    """The part of a ring on the side of a line that `normal` points to (Sutherland-Hodgman)."""
    height = (ring - point) @ normal
    kept: list[Vertices] = []
    for index in range(len(ring)):
        here, before = height[index], height[index - 1]
        if (here >= 0) != (before >= 0):
            kept.append(ring[index - 1] + (ring[index] - ring[index - 1]) * (before / (before - here)))
        if here >= 0:
            kept.append(ring[index])
    return np.array(kept).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Frame:
    """A place to build: `origin`, `along` (unit vector of the frontage) and `inward` (unit vector)."""

    origin: Vertices
    along: Vertices
    inward: Vertices

    def place(self, plan: Vertices) -> Vertices:
        """Corners (n, 2) of a ground plan in (along, inward) metres, turned and moved to this place."""
        return self.origin + plan[:, :1] * self.along + plan[:, 1:] * self.inward

    def rectangle(self, low: ArrayLike, high: ArrayLike) -> Vertices:
        """Corners (4, 2) of the rectangle between two (along, inward) points, placed."""
        (left, bottom), (right, top) = np.asarray(low), np.asarray(high)
        return self.place(np.array([[left, bottom], [right, bottom], [right, top], [left, top]]))

    def extent(self, ring: Vertices) -> tuple[Vertices, Vertices]:
        """Lowest and highest (along, inward) of a ring [m]."""
        local = np.stack([(ring - self.origin) @ self.along, (ring - self.origin) @ self.inward], axis=1)
        return local.min(axis=0), local.max(axis=0)


@dataclass(frozen=True, eq=False)
class Outline:
    """The edge of a block.

    Attributes:
        ring: (n, 2) corners, turning so that the inside is at `inward` of every frame.
    """

    ring: Vertices

    @classmethod
    def of(cls, ring: Vertices) -> "Outline":
        """Outline of a ring of either direction, repeated corners left out."""
        ring = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)]
        x, y = ring[:, 0], ring[:, 1]
        area = float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
        return cls(ring if area > 0 else ring[::-1])

    @cached_property
    def polygon(self) -> "Polygon":
        """The block as a polygon."""
        import shapely

        return shapely.Polygon(self.ring)

    @cached_property
    def _lengths(self) -> Vertices:
        step = np.roll(self.ring, -1, axis=0) - self.ring
        return np.concatenate([[0.0], np.cumsum(np.sqrt((step**2).sum(axis=1)))])

    @cached_property
    def sides(self) -> list[tuple[float, float]]:
        """(start, end) of each frontage between two sharp corners, in metres along the ring."""
        step = np.roll(self.ring, -1, axis=0) - self.ring
        step = step / np.sqrt((step**2).sum(axis=1))[:, None]
        turn = (step * np.roll(step, 1, axis=0)).sum(axis=1)
        corners = self._lengths[:-1][turn < SHARP_COSINE]
        total = float(self._lengths[-1])
        if not corners.size:
            return [(0.0, total)]
        return list(zip(corners.tolist(), [*corners[1:].tolist(), float(corners[0]) + total], strict=True))

    @cached_property
    def _closed(self) -> tuple[Vertices, Vertices]:
        closed = np.concatenate([self.ring, self.ring[:1]])
        return np.ascontiguousarray(closed[:, 0]), np.ascontiguousarray(closed[:, 1])

    def at(self, length_m: ArrayLike) -> Vertices:
        """The points (..., 2) at lengths (...) along the ring, which goes round."""
        wrapped = np.asarray(length_m, dtype=np.float64) % self._lengths[-1]
        x, y = self._closed
        return np.stack([np.interp(wrapped, self._lengths, x), np.interp(wrapped, self._lengths, y)], axis=-1)

    def stretch(self, start_m: float, end_m: float) -> Vertices:
        """The points (n, 2) of the ring from one length to another, both ends included."""
        total = float(self._lengths[-1])
        turns = np.concatenate([self._lengths[:-1], self._lengths[:-1] + total])
        inner = np.tile(self.ring, (2, 1))[(turns > start_m) & (turns < end_m)]
        return np.array([self.at(start_m), *inner, self.at(end_m)])

    def frame(self, start_m: float, end_m: float) -> Frame:
        """Frame of the chord between two lengths along the ring; its origin is the chord's middle."""
        start, end = self.at(start_m), self.at(end_m)
        chord = end - start
        along = chord / math.sqrt(float(chord @ chord))
        return Frame((start + end) / 2.0, along, np.array([-along[1], along[0]]))

    @property
    def mean_width_m(self) -> float:
        """Width of the strip with the same area and the same edge."""
        return 2.0 * float(self.polygon.area) / float(self._lengths[-1])

    @cached_property
    def main_frame(self) -> Frame:
        """Frame of the longest frontage."""
        start_m, end_m = max(self.sides, key=lambda side: side[1] - side[0])
        return self.frame(start_m, end_m) if len(self.sides) > 1 else self.frame(start_m, end_m / 2.0)
