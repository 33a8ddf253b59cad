"""Edge detectors against images whose edges are known, and against the libraries' own thresholds."""

import cv2
import numpy as np
import pytest
from skimage.filters import threshold_otsu

from radiodiff.data.edges.detect import EDGE_METHODS, DetectOptions, detect_edges
from radiodiff.errors import ConfigError, InputError
from radiodiff.grey_scale import RADIOMAPSEER_GREY

ROWS, COLS, STEP = 24, 32, 16
FILTERS = ("sobel", "prewitt", "laplacian", "ridge")
EXACT = ("gradient", "contour")


def step(low=40, high=200):
    """Columns 0..15 dark, 16..31 bright."""
    return np.where(np.arange(COLS) < STEP, low, high).astype(np.uint8) * np.ones((ROWS, 1), np.uint8)


def patches():
    """Bright and dark rectangles, as buildings and shadows are."""
    random = np.random.default_rng(3)
    grey = np.full((48, 48), 120, np.uint8)
    for _ in range(6):
        row, col = random.integers(0, 36, 2)
        grey[row : row + random.integers(5, 12), col : col + random.integers(5, 12)] = random.integers(0, 255)
    return grey


@pytest.mark.parametrize("method", EDGE_METHODS)
@pytest.mark.parametrize(
    ("turn", "axis"),
    [(lambda g: g, 1), (lambda g: g[:, ::-1], 1), (lambda g: g.T, 0), (lambda g: g.T[::-1], 0)],
    ids=["rising", "falling", "down", "up"],
)
def test_a_step_gives_one_line_at_the_step(method, turn, axis):
    edges = detect_edges(turn(step()), method)
    places = set(np.argwhere(edges)[:, axis].tolist())
    # The ridge lies along the bright side, where the curvature is greatest: one cell further.
    beside = {STEP - 2, STEP - 1, STEP, STEP + 1} if method == "ridge" else {STEP - 1, STEP}
    assert len(places) == 1
    assert places <= beside
    # Whole, from border to border.
    assert edges.sum() == edges.shape[1 - axis]


@pytest.mark.parametrize("method", ["gradient", "contour", "ridge"])
def test_the_edge_is_on_the_bright_side(method):
    assert detect_edges(step(), method)[:, STEP:].any()
    assert not detect_edges(step(), method)[:, :STEP].any()
    assert not detect_edges(step(200, 40), method)[:, STEP:].any()


@pytest.mark.parametrize("method", EDGE_METHODS)
@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_constant_image_has_no_edge(method, level):
    for threshold in ("otsu", "log-otsu"):
        options = DetectOptions(threshold=threshold, least_step=0)
        assert not detect_edges(np.full((20, 30), level, np.uint8), method, options).any()


@pytest.mark.parametrize("method", [method for method in EDGE_METHODS if method != "contour"])
def test_rounding_is_no_edge(method):
    """Noise of one grey level on a slope of one level per four cells, as a gain image has far from the transmitter."""
    random = np.random.default_rng(0)
    grey = (np.arange(64) / 4 + 100 + random.integers(0, 2, (64, 64))).astype(np.uint8)
    assert not detect_edges(grey, method).any()


@pytest.mark.parametrize("method", FILTERS)
def test_filters_answer_with_the_height_of_a_step(method):
    """The threshold is in grey levels: a step of 60 is above 45 and not above 66, for every filter."""
    grey = step(100, 160)
    assert detect_edges(grey, method, DetectOptions(threshold=45.0)).any()
    assert not detect_edges(grey, method, DetectOptions(threshold=66.0)).any()


def test_otsu_is_that_of_opencv():
    """Sobel by OpenCV, rounded to bytes and split by OpenCV; the two may differ where the byte is the threshold's."""
    grey = patches()
    right, down = (cv2.Sobel(grey, cv2.CV_64F, *order, borderType=cv2.BORDER_REPLICATE) for order in ((1, 0), (0, 1)))
    length = np.hypot(right, down)
    length = np.rint(length * (255 / length.max())).astype(np.uint8)
    level, expected = cv2.threshold(length, 0, 1, cv2.THRESH_OTSU)
    edges = detect_edges(grey, "sobel", DetectOptions(threshold="otsu", thin=False))
    is_clear = np.abs(length.astype(int) - level) > 1
    assert is_clear.mean() > 0.95
    np.testing.assert_array_equal(edges[is_clear], expected[is_clear] > 0)


