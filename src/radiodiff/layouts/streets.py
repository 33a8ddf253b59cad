"""Street nets: cutting the plane into blocks."""

import math
from dataclasses import dataclass

import numpy as np

from radiodiff.layouts.outline import SUBDIVISIONS, Outline, Vertices, cut_by_line
from radiodiff.layouts.styles import Style

__all__ = ["StreetNet", "lay_out_blocks"]

DENSIFY_M = 9.0
"""Longest edge of a block before it is bent."""

THINNEST_BLOCK_M = 14.0
MAIN_STREET_SPAN_M = 230.0
"""A cut across a piece longer than this is a main street."""


@dataclass(frozen=True)
class StreetNet:
    """How streets run over one map.

    Attributes:
        style: Sizes of blocks, skew and bend.
        street_width_m: From side street to main street [m].
        angle_deg: Turn of the whole net [deg].
    """

    style: Style
    street_width_m: tuple[float, float]
    angle_deg: float


def lay_out_blocks(net: StreetNet, width_m: float, height_m: float, rng: np.random.Generator) -> list[Outline]:
    """Blocks that touch the map (0..width_m, 0..height_m); they go on beyond its border [m]."""
    style = net.style
    reach_m = math.sqrt(width_m**2 + height_m**2) / 2.0 + 2.0 * style.bend_m + 20.0
    rings = _regular_rings(net, reach_m, rng) if style.is_regular else _irregular_rings(net, reach_m, rng)
    bend = [(style.bend_m * rng.uniform(0.3, 1.0), rng.uniform(220.0, 420.0), rng.uniform()) for _ in range(2)]
    cosine, sine = math.cos(math.radians(net.angle_deg)), math.sin(math.radians(net.angle_deg))
    blocks = []
    for ring in rings:
        bent = _bent(_densified(ring), bend) if style.bend_m > 0 else ring
        turned = bent @ np.array([[cosine, sine], [-sine, cosine]]) + np.array([width_m, height_m]) / 2.0
        low, high = turned.min(axis=0), turned.max(axis=0)
        if (high > 0).all() and low[0] < width_m and low[1] < height_m:
            block = Outline.of(np.round(turned * SUBDIVISIONS) / SUBDIVISIONS)
            # Slivers between two converging streets stay open ground.
            if block.mean_width_m > THINNEST_BLOCK_M:
                blocks.append(block)
    return blocks


def _regular_rings(net: StreetNet, reach_m: float, rng: np.random.Generator) -> list[Vertices]:
    """Rectangles between streets that run through; every third or fourth street is a main street."""
    narrow, wide = net.street_width_m
    intervals: list[list[tuple[float, float]]] = []
    for low, high in (net.style.block_length_m, net.style.block_depth_m):
        size = rng.uniform(low, high)
        position, cuts = -reach_m - size * rng.uniform(), []
        while position < reach_m:
            end = position + min(max(size * rng.uniform(0.85, 1.15), low), high)
            cuts.append((position, end))
            position = end + (wide if rng.uniform() < 0.3 else rng.uniform(narrow, (narrow + wide) / 2.0))
        intervals.append(cuts)
    return [np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) for x0, x1 in intervals[0] for y0, y1 in intervals[1]]


def _irregular_rings(net: StreetNet, reach_m: float, rng: np.random.Generator) -> list[Vertices]:
    """Pieces of a square, cut in two again and again until they have the size of a block."""
    square = reach_m * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    finished: list[Vertices] = []
    pending = [(square, False)]
    while pending:
        ring, is_upright = pending.pop()
        span = ring.max(axis=0) - ring.min(axis=0)
        wanted = np.array([rng.uniform(*net.style.block_length_m), rng.uniform(*net.style.block_depth_m)])
        if is_upright:
            wanted = wanted[::-1]
        ratio = span / wanted
        axis = int(ratio[1] > ratio[0])
        if not ratio[axis] > 1.35:
            finished.append(ring)
            continue
        # A quarter with its own direction of streets is decided while the piece holds a few blocks.
        if 1.8 < ratio.min() < 3.5 and rng.uniform() < 0.3:
            is_upright = not is_upright
        for half in _cut_in_two(ring, axis, float(ratio[axis]), net, rng):
            if len(half) >= 3:
                pending.append((half, is_upright))
    return finished


def _cut_in_two(
    ring: Vertices, axis: int, blocks_across: float, net: StreetNet, rng: np.random.Generator
) -> list[Vertices]:
    """Both sides of a new street across `axis` of a piece."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    count = max(2, round(blocks_across))
    share = (int(rng.integers(1, count)) + rng.uniform(-0.12, 0.12)) / count
    point = (low + high) / 2.0
    point[axis] = low[axis] + share * (high[axis] - low[axis])
    narrow, wide = net.street_width_m
    middle = (narrow + wide) / 2.0
    is_main = high[axis] - low[axis] > MAIN_STREET_SPAN_M
    half_width = rng.uniform(middle, wide) / 2.0 if is_main else rng.uniform(narrow, middle) / 2.0
    slope = math.tan(math.radians(net.style.skew_deg)) * rng.uniform(-1.0, 1.0)
    normal = np.array([1.0, slope]) if axis == 0 else np.array([slope, 1.0])
    normal /= math.sqrt(1.0 + slope * slope)
    return [cut_by_line(ring, point + half_width * side, side) for side in (normal, -normal)]


def _densified(ring: Vertices) -> Vertices:
    """The ring with its long edges divided."""
    parts = []
    for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        step = end - start
        count = max(1, math.ceil(math.sqrt(float(step @ step)) / DENSIFY_M))
        parts.append(start + step * (np.arange(count) / count)[:, None])
    return np.concatenate(parts)


def _bent(ring: Vertices, bend: list[tuple[float, float, float]]) -> Vertices:
    """Shear by a sine along either axis: neighbours stay neighbours and never cross."""
    bent = ring.copy()
    for axis, (sway_m, wavelength_m, phase) in enumerate(bend):
        angle = 2.0 * math.pi * (bent[:, 1 - axis] / wavelength_m + phase)
        bent[:, axis] += sway_m * np.sin(angle)
    return bent
