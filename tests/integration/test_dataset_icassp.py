"""`radiodiff dataset arrange-icassp` and `patterns`: what is on the disk, whatever the interruptions."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from command_line import Run, tree
from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.icassp import (
    FakeIcasspSettings,
    IcasspConfig,
    IcasspDataSet,
    SampleId,
    scan_icassp,
    write_fake_icassp,
)
from radiodiff.data.icassp.arrange import ARRANGED_FOLDERS, ArrangeSettings, arrange_icassp
from radiodiff.data.icassp.building_split import building_split
from radiodiff.data.icassp.channels import decode_view
from radiodiff.data.splits import Split
from radiodiff.errors import InputError

COMMAND = ("dataset", "arrange-icassp", "raw", "--out", "squares", "--size", 64, "--workers", 1)


CONDITIONS = ("reflectance", "transmittance", "distance", "free_space_loss")
RANGES = {
    "path_loss_db": (13, 160),
    "free_space_loss_db": (13, 160),
    "reflectance_db": (0, 40),
    "transmittance_db": (0, 40),
    "distance_m": (0, 128),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data set of task 3, and its arrangement made in one go."""
    folder = tmp_path_factory.mktemp("icassp")
    list(write_fake_icassp(folder / "raw", FakeIcasspSettings(3, 2, 1, 30, 80, seed=2)))
    steps = list(arrange_icassp(folder / "raw", folder / "squares", ArrangeSettings(size=64)))
    assert steps == [(done, 18) for done in range(19)]
    return folder / "raw", folder / "squares"


