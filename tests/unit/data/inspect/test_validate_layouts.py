"""Faults planted in ICASSP folders are found, and real files of RadioMapSeer are sound."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted_faults import change, check_only, copy, cut_short, huge, remove, report_of, save_as, write

from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp

SAMPLE = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "radiomapseer-sample"

Planter = Callable[[Path], None]


@pytest.fixture(scope="module")
def sound_icassp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("icassp") / "set"
    list(
        write_fake_icassp(root, FakeIcasspSettings(buildings=1, antennas=2, samples=2, smallest=40, largest=56, seed=2))
    )
    return root


@pytest.fixture
def icassp(sound_icassp: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound_icassp, tmp_path / "set")


INPUT, OUTPUT = "Inputs/Task_3_ICASSP/B1_Ant2_f2_S1.png", "Outputs/Task_3_ICASSP/B1_Ant2_f2_S1.png"
TABLE, PATTERN = "Positions/Positions_B1_Ant2_f2.csv", "Radiation_Patterns/Ant2_Pattern.csv"


def shifted_distance(pixels: np.ndarray) -> np.ndarray:
    moved = pixels.copy()
    moved[..., 2] += 4
    return moved


def edit_table(edit: Callable[[list[list[str]]], list[list[str]]]) -> Planter:
    def plant(root: Path) -> None:
        lines = [line.split(",") for line in (root / TABLE).read_text().splitlines()]
        (root / TABLE).write_text("\n".join(",".join(line) for line in edit(lines)) + "\n")

    return plant


def exchanged(lines: list[list[str]]) -> list[list[str]]:
    number, x, y, azimuth = lines[2]
    return [*lines[:2], [number, y, x, azimuth]]


def far_off(lines: list[list[str]]) -> list[list[str]]:
    return [*lines[:2], [lines[2][0], "-30", *lines[2][2:]]]


def azimuth(value: str) -> Callable[[list[list[str]]], list[list[str]]]:
    return lambda lines: [*lines[:2], [*lines[2][:3], value]]


ICASSP_PLANTS: dict[str, tuple[Planter, str, str]] = {
    "an input cut short": (cut_short(INPUT), "unreadable", INPUT),
    "an input of 400 million pixels": (huge(INPUT, 20_000), "unreadable", INPUT),
    "a grey input": (save_as(INPUT, "L"), "image-mode", INPUT),
    "an output in colours": (save_as(OUTPUT, "RGB"), "image-mode", OUTPUT),
    "an output of another size": (change(OUTPUT, lambda p: p[:-3]), "image-size", INPUT),
    "an output of zeros": (change(OUTPUT, np.zeros_like), "zero-image", OUTPUT),
    "an output above 160 dB": (
        change(OUTPUT, lambda p: np.where(p == p.max(), 200, p).astype(np.uint8)),
        "value-range",
        OUTPUT,
    ),
    "an output below 13 dB": (
        change(OUTPUT, lambda p: np.where(p == p.min(), 0, p).astype(np.uint8)),
        "value-range",
        OUTPUT,
    ),
    "an output of one level": (change(OUTPUT, lambda p: np.full_like(p, 60)), "value-range", OUTPUT),
    "an output upside down": (change(OUTPUT, lambda p: p[::-1]), "tx-mirrored", OUTPUT),
    "an output left to right": (change(OUTPUT, lambda p: p[:, ::-1]), "tx-mirrored", OUTPUT),
    "an output turned by 180 degrees": (change(OUTPUT, lambda p: p[::-1, ::-1]), "tx-mirrored", OUTPUT),
    "an output seven pixels aside": (change(OUTPUT, lambda p: np.roll(p, 7, axis=1)), "gain-peak", OUTPUT),
    "an azimuth of 400 degrees": (edit_table(azimuth("400")), "positions", TABLE),
    "an azimuth of -361 degrees": (edit_table(azimuth("-361")), "positions", TABLE),
    "an azimuth that is no number": (edit_table(azimuth("nan")), "positions", TABLE),
    "no output": (remove(OUTPUT), "missing-pair", OUTPUT),
    "no input": (remove(INPUT), "missing-pair", INPUT),
    "distances from elsewhere": (change(INPUT, shifted_distance), "distance", INPUT),
    "row and column exchanged": (edit_table(exchanged), "tx-transposed", INPUT),
    "a position far off the map": (edit_table(far_off), "positions", TABLE),
    "a table that is too short": (edit_table(lambda lines: lines[:2]), "positions", TABLE),
    "a table without X": (edit_table(lambda lines: [["", "x", "Y", "Azimuth"], *lines[1:]]), "positions", TABLE),
    "no table": (remove(TABLE), "positions", TABLE),
    "no pattern": (remove(PATTERN), "pattern", PATTERN),
    "a pattern of another length": (write(PATTERN, "0\n1\n"), "pattern", PATTERN),
    "a foreign file": (
        write("Inputs/Task_1_ICASSP/building.png", b"x"),
        "foreign-file",
        "Inputs/Task_1_ICASSP/building.png",
    ),
}


@pytest.mark.parametrize(("plant", "kind", "file"), ICASSP_PLANTS.values(), ids=ICASSP_PLANTS)
def test_a_fault_of_an_icassp_folder(icassp: Path, plant: Planter, kind: str, file: str) -> None:
    if kind == "tx-transposed":
        x, y = (icassp / TABLE).read_text().splitlines()[2].split(",")[1:3]
        assert abs(int(x) - int(y)) > 8
    plant(icassp)
    check_only(icassp, kind, file)


PEAK_KINDS = {"gain-peak", "tx-mirrored"}
"""Another transmitter may stand near the mirror image of the right one."""


def test_an_output_of_another_sample(icassp: Path) -> None:
    copy(OUTPUT.replace("S1", "S0"), OUTPUT)(icassp)
    peak, copied = sorted(report_of(icassp).findings, key=lambda finding: finding.kind == "duplicate-gain")
    assert (copied.kind, copied.file, peak.file) == ("duplicate-gain", OUTPUT, OUTPUT)
    assert peak.kind in PEAK_KINDS
    assert f"{TABLE} and the distance channel say" in peak.reason


def test_outputs_of_two_samples_exchanged(icassp: Path) -> None:
    other = OUTPUT.replace("S1", "S0")
    one, two = (icassp / OUTPUT).read_bytes(), (icassp / other).read_bytes()
    (icassp / OUTPUT).write_bytes(two)
    (icassp / other).write_bytes(one)
    findings = report_of(icassp).findings
    assert [finding.file for finding in findings] == [other, OUTPUT]
    assert {finding.kind for finding in findings} <= PEAK_KINDS


def test_a_transposed_output(icassp: Path) -> None:
    """Made square first: another size would tell."""
    size = max(np.array(Image.open(icassp / OUTPUT)).shape)
    row, col = (int(at) for at in (icassp / TABLE).read_text().splitlines()[2].split(",")[1:3])

    def square(pixels: np.ndarray) -> np.ndarray:
        rows, cols = pixels.shape[:2]
        wider = [(0, size - rows), (0, size - cols), *[(0, 0)] * (pixels.ndim - 2)]
        pixels = np.pad(pixels, wider, mode="edge")
        if pixels.ndim == 3:
            row_of, col_of = np.ogrid[:size, :size]
            pixels[..., 2] = np.rint(0.25 * np.hypot(row_of - row, col_of - col))
        return pixels

    change(INPUT, square)(icassp)
    change(OUTPUT, square)(icassp)
    assert report_of(icassp).findings == ()
    change(OUTPUT, lambda p: p.T)(icassp)
    check_only(icassp, "tx-transposed", OUTPUT)


def test_an_output_that_agrees_with_neither_table_nor_distances(icassp: Path) -> None:
    change(OUTPUT, lambda p: np.roll(p, 15, axis=0))(icassp)
    edit_table(exchanged)(icassp)
    found = {(finding.kind, finding.file): finding.reason for finding in report_of(icassp).findings}
    assert set(found) == {("tx-transposed", INPUT), ("gain-peak", OUTPUT)}
    assert "distance channel" not in found["gain-peak", OUTPUT]


def test_a_transmitter_a_little_off_the_map_is_a_note(icassp: Path) -> None:
    """As the real tables are said to hold some."""
    azimuth_row = (icassp / TABLE).read_text().splitlines()[2].split(",")
    col = int(azimuth_row[2])
    edit_table(lambda lines: [*lines[:2], [lines[2][0], "-3", *lines[2][2:]]])(icassp)

    def distances(pixels: np.ndarray) -> np.ndarray:
        rows, cols = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
        pixels = pixels.copy()
        pixels[..., 2] = np.rint(0.25 * np.hypot(rows + 3, cols - col))
        return pixels

    change(INPUT, distances)(icassp)
    change(OUTPUT, lambda p: np.roll(p, -int(azimuth_row[1]), axis=0))(icassp)
    check_only(icassp, "tx-off-map", TABLE)


def far_away(pixels: np.ndarray) -> np.ndarray:
    """1400 columns of 0.25 m: more metres than a level can say."""
    return np.pad(pixels, [(0, 0), (0, 1400 - pixels.shape[1]), *[(0, 0)] * (pixels.ndim - 2)], mode="edge")


def test_distances_end_at_255_m(icassp: Path) -> None:
    row, col = (int(at) for at in (icassp / TABLE).read_text().splitlines()[2].split(",")[1:3])

    def distances(pixels: np.ndarray) -> np.ndarray:
        pixels = far_away(pixels)
        rows, cols = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
        pixels[..., 2] = np.rint(np.minimum(0.25 * np.hypot(rows - row, cols - col), 255.0))
        assert (pixels[..., 2] == 255).mean() > 0.2
        return pixels

    change(INPUT, distances)(icassp)
    change(OUTPUT, far_away)(icassp)
    assert report_of(icassp).findings == ()


def test_an_untouched_icassp_folder_is_clean(sound_icassp: Path) -> None:
    report = report_of(sound_icassp)
    assert (report.layout, report.scale, report.findings) == ("icassp", "db", ())
    assert report.num_files == len(list(sound_icassp.rglob("*.png")))


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="needs files of RadioMapSeer, not part of the repository")
def test_real_files_are_sound_and_thresholded(tmp_path: Path) -> None:
    """Map 419, in a folder of the layout, with the transmitters whose gains are there."""
    for name, target in (("gain", "gain_thresholded"), ("png", "png"), ("polygon", "polygon")):
        (tmp_path / name).symlink_to(SAMPLE / target)
    (tmp_path / "antenna").mkdir()
    cells = json.loads((SAMPLE / "antenna/419.json").read_text())
    (tmp_path / "antenna/419.json").write_text(json.dumps(cells[:4]))
    report = report_of(tmp_path)
    assert (report.layout, report.scale) == ("radiomapseer", "thresholded")
    # The sample has IRT4 of transmitter 0 alone.
    assert [(finding.kind, finding.file) for finding in report.findings] == [("missing-gain", "gain/IRT4/419_1.png")]
