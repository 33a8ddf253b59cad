"""Line of sight over roofs: shadows by the intercept theorem."""

import time

import numpy as np
import pytest

from radiodiff.evaluation.config import RegionConfig
from radiodiff.evaluation.regions import RegionFinder
from radiodiff.evaluation.sight import Heights, in_sight_over_roofs


@pytest.mark.parametrize(("tx_m", "wall_m"), [(30.0, 20), (23.0, 20), (60.0, 12), (2.5, 20)])
def test_the_shadow_of_a_wall_ends_where_the_line_over_it_comes_down(tx_m: float, wall_m: int) -> None:
    roofs_m = np.zeros((21, 200), dtype=np.float32)
    roofs_m[:, 20:24] = wall_m
    seen = in_sight_over_roofs(Heights(roofs_m, tx_m), (10, 5))
    # The line over the far edge, 24 - 5.5 from the transmitter, meets the height of the receivers at `end`.
    end = np.inf if tx_m <= wall_m else 5.5 + 18.5 * (tx_m - 1.5) / (tx_m - wall_m)
    # Edges are known to half a cell; the line stretches that.
    off = 1.0 if np.isinf(end) else 1.0 + 0.5 * (tx_m - 1.5) / (tx_m - wall_m)
    middles = np.arange(200) + 0.5
    row = seen[10]
    assert row[:20].all()
    assert not row[20:24].any()
    assert not row[(middles > 24) & (middles < end - off)].any()
    assert row[middles > end + off].all()


def test_streets_below_the_roof_of_the_transmitter_are_in_its_shadow() -> None:
    roofs_m = np.zeros((101, 101), dtype=np.float32)
    roofs_m[40:61, 40:61] = 20
    seen = in_sight_over_roofs(Heights(roofs_m, 23.0), (50, 50))
    # 3 m above the edge at 10.5: the line comes down 21.5 m after 10.5 * 21.5 / 3 = 75 m, beyond the map.
    assert not seen.any()
    assert in_sight_over_roofs(Heights(roofs_m, 50.0), (50, 50))[50, 80]


def test_without_roofs_all_is_in_sight() -> None:
    for shape, tx in (((64, 64), (3, 60)), ((40, 90), (0, 0)), ((5, 5), (4, 4))):
        assert in_sight_over_roofs(Heights(np.zeros(shape, dtype=np.float32), 1.5), tx).all()


def test_high_roofs_shade_as_walls_do() -> None:
    random = np.random.default_rng(3)
    buildings = np.zeros((96, 96), dtype=bool)
    for row, col in random.integers(0, 90, (12, 2)):
        buildings[row : row + 6, col : col + 9] = True
    buildings[46:52, 46:52] = False
    finder = RegionFinder(RegionConfig())
    heights = Heights((buildings * 200).astype(np.float32), 2.5)
    flat = finder.regions((96, 96), buildings, (48, 48))
    over = finder.regions((96, 96), buildings, (48, 48), heights=heights)
    # Rays through the middle of a cell, and to any part of it: they differ along the edges of shadows.
    assert (flat["los"] != over["los"]).sum() < 0.05 * (~buildings).sum()
    assert not (flat["los"] & ~over["los"]).sum() > 0.01 * (~buildings).sum()
    np.testing.assert_array_equal(over["nlos"], ~buildings & ~over["los"])


def test_a_map_takes_a_fraction_of_a_second() -> None:
    start = time.perf_counter()
    in_sight_over_roofs(Heights(np.zeros((256, 256), dtype=np.float32), 30.0), (100, 100))
    assert time.perf_counter() - start < 5.0
