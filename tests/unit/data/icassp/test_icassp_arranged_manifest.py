import csv
import json

import pytest

from radiodiff.data.icassp.arrange import ArrangeSettings, read_arranged_record
from radiodiff.data.icassp.arranged_manifest import ArrangedMap, read_manifest, write_manifest
from radiodiff.errors import FormatError

MAPS = (
    ArrangedMap("B1_Ant2_f1_S0", 1, 2, 1, 868_000_000, 0, 60, 70, 30, 35, 32, 32, -2, 3, 22.5),
    ArrangedMap("B3_Ant1_f3_S10", 3, 1, 3, 3_500_000_000, 10, 60, 70, 0, 69, 32, 32, -32, 37, 180.0),
)


@pytest.fixture
def table(tmp_path):
    write_manifest(tmp_path / "manifest.csv", MAPS)
    return tmp_path / "manifest.csv"


def test_what_is_written_is_read(table):
    assert read_manifest(table) == MAPS
    with table.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert (lines[0]["name"], lines[0]["crop_row"], lines[0]["azimuth_deg"]) == ("B1_Ant2_f1_S0", "-2", "22.5")
    assert lines[1]["azimuth_deg"] == "180"


BROKEN = {
    "no column": (lambda text: text.replace("tx_row,tx_col,crop", "tx_row,col,crop"), "line 2"),
    "no lines": (lambda text: text.splitlines()[0], "without lines"),
    "a word": (lambda text: text.replace(",60,", ",sixty,"), "line 2: B1_Ant2_f1_S0,1,2,1,868000000,0,sixty"),
    "a short line": (lambda text: text[:-9], "line 3"),
    "no finite azimuth": (lambda text: text.replace("22.5", "nan"), "line 2"),
    "another name": (lambda text: text.replace("B3_Ant1", "B3_Ant2"), "line 3"),
    "a name twice": (lambda text: text + text.splitlines()[1] + "\n", "line 4"),
}


@pytest.mark.parametrize(("change", "part"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_table_is_refused(table, change, part):
    before = table.read_text()
    table.write_text(change(before))
    assert table.read_text() != before
    with pytest.raises(FormatError, match=rf"table of an arrangement must be .*manifest\.csv,? .*{part}"):
        read_manifest(table)


def test_a_table_that_is_no_text_or_not_there(table):
    table.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(FormatError, match="table of an arrangement must be"):
        read_manifest(table)
    table.unlink()
    with pytest.raises(FormatError, match=r"manifest\.csv"):
        read_manifest(table)


def test_the_record_gives_the_settings_back(tmp_path):
    settings = ArrangeSettings(task=2, size=64, split_seed=5, azimuth="up-cw-cw")
    (tmp_path / "arranged.json").write_text(json.dumps(settings.identity()))
    assert read_arranged_record(tmp_path) == settings


@pytest.mark.parametrize(
    "change",
    [
        lambda record: [],
        lambda record: record | {"size": 0},
        lambda record: record | {"azimuth": ["up"]},
        lambda record: record | {"format": "radiodiff-generated"},
        lambda record: record | {"format_version": 2},
        lambda record: {key: value for key, value in record.items() if key != "task"},
    ],
    ids=["a list", "a size", "no convention", "another format", "another version", "no task"],
)
def test_a_damaged_record_is_refused(tmp_path, change):
    (tmp_path / "arranged.json").write_text(json.dumps(change(ArrangeSettings().identity())))
    with pytest.raises(FormatError, match=r"arranged\.json must hold the settings of an arrangement"):
        read_arranged_record(tmp_path)
