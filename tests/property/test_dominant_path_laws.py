"""What one more building does to the dominant path model, on random towns of rectangles at any angle."""

import dataclasses
import itertools

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate

from radiodiff.propagation import RADIOMAPSEER_LAW, DominantPath, DominantPathLaw, geometry_channels
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(24, 32)

LENGTH_AND_ANGLE = dataclasses.replace(
    RADIOMAPSEER_LAW,
    corner_offset_db=0.0,
    corner_max_db=22.0,
    corner_saturation_deg=120.0,
    over_roof_loss_db=500.0,
    max_corners=9,
)
"""Loss that grows with the length of a path and with the sum of its turns, and with nothing else: no corner of a
rectangle turns by more than 90 deg, no path over the roofs is worth it, and no town here asks for more corners."""


@st.composite
def rectangles(draw: st.DrawFn) -> shapely.Polygon:
    """At least two cells wide, anywhere on the grid and partly beyond it."""
    x, y = draw(st.floats(0.0, GRID.cols)), draw(st.floats(0.0, GRID.rows))
    width, height = draw(st.floats(2.0, 14.0)), draw(st.floats(2.0, 10.0))
    return rotate(shapely.box(x, y, x + width, y + height), draw(st.floats(0.0, 90.0)), origin="center")


@st.composite
def towns_that_grow(draw: st.DrawFn) -> tuple[Scene, Scene, Transmitter]:
    """A town, the same with one more building, and a transmitter outside the buildings of both."""
    blocks = draw(st.lists(rectangles(), max_size=4))
    before, after = (
        Scene.from_footprints(GRID, [Footprint(block) for block in some])
        for some in (blocks, [*blocks, draw(rectangles())])
    )
    free = np.argwhere(~after.buildings)
    assume(len(free))
    row, col = free[draw(st.integers(0, len(free) - 1))]
    return before, after, Transmitter.at_cell(GRID, int(col), int(row))


def losses(before: Scene, after: Scene, tx: Transmitter, law: DominantPathLaw) -> tuple[np.ndarray, np.ndarray]:
    """Path loss before and after at the cells outside the buildings of both."""
    maps = (DominantPath(law).radio_map(scene, tx).path_loss_db for scene in (before, after))
    few, more = (values[~after.buildings] for values in maps)
    return few, more


@settings(max_examples=150)
@given(towns_that_grow())
def test_one_more_building_never_lowers_a_loss_of_length_and_angle(towns: tuple[Scene, Scene, Transmitter]) -> None:
    """Every path through the larger town is one through the smaller, where pulling it tight costs nothing.

    The offset and the saturation of the corner loss are switched off: with them the law counts corners, and a turn at
    one corner of a new building may replace two turns at old ones, see the next test.

    Cells and transmitters near a wall are left out. A ray that grazes a wall by a thousandth of a cell counts as free,
    which saves a turn of up to 0.3 deg at a corner a quarter of a cell away, and gaps of two thousandths are closed.
    """
    before, after, tx = towns
    outlines = [footprint.polygon for footprint in after.footprints or ()]
    centres = shapely.points(*np.broadcast_arrays(*GRID.centres_m()))
    with np.errstate(divide="ignore"):  # GEOS now and then raises this flag without harm to the result.
        assume(not any(0.0 < one.distance(other) < 0.01 for one, other in itertools.combinations(outlines, 2)))
        is_clear = shapely.distance(shapely.union_all(outlines), centres) > 0.25
    assume(is_clear[tx.cell(GRID)])
    few, more = losses(before, after, tx, LENGTH_AND_ANGLE)
    assert (more >= few - 2e-2)[is_clear[~after.buildings]].all()


def test_with_an_offset_for_every_corner_a_building_can_shorten_the_way() -> None:
    """A gable on the end of a wall: one turn of 40 deg in place of two that sum up to 30 deg."""
    grid = Grid(40, 60)
    wall, gable = shapely.box(30, 10, 32, 40), shapely.Polygon([(30, 10), (32, 10), (31, 8)])
    tx = Transmitter.at_cell(grid, 10, 12)
    loss_db = {}
    for name, law in (("counted", RADIOMAPSEER_LAW), ("not counted", LENGTH_AND_ANGLE)):
        for outlines in ((wall,), (wall, gable)):
            scene = Scene.from_footprints(grid, [Footprint(outline) for outline in outlines])
            loss_db[name, len(outlines)] = DominantPath(law).radio_map(scene, tx).path_loss_db[15, 45]
    assert -1.0 < loss_db["counted", 2] - loss_db["counted", 1] < -0.1
    assert loss_db["not counted", 2] > loss_db["not counted", 1] + 1.0


@settings(max_examples=100)
@given(towns_that_grow())
def test_one_more_building_never_opens_a_line_of_sight(towns: tuple[Scene, Scene, Transmitter]) -> None:
    before, after, tx = towns
    few, more = (geometry_channels(scene, tx)[0][~after.buildings] == 1.0 for scene in (before, after))
    assert not (more & ~few).any()
    # Where it stays, nothing changes.
    loss_before, loss_after = losses(before, after, tx, RADIOMAPSEER_LAW)
    np.testing.assert_array_equal(loss_after[more], loss_before[more])


@settings(max_examples=100)
@given(towns_that_grow())
def test_no_loss_is_below_that_of_open_space(towns: tuple[Scene, Scene, Transmitter]) -> None:
    before, after, tx = towns
    open_db = DominantPath().radio_map(Scene.empty(GRID), tx).path_loss_db[~after.buildings]
    for loss_db in losses(before, after, tx, RADIOMAPSEER_LAW):
        assert (loss_db >= open_db - 1e-4).all()
