"""Where a radio map bends away from a wave: the negative part of its squared local wave number."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError

__all__ = ["curvature_map"]

FLOOR = 1.0 / 255.0
"""Cells below one grey level have no amplitude to divide by: they are left out, with their neighbours."""

TOP_PERCENTILE = 99.0
"""What becomes 1: a few cells beside walls would else set the scale of the whole map."""


def curvature_map(level: ArrayLike, excluded: ArrayLike | None = None) -> NDArray[np.float32]:
    """Magnitude of negative k^2 of a map, scaled to [0, 1].

    Away from sources a field obeys `lap u + k^2 u = 0`, so `k^2 = -lap u / u`, here with the 5-point Laplacian at a
    step of one cell and u the grey level. Where k^2 is negative the field decays instead of oscillating: behind corners
    and along shadow borders. There `-k^2 = lap u / u` is kept, divided by its 99th percentile and clipped; elsewhere 0.

    Args:
        level: (rows, cols) grey level in [0, 1].
        excluded: (rows, cols) bool, cells that get 0 and do not count, such as buildings and the transmitter; cells
            that touch one get 0 too, since their Laplacian sees it. Cells of level 0 are left out likewise.

    Returns:
        (rows, cols) float32 in [0, 1]; 0 on the rim of the map.

    Raises:
        InputError: The level is not two-dimensional or not finite, or the mask has another size.

    Source: the Helmholtz equation; its use on radio maps: Wang et al. (2025), "RadioDiff-k2", arXiv 2504.15623.
    """
    u = np.asarray(level, dtype=np.float64)
    out = np.zeros(u.shape, dtype=bool) if excluded is None else np.asarray(excluded, dtype=bool)
    if u.ndim != 2 or out.shape != u.shape or not np.isfinite(u).all():
        raise InputError(
            "A curvature map needs a finite level (rows, cols) and a mask of its size",
            value=f"shapes {u.shape} and {out.shape}, {int((~np.isfinite(u)).sum())} values not finite",
            remedy="Give the grey level in [0, 1] and the cells to leave out.",
        )
    out = out | (u < FLOOR)
    ratio = np.zeros_like(u)
    near = np.ones(u.shape, dtype=bool)
    if min(u.shape) >= 3:
        inner = np.s_[1:-1, 1:-1]
        laplacian = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * u[inner]
        ratio[inner] = laplacian / np.where(out[inner], 1.0, u[inner])
        near[inner] = out[inner] | out[:-2, 1:-1] | out[2:, 1:-1] | out[1:-1, :-2] | out[1:-1, 2:]
    kept = np.where(near, 0.0, np.maximum(ratio, 0.0))
    positive = kept[kept > 0]
    top = float(np.percentile(positive, TOP_PERCENTILE)) if positive.size else 1.0
    return np.minimum(kept / top, 1.0).astype(np.float32)
