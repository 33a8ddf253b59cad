"""Tables of measured points."""

from pathlib import Path

import numpy as np
import pytest

from radiodiff.errors import FormatError, GridError
from radiodiff.formats import read_measurement_csv, write_radio_map
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Grid, Transmitter

GRID = Grid(8, 10, 2.0, "EPSG:32633", 390_000.0, 5_820_000.0)


def test_cells(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("device, row ,col,path_loss_db\nx,3,4,80.5\ny,0,9,101\n", encoding="utf-8-sig")
    cells, values = read_measurement_csv(tmp_path / "a.csv", GRID)
    assert cells.tolist() == [[0, 9], [3, 4]]
    assert values.tolist() == [101.0, 80.5]


def test_positions_and_the_mean_of_a_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y,path_loss_db\n390001,5819999,80\n390001.9,5819998.5,90\n390003,5819985,70\n")
    cells, values = read_measurement_csv(tmp_path / "a.csv", GRID)
    assert cells.tolist() == [[0, 0], [7, 1]]
    assert values.tolist() == [85.0, 70.0]


def test_the_table_of_a_radio_map(tmp_path: Path) -> None:
    values_db = np.linspace(60.0, 120.0, 80, dtype=np.float32).reshape(8, 10)
    write_radio_map(RadioMap(values_db, GRID, Transmitter(1.0, 1.0), "test"), tmp_path / "a.csv")
    cells, values = read_measurement_csv(tmp_path / "a.csv", GRID)
    np.testing.assert_allclose(values, values_db[tuple(cells.T)], atol=1e-4)
    assert len(values) == 80


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            b"row,path_loss_db\n1,2\n",
            "must have the columns row and col, or x and y, and path_loss_db; got .*row, path",
        ),
        (b"row,col,rsrp\n1,2,3\n", "must have the columns"),
        (b"row,col,path_loss_db\n", "must hold at least one point"),
        (b"row,col,path_loss_db\n1,2,80\n1,2,high\n", "finite numbers; got 1, 2, high in line 3"),
        (b"row,col,path_loss_db\n1,2\n", "finite numbers; got 1, 2, None in line 2"),
        (b"row,col,path_loss_db\n1,2,inf\n", "finite numbers; got 1, 2, inf"),
        (b"row,col,path_loss_db\n1.5,2,80\n", r"whole numbers; got \[1\.5, 2\.0\].*Give x and y"),
        (b"row,col,path_loss_db\n1,2,\xff\n", "text in UTF-8"),
        (b"", "must not be empty"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(FormatError, match=text):
        read_measurement_csv(tmp_path / "a.csv", GRID)


def test_a_point_beside_the_map(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y,path_loss_db\n0,0,80\n")
    with pytest.raises(GridError, match="must lie on the grid"):
        read_measurement_csv(tmp_path / "a.csv", GRID)