@pytest.mark.parametrize("threshold", ["otsu", "log-otsu"])
def test_laplacian_takes_both_signs(threshold):
    """Its absolute value, split by scikit-image: the bright side (negative) and the dark side (positive)."""
    grey = patches()
    answer = np.abs(cv2.Laplacian(grey, cv2.CV_64F, borderType=cv2.BORDER_REPLICATE))
    level = threshold_otsu(answer) if threshold == "otsu" else np.expm1(threshold_otsu(np.log1p(answer)))
    edges = detect_edges(grey, "laplacian", DetectOptions(threshold=threshold, thin=False, least_step=0))
    np.testing.assert_array_equal(edges, answer > level)
    signed = cv2.Laplacian(grey, cv2.CV_64F, borderType=cv2.BORDER_REPLICATE)
    assert (signed[edges] > 0).any()
    assert (signed[edges] < 0).any()


def test_log_otsu_keeps_the_shadow_border_beside_walls():
    """Walls of 150 levels, a shadow border of 15: plain Otsu leaves the border out."""
    grey = np.full((64, 64), 150, np.uint8)
    grey[:, 40:] = 135
    for row in range(4, 60, 14):
        grey[row : row + 7, 5:15] = 0
    assert not detect_edges(grey, "sobel", DetectOptions(threshold="otsu"))[:, 38:42].any()
    assert detect_edges(grey, "sobel")[:, 38:42].any(axis=1).all()


def test_canny_is_opencvs_with_the_published_thresholds():
    grey = patches()
    np.testing.assert_array_equal(detect_edges(grey, "canny"), cv2.Canny(grey, 50, 150, apertureSize=3) > 0)
    low = DetectOptions(canny_low=5, canny_high=10, canny_aperture=5)
    np.testing.assert_array_equal(detect_edges(grey, "canny", low), cv2.Canny(grey, 5, 10, apertureSize=5) > 0)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("method", [*EXACT, *FILTERS])
def test_edges_turn_with_the_image(method, quarters):
    grey, options = patches(), DetectOptions(thin=False)
    expected = np.rot90(detect_edges(grey, method, options), quarters)
    np.testing.assert_array_equal(detect_edges(np.rot90(grey, quarters), method, options), expected)


@pytest.mark.parametrize("method", ["canny", *FILTERS])
def test_thinned_edges_turn_up_to_one_cell(method):
    """Thinning and Canny choose one of two equal cells by a fixed order; corners and ends may differ by more."""
    grey = patches()
    edges, turned = detect_edges(grey, method), np.rot90(detect_edges(np.rot90(grey), method), -1)
    near = np.ones((3, 3), np.uint8)
    for one, other in ((edges, turned), (turned, edges)):
        is_near = cv2.dilate(other.astype(np.uint8), near) > 0
        assert (one & is_near).sum() >= 0.95 * one.sum()


@pytest.mark.parametrize("method", FILTERS)
def test_thinned_edges_are_some_of_the_others_and_one_cell_wide(method):
    thick, thin = detect_edges(patches(), method, DetectOptions(thin=False)), detect_edges(patches(), method)
    assert not (thin & ~thick).any()
    assert 0 < thin.sum() < 0.6 * thick.sum()
    squares = thin[1:, 1:] & thin[:-1, 1:] & thin[1:, :-1] & thin[:-1, :-1]
    assert squares.sum() <= 0.02 * thin.sum()


def distance(size=101):
    rows, cols = np.indices((size, size)) - size // 2
    return np.hypot(rows, cols)