@pytest.fixture
def folder(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    """Copies, in the folder where commands run."""
    for source in originals:
        shutil.copytree(source, tmp_path / source.name)
    return tmp_path


def grey(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint8
    assert image.ndim == 2
    return image


def test_the_layout(originals: tuple[Path, Path]) -> None:
    raw, squares = originals
    folders = ("image", "antenna", "mask", *(f"condition/{name}" for name in CONDITIONS))
    expected = {"arranged.json", "split.json", "manifest.csv", "statistics.json"}
    expected |= {f"{folder}/{sample.name}.png" for folder in folders for sample in scan_icassp(raw, 3)}
    assert {name for name, content in tree(squares).items() if content is not None} == expected


def test_every_square_is_the_centred_view_of_the_data_set(originals: tuple[Path, Path]) -> None:
    """Decoded examples and decoded files agree to half a decibel or metre: the step of a grey level."""
    raw, squares = originals
    for condition2 in ("distance", "free-space"):
        config = IcasspConfig(root=raw, tasks=(3,), part="all", crop="tx-centred", size=64, condition2=condition2)
        source = IcasspDataSet(config)
        for index in range(0, len(source), 3):
            example = source[index]
            values = dict(
                zip(source.encoding.names, decode_view(source.encoding, example.condition), strict=True),
                path_loss_db=source.encoding.decode_target(example.target)[0],
            )
            for name, expected in values.items():
                stored = grey(squares / ARRANGED_FOLDERS[name] / f"{example.name}.png").astype(float)
                np.testing.assert_allclose(np.clip(stored, *RANGES[name]), expected, atol=0.5001)
            assert example.tx == (32, 32)
            assert np.argwhere(grey(squares / f"antenna/{example.name}.png")).tolist() == [[32, 32]]
            assert np.array_equal(grey(squares / f"mask/{example.name}.png"), 255 * example.mask[0])


def test_the_manifest_leads_back_to_the_map(originals: tuple[Path, Path]) -> None:
    raw, squares = originals
    with (squares / "manifest.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == [sample.name for sample in scan_icassp(raw, 3)]
    for line in lines:
        sample = SampleId(3, *(int(line[key]) for key in ("building", "antenna", "band", "sample")))
        assert (sample.name, sample.frequency_hz) == (line["name"], float(line["frequency_hz"]))
        table = sample.positions_path(raw).read_text().splitlines()[1 + sample.sample].split(",")
        assert [line["map_tx_row"], line["map_tx_col"], line["azimuth_deg"]] == table[1:]
        whole = grey(sample.output_path(raw))
        assert whole.shape == (int(line["map_rows"]), int(line["map_cols"]))
        square, mask = (grey(squares / folder / f"{sample.name}.png") for folder in ("image", "mask"))
        rows, cols = np.nonzero(mask)
        np.testing.assert_array_equal(
            square[rows, cols], whole[rows + int(line["crop_row"]), cols + int(line["crop_col"])]
        )
        assert (line["tx_row"], line["tx_col"]) == ("32", "32")


def test_the_split_is_by_building(originals: tuple[Path, Path]) -> None:
    split = Split.read(originals[1] / "split.json")
    assert split == building_split([1, 2, 3])
    assert sorted(split.ids("all")) == [1, 2, 3]


def test_statistics_are_those_of_the_pixels_on_the_train_maps_and_counts_those_of_all(
    originals: tuple[Path, Path],
) -> None:
    """What a network is normalised by must not come from the maps that test it."""
    _, squares = originals
    found = json.loads((squares / "statistics.json").read_text())
    names = [path.name for path in (squares / "image").iterdir()]
    masks = {name: grey(squares / "mask" / name) > 0 for name in names}
    (building,) = Split.read(squares / "split.json").ids("train")
    train = [name for name in names if name.startswith(f"B{building}_")]
    assert (found["channels_are_of"], found["counts_are_of"], len(train)) == ("train", "all parts", 6)
    for channel, folder in ARRANGED_FOLDERS.items():
        values = np.concatenate([grey(squares / folder / name)[masks[name]] for name in train]).astype(float)
        expected = {"min": values.min(), "max": values.max(), "mean": values.mean(), "std": values.std()}
        assert found["channels"][channel] == pytest.approx(expected)
    assert found["pixels_on_maps"] == sum(mask.sum() for mask in masks.values())
    assert found["radio_maps"] == 18
    assert found["buildings"] == 3
    assert found["by_part"] == {"train": 6, "validation": 6, "test": 6}
    assert found["by_antenna"] == {"1": 9, "2": 9}
    assert found["by_band"] == {"1": 6, "2": 6, "3": 6}


def test_the_command_makes_the_same(radiodiff: Run, folder: Path) -> None:
    reference = tree(folder / "squares")
    shutil.rmtree(folder / "squares")
    outcome = radiodiff(*COMMAND)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("squares: 18 radio maps of task 3, 64 x 64 pixels (")
    assert tree(folder / "squares") == reference


def test_two_processes_make_the_same(radiodiff: Run, folder: Path) -> None:
    reference = tree(folder / "squares")
    shutil.rmtree(folder / "squares")
    assert radiodiff(*COMMAND, "--workers", 2).code == 0
    assert tree(folder / "squares") == reference


def test_an_interrupted_run_is_completed(radiodiff: Run, folder: Path) -> None:
    squares = folder / "squares"
    reference = tree(squares)
    kept = squares / "image/B1_Ant1_f1_S0.png"
    for name in ("manifest.csv", "statistics.json", "split.json", "image/B3_Ant2_f3_S0.png", "mask/B2_Ant1_f1_S0.png"):
        (squares / name).unlink()
    shutil.rmtree(squares / "condition/transmittance")
    # After a power cut: names with half or none of their content, and what was being written.
    cut = squares / "condition/distance/B2_Ant2_f2_S0.png"
    cut.write_bytes(cut.read_bytes()[:-20])
    (squares / "condition/distance/B2_Ant2_f3_S0.png").write_bytes(b"")
    (squares / "image" / f"{TEMPORARY_PREFIX}0.png").write_bytes(b"half")
    assert radiodiff(*COMMAND).code == 0
    assert tree(squares) == reference
    written_ns = kept.stat().st_mtime_ns
    assert radiodiff(*COMMAND).code == 0
    assert kept.stat().st_mtime_ns == written_ns
    assert tree(squares) == reference


def test_a_broken_input_stops_the_run_and_the_repaired_one_completes_it(radiodiff: Run, folder: Path) -> None:
    reference = tree(folder / "squares")
    shutil.rmtree(folder / "squares")
    broken = folder / "raw/Outputs/Task_3_ICASSP/B2_Ant1_f1_S0.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:50])
    radiodiff(*COMMAND).check_refusal("readable by Pillow", "B2_Ant1_f1_S0.png")
    made = {name: content for name, content in tree(folder / "squares").items() if content is not None}
    assert made.items() <= reference.items()
    assert "manifest.csv" not in made
    broken.write_bytes(whole)
    assert radiodiff(*COMMAND).code == 0
    assert tree(folder / "squares") == reference


def test_the_azimuth_convention_can_be_found(radiodiff: Run, tmp_path: Path) -> None:
    list(write_fake_icassp(tmp_path / "raw", FakeIcasspSettings(3, 2, 2, 30, 40, convention="down-ccw-cw")))
    outcome = radiodiff(*COMMAND, "--azimuth", "auto")
    assert outcome.code == 0
    assert outcome.out.startswith("azimuth convention down-ccw-cw: correlation 0.9")
    assert json.loads((tmp_path / "squares/arranged.json").read_text())["azimuth"] == "down-ccw-cw"
    radiodiff(*COMMAND, "--azimuth", "auto", "--task", 1).check_refusal("directional antennas", "task 3")


REFUSED = {
    "another size": (["--size", 32], ["begun with", "squares: size: 64 on disk, 32 asked for"]),
    "another task": (["--task", 2], ["task: 3 on disk, 2 asked for"]),
    "another split": (["--split-seed", 1], ["split_seed: 0 on disk, 1 asked for"]),
    "another convention": (["--azimuth", "up-cw-cw"], ["azimuth: right-cw-ccw on disk, up-cw-cw asked for"]),
    "no task": (["--task", 4], ["task must be 1, 2 or 3", "got 4"]),
    "no workers": (["--workers", 0], ["workers must be", "at least 1", "got 0"]),
    "no size": (["--size", 0], ["size must be a whole number from 1", "got 0"]),
    "a huge size": (["--size", 5000], ["size must be", "to 4096"]),
    "a negative seed": (["--split-seed", -1], ["split_seed must be", "at least 0"]),
    "no convention": (["--azimuth", "north"], ["azimuth must be one of right-cw-cw", "'north'"]),
    "a foreign folder": (["--out", "foreign"], ["must be empty or absent", "foreign"]),
    "a file": (["--out", "foreign/thesis.txt"], ["must have a folder", "thesis.txt, which is a file"]),
    "a folder in a file": (["--out", "foreign/thesis.txt/a"], ["must be writable", "Not a directory"]),
}


@pytest.mark.parametrize(("changes", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_refused_and_nothing_changes(
    radiodiff: Run, folder: Path, changes: list, parts: list[str]
) -> None:
    (folder / "foreign").mkdir()
    (folder / "foreign/thesis.txt").touch()
    before = tree(folder)
    radiodiff(*COMMAND, *changes).check_refusal(*parts)
    assert tree(folder) == before


def test_no_data_set(radiodiff: Run, tmp_path: Path) -> None:
    radiodiff(*COMMAND).check_refusal("Inputs/Task_k_ICASSP", "raw, which is no folder", "IEEE DataPort")
    assert not (tmp_path / "squares").exists()


def test_two_buildings_cannot_be_split_and_leave_no_folder(radiodiff: Run, tmp_path: Path) -> None:
    list(write_fake_icassp(tmp_path / "raw", FakeIcasspSettings(2, 2, 1, 24, 30)))
    radiodiff(*COMMAND).check_refusal("at least three buildings", "2 buildings")
    assert not (tmp_path / "squares").exists()


@pytest.mark.parametrize("text", ["{", "[1]", '{"task": 3}'], ids=["cut short", "a list", "other keys"])
def test_a_damaged_record_is_refused(radiodiff: Run, folder: Path, text: str) -> None:
    (folder / "squares/arranged.json").write_text(text)
    before = tree(folder)
    radiodiff(*COMMAND).check_refusal("squares")
    assert tree(folder) == before


def test_settings_of_another_type_are_refused() -> None:
    with pytest.raises(InputError, match="size must be"):
        ArrangeSettings(size=64.0)


def test_patterns_are_measured_and_drawn(radiodiff: Run, folder: Path) -> None:
    outcome = radiodiff("dataset", "patterns", "raw", "--out", "antennas")
    assert (outcome.code, outcome.err) == (0, "")
    out = folder / "antennas"
    assert sorted(path.name for path in out.iterdir()) == ["Ant1_Pattern.png", "Ant2_Pattern.png", "patterns.csv"]
    assert outcome.out == (out / "patterns.csv").read_text()
    with (out / "patterns.csv").open(encoding="utf-8", newline="") as file:
        omni, sector = csv.DictReader(file)
    assert (omni["pattern"], omni["class"], omni["beam_width_deg"]) == ("Ant1_Pattern", "omnidirectional", "")
    gains_db = np.loadtxt(folder / "raw/Radiation_Patterns/Ant2_Pattern.csv")
    assert float(sector["range_db"]) == pytest.approx(np.ptp(gains_db), abs=0.006)
    assert float(sector["beam_width_deg"]) == pytest.approx(65.0, abs=0.1)
    assert cv2.imread(str(out / "Ant2_Pattern.png")).std() > 0


def test_a_damaged_pattern_leaves_nothing(radiodiff: Run, folder: Path) -> None:
    (folder / "raw/Radiation_Patterns/Ant2_Pattern.csv").write_text("1\n2\n")
    radiodiff("dataset", "patterns", "raw", "--out", "antennas").check_refusal("360 rows", "Ant2_Pattern.csv")
    assert not (folder / "antennas").exists()
    radiodiff("dataset", "patterns", "squares", "--out", "antennas").check_refusal("Ant1_Pattern.csv", "holds none")
    (folder / "file").touch()
    (folder / "raw/Radiation_Patterns/Ant2_Pattern.csv").unlink()
    radiodiff("dataset", "patterns", "raw", "--out", "file").check_refusal("must be writable", "file")


def test_images_of_another_source_are_made_again(radiodiff: Run, tmp_path: Path) -> None:
    for seed in (1, 2):
        fake = ("dataset", "fake", "icassp", "--out", f"s{seed}", "--maps", 3, "--tx-per-map", 1, "--seed", seed)
        assert radiodiff(*fake, "--size", 40).code == 0
    command = ("dataset", "arrange-icassp", "--size", 64, "--task", 1, "--workers", 1)
    for out, source in (("squares", "s1"), ("squares", "s2"), ("alone", "s2")):
        assert radiodiff(*command, "--out", out, source).code == 0
    assert tree(tmp_path / "squares") == tree(tmp_path / "alone")
