import numpy as np
import pytest

from radiodiff.errors import GridError
from radiodiff.scene import Grid

UTM = {"crs": "EPSG:32633", "origin_x": 500_000.0, "origin_y": 5_800_000.0}


@pytest.mark.parametrize("name", ["rows", "cols"])
@pytest.mark.parametrize("count", [0, -1, 2.0, np.nan, True, "3"])
def test_counts_are_whole_and_positive(name: str, count: object) -> None:
    with pytest.raises(GridError, match=f"Grid.{name}"):
        Grid(**{"rows": 2, "cols": 2, name: count})


def test_counts_may_come_from_numpy() -> None:
    assert Grid(np.int64(2), np.int32(3)).shape == (2, 3)


@pytest.mark.parametrize("size", [0.0, -1.0, np.nan, np.inf])
def test_cells_have_a_size(size: float) -> None:
    with pytest.raises(GridError, match="cell_size_m"):
        Grid(2, 2, size)


@pytest.mark.parametrize("origin", [{"origin_x": np.nan}, {"origin_y": np.inf}])
def test_the_origin_is_finite(origin: dict[str, float]) -> None:
    with pytest.raises(GridError, match="origin"):
        Grid(2, 2, **{**UTM, **origin})


def test_an_origin_needs_a_crs() -> None:
    with pytest.raises(GridError, match="without a CRS"):
        Grid(2, 2, origin_x=5.0)


@pytest.mark.parametrize(
    ("crs", "rule"),
    [
        ("no such system", "pyproj knows"),
        ("EPSG:4326", "projected"),
        ("EPSG:2263", "in metres"),
        ("EPSG:3857", "true to scale"),
    ],
    ids=["unknown", "geographic", "feet", "mercator"],
)
def test_the_crs_is_projected_and_metric(crs: str, rule: str) -> None:
    with pytest.raises(GridError, match=rule) as caught:
        Grid(2, 2, crs=crs)
    assert crs in str(caught.value)


def test_centres_broadcast_to_the_grid() -> None:
    x_m, y_m = Grid(2, 3, 2.0).centres_m()
    np.testing.assert_array_equal(x_m, [[1.0, 3.0, 5.0]])
    np.testing.assert_array_equal(y_m, [[1.0], [3.0]])


def test_without_a_crs_map_coordinates_are_local_metres() -> None:
    grid = Grid(4, 6, 0.5)
    assert grid.cells_to_map(3, 2) == (1.5, 1.0)
    assert grid.map_to_cells(1.5, 1.0) == (3.0, 2.0)
    assert grid.bounds == (0.0, 0.0, 3.0, 2.0)
    assert grid.transform[:6] == (0.5, 0.0, 0.0, 0.0, 0.5, 0.0)


def test_with_a_crs_y_grows_to_the_north() -> None:
    grid = Grid(4, 6, 0.5, **UTM)
    assert grid.cells_to_map(3, 2) == (500_001.5, 5_799_999.0)
    assert grid.map_to_cells(500_001.5, 5_799_999.0) == (3.0, 2.0)
    assert grid.bounds == (500_000.0, 5_799_998.0, 500_003.0, 5_800_000.0)
    assert grid.transform[:6] == (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_800_000.0)


def test_conversions_take_arrays() -> None:
    grid = Grid(4, 6, 0.5, **UTM)
    cols, rows = np.array([0.0, 2.5]), np.array([1.0, 3.5])
    back = grid.map_to_cells(*grid.cells_to_map(cols, rows))
    np.testing.assert_allclose(back, [cols, rows])


@pytest.mark.parametrize(
    ("x_m", "y_m", "cell"),
    [(0.0, 0.0, (0, 0)), (1.99, 2.0, (1, 0)), (2.0, 1.99, (0, 1)), (6.0, 4.0, (1, 2)), (6.0, 0.0, (0, 2))],
)
def test_the_cell_that_holds_a_point(x_m: float, y_m: float, cell: tuple[int, int]) -> None:
    assert Grid(2, 3, 2.0).cell_of(x_m, y_m) == cell


@pytest.mark.parametrize(
    ("x_m", "y_m"), [(-0.01, 1.0), (6.01, 1.0), (1.0, -0.01), (1.0, 4.01), (np.nan, 1.0), (1.0, np.nan)]
)
def test_a_point_off_the_grid(x_m: float, y_m: float) -> None:
    with pytest.raises(GridError, match=r"0\.\.3 columns and 0\.\.2 rows"):
        Grid(2, 3, 2.0).cell_of(x_m, y_m)


def test_a_window_keeps_its_place_on_the_map() -> None:
    window = Grid(10, 20, 0.5, **UTM).window(4, 6, 3, 5)
    assert window == Grid(3, 5, 0.5, "EPSG:32633", 500_003.0, 5_799_998.0)


def test_a_window_without_a_crs_starts_anew() -> None:
    assert Grid(10, 20, 0.5).window(4, 6, 3, 5) == Grid(3, 5, 0.5)


@pytest.mark.parametrize("part", [(-1, 0, 2, 2), (0, -1, 2, 2), (9, 0, 2, 2), (0, 19, 2, 2)])
def test_a_window_lies_on_the_grid(part: tuple[int, int, int, int]) -> None:
    with pytest.raises(GridError, match="10 x 20 cells"):
        Grid(10, 20).window(*part)


def test_a_window_is_not_empty() -> None:
    with pytest.raises(GridError, match=r"Grid\.rows"):
        Grid(10, 20).window(0, 0, 0, 5)
