"""Roofs: their heights over cells, and transmitters above them."""

import numpy as np
import pytest
from shapely import box

from radiodiff.errors import TransmitterError
from radiodiff.propagation import DominantPath, FreeSpace
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(6, 8)
LOW, HIGH, UNKNOWN = Footprint(box(0, 0, 3, 3), 10.0), Footprint(box(2, 0, 4, 2), 25.0), Footprint(box(5, 3, 7, 6))


def scene() -> Scene:
    return Scene.from_footprints(GRID, [HIGH, LOW, UNKNOWN])


def test_the_highest_roof_over_a_cell_counts() -> None:
    heights = scene().roof_height_m
    assert heights.shape == (6, 8)
    assert heights.dtype == np.float32
    assert heights[0].tolist() == [10, 10, 25, 25, 0, 0, 0, 0]
    assert heights[2].tolist() == [10, 10, 10, 0, 0, 0, 0, 0]
    np.testing.assert_array_equal(heights[4], [0, 0, 0, 0, 0, np.nan, np.nan, 0])


def test_roofs_are_where_the_raster_says() -> None:
    buildings = np.zeros(GRID.shape, dtype=bool)
    buildings[0, :2] = buildings[5, 7] = True
    heights = Scene(GRID, buildings, (LOW,)).roof_height_m
    assert heights[0, :3].tolist() == [10, 10, 0]
    assert np.isnan(heights[5, 7])


def test_a_raster_alone_has_no_heights() -> None:
    heights = Scene(GRID, scene().buildings.copy()).roof_height_m
    np.testing.assert_array_equal(np.isnan(heights), scene().buildings)


@pytest.mark.parametrize(("col", "height_m"), [(0, 10.5), (2, 25.1), (7, 1.5)])
def test_a_transmitter_stands_above_a_roof(col: int, height_m: float) -> None:
    tx = Transmitter.at_cell(GRID, col, 0, height_m=height_m)
    scene().check_transmitter(tx)
    assert FreeSpace().radio_map(scene(), tx).has_value.sum() == (~scene().buildings).sum()
    assert np.isfinite(DominantPath().radio_map(scene(), tx).path_loss_db[~scene().buildings]).all()


@pytest.mark.parametrize(
    ("col", "row", "height_m", "value"),
    [(0, 0, 10.0, "10 m high"), (2, 0, 12.0, "25 m high"), (5, 4, 90.0, "of unknown height")],
)
def test_not_inside_a_building(col: int, row: int, height_m: float, value: str) -> None:
    tx = Transmitter.at_cell(GRID, col, row, height_m=height_m)
    with pytest.raises(TransmitterError, match=f"column {col}, row {row}, which is indoors; .*{value}"):
        scene().check_transmitter(tx)
