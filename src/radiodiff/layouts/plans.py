"""Ground plans of buildings as corner lists in (along, inward) metres, centred on the frontage.

A plan starts at inward = 0 and keeps within its length and depth. All are simple rings.
"""

import numpy as np

from radiodiff.layouts.outline import Vertices

__all__ = ["COMPOUND_PLANS", "angled", "bar", "comb", "h_shape", "house", "slab", "u_shape"]


def bar(length_m: float, depth_m: float) -> Vertices:
    """A rectangle."""
    half = length_m / 2.0
    return np.array([[-half, 0.0], [half, 0.0], [half, depth_m], [-half, depth_m]])


def angled(length_m: float, depth_m: float, wing_m: float) -> Vertices:
    """An L: a bar along the front and a wing going in at its left end."""
    half = length_m / 2.0
    return np.array(
        [
            [-half, 0.0],
            [half, 0.0],
            [half, wing_m],
            [wing_m - half, wing_m],
            [wing_m - half, depth_m],
            [-half, depth_m],
        ]
    )


def u_shape(length_m: float, depth_m: float, wing_m: float) -> Vertices:
    """A bar along the front with a wing at both ends."""
    half, inner = length_m / 2.0, length_m / 2.0 - wing_m
    return np.array(
        [
            [-half, 0.0],
            [half, 0.0],
            [half, depth_m],
            [inner, depth_m],
            [inner, wing_m],
            [-inner, wing_m],
            [-inner, depth_m],
            [-half, depth_m],
        ]
    )


def h_shape(length_m: float, depth_m: float, wing_m: float) -> Vertices:
    """Two wings and a bar between their middles."""
    half, inner = length_m / 2.0, length_m / 2.0 - wing_m
    low, high = (depth_m - wing_m) / 2.0, (depth_m + wing_m) / 2.0
    right = [[inner, 0.0], [half, 0.0], [half, depth_m], [inner, depth_m], [inner, high]]
    left = [[-inner, high], [-inner, depth_m], [-half, depth_m], [-half, 0.0], [-inner, 0.0], [-inner, low]]
    return np.array([*right, *left, [inner, low]])


def comb(length_m: float, depth_m: float, wing_m: float) -> Vertices:
    """A bar along the front with three wings going in."""
    half, tooth = length_m / 2.0, wing_m / 2.0
    back = []
    for middle in (half - tooth, 0.0, tooth - half):
        left, right = middle - tooth, middle + tooth
        back += [[right, wing_m], [right, depth_m], [left, depth_m], [left, wing_m]]
    return np.array([[-half, 0.0], [half, 0.0], *back[1:-1]])


COMPOUND_PLANS = ((angled, 1), (u_shape, 2), (h_shape, 2), (comb, 3))
"""Plans of schools, hospitals, offices, of (length, depth, wing width) [m], and their number of wings."""


def house(width_m: float, depth_m: float, rng: np.random.Generator) -> Vertices:
    """A detached house: a rectangle, or one with an annex at one side or at the back."""
    kind = rng.uniform()
    if kind < 0.7:
        return bar(width_m, depth_m)
    half, side = width_m / 2.0, -1.0 if rng.uniform() < 0.5 else 1.0
    reach, start = rng.uniform(0.3, 0.55) * width_m, rng.uniform(0.55, 0.8) * depth_m
    plan = np.array(
        [
            [-half, 0.0],
            [half, 0.0],
            [half, start],
            [half - reach, start],
            [half - reach, depth_m],
            [-half, depth_m],
        ]
    )
    return plan * [side, 1.0]


def slab(length_m: float, depth_m: float, rng: np.random.Generator) -> Vertices:
    """A long block of flats, plain, set back half way, or with a projecting stairwell."""
    half, kind = length_m / 2.0, rng.uniform()
    if kind < 0.55 or length_m < 30.0:
        return bar(length_m, depth_m)
    cut = half * rng.uniform(-0.4, 0.4)
    if kind < 0.8:
        shift = 0.2 * depth_m
        front = [[-half, 0.0], [cut, 0.0], [cut, shift], [half, shift]]
        return np.array([*front, [half, depth_m], [cut, depth_m], [cut, depth_m - shift], [-half, depth_m - shift]])
    width, shift = min(9.0, 0.25 * length_m), min(3.0, 0.25 * depth_m)
    stairs = [[cut - width, depth_m - shift], [cut - width, depth_m], [cut, depth_m], [cut, depth_m - shift]][::-1]
    return np.array([[-half, 0.0], [half, 0.0], [half, depth_m - shift], *stairs, [-half, depth_m - shift]])
