"""Scale, sign and transmitter of a radio map, on made-up and on real images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radiodiff.data.inspect.gain_checks import check_peak, grey_verdict
from radiodiff.formats import read_radiomapseer_transmitters

SAMPLE = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "radiomapseer-sample"

# Raw grey in line of sight at these distances, read off gains of RadioMapSeer.
PROFILE = {2: 232, 5: 210, 10: 191, 20: 172, 30: 160, 40: 152, 60: 141, 80: 133, 100: 126, 120: 121}
ROW, COL = 60, 90


def open_field() -> np.ndarray:
    """Raw grey of free ground by the profile of the real data set."""
    rows, cols = np.ogrid[:128, :128]
    distance_m = np.hypot(rows - ROW, cols - COL)
    grey = np.interp(np.log(np.maximum(distance_m, 1.0)), np.log([1.0, *PROFILE]), [255.0, *PROFILE.values()])
    return np.rint(grey).astype(np.uint8)


def thresholded(grey: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip((grey / 255 - 0.2) / 0.8, 0, 1)).astype(np.uint8)


def test_the_real_profile_is_raw_and_its_thresholded_form_is_not() -> None:
    raw = open_field()
    assert grey_verdict(raw, ROW, COL) == "raw"
    assert grey_verdict(thresholded(raw), ROW, COL) == "thresholded"
    assert grey_verdict(255 - raw, ROW, COL) == "inverted"
    assert grey_verdict(255 - thresholded(raw), ROW, COL) == "inverted"


def test_walls_on_three_sides_leave_enough_to_tell() -> None:
    raw = open_field()
    raw[:, : COL - 2] = 0
    raw[: ROW - 2] = 0
    raw[ROW + 3 :] //= 2
    assert grey_verdict(raw, ROW, COL) == "raw"
    assert grey_verdict(thresholded(raw), ROW, COL) == "thresholded"


def test_a_transmitter_at_the_corner_of_the_map() -> None:
    raw = np.roll(open_field(), (-ROW, 127 - COL), axis=(0, 1))
    assert grey_verdict(raw, 0, 127) == "raw"


@pytest.mark.parametrize(("factor", "verdict"), [(0.0, "unclear"), (0.5, "unknown"), (0.8, "unknown")])
def test_other_levels_are_no_scale(factor: float, verdict: str) -> None:
    grey = (open_field() * factor).astype(np.uint8)
    assert grey_verdict(grey, ROW, COL) == verdict


def test_squared_levels_are_of_no_known_scale_unless_the_transmitter_is_hemmed_in() -> None:
    squared = np.rint((open_field() / 255.0) ** 2 * 255).astype(np.uint8)
    assert grey_verdict(squared, ROW, COL) == "unknown"
    squared[:, : COL - 2] = 0
    squared[: ROW - 2] = 0
    assert grey_verdict(squared, ROW, COL) == "unclear"


def test_the_strongest_cell_of_a_dominant_path_gain_is_that_of_the_transmitter() -> None:
    raw = open_field()
    # Levels are equal up to 1 m.
    assert check_peak(raw, ROW, COL, is_dominant_path=True) is None
    assert check_peak(raw, ROW, COL + 1, is_dominant_path=True) is None
    assert check_peak(raw, ROW, COL + 2, is_dominant_path=True)[0] == "gain-peak"
    assert check_peak(raw, ROW, COL + 2) is None


def test_the_middle_of_the_peak_may_lie_two_cells_off_and_no_more() -> None:
    raw = open_field()
    assert check_peak(raw, ROW, COL) is None
    assert check_peak(raw, ROW + 2, COL - 2) is None
    # Levels are equal up to 1 m, so the nearest of them lies in row 59.
    kind, reason = check_peak(raw, ROW - 4, COL)
    assert (kind, reason) == ("gain-peak", "strongest at row 59, column 90, transmitter at row 56, column 90")
    assert check_peak(raw, ROW - 3, COL)[0] == "gain-peak"
    assert check_peak(raw, ROW, COL + 3)[0] == "gain-peak"


@pytest.mark.parametrize(
    ("row", "col", "kind"),
    [
        (127 - ROW, COL, "tx-mirrored"),
        (ROW, 127 - COL, "tx-mirrored"),
        (127 - ROW, 127 - COL, "tx-mirrored"),
        (COL, ROW, "tx-transposed"),
        (20, 30, "gain-peak"),
    ],
)
def test_where_the_transmitter_was_misplaced(row: int, col: int, kind: str) -> None:
    assert check_peak(open_field(), row, col)[0] == kind


def test_a_plateau_counts_as_the_transmitter() -> None:
    raw = np.minimum(open_field(), 240)
    assert check_peak(raw, ROW, COL) is None


real = pytest.mark.skipif(not SAMPLE.is_dir(), reason="needs files of RadioMapSeer, not part of the repository")


@real
@pytest.mark.parametrize("simulation", ["DPM", "IRT2", "IRT4", "carsDPM", "carsIRT2"])
def test_real_thresholded_gains(simulation: str) -> None:
    cells = read_radiomapseer_transmitters(SAMPLE / "antenna/419.json")
    paths = sorted((SAMPLE / f"gain_thresholded/{simulation}").glob("419_*.png"))
    assert paths
    for path in paths:
        grey = np.array(Image.open(path))
        col, row = cells[int(path.stem.split("_")[1])]
        assert grey_verdict(grey, row, col) == "thresholded"
        assert grey_verdict(255 - grey, row, col) == "inverted"
        assert check_peak(grey, row, col, is_dominant_path=simulation.endswith("DPM")) is None
        assert check_peak(np.roll(grey, 3, axis=1), row, col)[0] == "gain-peak"
        assert check_peak(grey, 255 - row, col) is not None


@real
def test_real_raw_gains() -> None:
    """Without antenna files: the transmitter is where the image is brightest."""
    paths = sorted((SAMPLE / "gain_raw_without_layout").glob("*.png"))
    assert len(paths) == 25
    for path in paths:
        grey = np.array(Image.open(path))
        row, col = (int(i) for i in np.unravel_index(grey.argmax(), grey.shape))
        assert grey_verdict(grey, row, col) == "raw"
        assert grey_verdict(thresholded(grey), row, col) == "thresholded"
