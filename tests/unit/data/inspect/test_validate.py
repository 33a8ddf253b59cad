"""Every fault that can be planted in a sound data set is found, and nothing else is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from planted_faults import (
    ANTENNA,
    BUILDINGS,
    GAIN,
    PLANTS,
    SIZE,
    Planter,
    change,
    cut_short,
    indoors,
    manifest,
    move_tx,
    on_the_rim,
    read,
    remove,
    same_buildings,
    write,
)

from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.inspect import KINDS, Finding, ValidationReport, validate_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split
from radiodiff.errors import DataSetError, InputError
from radiodiff.layouts import CitySettings
from radiodiff.propagation import DominantPath
from radiodiff.propagation.dominant_path.law import DominantPathLaw

SETTINGS = FakeRadioMapSeerSettings(maps=3, tx_per_map=3, seed=2, size=SIZE, missing_layers=False)


def validated(root: Path, **options: object) -> ValidationReport:
    steps = validate_data_set(root, **options)
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            report = end.value
            break
    wanted = seen[0][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (wanted, wanted) == (report.num_files, wanted)
    return report


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound") / "set"
    list(write_fake_radiomapseer(root, SETTINGS))
    # One of the 48 layers with missing buildings: tests copy this folder.
    shutil.copytree(root / "png/buildings_complete", root / "png/buildings_missing2/5")
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "split.json")
    return root


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "set")


@pytest.mark.parametrize(("plant", "kind", "file"), PLANTS.values(), ids=PLANTS)
def test_a_planted_fault_is_found_and_nothing_else(root: Path, plant: Planter, kind: str, file: str) -> None:
    plant(root)
    report = validated(root)
    assert [(finding.kind, finding.file) for finding in report.findings] == [(kind, file)], report.findings
    assert bool(report.faults) == (KINDS[kind][0] == "fault")
    assert report.findings[0].reason
    assert str(root) not in report.findings[0].reason or kind == "split"


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (indoors, "tx-in-building"),
        (on_the_rim, "tx-on-rim"),
        (lambda root: (5, SIZE), "tx-outside-grid"),
        (lambda root: (-1, 5), "tx-outside-grid"),
    ],
    ids=["indoors", "rim", "below", "left"],
)
def test_a_transmitter_where_none_can_stand(root: Path, place: Callable[[Path], tuple[int, int]], kind: str) -> None:
    move_tx(place)(root)
    found = [(finding.kind, finding.file) for finding in validated(root).findings if finding.kind.startswith("tx-")]
    assert found == [(kind, ANTENNA)]


def test_the_same_buildings_in_two_parts_are_a_leak(root: Path) -> None:
    same_buildings(root)
    found = {(finding.kind, finding.file) for finding in validated(root).findings}
    assert ("leak", "png/buildings_complete/2.png") in found
    assert ("duplicate-buildings", "png/buildings_complete/2.png") in found


def test_the_same_buildings_in_one_part_are_a_note(root: Path) -> None:
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        shutil.copy(root / f"{layer}/buildings_complete/0.{suffix}", root / f"{layer}/buildings_complete/1.{suffix}")
    kinds = {finding.kind for finding in validated(root).findings}
    assert "duplicate-buildings" in kinds
    assert "leak" not in kinds


def test_a_gain_twice(root: Path) -> None:
    shutil.copy(root / "gain/DPM/1_0.png", root / "gain/DPM/1_1.png")
    found = [f for f in validated(root).findings if f.kind == "duplicate-gain"]
    assert [(f.file, f.reason) for f in found] == [("gain/DPM/1_1.png", "same pixels as gain/DPM/1_0.png")]


@pytest.mark.parametrize("exponent", [2.0, 0.5])
def test_a_scale_that_nobody_knows_is_a_fault(root: Path, exponent: float) -> None:
    for path in root.glob("gain/*/*.png"):
        change(str(path.relative_to(root)), lambda p: np.rint(255 * (p / 255) ** exponent).astype(np.uint8))(root)
    report = validated(root)
    assert {f.kind for f in report.faults} == {"scale-unknown"}
    assert [f.file for f in report.faults] == [f"gain/DPM/{map_id}_0.png" for map_id in range(3)]
    assert report.scale is None


def test_another_law_of_a_generated_data_set_is_a_note(tmp_path: Path) -> None:
    engine = DominantPath(law=DominantPathLaw(los_exponent=3.5))
    city = CitySettings(rows=64, cols=64)
    list(create_data_set(tmp_path / "city", CreateSettings(1, 2, 1, city=city, engines={"DPM": engine})))
    report = validated(tmp_path / "city")
    assert report.counts == {"scale-unclear": 2}


def test_no_cars_where_the_outlines_have_some(root: Path) -> None:
    change("png/cars/1.png", np.zeros_like)(root)
    assert [(f.kind, f.file) for f in validated(root).findings] == [
        ("cars", "png/cars/1.png"),
        ("empty-layer", "png/cars/1.png"),
    ]


def test_cars_inside_buildings_without_outlines(root: Path) -> None:
    """Half of the cells of a building are a car layer that only its place betrays."""
    shutil.rmtree(root / "polygon/cars")
    mask = read(root / BUILDINGS)
    mask[::2] = 0
    change("png/cars/1.png", lambda p: mask)(root)
    assert [(f.kind, f.file) for f in validated(root).findings] == [("cars", "png/cars/1.png")]


def test_an_antenna_file_of_flipped_rows_is_told_by_every_gain(root: Path) -> None:
    """The common mistake: y taken as the row."""
    cells = json.loads((root / ANTENNA).read_text())
    (root / ANTENNA).write_text(json.dumps([[x, SIZE - 1 - y] for x, y in cells]))
    # A transmitter near the middle row is its own mirror image.
    moved = [tx for tx, (_, y) in enumerate(cells) if abs(2 * y - SIZE + 1) > 4]
    assert moved
    found = {f.file for f in validated(root).findings if f.kind == "tx-mirrored"}
    assert found == {str(p.relative_to(root)) for tx in moved for p in root.glob(f"gain/*/1_{tx}.png")}


def test_every_kind_of_a_radiomapseer_folder_is_planted() -> None:
    planted = {kind for _, kind, _ in PLANTS.values()}
    elsewhere = {"tx-in-building", "tx-on-rim", "tx-outside-grid", "leak", "duplicate-buildings", "duplicate-gain"}
    elsewhere |= {"scale-unknown", "heights"}
    others = {"unfinished", "missing-pair", "positions", "pattern", "distance", "tx-off-map", "corner-cells", "edges"}
    assert planted | elsewhere | others == set(KINDS)
    assert not planted & others


@pytest.mark.parametrize("scale", ["raw", "thresholded"])
@pytest.mark.parametrize("seed", [0, 5])
def test_untouched_fakes_are_clean_and_their_scale_is_told(tmp_path: Path, scale: str, seed: int) -> None:
    settings = FakeRadioMapSeerSettings(3, 5, seed, size=96, missing_layers=False, thresholded=scale == "thresholded")
    list(write_fake_radiomapseer(tmp_path / "set", settings))
    report = validated(tmp_path / "set")
    assert report.findings == ()
    assert (report.layout, report.scale) == ("fake", scale)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generated") / "city"
    list(create_data_set(root, CreateSettings(3, 4, 1, cars=True, city=CitySettings(rows=96, cols=96))))
    return root


def test_a_generated_data_set_is_clean(generated: Path) -> None:
    report = validated(generated)
    assert report.findings == ()
    assert (report.layout, report.scale) == ("generated", "raw")


@pytest.mark.parametrize(
    ("plant", "kind", "file"),
    [
        (remove("dataset.csv"), "unfinished", "dataset.csv"),
        (write("dataset.json", "{"), "json-schema", "dataset.json"),
        (write("dataset.json", "[]"), "json-schema", "dataset.json"),
    ],
    ids=["no index", "damaged record", "another record"],
)
def test_an_unfinished_or_damaged_run(generated: Path, tmp_path: Path, plant: Planter, kind: str, file: str) -> None:
    root = shutil.copytree(generated, tmp_path / "city")
    plant(root)
    assert [(finding.kind, finding.file) for finding in validated(root).findings] == [(kind, file)]


def test_columns_of_a_foreign_index_are_no_fault(root: Path) -> None:
    """The download has an index of its own."""
    (root / "fake.json").unlink()
    (root / "dataset.csv").write_text("name,city\n1,Berlin\n")
    report = validated(root)
    assert (report.layout, report.findings) == ("radiomapseer", ())


def test_a_named_split_that_does_not_fit(root: Path) -> None:
    found = [(f.kind, f.file) for f in validated(root, split="disjoint").findings]
    assert found == [("split", "disjoint")]


def test_a_published_split_is_reported_for_its_shared_maps(root: Path, tmp_path: Path) -> None:
    other = str(tmp_path / "split.json")
    manifest({"train": [0, 1], "test": [2]})(tmp_path)
    assert validated(root, split=other).findings == ()
    manifest({"train": [0, 1], "test": [1, 2]}, overlapping=True)(tmp_path)
    assert [(f.kind, f.file) for f in validated(root, split=other).findings] == [("split", other)]


def test_workers_find_the_same(root: Path) -> None:
    change(GAIN, lambda p: p[::-1])(root)
    cut_short("gain/IRT2/2_1.png")(root)
    assert validated(root, workers=2) == validated(root)


def test_faults_come_first_and_the_report_is_json(root: Path) -> None:
    for plant in (write("gain/DPM/x.png", b""), remove(GAIN), cut_short("gain/DPM/2_0.png")):
        plant(root)
    report = validated(root)
    assert [finding.kind for finding in report.findings] == ["unreadable", "missing-gain", "foreign-file"]
    assert report.counts == {"unreadable": 1, "missing-gain": 1, "foreign-file": 1}
    content = json.loads(json.dumps(report.to_dict()))
    assert (content["num_faults"], len(content["findings"])) == (2, 3)
    assert content["findings"][2]["severity"] == "note"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="must be one of unreadable"):
        Finding("odd", "a", "b")


@pytest.mark.parametrize("folders", [[], ["gain"], ["inputs"]], ids=str)
def test_a_folder_that_is_no_data_set(tmp_path: Path, folders: list[str]) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    with pytest.raises(DataSetError, match=r"10\.21227/0gtx-6v30"):
        validated(tmp_path)


def test_empty_folders_are_no_data_set(tmp_path: Path) -> None:
    for name in ("antenna", "gain", "png"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataSetError, match="must hold maps"):
        validated(tmp_path)


def test_an_unknown_split_and_no_workers_are_refused(sound: Path) -> None:
    with pytest.raises(DataSetError, match="named split must be one of"):
        validated(sound, split="fair")
    with pytest.raises(InputError, match="workers must be a whole number of at least 1"):
        validated(sound, workers=0)
