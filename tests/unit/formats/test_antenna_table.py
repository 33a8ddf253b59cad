import numpy as np
import pytest

from radiodiff.errors import FormatError
from radiodiff.formats import read_antenna_csv

GAINS = [float(-(i % 37)) for i in range(360)]


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("header", [[], ["gain_db"]])
def test_one_column(tmp_path, header):
    path = write(tmp_path / "a.csv", header + [str(g) for g in GAINS])
    assert list(read_antenna_csv(path).gains_db) == GAINS


@pytest.mark.parametrize("first", [0, -180])
def test_two_columns_in_any_order(tmp_path, first):
    lines = [f"{angle}, {GAINS[angle % 360]}" for angle in range(first, first + 360)]
    np.random.default_rng(0).shuffle(lines)
    path = write(tmp_path / "a.csv", ["angle,gain", *lines])
    assert list(read_antenna_csv(path).gains_db) == GAINS


def test_blank_lines_do_not_count(tmp_path):
    path = write(tmp_path / "a.csv", [*[str(g) for g in GAINS], "", ""])
    assert list(read_antenna_csv(path).gains_db) == GAINS


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([str(g) for g in GAINS[:-1]], "359 rows"),
        (["a", "b", *[str(g) for g in GAINS]], "row 2: b"),
        ([*["1"] * 359, "inf"], "row 360: inf"),
        ([*["1"] * 359, "1,2"], "row 360: 1,2"),
        (["1,2,3"] * 360, "row 1: 1,2,3"),
        ([f"{max(i, 1)},0" for i in range(360)], "every whole degree once"),
        ([f"{i + 0.5},0" for i in range(360)], "every whole degree once"),
        (["gain"], "0 rows"),
    ],
)
def test_bad_tables(tmp_path, lines, message):
    with pytest.raises(FormatError, match=message):
        read_antenna_csv(write(tmp_path / "a.csv", lines))


def test_no_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(FormatError, match="360 rows"):
        read_antenna_csv(tmp_path / "a.csv")
