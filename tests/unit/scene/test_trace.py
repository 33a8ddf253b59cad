"""Outlines read off rasters, against the outlines that the rasters were made from."""

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate, translate

from engine_cases import random_town
from radiodiff.scene import Grid, rasterize
from radiodiff.scene.trace import SMALLEST_CELLS, trace_footprints

GRID = Grid(96, 96)
SHAPES = 300


def rectangle(generator: np.random.Generator, longest: float) -> shapely.Polygon:
    return shapely.box(0.0, 0.0, *generator.uniform(8.0, longest, size=2))


def angle(generator: np.random.Generator, longest: float) -> shapely.Polygon:
    """An L with six sides of at least 8 cells."""
    a, b, c, d = generator.uniform(8.0, longest, size=4)
    return shapely.Polygon([(0, 0), (a + b, 0), (a + b, c), (a, c), (a, c + d), (0, c + d)])


def placed(shape: shapely.Polygon, generator: np.random.Generator) -> shapely.Polygon:
    """The shape, turned and moved at random about the middle of the grid."""
    turned = rotate(shape, generator.uniform(0.0, 90.0), origin="centroid")
    x, y = 48.0 - turned.centroid.x, 48.0 - turned.centroid.y
    return translate(turned, x + generator.uniform(-0.5, 0.5), y + generator.uniform(-0.5, 0.5))


def corners(outline: shapely.Polygon) -> np.ndarray:
    return shapely.get_coordinates(outline.exterior)[:-1]


def traced(mask: np.ndarray, cell_size_m: float = 1.0) -> list[shapely.Polygon]:
    return [footprint.polygon for footprint in trace_footprints(Grid(*mask.shape, cell_size_m), mask)]


@pytest.mark.parametrize("longest", [12.0, 24.0, 32.0])
@pytest.mark.parametrize("draw", [rectangle, angle])
def test_corners_come_back_to_a_fraction_of_a_cell(draw, longest: float) -> None:
    """Measured: median 0.08 to 0.21 cells, 90 % within 0.45, 99 % within 0.85, all within 1.6; 4 % have one more."""
    generator = np.random.default_rng(1)
    distances, surplus, area = [], [], []
    for _ in range(SHAPES):
        outline = placed(draw(generator, longest), generator)
        (found,) = traced(rasterize(GRID, [outline]))
        apart = np.linalg.norm(corners(outline)[:, None] - corners(found)[None], axis=2)
        distances.extend(apart.min(axis=1))
        surplus.append(len(corners(found)) - len(corners(outline)))
        area.append(abs(found.area - outline.area) / outline.length)
    median, most, nearly_all = np.quantile(distances, [0.5, 0.9, 0.99])
    assert median < 0.25
    assert most < 0.5
    assert nearly_all < 1.0
    assert max(distances) < 2.0
    # No corner is lost.
    assert min(surplus) == 0
    assert np.mean(np.array(surplus) == 0) > 0.9
    assert max(surplus) <= 3
    # As if all walls stood that far beside their places [cells].
    assert np.median(area) < 0.03
    assert max(area) < 0.5


