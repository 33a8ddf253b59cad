"""What the figures show."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import shapely
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from radiodiff.errors import InputError
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from radiodiff.viz import draw_comparison, draw_path_loss, draw_scene

MAP_GRID = Grid(20, 30, 2.0, "EPSG:32633", 400_000.0, 5_600_000.0)
COURTYARD = Footprint(shapely.box(10, 10, 30, 30) - shapely.box(18, 18, 22, 22), 12.0)
CAR = Footprint(shapely.box(34, 10, 36, 14), 1.5)


def scene_on(grid):
    return Scene.from_footprints(grid, [COURTYARD]).with_cars([CAR])


def path_loss_on(scene, tx):
    path_loss_db = 47.84 + 25.0 * np.log10(tx.distance_m(scene.grid, minimum_m=1.0))
    path_loss_db[scene.buildings] = np.nan
    return path_loss_db.astype(np.float32)


@pytest.fixture(params=[Grid(20, 30, 2.0), MAP_GRID], ids=["metres", "crs"])
def drawn(request):
    scene = scene_on(request.param)
    tx = Transmitter.at_cell(scene.grid, 25, 3)
    values_db = path_loss_on(scene, tx)
    return scene, tx, values_db, draw_path_loss(values_db, scene.grid, tx=tx, scene=scene)


def test_image_is_the_array_and_nan_is_transparent(drawn):
    _, _, values_db, axes = drawn
    image = axes.images[0]
    shown = image.get_array()
    assert np.array_equal(shown.filled(np.nan), values_db, equal_nan=True)
    assert image.cmap(shown)[np.isnan(values_db)][:, 3].max() == 0.0
    # Strong is bright: the cell with the least loss has the lightest colour.
    lightness = image.cmap(image.norm(shown))[..., :3].sum(axis=-1)
    assert lightness.flat[np.nanargmin(values_db)] > lightness.flat[np.nanargmax(values_db)] + 1.0


def test_labels_have_units(drawn):
    scene, _, _, axes = drawn
    suffix = "" if scene.grid.crs is None else ", EPSG:32633"
    assert axes.get_xlabel() == f"x [m]{suffix}"
    assert axes.get_ylabel() == f"y [m]{suffix}"
    bar = axes.images[0].colorbar
    assert bar.ax.get_ylabel() == "path loss [dB]"
    assert bar.ax.yaxis_inverted()


def test_axes_are_those_of_the_grid(drawn):
    scene, _, _, axes = drawn
    left, bottom, right, top = scene.grid.bounds
    assert axes.get_aspect() == 1.0
    assert axes.get_xlim() == (left, right)
    # With a CRS north is up; in local metres y grows downwards.
    assert axes.get_ylim() == ((top, bottom) if scene.grid.crs is None else (bottom, top))
    assert axes.images[0].get_extent() == [*axes.get_xlim(), *axes.get_ylim()]


def test_buildings_cars_and_transmitter_are_where_they_are(drawn):
    scene, tx, _, axes = drawn
    fill = axes.images[1].get_array()
    assert np.array_equal(fill[..., 3] > 0, scene.buildings)
    outlines, cars = (item for item in axes.collections if isinstance(item, LineCollection))
    assert len(outlines.get_segments()) == 2
    corners = cars.get_segments()[0]
    x, y = scene.grid.cells_to_map(17.0, 5.0)
    assert corners.min(axis=0)[0] == x
    assert y in corners[:, 1]
    (star,) = (item for item in axes.collections if isinstance(item, PathCollection))
    assert star.get_offsets().tolist() == [list(scene.grid.cells_to_map(25.5, 3.5))]
    assert tx.cell(scene.grid) == (3, 25)


def test_cars_known_as_raster_only_are_filled():
    grid = Grid(20, 30)
    cars = np.zeros(grid.shape, dtype=bool)
    cars[4:6, 7:11] = True
    axes = draw_scene(Scene(grid, np.zeros(grid.shape, dtype=bool), cars=cars))
    assert np.array_equal(axes.images[1].get_array()[..., 3] > 0, cars)


def test_draw_scene_marks_every_transmitter():
    scene = scene_on(Grid(20, 30, 2.0))
    axes = draw_scene(scene, tx=[Transmitter(3.0, 4.0), Transmitter(50.0, 30.0)])
    (stars,) = (item for item in axes.collections if isinstance(item, PathCollection))
    assert stars.get_offsets().tolist() == [[3.0, 4.0], [50.0, 30.0]]
    assert tuple(stars.get_facecolor()[0]) == to_rgba("white")


def test_given_axes_are_used():
    figure = Figure()
    axes = figure.add_subplot()
    assert draw_scene(scene_on(Grid(20, 30, 2.0)), axes=axes) is axes
    assert draw_path_loss(np.zeros((20, 30)), Grid(20, 30), axes=axes) is axes


def test_radio_map_plots_itself():
    scene = scene_on(Grid(20, 30, 2.0))
    tx = Transmitter.at_cell(scene.grid, 25, 3)
    axes = RadioMap(path_loss_on(scene, tx), scene.grid, tx, "test", scene=scene).plot()
    assert len(axes.images) == 2


def test_map_without_any_value_is_drawn():
    figure = draw_path_loss(np.full((5, 5), np.nan), Grid(5, 5)).get_figure()
    figure.draw_without_rendering()
    assert np.ma.getmaskarray(np.ma.masked_invalid(figure.axes[0].images[0].get_array())).all()
    comparison = draw_comparison(np.full((5, 5), np.nan), np.zeros((5, 5)), Grid(5, 5))
    comparison.draw_without_rendering()
    assert len(comparison.axes) == 5


def test_comparison_shares_one_scale_and_centres_the_difference():
    scene = scene_on(Grid(20, 30, 2.0))
    tx = Transmitter.at_cell(scene.grid, 25, 3)
    truth_db = path_loss_on(scene, tx)
    prediction_db = truth_db + 3.0
    figure = draw_comparison(truth_db, prediction_db, scene.grid, tx=tx, scene=scene)
    truth, prediction, difference = figure.axes[:3]
    assert [axes.get_title() for axes in figure.axes[:2]] == ["truth", "prediction"]
    assert difference.get_title() == "difference, median of |error| 3.00 dB"
    assert truth.images[0].get_clim() == prediction.images[0].get_clim()
    assert truth.images[0].get_clim() == (np.nanmin(truth_db), np.nanmax(prediction_db))
    assert np.allclose(difference.images[0].get_array().compressed(), 3.0)
    assert difference.images[0].get_clim() == pytest.approx((-3.0, 3.0))
    assert [axes.get_ylabel() for axes in figure.axes[3:]] == ["path loss [dB]", "prediction - truth [dB]"]


def test_comparison_limit_can_be_set_and_is_never_below_1_db():
    zeros, grid = np.zeros((5, 5)), Grid(5, 5)
    assert draw_comparison(zeros, zeros, grid).axes[2].images[0].get_clim() == (-1.0, 1.0)
    figure = draw_comparison(zeros, zeros, grid, difference_limit_db=20.0)
    assert figure.axes[2].images[0].get_clim() == (-20.0, 20.0)


@pytest.mark.parametrize("limit_db", [0.0, -1.0, float("nan"), float("inf")])
def test_comparison_refuses_a_bad_limit(limit_db):
    with pytest.raises(InputError, match="difference_limit_db must be"):
        draw_comparison(np.zeros((5, 5)), np.zeros((5, 5)), Grid(5, 5), difference_limit_db=limit_db)


def test_wrong_size_is_named():
    with pytest.raises(InputError, match="path_loss_db must be 20 x 30 cells"):
        draw_path_loss(np.zeros((30, 20)), Grid(20, 30))
    with pytest.raises(InputError, match="prediction_db must be"):
        draw_comparison(np.zeros((20, 30)), np.zeros((30, 20)), Grid(20, 30))


def test_pyplot_is_never_imported(tmp_path):
    code = (
        "import sys, numpy as np\n"
        "import radiodiff.viz as viz\n"
        "from radiodiff.scene import Grid\n"
        "assert 'matplotlib' not in sys.modules\n"
        "zeros = np.zeros((9, 9))\n"
        f"viz.save_figure(viz.draw_comparison(zeros, zeros, Grid(9, 9)), {str(tmp_path / 'figure.png')!r})\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "figure.png").is_file()


def test_labels_of_maps_side_by_side_do_not_run_into_each_other():
    grid = Grid(300, 300, crs="EPSG:32632", origin_x=691560.0, origin_y=5335140.0)
    zeros = np.zeros(grid.shape)
    figure = draw_comparison(zeros, zeros, grid)
    figure.draw_without_rendering()
    for axes in figure.axes[:3]:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
        shown = sorted((box.x0, box.x1) for box in boxes if axes.bbox.x0 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1)
        assert len(shown) >= 2
        assert all(left[1] < right[0] for left, right in itertools.pairwise(shown))
