import cv2
import numpy as np
import pytest
from PIL import Image

from radiodiff.data.icassp import SampleId, scan_icassp
from radiodiff.data.icassp.reader import IcasspReader
from radiodiff.errors import FormatError

SAMPLE = SampleId(3, 2, 2, 3, 1)
INPUT, OUTPUT = "Inputs/Task_3_ICASSP/B2_Ant2_f3_S1.png", "Outputs/Task_3_ICASSP/B2_Ant2_f3_S1.png"
POSITIONS = "Positions/Positions_B2_Ant2_f3.csv"


def move(root, row, col):
    (root / POSITIONS).write_text(f",X,Y,Azimuth\n0,1,1,0\n1,{row},{col},30\n")


def test_a_sample_is_what_is_in_its_files(fake_root):
    sample = IcasspReader(fake_root).read(SAMPLE)
    pixels = cv2.imread(str(fake_root / INPUT))[..., ::-1]
    assert np.array_equal(np.stack([sample.reflectance_db, sample.transmittance_db, sample.distance_m], -1), pixels)
    assert np.array_equal(sample.path_loss_db, cv2.imread(str(fake_root / OUTPUT), cv2.IMREAD_UNCHANGED))
    line = (fake_root / POSITIONS).read_text().splitlines()[2].split(",")
    assert (sample.tx_row, sample.tx_col, sample.azimuth_deg) == tuple(map(float, line[1:]))
    assert (sample.id, sample.shape, sample.frequency_hz) == (SAMPLE, pixels.shape[:2], 3.5e9)
    gains_db = np.loadtxt(fake_root / "Radiation_Patterns/Ant2_Pattern.csv")
    assert np.array_equal(sample.pattern.gains_db, gains_db)


def test_x_is_the_row_and_the_distance_image_agrees(fake_root):
    reader = IcasspReader(fake_root)
    for sample in map(reader.read, scan_icassp(fake_root, 3)):
        row, col = np.indices(sample.shape)
        distance_m = 0.25 * np.hypot(row - sample.tx_row, col - sample.tx_col)
        assert np.abs(sample.distance_m - distance_m).max() <= 0.5
        assert sample.transmittance_db[sample.tx_cell] == 0


@pytest.mark.parametrize(("row", "cell"), [(0, 0), (2.4, 2), (-5, 0), ("end", -1), ("end+5", -1)])
def test_a_transmitter_beside_the_map_has_the_nearest_cell(root, row, cell):
    rows = IcasspReader(root).read(SAMPLE).shape[0]
    at = {"end": rows - 1, "end+5": rows + 4}.get(row, row)
    move(root, at, 3)
    sample = IcasspReader(root).read(SAMPLE)
    assert sample.tx == (at, 3)
    assert sample.tx_cell == (cell % rows, 3)


@pytest.mark.parametrize(("row", "col"), [(-5.1, 3), (3, -6), (500, 3), (3, 500)])
def test_a_transmitter_far_from_the_map_is_refused(root, row, col):
    move(root, row, col)
    with pytest.raises(FormatError, match=rf"row {row:g}, column {col:g} on .*B2_Ant2_f3_S1.*X is the row"):
        IcasspReader(root).read(SAMPLE)


def test_a_sample_without_a_position_is_refused(root):
    (root / POSITIONS).write_text("X,Y,Azimuth\n1,1,0\n")
    with pytest.raises(FormatError, match="with 1 lines; B2_Ant2_f3_S1 needs line 2"):
        IcasspReader(root).read(SAMPLE)


def test_images_of_two_sizes_are_refused(root):
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(root / OUTPUT)
    with pytest.raises(FormatError, match=r"must have one size.*B2_Ant2_f3_S1\.png.*5 x 7"):
        IcasspReader(root).read(SAMPLE)


def test_grey_where_colours_should_be_and_the_reverse(root):
    Image.open(root / INPUT).convert("L").save(root / INPUT)
    with pytest.raises(FormatError, match=rf"must be RGB.*{INPUT}, mode L"):
        IcasspReader(root).read(SAMPLE)
    other = SampleId(3, 2, 2, 3, 0)
    path = other.output_path(root)
    Image.open(path).convert("RGB").save(path)
    with pytest.raises(FormatError, match=r"8-bit grey.*S0\.png, mode RGB"):
        IcasspReader(root).read(other)


def test_sixteen_bits_and_truncated_images_are_refused(root):
    path = root / OUTPUT
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"S1\.png .*cut short"):
        IcasspReader(root).read(SAMPLE)
    cv2.imwrite(str(path), np.zeros((5, 7), np.uint16))
    with pytest.raises(FormatError, match="16 or 32 bits"):
        IcasspReader(root).read(SAMPLE)
    cv2.imwrite(str(root / INPUT), np.zeros((5, 7, 3), np.uint16))
    with pytest.raises(FormatError, match="16 bits per channel"):
        IcasspReader(root).read(SAMPLE)
