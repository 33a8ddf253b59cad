"""What a figure of many scenes shows."""

import numpy as np
import pytest
from shapely import box

from radiodiff.errors import InputError
from radiodiff.scene import Footprint, Grid, Scene
from radiodiff.viz import ScenePanel, roof_height_figure

GRID = Grid(20, 20)


def panel(height_m: float | None, title: str = "a", is_marked: bool = False) -> ScenePanel:
    return ScenePanel(title, Scene.from_footprints(GRID, [Footprint(box(2, 2, 12, 12), height_m)]), is_marked)


def images(figure):
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_all_scenes_share_one_scale() -> None:
    figure = roof_height_figure([panel(5.0), panel(20.0, "b"), panel(10.0, "c")], title="three")
    found = images(figure)
    assert len({image.get_clim() for image in found}) == 1
    assert found[0].get_clim()[1] == pytest.approx(20.0)
    assert found[1].get_array()[5, 5] == 20.0
    assert [axes.get_title() for axes in figure.axes[:3]] == ["a", "b", "c"]
    assert figure.axes[-1].get_ylabel() == "roof height [m]"


def test_open_ground_is_white_and_unknown_roofs_are_grey() -> None:
    image = images(roof_height_figure([panel(None), panel(5.0)]))[0]
    colours = image.cmap(image.norm(image.get_array()))
    assert np.allclose(colours[15, 15], 1.0)
    assert np.allclose(colours[5, 5, :3], 0.6)


def test_marked_scenes_have_a_red_frame() -> None:
    plain, marked = roof_height_figure([panel(5.0), panel(5.0, is_marked=True)]).axes[:2]
    assert marked.spines["left"].get_edgecolor() != plain.spines["left"].get_edgecolor()


def test_scenes_without_buildings() -> None:
    assert len(images(roof_height_figure([ScenePanel("a", Scene.empty(GRID))]))) == 1


def test_no_scene() -> None:
    with pytest.raises(InputError, match="needs a scene"):
        roof_height_figure([])
