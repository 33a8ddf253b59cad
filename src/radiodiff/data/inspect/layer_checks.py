"""Checks of the layers of one map against each other: transmitters, buildings, cars; and files of geometry channels."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.array_file import ArrayFile
from radiodiff.data.inspect.height_checks import MapHeights
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.data.radiomapseer.geometry_cache import GEOMETRY_FOLDER
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import CAR_PNG_SAMPLE_OFFSET
from radiodiff.propagation import GEOMETRY_CHANNELS
from radiodiff.scene import Footprint, Grid, rasterize

__all__ = ["check_car_outlines", "check_cars", "check_geometry", "check_transmitters"]

MOST_CARS = 0.5
"""Share of the map that cars may cover, and share of the cars that buildings may; 0.012 and 0 on map 419."""

MOST_CARS_BESIDE = 0.1
"""Share of the car cells of an image or its outlines that may lie more than a cell beside the other's."""


def check_transmitters(
    checks: ImageChecks,
    file: str,
    cells: Sequence[tuple[int, int]],
    buildings: NDArray[np.bool_] | None,
    heights: MapHeights | None = None,
) -> None:
    """Check that transmitters stand on the map, and outside the buildings or above their roofs.

    Args:
        checks: Where findings go; its shape is that of the map.
        file: The file that holds the transmitters, for findings.
        cells: Their cells (col, row).
        buildings: (rows, cols), or None where they are not known.
        heights: Heights of roofs and transmitters, as far as they are known.
    """
    assert checks.shape is not None
    rows, cols = checks.shape
    found: dict[str, list[str]] = defaultdict(list)
    for tx_id, (col, row) in enumerate(cells):
        where = f"transmitter {tx_id} at row {row}, column {col}"
        if not (0 <= row < rows and 0 <= col < cols):
            found["tx-outside-grid"].append(where)
        elif buildings is not None and buildings[row, col] and not (heights and heights.is_above(tx_id, row, col)):
            # The image stands half a cell beside the gain: only a cell with buildings all around is surely indoors.
            is_inside = buildings[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].all()
            found["tx-in-building" if is_inside else "tx-on-rim"].append(where)
    for kind, places in found.items():
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        checks.note(kind, file, f"{'; '.join(places[:3])}{more}")


def check_cars(checks: ImageChecks, file: str, cars: NDArray[np.bool_], buildings: NDArray[np.bool_] | None) -> bool:
    """Check that cars (rows, cols) cover less than half of the map and stand outside the buildings.

    Returns:
        Whether they do.
    """
    if cars.mean() > MOST_CARS:
        checks.note("cars", file, f"cars cover {cars.mean():.0%} of the map: inverted, or another layer")
        return False
    if buildings is not None and cars.any():
        inside = float((cars & buildings).sum() / cars.sum())
        if inside > MOST_CARS:
            checks.note("cars", file, f"{inside:.0%} of the car cells lie inside buildings")
            return False
    return True


def check_car_outlines(
    checks: ImageChecks, file: str, cars: NDArray[np.bool_], outlines: Sequence[Footprint], outlines_file: str
) -> None:
    """Check that an image of the cars (rows, cols) shows what their outlines say, within a cell."""
    from scipy.ndimage import binary_dilation

    drawn = rasterize(Grid(*cars.shape), [f.polygon for f in outlines], sample_offset=CAR_PNG_SAMPLE_OFFSET)
    around = np.ones((3, 3), dtype=bool)
    beside = (cars & ~binary_dilation(drawn, around)) | (drawn & ~binary_dilation(cars, around))
    either = int((cars | drawn).sum())
    if beside.sum() > MOST_CARS_BESIDE * either:
        checks.note("cars", file, f"{beside.sum() / either:.0%} of the car cells differ from {outlines_file}")


def check_geometry(checks: ImageChecks, map_id: int) -> None:
    """Open the geometry channels of a map, in all layers."""
    for path in sorted((checks.root / GEOMETRY_FOLDER).glob(f"*/**/{map_id}-*.safetensors")):
        file = str(path.relative_to(checks.root))
        try:
            shape = ArrayFile(path).shape("channels")
        except (FormatError, DataSetError) as error:
            checks.note("damaged", file, str(error))
            continue
        if len(shape) != 4 or shape[0] == 0 or shape[1:] != (len(GEOMETRY_CHANNELS), *(checks.shape or ())):
            checks.note("damaged", file, f"an array of {' x '.join(map(str, shape))} for maps of {checks.shape} cells")