def test_the_traced_outline_fills_nearly_the_same_cells() -> None:
    generator = np.random.default_rng(2)
    for draw in (rectangle, angle):
        for _ in range(SHAPES // 3):
            outline = placed(draw(generator, 24.0), generator)
            mask = rasterize(GRID, [outline])
            changed = rasterize(GRID, traced(mask)) != mask
            # Measured: at most 0.16 cells per cell of wall.
            assert changed.sum() < 0.25 * outline.length


def block(left: int, top: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_rectangles_along_the_axes_come_back_exactly() -> None:
    generator = np.random.default_rng(3)
    for _ in range(100):
        (left, top), (width, height) = generator.integers(0, 60, size=2), generator.integers(3, 36, size=2)
        (found,) = traced(block(left, top, width, height))
        expected = shapely.box(left, top, left + width, top + height)
        assert len(corners(found)) == 4
        assert shapely.hausdorff_distance(found, expected) < 1e-9


def test_walls_of_two_cells_come_back_to_half_a_cell() -> None:
    for length in range(3, 60):
        (found,) = traced(block(10, 20, 2, length))
        assert shapely.hausdorff_distance(found, shapely.box(10, 20, 12, 20 + length)) < 0.5


def test_blocks_of_right_angles_come_back_exactly() -> None:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[10:40, 10:22] = mask[30:40, 10:60] = mask[10:60, 50:60] = True
    (found,) = traced(mask)
    outline = shapely.union_all([shapely.box(10, 10, 22, 40), shapely.box(10, 30, 60, 40), shapely.box(50, 10, 60, 60)])
    assert shapely.hausdorff_distance(found, outline) < 1e-9
    assert len(corners(found)) == 10


def test_cars_keep_their_cells() -> None:
    """Of 10 to 15 cells, too few to tell a slanted side by."""
    generator = np.random.default_rng(4)
    for _ in range(100):
        mask = rasterize(GRID, [placed(shapely.box(0.0, 0.0, 5.0, 2.0), generator)])
        assert 0 < mask.sum() < SMALLEST_CELLS
        outlines = traced(mask)
        assert sum(outline.area for outline in outlines) == mask.sum()
        np.testing.assert_array_equal(rasterize(GRID, outlines), mask)


def test_holes_are_kept() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        yard = placed(shapely.box(0.0, 0.0, 14.0, 18.0), generator)
        outside = placed(shapely.box(0.0, 0.0, 44.0, 40.0), generator)
        mask = rasterize(GRID, [shapely.Polygon(outside.exterior, [yard.exterior])])
        (found,) = traced(mask)
        (hole,) = found.interiors
        assert shapely.hausdorff_distance(shapely.Polygon(hole), yard) < 2.0
        assert shapely.hausdorff_distance(shapely.Polygon(found.exterior), outside) < 2.0
        assert found.area == pytest.approx(mask.sum(), rel=0.01)


def test_a_building_in_a_courtyard_is_one_of_its_own() -> None:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[10:60, 10:60] = True
    mask[20:50, 20:50] = False
    mask[30:40, 30:40] = True
    outlines = sorted(traced(mask), key=lambda outline: outline.area)
    assert [outline.area for outline in outlines] == [100.0, 1600.0]
    assert [len(outline.interiors) for outline in outlines] == [0, 1]


def test_an_empty_mask_has_no_outlines() -> None:
    assert traced(np.zeros((5, 7), dtype=bool)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (9, 13), (40, 30)], ids=str)
def test_a_full_mask_is_one_rectangle(shape: tuple[int, int]) -> None:
    (found,) = traced(np.ones(shape, dtype=bool))
    assert found.normalize() == shapely.box(0, 0, shape[1], shape[0]).normalize()


@pytest.mark.parametrize("cell", [(0, 0), (3, 2), (6, 8)], ids=str)
def test_a_single_cell_is_a_square(cell: tuple[int, int]) -> None:
    mask = np.zeros((7, 9), dtype=bool)
    mask[cell] = True
    (found,) = traced(mask)
    row, col = cell
    assert found.normalize() == shapely.box(col, row, col + 1, row + 1).normalize()


@pytest.mark.parametrize("side", [1, 3, 10])
def test_blocks_that_touch_at_a_corner_are_two(side: int) -> None:
    mask = np.zeros((2 * side, 2 * side), dtype=bool)
    mask[:side, :side] = mask[side:, side:] = True
    first, second = sorted(traced(mask), key=lambda outline: outline.bounds)
    assert first.normalize() == shapely.box(0, 0, side, side).normalize()
    assert second.normalize() == shapely.box(side, side, 2 * side, 2 * side).normalize()


def test_a_hole_that_touches_the_outside_at_a_corner() -> None:
    mask = np.ones((12, 12), dtype=bool)
    mask[0, 0] = mask[1, 1] = False
    outlines = traced(mask)
    # The missing corner cell is too small a step to keep: a corner cut by a cell at most.
    assert sum(outline.area for outline in outlines) == pytest.approx(142.0, abs=1.0)
    assert all(outline.is_valid for outline in outlines)
    assert (rasterize(Grid(12, 12), outlines) != mask).sum() <= 1


def test_cells_of_any_size() -> None:
    mask = random_town(8).buildings
    assert mask.any()
    for fine, coarse in zip(traced(mask), traced(mask, 2.5), strict=True):
        np.testing.assert_allclose(shapely.get_coordinates(coarse), 2.5 * shapely.get_coordinates(fine))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_noise_gives_valid_outlines(share: float) -> None:
    """Nothing is straight here: the worst case for fitting walls. Measured: up to 15 % of the cells change sides."""
    for seed in range(20):
        mask = np.random.default_rng(seed).random((30, 40)) < share
        outlines = traced(mask)
        assert all(outline.is_valid and outline.area > 0 for outline in outlines)
        assert (rasterize(Grid(30, 40), outlines) != mask).sum() <= 0.25 * mask.sum()


@pytest.mark.parametrize("seed", range(30))
def test_towns_of_blocks_keep_nearly_all_cells(seed: int) -> None:
    mask = random_town(seed, rows=40, cols=50).buildings
    outlines = traced(mask)
    assert all(outline.is_valid for outline in outlines)
    # Measured: 7 at most, in steps of a cell or two that are taken for a slanted wall.
    assert (rasterize(Grid(40, 50), outlines) != mask).sum() <= 12
