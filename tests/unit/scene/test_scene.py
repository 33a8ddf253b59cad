import numpy as np
import pytest
from shapely import LineString, Polygon, box

from radiodiff.errors import GridError, SceneError, TransmitterError
from radiodiff.scene import Footprint, Grid, Scene, Transmitter

GRID = Grid(4, 6)
BLOCK = Footprint(box(1, 1, 3, 2), height_m=25.0)
CAR = Footprint(box(4, 2, 5, 4))


@pytest.mark.parametrize(
    "shape",
    [
        Polygon(),
        Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]),
        Polygon([(0, 0), (1, 1), (2, 2)]),
        LineString([(0, 0), (1, 1)]),
    ],
    ids=["empty", "self-crossing", "flat", "line"],
)
def test_a_footprint_is_a_valid_polygon(shape: object) -> None:
    with pytest.raises(SceneError, match="one valid polygon"):
        Footprint(shape)


@pytest.mark.parametrize("height_m", [0.0, -1.0, np.nan, np.inf])
def test_a_height_is_positive(height_m: float) -> None:
    with pytest.raises(SceneError, match="height of a footprint"):
        Footprint(box(0, 0, 1, 1), height_m)


def test_an_empty_scene() -> None:
    scene = Scene.empty(GRID)
    assert scene.coverage == 0.0
    assert scene.footprints == ()
    assert scene.cars is None


@pytest.mark.parametrize(
    "layer", [np.zeros((6, 4), dtype=bool), np.zeros((4, 6), dtype=np.uint8)], ids=["shape", "type"]
)
@pytest.mark.parametrize("name", ["buildings", "cars"])
def test_rasters_fit_the_grid_and_are_bool(name: str, layer: np.ndarray) -> None:
    layers = {"buildings": np.zeros((4, 6), dtype=bool), name: layer}
    with pytest.raises(SceneError, match=f"Scene.{name} must be a bool array of 4 x 6 cells"):
        Scene(GRID, **layers)


def test_car_outlines_need_their_raster() -> None:
    with pytest.raises(SceneError, match="needs the car raster"):
        Scene(GRID, np.zeros((4, 6), dtype=bool), car_footprints=(CAR,))


def test_rasters_are_read_only() -> None:
    scene = Scene.from_footprints(GRID, [BLOCK]).with_cars([CAR])
    for layer in (scene.buildings, scene.cars):
        with pytest.raises(ValueError, match="read-only"):
            layer[0, 0] = True


def test_outlines_fill_the_cells_whose_centre_they_hold() -> None:
    scene = Scene.from_footprints(GRID, [BLOCK], source="a test")
    expected = np.zeros((4, 6), dtype=bool)
    expected[1, 1:3] = True
    np.testing.assert_array_equal(scene.buildings, expected)
    assert scene.footprints == (BLOCK,)
    assert scene.source == "a test"
    assert scene.coverage == 2 / 24


def test_cars_come_and_go() -> None:
    empty_streets = Scene.from_footprints(GRID, [BLOCK])
    scene = empty_streets.with_cars([CAR])
    assert scene.cars.sum() == 2
    assert scene.cars[2:, 4].all()
    assert scene.car_footprints == (CAR,)
    np.testing.assert_array_equal(scene.buildings, empty_streets.buildings)
    assert scene.without_cars().cars is None
    assert scene.without_cars().car_footprints is None
    assert empty_streets.without_cars() is empty_streets


def test_outlines_are_footprints_or_traced() -> None:
    scene = Scene.from_footprints(GRID, [BLOCK]).with_cars([CAR])
    assert (scene.outlines, scene.car_outlines) == ((BLOCK,), (CAR,))
    assert scene.without_cars().car_outlines == ()
    traced = Scene(GRID, scene.buildings, cars=scene.cars)
    for outlines, cells in ((traced.outlines, scene.buildings), (traced.car_outlines, scene.cars)):
        assert np.array_equal(Scene.from_footprints(GRID, outlines).buildings, cells)


def test_a_crop_cuts_rasters_and_outlines() -> None:
    scene = Scene.from_footprints(Grid(4, 6, 2.0), [Footprint(box(2, 2, 6, 4), 25.0)]).with_cars(
        [Footprint(box(8, 4, 10, 8))]
    )
    part = scene.crop(1, 2, 3, 4)
    np.testing.assert_array_equal(part.buildings, scene.buildings[1:, 2:])
    np.testing.assert_array_equal(part.cars, scene.cars[1:, 2:])
    assert [footprint.polygon.bounds for footprint in part.footprints] == [(0, 0, 2, 2)]
    assert part.footprints[0].height_m == 25.0
    assert [footprint.polygon.bounds for footprint in part.car_footprints] == [(4, 2, 6, 6)]
    assert part.grid == Grid(3, 4, 2.0)
    assert "rows 1+3, columns 2+4" in part.source


def test_a_crop_leaves_out_what_lies_elsewhere() -> None:
    part = Scene.from_footprints(GRID, [BLOCK]).crop(2, 3, 2, 3)
    assert part.footprints == ()
    assert part.coverage == 0.0


def test_a_crop_without_outlines() -> None:
    part = Scene(GRID, np.eye(4, 6, dtype=bool)).crop(1, 1, 2, 2)
    np.testing.assert_array_equal(part.buildings, np.eye(2, dtype=bool))
    assert part.footprints is None
    assert part.cars is None


def test_a_crop_lies_on_the_grid() -> None:
    with pytest.raises(GridError, match="window"):
        Scene.empty(GRID).crop(2, 0, 3, 3)


def test_transmitters_stand_outside() -> None:
    scene = Scene.from_footprints(GRID, [BLOCK])
    scene.check_transmitter(Transmitter.at_cell(GRID, 0, 0))
    with pytest.raises(TransmitterError, match="column 2, row 1, which is indoors"):
        scene.check_transmitter(Transmitter.at_cell(GRID, 2, 1))
    with pytest.raises(TransmitterError, match="on the grid"):
        scene.check_transmitter(Transmitter(6.5, 1.0))
