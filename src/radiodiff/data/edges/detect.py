"""Edges of a radio map: where its grey steps, by seven detectors.

| method | a cell is an edge where | result |
|---|---|---|
| `canny` | OpenCV's Canny says so | one cell wide |
| `sobel`, `prewitt` | the length of the gradient is above a threshold | thinned |
| `laplacian` | the absolute value of the Laplacian is above a threshold | thinned |
| `ridge` | it lies on a bright ridge: along the bright side of a step, on bright lines | thinned |
| `gradient` | one of its four neighbours is darker by at least `gradient_step` | bright side of the step |
| `contour` | one of its four neighbours lies in the next band of path loss | bright side of the iso-line |

Filters are scaled so that a straight step of h grey levels answers with h. Turning an image by 90 degrees turns
`gradient` and `contour` with it exactly, and the filters with `thin=False`; thinning and Canny choose one of two equal
cells by a fixed order: lines may lie one cell aside, and differ by more at corners and ends.
"""

from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.encoding import Scale
from radiodiff.errors import ConfigError, InputError
from radiodiff.grey_scale import RADIOMAPSEER_GREY

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EDGE_METHODS", "DetectOptions", "EdgeMethod", "detect_edges"]

EdgeMethod = Literal["canny", "sobel", "laplacian", "prewitt", "gradient", "contour", "ridge"]

EDGE_METHODS: tuple[EdgeMethod, ...] = get_args(EdgeMethod)

SATO_STEP = 0.24197
"""Greatest answer of the Sato filter beside a step of 1: the density of the normal distribution at one sigma. Centres
of cells lie beside that place: with a sigma of one cell they get 0.21."""


class DetectOptions(Config):
    """Settings of the detectors; each reads its own.

    Attributes:
        canny_low: Canny: gradient that continues an edge (`|dx| + |dy|` of Sobel filters, 4 to 8 times the step).
        canny_high: Canny: gradient that begins one.
        canny_aperture: Canny: size of its Sobel filters [cells].
        threshold: Filters: "otsu" (the two classes of the answers); "log-otsu" (of their logarithm: with plain Otsu the
            walls, where grey falls to 0, leave no shadow border above the threshold); or a number of grey levels.
        least_step: Filters: steps of this many grey levels or fewer are no edge, whatever the threshold: rounding alone
            makes answers of 4.
        thin: Filters: reduce what is above the threshold, two cells and more along a step, to lines of one.
        gradient_step: Difference to a neighbour that makes an edge [grey levels].
        contour_step: Distance of the iso-lines, which lie at its multiples [`contour_unit`].
        contour_unit: "db" of path loss, or "grey" levels.
        contour_scale: Grey scale of the images, for "db".
        ridge_sigma: Smoothing of the ridge filter [cells].

    Raises:
        ConfigError: A value is not allowed, or `canny_low` lies above `canny_high`.

    Source: Canny's 50, 150 and 3 are those of the RadioDiff code.
    """

    canny_low: Annotated[float, Field(gt=0)] = 50.0
    canny_high: Annotated[float, Field(gt=0)] = 150.0
    canny_aperture: Literal[3, 5, 7] = 3
    threshold: Literal["log-otsu", "otsu"] | Annotated[float, Field(gt=0)] = "log-otsu"
    least_step: Annotated[float, Field(ge=0)] = 6.0
    thin: bool = True
    gradient_step: Annotated[int, Field(ge=1, le=255)] = 8
    contour_step: Annotated[float, Field(gt=0)] = 10.0
    contour_unit: Literal["db", "grey"] = "db"
    contour_scale: Scale = "raw"
    ridge_sigma: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.canny_low <= self.canny_high:
            raise ConfigError(
                "DetectOptions.canny_low must be at most canny_high",
                value=f"{self.canny_low} and {self.canny_high}",
                remedy="Put the smaller one first; the literature has 50 and 150.",
            )
        return self


DEFAULTS = DetectOptions()


