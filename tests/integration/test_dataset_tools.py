"""`radiodiff dataset fake`, `describe`, `validate` and `show`: what they print, write and refuse."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import Run, tree
from radiodiff.formats import image_size

FAKE = ("--maps", 2, "--tx-per-map", 2, "--seed", 2, "--size", 64)


@pytest.fixture
def fake(radiodiff: Run, tmp_path: Path) -> Path:
    small = ("--no-cars", "--no-missing-layers")
    outcome = radiodiff("dataset", "fake", "radiomapseer", "--out", "set", *FAKE, *small)
    assert (outcome.code, outcome.err) == (0, "")
    count = sum(path.is_file() for path in (tmp_path / "set").rglob("*"))
    assert outcome.out == f"set: {count} files of made-up data\n"
    return tmp_path / "set"


def test_fakes_hold_what_was_asked_for(radiodiff: Run, tmp_path: Path) -> None:
    options = ("--simulation", "DPM", "--simulation", "IRT4", "--no-missing-layers", "--thresholded")
    assert radiodiff("dataset", "fake", "radiomapseer", "--out", "one", *FAKE, *options).code == 0
    assert {path.name for path in (tmp_path / "one/gain").iterdir()} == {"DPM", "IRT4", "carsDPM", "carsIRT4"}
    outcome = radiodiff("dataset", "validate", "one", "--workers", 1)
    assert "scale thresholded" in outcome.out
    assert radiodiff("dataset", "fake", "icassp", "--out", "two", *FAKE[:-1], 40).code == 0
    sizes = {image_size(path) for path in (tmp_path / "two/Outputs").rglob("*.png")}
    assert sizes == {(40, 40)}
    assert radiodiff("dataset", "validate", "two", "--workers", 1).out.startswith("two: sound, ")


def test_fakes_of_a_seed_are_the_same(radiodiff: Run, fake: Path, tmp_path: Path) -> None:
    radiodiff("dataset", "fake", "radiomapseer", "--out", "again", *FAKE, "--no-cars", "--no-missing-layers")
    assert tree(fake) == tree(tmp_path / "again")


REFUSED_FAKES = {
    "an unknown kind": (["indoor"], ["must be radiomapseer or icassp", "'indoor'"]),
    "a simulation of icassp": (["icassp", "--simulation", "DPM"], ["belong to radiomapseer"]),
    "a scale of icassp": (["icassp", "--thresholded"], ["belong to radiomapseer", "icassp with --thresholded"]),
    "cars of icassp": (["icassp", "--cars"], ["belong to radiomapseer", "icassp with --cars/--no-cars"]),
    "no cars of icassp": (["icassp", "--no-cars"], ["belong to radiomapseer", "icassp with --cars/--no-cars"]),
    "layers of icassp": (
        ["icassp", "--no-missing-layers", "--simulation", "DPM"],
        ["belong to radiomapseer", "icassp with --simulation and --missing-layers/--no-missing-layers"],
    ),
    "an unknown simulation": (["radiomapseer", "--simulation", "IRT3"], ["some of DPM, IRT2, IRT4", "IRT3"]),
    "no maps": (["radiomapseer", "--maps", 0], ["maps must be a whole number of at least 1"]),
    "a small size": (["radiomapseer", "--size", 20], ["at least 48 m wide"]),
    "no size": (["radiomapseer", "--size", 0], ["at least 1", "got 0"]),
}


@pytest.mark.parametrize(("arguments", "parts"), REFUSED_FAKES.values(), ids=REFUSED_FAKES)
def test_fakes_that_cannot_be_made(radiodiff: Run, tmp_path: Path, arguments: list, parts: list[str]) -> None:
    radiodiff("dataset", "fake", "--out", "new", *FAKE, *arguments).check_refusal(*parts)
    assert tree(tmp_path) == {}


def test_a_fake_into_a_folder_that_holds_something(radiodiff: Run, fake: Path) -> None:
    before = tree(fake)
    radiodiff("dataset", "fake", "radiomapseer", "--out", "set", *FAKE).check_refusal("must be empty or absent")
    assert tree(fake) == before


def test_a_description_in_words_and_as_json(radiodiff: Run, fake: Path, tmp_path: Path) -> None:
    outcome = radiodiff("dataset", "describe", "set", "--json", "d.json")
    assert (outcome.code, outcome.err) == (0, "")
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert lines[0] == "set: made up by radiodiff dataset fake, for tests, 2 maps, numbers 0 to 1"
    assert lines[1] == "2 maps with 2 transmitters"
    assert "gain/DPM 4 2" in lines
    content = json.loads((tmp_path / "d.json").read_text())
    assert content["shapes"] == {"64 x 64": 16}
    assert content["transmitters"] == {"2": 2}
    printed = radiodiff("dataset", "describe", "set", "--json", "-")
    assert json.loads(printed.out) == content


def test_an_arrangement_is_known_and_options_of_other_layouts_are_refused(radiodiff: Run, tmp_path: Path) -> None:
    rooms = ("--maps", 3, "--tx-per-map", 2, "--seed", 2, "--size", 40)
    assert radiodiff("dataset", "fake", "icassp", "--out", "raw", *rooms).code == 0
    arrange = ("dataset", "arrange-icassp", "raw", "--out", "squares", "--size", 48, "--workers", 1, "--task", 1)
    assert radiodiff(*arrange).code == 0
    assert radiodiff("dataset", "validate", "squares", "--workers", 1).out == "squares: sound, 42 files, scale db\n"
    lines = radiodiff("dataset", "describe", "squares").out.splitlines()
    assert lines[0] == "squares: ICASSP 2025, arranged by radiodiff dataset arrange-icassp, 3 buildings, numbers 1 to 3"
    assert lines[1] == "3 buildings with 2 radio maps"
    assert radiodiff("dataset", "show", "squares", "--index", 0).out.startswith("B1_Ant1_f1_S0: 868 MHz, 48 x 48 ")
    assert (tmp_path / "B1_Ant1_f1_S0.png").is_file()
    for root in ("raw", "squares"):
        show = radiodiff("dataset", "show", root, "--index", 0, "--simulation", "nonsense")
        show.check_refusal("simulation can be chosen for RadioMapSeer", f"'nonsense' for {root}")
        radiodiff("dataset", "validate", root, "--split", "disjoint").check_refusal("split can be checked for")


def test_a_folder_of_nothing_says_where_data_is(radiodiff: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for command in (["describe"], ["validate"], ["show", "--index", 0]):
        outcome = radiodiff("dataset", *command, "photos")
        outcome.check_refusal(
            "photos", "RadioMapSeer", "10.21227/0gtx-6v30", "IEEE DataPort", "ICASSP 2025", "edges.json"
        )
    radiodiff("dataset", "describe", "nowhere").check_refusal("nowhere, which is not there")


def test_a_sound_data_set_ends_with_0(radiodiff: Run, fake: Path) -> None:
    outcome = radiodiff("dataset", "validate", "set", "--workers", 1)
    files = sum(path.is_file() for path in fake.rglob("*")) - 2
    assert (outcome.code, outcome.err, outcome.out) == (0, "", f"set: sound, {files} files, scale raw\n")


def test_faults_end_with_2_a_table_and_the_full_list(radiodiff: Run, fake: Path, tmp_path: Path) -> None:
    for file in ("gain/DPM/0_0.png", "gain/DPM/1_1.png", "gain/IRT2/0_1.png"):
        (fake / file).unlink()
    (fake / "gain/IRT4/1_0.png").write_bytes(b"")
    (fake / "antenna/readme.txt").touch()
    outcome = radiodiff("dataset", "validate", "set", "--workers", 1, "--show", 2, "--json", "f.json")
    outcome.check_refusal("set with 4 faults", "first: unreadable, gain/IRT4/1_0.png", "All are in f.json.")
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert "fault: missing-gain (3) a transmitter has no gain image" in lines
    assert "and 1 more" in lines
    assert "note: foreign-file (1) a file has a name that the data set does not have" in lines
    content = json.loads((tmp_path / "f.json").read_text())
    assert [finding["kind"] for finding in content["findings"]] == ["unreadable", *["missing-gain"] * 3, "foreign-file"]
    radiodiff("dataset", "validate", "set", "--workers", 1).check_refusal("Add --json FILE")


def test_notes_alone_end_with_0(radiodiff: Run, fake: Path) -> None:
    (fake / "antenna/readme.txt").touch()
    outcome = radiodiff("dataset", "validate", "set", "--workers", 1)
    assert outcome.code == 0
    assert "antenna/readme.txt" in outcome.out
    assert outcome.out.endswith(", 1 notes\n")


def test_a_split_that_is_asked_for(radiodiff: Run, fake: Path) -> None:
    refusal = radiodiff("dataset", "validate", "set", "--workers", 1, "--split", "disjoint")
    refusal.check_refusal("1 faults", "split, disjoint")
    radiodiff("dataset", "validate", "set", "--split", "fair").check_refusal("named split must be one of", "'fair'")
    radiodiff("dataset", "validate", "set", "--workers", 0).check_refusal(
        "workers must be a whole number of at least 1"
    )


def test_an_output_that_cannot_be_written_is_refused_first(radiodiff: Run, fake: Path) -> None:
    (fake / "gain/DPM/0_0.png").unlink()
    for command in ("validate", "describe"):
        outcome = radiodiff("dataset", command, "set", "--json", "no/f.json")
        outcome.check_refusal("folder of an output file must exist")
        assert outcome.out == ""
    radiodiff("dataset", "show", "set", "--index", 0, "--out", "a.bmp").check_refusal("must end in .png")


def test_a_figure_and_its_name(radiodiff: Run, fake: Path, tmp_path: Path) -> None:
    outcome = radiodiff("dataset", "show", "set", "--index", 3, "--simulation", "IRT2")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("IRT2 map 1 transmitter 1 at row ")
    assert outcome.out.endswith("written to IRT2_1_1.png\n")
    pixels = np.array(Image.open(tmp_path / "IRT2_1_1.png").convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
    assert radiodiff("dataset", "show", "set", "--index", 0, "--out", "map.svg").code == 0
    assert "<svg" in (tmp_path / "map.svg").read_text()
    radiodiff("dataset", "show", "set", "--index", 4).check_refusal("must be one of 0..3", "got 4 of set")
