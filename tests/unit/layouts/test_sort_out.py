"""Copies, overlaps and the disjoint set."""

import itertools

import numpy as np
import pytest
import shapely
from shapely import box
from shapely.affinity import affine_transform

from radiodiff.errors import LayoutError
from radiodiff.formats import Layout
from radiodiff.layouts import sort_out
from radiodiff.scene import Footprint, Grid, Scene

SIZE = 64


def town(seed: int) -> Scene:
    """Blocks on a lattice of streets, drawn anew for each seed."""
    corners = [(8 * x, 8 * y) for x in range(8) for y in range(8)]
    is_built = np.random.default_rng(seed).uniform(size=len(corners)) < 0.4
    blocks = [Footprint(box(x, y, x + 7, y + 7), 9.0) for (x, y), built in zip(corners, is_built, strict=True) if built]
    return Scene.from_footprints(Grid(SIZE, SIZE), blocks)


def layout(name: str, scene: Scene, city: str = "a", row: int = 0, col: int = 0) -> Layout:
    return Layout(name, city, scene, row, col, "none", name, is_disjoint=False)


def turned(scene: Scene, quarter_turns: int, is_mirrored: bool) -> Scene:
    middle = scene.grid.rows / 2.0
    cosine, sine = round(np.cos(np.pi / 2 * quarter_turns)), round(np.sin(np.pi / 2 * quarter_turns))
    flip = -1.0 if is_mirrored else 1.0
    a, b, d, e = flip * cosine, -sine, flip * sine, cosine
    matrix = [a, b, d, e, middle - a * middle - b * middle, middle - d * middle - e * middle]
    shapes = [Footprint(affine_transform(f.polygon, matrix), f.height_m) for f in scene.footprints]
    return Scene.from_footprints(scene.grid, shapes)


def row_of(count: int, stride: int) -> list[Layout]:
    """Crops of one city side by side, each with buildings of its own."""
    return [layout(f"c{i}", town(i), col=i * stride) for i in range(count)]


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_turned_copy_is_left_out(quarter_turns: int, is_mirrored: bool) -> None:
    scene = town(1)
    kept = sort_out([layout("first", scene), layout("copy", turned(scene, quarter_turns, is_mirrored), "b")])
    assert [one.name for one in kept] == ["first"]


def test_a_near_copy_is_kept_and_marked() -> None:
    scene = town(1)
    changed = Scene.from_footprints(scene.grid, scene.footprints[: -max(1, len(scene.footprints) // 8)])
    share = changed.buildings.sum() / scene.buildings.sum()
    assert 0.8 < share < 0.98
    first, second, other = sort_out(
        [layout("first", scene), layout("near", turned(changed, 1, True), "b"), layout("c", town(2), "c")]
    )
    assert (first.similar_to, second.similar_to, other.similar_to) == (None, "first", None)
    assert first.is_disjoint != second.is_disjoint
    assert first.group == second.group == "first"
    assert (other.group, other.is_disjoint) == ("c", True)


def test_crops_without_buildings_are_copies() -> None:
    kept = sort_out([layout("a", Scene.empty(Grid(SIZE, SIZE))), layout("b", Scene.empty(Grid(SIZE, SIZE)), "b")])
    assert [one.name for one in kept] == ["a"]


def test_small_crops_are_compared_cell_by_cell() -> None:
    scenes = [Scene.from_footprints(Grid(8, 8), [Footprint(box(0, 0, n, 2), 5.0)]) for n in (2, 6, 2)]
    kept = sort_out([layout(f"c{i}", scene, f"city{i}") for i, scene in enumerate(scenes)])
    assert [one.name for one in kept] == ["c0", "c1"]


def test_crops_that_overlap_exclude_each_other() -> None:
    kept = sort_out(row_of(5, SIZE // 2))
    assert [one.is_disjoint for one in kept] == [True, False, True, False, True]
    assert {one.group for one in kept} == {"c0"}


def test_crops_that_share_a_border_only_are_disjoint() -> None:
    kept = sort_out(row_of(3, SIZE))
    assert all(one.is_disjoint for one in kept)
    assert [one.group for one in kept] == ["c0", "c1", "c2"]


def test_cities_share_no_ground() -> None:
    kept = sort_out([layout("a", town(1), "a"), layout("b", town(2), "b")])
    assert [one.is_disjoint for one in kept] == [True, True]
    assert kept[0].group != kept[1].group


@pytest.mark.parametrize("seed", range(3))
def test_the_disjoint_set_is_disjoint_and_near_the_largest(seed: int) -> None:
    from scipy.optimize import Bounds, LinearConstraint, milp

    rng = np.random.default_rng(seed)
    corners = [(row, col) for row in range(0, 6 * 32, 32) for col in range(0, 8 * 32, 32) if rng.uniform() < 0.7]
    layouts = [layout(f"c{i}", town(i), row=row, col=col) for i, (row, col) in enumerate(corners)]
    kept = sort_out(layouts)
    assert len(kept) == len(layouts)
    windows = [box(one.col, one.row, one.col + SIZE, one.row + SIZE) for one in kept]
    similar = {(one.name, one.similar_to) for one in kept if one.similar_to}
    pairs = []
    for (i, one), (j, other) in itertools.combinations(enumerate(kept), 2):
        if shapely.intersection(windows[i], windows[j]).area > 0 or (other.name, one.name) in similar:
            pairs.append((i, j))
            assert not (one.is_disjoint and other.is_disjoint)
    table = np.zeros((len(pairs), len(kept)))
    for number, pair in enumerate(pairs):
        table[number, list(pair)] = 1.0
    best = milp(-np.ones(len(kept)), constraints=LinearConstraint(table, ub=1.0), integrality=1, bounds=Bounds(0, 1))
    assert sum(one.is_disjoint for one in kept) >= round(-best.fun) - 1


def test_a_limit_takes_disjoint_ones_first_and_cities_in_turn() -> None:
    many = [*row_of(5, SIZE // 2), layout("d0", town(21), "d"), layout("e0", town(22), "e")]
    assert [one.name for one in sort_out(many, limit=4)] == ["c0", "c2", "d0", "e0"]
    assert [one.name for one in sort_out(many, limit=6)] == ["c0", "c1", "c2", "c4", "d0", "e0"]
    assert len(sort_out(many, limit=100)) == 7


def test_a_limit_keeps_no_name_of_a_layout_that_is_gone() -> None:
    scene = town(1)
    changed = Scene.from_footprints(scene.grid, scene.footprints[: -max(1, len(scene.footprints) // 8)])
    near = [layout("x", town(5), col=40), layout("first", scene, col=0), layout("near", changed, "b")]
    for one in sort_out(near, limit=2):
        assert one.similar_to in (None, "x", "first")


def test_no_crop_at_all() -> None:
    with pytest.raises(LayoutError, match=r"coverage is within the range; got none\. Widen the range"):
        sort_out([])


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one(limit: int) -> None:
    with pytest.raises(LayoutError, match="limit of layouts must be at least 1"):
        sort_out(row_of(1, 1), limit=limit)