def test_contours_of_a_cone_are_circles():
    """Grey falls by 4 a cell from 250: bands of 40 levels end at grey 240, 200, 160, ... 80 at radius 2.5, 12.5, ..."""
    radius = distance()
    grey = np.rint(np.clip(250 - 4 * radius, 60, 255)).astype(np.uint8)
    edges = detect_edges(grey, "contour", DetectOptions(contour_unit="grey", contour_step=40))
    expected = np.array([2.5, 12.5, 22.5, 32.5, 42.5])
    miss = np.abs(radius[edges][:, None] - expected).min(axis=1)
    assert miss.max() <= 1.2
    angle = np.arctan2(*(np.indices(radius.shape) - 50))
    for ring in expected[1:]:
        is_on = edges & (np.abs(radius - ring) <= 1.2)
        sectors = np.floor((angle[is_on] + np.pi) / (2 * np.pi) * 36).astype(int) % 36
        assert len(np.unique(sectors)) == 36


@pytest.mark.parametrize("scale", ["raw", "thresholded"])
def test_contours_in_db_are_circles_of_known_distance(scale):
    """Free-space-like loss 50 + 20 log10 d: iso-lines at 60, 70 and 80 dB lie at d = 3.2, 10 and 31.6."""
    radius = np.maximum(distance(), 1.0)
    grey = RADIOMAPSEER_GREY.to_grey(50 + 20 * np.log10(radius), thresholded=scale == "thresholded")
    edges = detect_edges(grey, "contour", DetectOptions(contour_scale=scale))
    expected = 10 ** (np.array([10, 20, 30]) / 20)
    # Half a grey level is 0.2 dB, 2 % of the distance.
    miss = np.abs(radius[edges][:, None] - expected).min(axis=1) - 0.025 * radius[edges]
    assert miss.max() <= 1.2
    for ring in expected:
        assert (edges & (np.abs(radius - ring) <= 1.2 + 0.025 * ring)).sum() >= 5 * ring


def test_ridge_finds_a_bright_line_and_no_dark_one():
    """The flanks of the dark line answer with 45 % of what the bright one does: 2 exp(-1.5)."""
    grey = np.full((30, 40), 100, np.uint8)
    grey[:, 10], grey[:, 30] = 180, 20
    edges = detect_edges(grey, "ridge", DetectOptions(threshold=90.0))
    assert set(np.argwhere(edges)[:, 1].tolist()) == {10}
    assert edges[:, 10].all()


def test_gradient_marks_the_step_it_is_set_to():
    grey = step(100, 110)
    assert not detect_edges(grey, "gradient", DetectOptions(gradient_step=11)).any()
    assert detect_edges(grey, "gradient", DetectOptions(gradient_step=10))[:, STEP].all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("method", EDGE_METHODS)
def test_small_images_keep_their_shape(method, shape):
    assert detect_edges(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape), method).shape == shape


@pytest.mark.parametrize(
    "image", [np.zeros((3, 4)), np.zeros((3, 4, 3), np.uint8), np.zeros((0, 4), np.uint8), [[1, 2]]]
)
def test_only_grey_images_have_edges(image):
    with pytest.raises(InputError, match=r"rows, cols\) of uint8"):
        detect_edges(image, "sobel")


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match=r"one of canny, sobel.*'roberts'"):
        detect_edges(step(), "roberts")


@pytest.mark.parametrize(
    "broken",
    [
        {"canny_low": 200},
        {"canny_low": 0},
        {"canny_high": -1, "canny_low": -2},
        {"canny_aperture": 4},
        {"threshold": "mean"},
        {"threshold": 0.0},
        {"threshold": float("nan")},
        {"least_step": -1},
        {"least_step": float("nan")},
        {"gradient_step": 0},
        {"gradient_step": 256},
        {"contour_step": 0.0},
        {"contour_unit": "m"},
        {"contour_scale": "linear"},
        {"ridge_sigma": 0.0},
        {"sigma": 1.0},
    ],
    ids=str,
)
def test_options_refuse(broken):
    with pytest.raises(ConfigError, match="DetectOptions"):
        DetectOptions(**broken)
