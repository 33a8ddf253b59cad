"""Regions of maps drawn by hand."""

import numpy as np
import pytest

from radiodiff.errors import InputError
from radiodiff.evaluation.config import RegionConfig
from radiodiff.evaluation.regions import REGIONS, RegionFinder


def mask(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


STREET = mask(
    ".........",
    "...#.....",
    "...#.....",
    ".........",
)


def test_a_wall_throws_its_shadow() -> None:
    found = RegionFinder(RegionConfig(boundary_cells=1.0, far_cells=4.0)).regions((4, 9), STREET, (1, 1))
    assert list(found) == list(REGIONS)
    assert found["all"].all()
    assert (found["outdoor"] == ~STREET).all()
    # The ray starts at column 1.5, row 1.5; the wall spans columns 3 to 4 and rows 1 to 3. Where it comes to column 3,
    # the ray to column c + 0.5 is at row 1.5 - 1.5 / (c - 1) for cells of row 0: above the wall, or grazing its corner
    # at row 1, up to c = 4; and at row 1.5 + 3 / (c - 1) for those of row 3: below the wall up to c = 3.
    shadow = mask(
        ".....####",
        "....#####",
        "....#####",
        "....#####",
    )
    assert (found["nlos"] == shadow).all()
    assert (found["los"] == ~STREET & ~shadow).all()
    beside = mask(
        "...#.....",
        "..#.#....",
        "..#.#....",
        "...#.....",
    )
    assert (found["boundary"] == beside).all()
    distances = np.hypot(*(np.indices((4, 9)) - np.array([1, 1])[:, None, None]))
    assert (found["far"] == ((distances > 4.0) & ~STREET)).all()
    assert found["far"].sum() == 3 * 4 + 3


def test_diagonal_neighbours_are_further_than_one_cell() -> None:
    found = RegionFinder(RegionConfig(boundary_cells=1.5)).regions((4, 9), STREET, (1, 1))
    beside = mask(
        "..###....",
        "..#.#....",
        "..#.#....",
        "..###....",
    )
    assert (found["boundary"] == beside).all()


def test_rays_between_all_cells_by_brute_force() -> None:
    """Sampled finely, a ray that stays out of every building by some margin is in sight, one that enters is not."""
    random = np.random.default_rng(5)
    buildings = random.random((14, 17)) < 0.12
    tx = (6, 8)
    buildings[tx] = False
    found = RegionFinder().regions(buildings.shape, buildings, tx)
    share = np.linspace(0.0, 1.0, 4001)
    for row, col in np.argwhere(~buildings):
        rows, cols = (tx[0] + 0.5 + share * (row - tx[0])), (tx[1] + 0.5 + share * (col - tx[1]))
        inside = buildings[rows.astype(int), cols.astype(int)]
        edge = np.minimum(np.abs(rows - np.rint(rows)), np.abs(cols - np.rint(cols))) < 1e-3
        if inside[~edge].any():
            assert not found["los"][row, col]
        elif not inside.any():
            assert found["los"][row, col]


def test_a_transmitter_in_a_building_cell_is_not_shut_in() -> None:
    buildings = mask("#..", "...")
    found = RegionFinder().regions((2, 3), buildings, (0, 0))
    assert (found["los"] == ~buildings).all()


def test_a_map_without_buildings_is_in_sight() -> None:
    empty = np.zeros((5, 6), dtype=bool)
    found = RegionFinder().regions((5, 6), empty, (2, 2))
    assert found["los"].all()
    assert {name for name, region in found.items() if not region.any()} == {"nlos", "boundary", "far"}


def test_what_nobody_can_tell_is_left_out() -> None:
    finder = RegionFinder(RegionConfig(far_cells=2.0))
    assert list(finder.regions((4, 9), None, (0, 0))) == ["all", "far"]
    assert list(finder.regions((4, 9), None, (-1, -1))) == ["all"]
    assert list(finder.regions((4, 9), STREET, (4, 0))) == ["all", "outdoor", "boundary"]
    assert finder.regions((4, 9), None, (0, 0))["far"].sum() == 4 * 9 - 6


def test_cells_that_do_not_count_are_in_no_region() -> None:
    counting = np.zeros((4, 9), dtype=bool)
    counting[:, :4] = True
    finder = RegionFinder(RegionConfig(far_cells=2.0))
    everywhere, some = (finder.regions((4, 9), STREET, (1, 1), chosen) for chosen in (None, counting))
    assert list(everywhere) == list(some)
    for name, region in everywhere.items():
        assert (some[name] == region & counting).all()


def test_the_boundary_is_that_of_each_city() -> None:
    finder = RegionFinder(RegionConfig(boundary_cells=1.0))
    first = finder.regions((4, 9), STREET, (0, 0))["boundary"]
    second = finder.regions((4, 9), STREET[:, ::-1].copy(), (0, 0))["boundary"]
    assert (second == first[:, ::-1]).all()
    assert (finder.regions((4, 9), STREET, (3, 3))["boundary"] == first).all()


def test_masks_are_bool_and_of_the_map() -> None:
    with pytest.raises(InputError, match="bool maps of 4 x 9"):
        RegionFinder().regions((4, 9), STREET.astype(float), (0, 0))
    with pytest.raises(InputError, match="bool maps of 4 x 9"):
        RegionFinder().regions((4, 9), STREET, (0, 0), STREET[1:])


def test_words_say_where_regions_end() -> None:
    words = RegionFinder(RegionConfig(boundary_cells=2.0, far_cells=77.0)).words()
    assert list(words) == list(REGIONS)
    assert "2 cells" in words["boundary"]
    assert "77 cells" in words["far"]
