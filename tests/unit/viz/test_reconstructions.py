"""What a picture of reconstructions shows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radiodiff.errors import FormatError, InputError
from radiodiff.viz import ReconstructionRow, draw_reconstructions, reconstruction_figure

TRUTH = np.linspace(50.0, 140.0, 200).reshape(10, 20)


def row(error: float = 0.0, **changes: object) -> ReconstructionRow:
    values = {
        "title": "3_7",
        "truth": TRUTH,
        "prediction": TRUTH + error,
        "label": "path loss [dB]",
        "dark": 147.0,
        "bright": 47.84,
        "rmse": 0.03125,
    }
    return ReconstructionRow(**(values | changes))


def test_truth_and_prediction_share_the_colours_of_the_range() -> None:
    figure = reconstruction_figure([row(3.0)])
    truth, prediction, difference, bar, error_bar = figure.axes
    assert np.array_equal(truth.images[0].get_array(), TRUTH)
    assert np.array_equal(prediction.images[0].get_array(), TRUTH + 3.0)
    assert truth.images[0].get_clim() == prediction.images[0].get_clim() == (47.84, 147.0)
    assert np.allclose(difference.images[0].get_array(), 3.0)
    assert difference.images[0].get_clim() == pytest.approx((-3.0, 3.0))
    titles = [axes.get_title() for axes in (truth, prediction, difference)]
    assert titles == ["truth of 3_7", "prediction", "difference, rmse 0.0312"]
    assert bar.get_ylabel() == "path loss [dB]"
    assert error_bar.get_ylabel() == "prediction - truth [dB]"


@pytest.mark.parametrize(("dark", "bright", "is_falling"), [(147.0, 47.84, True), (0.0, 128.0, False)])
def test_the_bright_end_is_bright_and_up(dark: float, bright: float, is_falling: bool) -> None:
    figure = reconstruction_figure([row(dark=dark, bright=bright)])
    image = figure.axes[0].images[0]
    lightness = {value: sum(image.cmap(image.norm(value))[:3]) for value in (dark, bright)}
    assert lightness[bright] > lightness[dark] + 1.0
    assert figure.axes[3].yaxis_inverted() == is_falling


def test_rows_of_one_label_share_the_colours_of_the_difference() -> None:
    edges = row(0.3, label="edge", dark=0.0, bright=1.0)
    figure = reconstruction_figure([row(3.0), row(-8.0), edges])
    limits = [axes.images[0].get_clim() for axes in figure.axes[:9][2::3]]
    assert limits == [pytest.approx((-8.0, 8.0))] * 2 + [pytest.approx((-0.3, 0.3))]
    assert figure.axes[-1].get_ylabel() == "prediction - truth"


def test_a_map_that_agrees_stays_pale() -> None:
    figure = reconstruction_figure([row(1e-6)])
    assert figure.axes[2].images[0].get_clim() == pytest.approx((-0.9916, 0.9916))


def test_the_picture_is_written(tmp_path: Path) -> None:
    path = tmp_path / "preview.png"
    assert draw_reconstructions([row(3.0), row(1.0)], path) == path
    with Image.open(path) as image:
        assert image.width > 800
        assert image.height > 400
    with pytest.raises(FormatError, match=r"must end in \.png"):
        draw_reconstructions([row()], tmp_path / "preview.bmp")


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="needs a row"):
        reconstruction_figure([])
    for prediction in (TRUTH[:5], TRUTH[None]):
        with pytest.raises(InputError, match="of one shape"):
            row(prediction=prediction)
    with pytest.raises(InputError, match="of one shape"):
        row(truth=TRUTH[None], prediction=TRUTH[None])
    for ends in ({"dark": 1.0, "bright": 1.0}, {"dark": float("nan")}, {"bright": float("inf")}):
        with pytest.raises(InputError, match="two finite ends that differ"):
            row(**ends)


def test_the_spread_has_a_column_where_a_row_has_one() -> None:
    figure = reconstruction_figure([row(3.0, spread=np.full_like(TRUTH, 1.5)), row(-8.0)])
    with_spread, without = figure.axes[3], figure.axes[7]
    assert with_spread.get_title() == "spread of the draws"
    assert np.allclose(with_spread.images[0].get_array(), 1.5)
    # The colours end where those of the difference do.
    assert with_spread.images[0].get_clim() == pytest.approx((0.0, 8.0))
    assert "standard deviation [dB]" in [axes.get_ylabel() for axes in figure.axes]
    assert not without.images
    named = reconstruction_figure([row(made_by="free-space")])
    assert [axes.get_title() for axes in named.axes[:2]] == ["truth of 3_7", "prediction: free-space"]
    assert not without.axison


def test_a_spread_has_the_shape_of_its_map() -> None:
    with pytest.raises(InputError, match="spread of a row must be maps"):
        row(spread=TRUTH[1:])