def detect_edges(grey: NDArray[np.uint8], method: EdgeMethod, options: DetectOptions = DEFAULTS) -> NDArray[np.bool_]:
    """Edges of a grey image: True on an edge, (rows, cols).

    Args:
        grey: (rows, cols) uint8.
        method: Detector.
        options: Its settings.

    Raises:
        InputError: The image is not a grey image with at least one cell, or there is no such method.
    """
    if not (isinstance(grey, np.ndarray) and grey.dtype == np.uint8 and grey.ndim == 2 and grey.size):
        raise InputError(
            "Edges are detected in an array (rows, cols) of uint8",
            value=f"{getattr(grey, 'dtype', type(grey).__name__)} of shape {np.shape(grey)}",
            remedy="Use radiodiff.grey_scale.GreyScale.to_grey, or read_grey_image.",
        )
    if method not in DETECTORS:
        raise InputError(
            f"An edge method must be one of {', '.join(DETECTORS)}", value=repr(method), remedy="Correct the name."
        )
    return DETECTORS[method](grey, options)


def _canny(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    import cv2

    edges = cv2.Canny(grey, options.canny_low, options.canny_high, apertureSize=options.canny_aperture)
    return np.asarray(edges > 0)


def _sobel(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    import cv2

    right, down = (
        cv2.Sobel(grey, cv2.CV_64F, *order, ksize=3, scale=1 / 4, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    return _strong(np.hypot(right, down), options)


def _prewitt(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    from skimage.filters import prewitt

    # It divides by the square root of the number of axes.
    answer = prewitt(grey.astype(np.float64), mode="nearest")  # type: ignore[no-untyped-call]
    return _strong(np.sqrt(2.0) * answer, options)


def _laplacian(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    import cv2

    return _strong(np.abs(cv2.Laplacian(grey, cv2.CV_64F, ksize=1, borderType=cv2.BORDER_REPLICATE)), options)


def _ridge(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    from skimage.filters import sato

    smoothing = {"sigmas": [options.ridge_sigma], "mode": "nearest"}
    answer = sato(grey.astype(np.float64), black_ridges=False, **smoothing)  # type: ignore[no-untyped-call]
    return _strong(answer / SATO_STEP, options)


def _gradient(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    return np.asarray(grey - _darkest_neighbour(grey) >= options.gradient_step)


def _contour(grey: NDArray[np.uint8], options: DetectOptions) -> NDArray[np.bool_]:
    if options.contour_unit == "db":
        thresholded = options.contour_scale == "thresholded"
        of_level = -RADIOMAPSEER_GREY.to_path_loss_db(np.arange(256), thresholded=thresholded)
    else:
        of_level = np.arange(256.0)
    # Bands numbered from the darkest on, at most one per level.
    _, band_of_level = np.unique(np.floor(of_level / options.contour_step), return_inverse=True)
    band = band_of_level.astype(np.uint8)[grey]
    return np.asarray(band > _darkest_neighbour(band))


def _darkest_neighbour(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Least of each cell and its four neighbours; outside the image there are none."""
    import cv2

    return np.asarray(cv2.erode(grey, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))), dtype=np.uint8)


def _strong(answer: NDArray[np.float64], options: DetectOptions) -> NDArray[np.bool_]:
    """Cells whose answer is above the threshold, thinned where that is asked for."""
    from skimage.filters import threshold_otsu
    from skimage.morphology import skeletonize

    if options.threshold == "log-otsu":
        threshold = float(np.expm1(threshold_otsu(np.log1p(answer))))  # type: ignore[no-untyped-call]
    elif options.threshold == "otsu":
        threshold = float(threshold_otsu(answer))  # type: ignore[no-untyped-call]
    else:
        threshold = options.threshold
    edges: NDArray[np.bool_] = answer > max(threshold, options.least_step)
    if not options.thin:
        return edges
    # The margin continues lines past the border, which thinning would shorten there.
    margin = 2
    thinned = skeletonize(np.pad(edges, margin, mode="edge"))  # type: ignore[no-untyped-call]
    return np.asarray(thinned[margin:-margin, margin:-margin])


DETECTORS: "dict[str, Callable[[NDArray[np.uint8], DetectOptions], NDArray[np.bool_]]]" = {
    "canny": _canny,
    "sobel": _sobel,
    "laplacian": _laplacian,
    "prewitt": _prewitt,
    "gradient": _gradient,
    "contour": _contour,
    "ridge": _ridge,
}
