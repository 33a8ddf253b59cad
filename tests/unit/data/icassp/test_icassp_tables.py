import numpy as np
import pandas as pd
import pytest

from radiodiff.data.icassp.tables import read_pattern, read_positions
from radiodiff.errors import FormatError

TABLE = {"X": [3, 40, 7.5], "Y": [11, 0, -2], "Azimuth": [0, 359, 12]}


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize("order", [["X", "Y", "Azimuth"], ["Azimuth", "Z", "Y", "X"]])
def test_positions_as_pandas_wrote_them(tmp_path, index, order):
    pd.DataFrame(TABLE | {"Z": ["a", "b,c", ""]})[order].to_csv(tmp_path / "p.csv", index=index)
    positions = read_positions(tmp_path / "p.csv")
    assert positions.row.tolist() == TABLE["X"]
    assert positions.col.tolist() == TABLE["Y"]
    assert positions.azimuth_deg.tolist() == TABLE["Azimuth"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X,Y,Elevation\n1,2,3\n", "with the columns 'X', 'Y', 'Elevation'"),
        ("1,2,3\n", "with the columns '1'"),
        ("X,Y,Y,Azimuth\n1,2,3,4\n", "'Y', 'Y'"),
        ("\n\n", "with the columns"),
        ("X,Y,Azimuth\n1,2,3\n1,2\n", "line 3: 1,2"),
        ("X,Y,Azimuth\n1,two,3\n", "line 2: 1,two,3"),
        ("X,Y,Azimuth\n1,,3\n", "line 2: 1,,3"),
        ("X,Y,Azimuth\n1,2,nan\n", "line 2: 1,2,nan"),
        ("X,Y,Azimuth\ninf,2,3\n", "line 2: inf,2,3"),
    ],
)
def test_damaged_positions_are_refused(tmp_path, text, value):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(FormatError, match=rf"names X, Y and Azimuth once each.*p\.csv.*{value}"):
        read_positions(tmp_path / "p.csv")


def test_bytes_and_absent_files_are_refused(tmp_path):
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\x00X")
    with pytest.raises(FormatError, match="names X, Y and Azimuth"):
        read_positions(tmp_path / "p.csv")
    with pytest.raises(FormatError, match="must exist"):
        read_positions(tmp_path / "q.csv")


GAINS_DB = np.round(np.random.default_rng(0).normal(0.0, 5.0, 360), 2)


@pytest.mark.parametrize("options", [{"header": False, "index": False}, {"index": False}, {"index": True}], ids=str)
def test_patterns_as_pandas_wrote_them(tmp_path, options):
    """Without a header, with the header 0 that pandas gives a column without a name, and with an index, too."""
    pd.DataFrame(GAINS_DB).to_csv(tmp_path / "a.csv", **options)
    assert read_pattern(tmp_path / "a.csv").gains_db == tuple(GAINS_DB)


def test_a_pattern_with_a_name(tmp_path):
    pd.DataFrame({"Gain": GAINS_DB}).to_csv(tmp_path / "a.csv", index=False)
    assert read_pattern(tmp_path / "a.csv").gains_db == tuple(GAINS_DB)


@pytest.mark.parametrize(
    "lines",
    [["1"] * 359, ["1"] * 361, ["0", *["1"] * 359, "x"], ["0", *["1"] * 359, "nan"], ["x"] * 360, ["1,2,3"] * 360],
    ids=["359", "361", "a word", "nan", "words", "three columns"],
)
def test_other_patterns_are_refused(tmp_path, lines):
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(FormatError, match=r"360 rows of finite numbers.*a\.csv"):
        read_pattern(tmp_path / "a.csv")


def test_absent_and_binary_patterns_are_refused(tmp_path):
    with pytest.raises(FormatError, match="must exist"):
        read_pattern(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="360 rows"):
        read_pattern(tmp_path / "a.csv")
