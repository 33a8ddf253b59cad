"""Faults planted in ICASSP, packed and edge folders, and in real files, are found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted_faults import change, copy, cut_short, huge, remove, save_as, write
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from radiodiff.data.edges.detect import EDGE_METHODS, DetectOptions, EdgeMethod
from radiodiff.data.edges.generate import EdgeSettings, generate_edges
from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.inspect import ValidationReport, validate_data_set
from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.splits import Split

SAMPLE = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "radiomapseer-sample"

Planter = Callable[[Path], None]


def validated(root: Path) -> ValidationReport:
    steps = validate_data_set(root)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def check_only(root: Path, kind: str, file: str) -> None:
    findings = validated(root).findings
    assert {(finding.kind, finding.file) for finding in findings} == {(kind, file)}, findings


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
    peak, copied = sorted(validated(icassp).findings, key=lambda finding: finding.kind == "duplicate-gain")
    assert (copied.kind, copied.file, peak.file) == ("duplicate-gain", OUTPUT, OUTPUT)
    assert peak.kind in PEAK_KINDS
    assert f"{TABLE} and the distance channel say" in peak.reason


def test_outputs_of_two_samples_exchanged(icassp: Path) -> None:
    other = OUTPUT.replace("S1", "S0")
    one, two = (icassp / OUTPUT).read_bytes(), (icassp / other).read_bytes()
    (icassp / OUTPUT).write_bytes(two)
    (icassp / other).write_bytes(one)
    findings = validated(icassp).findings
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
    assert validated(icassp).findings == ()
    change(OUTPUT, lambda p: p.T)(icassp)
    check_only(icassp, "tx-transposed", OUTPUT)


def test_an_output_that_agrees_with_neither_table_nor_distances(icassp: Path) -> None:
    change(OUTPUT, lambda p: np.roll(p, 15, axis=0))(icassp)
    edit_table(exchanged)(icassp)
    found = {(finding.kind, finding.file): finding.reason for finding in validated(icassp).findings}
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
    assert validated(icassp).findings == ()


def test_an_untouched_icassp_folder_is_clean(sound_icassp: Path) -> None:
    report = validated(sound_icassp)
    assert (report.layout, report.scale, report.findings) == ("icassp", "db", ())
    assert report.num_files == len(list(sound_icassp.rglob("*.png")))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree") / "set"
    settings = FakeRadioMapSeerSettings(3, 2, 2, size=64, cars=False, missing_layers=False)
    list(write_fake_radiomapseer(root, settings))
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "split.json")
    return root


@pytest.fixture
def packed(tree: Path, tmp_path: Path) -> Path:
    list(pack_data_set(tree, tmp_path / "packed", PackSettings()))
    return tmp_path / "packed"


@pytest.fixture(scope="module")
def packed_with_cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cars")
    list(write_fake_radiomapseer(root / "set", FakeRadioMapSeerSettings(3, 2, 2, size=64, missing_layers=False)))
    Split("mine", {"train": (0, 1), "test": (2,)}).write(root / "set/split.json")
    list(pack_data_set(root / "set", root / "packed", PackSettings()))
    assert validated(root / "packed").findings == ()
    return root / "packed"


def test_an_untouched_packed_folder_is_clean(packed: Path) -> None:
    report = validated(packed)
    assert (report.layout, report.scale, report.num_files, report.findings) == ("packed", "raw", 18, ())


@pytest.mark.parametrize(
    ("plant", "kind", "file"),
    [
        (write("packed.json", "[]"), "json-schema", "packed.json"),
        (write("split.json", "{}"), "split", "split.json"),
        (cut_short("train.safetensors"), "damaged", "train.safetensors"),
        (remove("test.safetensors"), "damaged", "test.safetensors"),
    ],
    ids=["record", "manifest", "cut short", "missing"],
)
def test_a_fault_of_a_packed_folder(packed: Path, plant: Planter, kind: str, file: str) -> None:
    plant(packed)
    check_only(packed, kind, file)


Arrays = dict[str, np.ndarray]


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, "numpy") as file:
        return file.metadata()


def edit_arrays(edit: Callable[[Arrays], object], file: str = "train.safetensors") -> Planter:
    """A planter that changes the arrays of a packed file, and leaves its metadata alone."""

    def plant(root: Path) -> None:
        arrays, metadata = load_file(root / file), metadata_of(root / file)
        edit(arrays)
        save_file(arrays, root / file, metadata)

    return plant


def put(name: str, place: object, value: object) -> Planter:
    return edit_arrays(lambda arrays: arrays[name].__setitem__(place, value))


def tx_indoors(arrays: Arrays) -> None:
    from scipy.ndimage import binary_erosion

    arrays["tx_cells"][1] = np.argwhere(binary_erosion(arrays["mask/buildings_complete"][0], np.ones((3, 3))))[0]


TRAIN = "train.safetensors"
PACKED_PLANTS: dict[str, tuple[Planter, str, str]] = {
    "a transmitter below the map": (put("tx_cells", (0, 0), 64), "tx-outside-grid", f"{TRAIN}, map 0"),
    "a transmitter left of the map": (put("tx_cells", (3, 1), -1), "tx-outside-grid", f"{TRAIN}, map 1"),
    "a building of level 2": (
        put("mask/buildings_complete", (1, 0, 0), 2),
        "not-binary",
        f"{TRAIN}, map 1, buildings_complete",
    ),
    "cars of level 255": (put("mask/cars", (0, 5, 5), 255), "not-binary", f"{TRAIN}, map 0, cars"),
    "cars everywhere": (put("mask/cars", 0, 1), "cars", f"{TRAIN}, map 0, cars"),
    "no buildings": (put("mask/buildings_complete", 1, 0), "zero-image", f"{TRAIN}, map 1, buildings_complete"),
    "no cars": (put("mask/cars", 1, 0), "empty-layer", f"{TRAIN}, map 1, cars"),
    "a corner off the map": (put("corner_cells", (0, 1), 64), "corner-cells", f"{TRAIN}, map 0"),
    "a corner left of the map": (put("corner_cells", (0, 0), -1), "corner-cells", f"{TRAIN}, map 0"),
    "corners indoors": (
        edit_arrays(
            lambda arrays: arrays["corner_cells"].__setitem__(0, np.argwhere(arrays["mask/buildings_complete"][0])[0])
        ),
        "corner-cells",
        f"{TRAIN}, map 0",
    ),
    **{
        f"no {name}": (edit_arrays(lambda arrays, name=name: arrays.pop(name)), "damaged", TRAIN)
        for name in (
            "map_ids",
            "tx_cells",
            "tx_starts",
            "corner_cells",
            "corner_starts",
            "mask/buildings_complete",
            "mask/cars",
            "gain/DPM",
            "gain_starts/IRT2",
        )
    },
    "starts that fall": (put("tx_starts", 1, 9), "damaged", TRAIN),
    "starts that end early": (put("gain_starts/DPM", -1, 3), "damaged", TRAIN),
    "starts that begin late": (put("corner_starts", 0, 1), "damaged", TRAIN),
    "a map twice": (put("map_ids", 1, 0), "damaged", TRAIN),
    "starts of too few maps": (
        edit_arrays(lambda arrays: arrays.__setitem__("tx_starts", arrays["tx_starts"][[0, 2]])),
        "damaged",
        TRAIN,
    ),
    "masks of too few maps": (
        edit_arrays(lambda arrays: arrays.__setitem__("mask/cars", arrays["mask/cars"][:1].copy())),
        "damaged",
        TRAIN,
    ),
    "gains of another size": (
        edit_arrays(lambda arrays: arrays.__setitem__("gain/DPM", arrays["gain/DPM"][:, :60].copy())),
        "damaged",
        TRAIN,
    ),
    "a gain without a transmitter": (
        edit_arrays(lambda arrays: arrays["gain_starts/DPM"].__setitem__(1, 1)),
        "missing-gain",
        f"{TRAIN}, map 0, DPM",
    ),
}


@pytest.mark.parametrize(("plant", "kind", "file"), PACKED_PLANTS.values(), ids=PACKED_PLANTS)
def test_a_fault_in_the_arrays_of_a_packed_folder(
    packed_with_cars: Path, tmp_path: Path, plant: Planter, kind: str, file: str
) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    plant(root)
    found = {(finding.kind, finding.file) for finding in validated(root).findings}
    assert (kind, file) in found
    if kind in ("damaged", "not-binary", "corner-cells", "empty-layer", "cars", "tx-outside-grid"):
        assert found == {(kind, file)}


def test_metadata_of_another_origin_are_a_finding(packed_with_cars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    arrays, metadata = load_file(root / TRAIN), metadata_of(root / TRAIN)
    for digests in (None, "[]", "{"):
        changed = {key: value for key, value in metadata.items() if key != "digests"}
        save_file(arrays, root / TRAIN, changed if digests is None else {**changed, "digests": digests})
        check_only(root, "damaged", TRAIN)


def test_a_packed_transmitter_indoors(packed_with_cars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    edit_arrays(tx_indoors)(root)
    assert ("tx-in-building", f"{TRAIN}, map 0") in {(f.kind, f.file) for f in validated(root).findings}


def test_a_thresholded_packed_folder_is_clean(tmp_path: Path) -> None:
    settings = FakeRadioMapSeerSettings(3, 2, 2, size=64, cars=False, missing_layers=False, thresholded=True)
    list(write_fake_radiomapseer(tmp_path / "set", settings))
    list(pack_data_set(tmp_path / "set", tmp_path / "packed", PackSettings(stored_scale="thresholded")))
    report = validated(tmp_path / "packed")
    assert (report.scale, report.findings) == ("thresholded", ())


def test_geometry_channels_of_a_packed_folder(packed_with_cars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(packed_with_cars, tmp_path / "copy")
    file = "geometry/buildings_complete/0-0123456789abcdef.safetensors"
    (root / file).parent.mkdir(parents=True)
    channels = np.ones((2, 6, 64, 64), dtype=np.uint16)
    save_file({"channels": channels}, root / file)
    assert validated(root).findings == ()
    cut_short(file)(root)
    check_only(root, "damaged", file)
    for arrays in ({"other": channels}, {"channels": channels[:, :5].copy()}, {"channels": channels[..., :60].copy()}):
        save_file(arrays, root / file)
        check_only(root, "damaged", file)


def test_parts_that_are_not_those_of_the_manifest(packed: Path) -> None:
    Split("mine", {"train": (0,), "test": (2,)}).write(packed / "split.json")
    check_only(packed, "split", "train.safetensors")


def test_bad_pixels_in_a_packed_folder(tree: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tree, tmp_path / "tree")
    change("gain/DPM/1_0.png", lambda p: np.roll(p, (9, 9), axis=(0, 1)))(root)
    change("gain/IRT2/2_1.png", lambda p: 255 - p)(root)
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        shutil.copy(root / f"{layer}/buildings_complete/0.{suffix}", root / f"{layer}/buildings_complete/2.{suffix}")
    list(pack_data_set(root, tmp_path / "packed", PackSettings()))
    found = {(finding.kind, finding.file) for finding in validated(tmp_path / "packed").findings}
    assert found >= {
        ("gain-peak", "train.safetensors, map 1, DPM 0"),
        ("inverted", "test.safetensors, map 2, IRT2 1"),
    }
    assert "duplicate-buildings" in {kind for kind, _ in found}
    assert "leak" in {kind for kind, _ in found}


def test_copies_in_a_packed_folder(tree: Path, tmp_path: Path) -> None:
    """Radio maps of one simulation that are the same image; those of two simulations may be."""
    root = shutil.copytree(tree, tmp_path / "tree")
    copy("gain/DPM/0_0.png", "gain/DPM/1_1.png")(root)
    copy("gain/DPM/0_1.png", "gain/IRT2/0_1.png")(root)
    list(pack_data_set(root, tmp_path / "packed", PackSettings()))
    found = [f for f in validated(tmp_path / "packed").findings if f.kind == "duplicate-gain"]
    assert [(finding.file, finding.reason) for finding in found] == [
        ("train.safetensors, map 1, DPM 1", "same pixels as train.safetensors, map 0, DPM 0")
    ]


@pytest.fixture(params=[None, 0.6], ids=["preserve", "split"])
def edges(request: pytest.FixtureRequest, tree: Path, tmp_path: Path) -> Path:
    source = shutil.copytree(tree / "gain/DPM", tmp_path / "gains")
    list(generate_edges(source, tmp_path / "edges", EdgeSettings(method="canny", train_share=request.param)))
    return tmp_path / "edges"


def edge_of(root: Path) -> tuple[str, Path]:
    """Edges below the folder, and their image."""
    if (root / "train").is_dir():
        edge = next(path for path in sorted(root.glob("*/edge/*.png")))
        return str(edge.relative_to(root)), edge.parent.parent / "image" / edge.name
    return "1_0.png", root.parent / "gains/1_0.png"


def other_edge_of(root: Path, edge: str) -> str:
    """Edges of another map."""
    others = [path for path in sorted(root.rglob("*.png")) if path.parent.name != "image"]
    return next(str(p.relative_to(root)) for p in others if p.name[0] != Path(edge).name[0])


def test_an_untouched_edge_folder_is_clean(edges: Path) -> None:
    report = validated(edges)
    assert (report.layout, report.scale, report.num_files, report.findings) == ("edges", None, 12, ())


def test_faults_of_an_edge_folder(edges: Path) -> None:
    edge, _ = edge_of(edges)
    whole = (edges / edge).read_bytes()
    faults: list[tuple[Planter, str]] = [
        (cut_short(edge), "unreadable"),
        (save_as(edge, "RGB"), "image-mode"),
        (change(edge, lambda p: p[:-4]), "image-size"),
        (change(edge, lambda p: (np.arange(p.size) % 200).reshape(p.shape).astype(np.uint8)), "not-binary"),
        (change(edge, np.zeros_like), "edges"),
        (change(edge, lambda p: 255 - p), "edges"),
        (change(edge, lambda p: p[::-1]), "edges"),
        (change(edge, lambda p: np.roll(p, 3, axis=1)), "edges"),
        (copy(other_edge_of(edges, edge), edge), "edges"),
        (remove(edge), "missing-pair"),
    ]
    for plant, kind in faults:
        plant(edges)
        check_only(edges, kind, edge)
        (edges / edge).write_bytes(whole)


def test_an_image_that_is_gone(edges: Path) -> None:
    _, image = edge_of(edges)
    image.unlink()
    file = str(image.relative_to(edges)) if image.is_relative_to(edges) else str(image)
    check_only(edges, "missing-pair", file)


def test_records_of_edges(edges: Path) -> None:
    record = json.loads((edges / "edges.json").read_text())
    (edges / "edges.json").write_text("[]")
    check_only(edges, "json-schema", "edges.json")
    (edges / "edges.json").write_text(json.dumps({key: value for key, value in record.items() if key != "counts"}))
    check_only(edges, "unfinished", "edges.json")
    counts = {**record["counts"], "edges": 7, "parts": {"train": 7, "test": 1}}
    (edges / "edges.json").write_text(json.dumps({**record, "counts": counts}))
    check_only(edges, "unfinished", "edges.json")


def test_edges_of_another_origin(tmp_path: Path) -> None:
    for name in ("edge", "image"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.eye(16, dtype=np.uint8) * 255).save(tmp_path / name / "a.png")
    report = validated(tmp_path)
    assert (report.layout, report.findings) == ("edges", ())
    (tmp_path / "image/a.png").unlink()
    check_only(tmp_path, "missing-pair", "image/a.png")


@pytest.mark.parametrize("method", EDGE_METHODS)
@pytest.mark.parametrize("has_record", [True, False], ids=["record", "no record"])
def test_edges_of_every_method_are_those_of_their_image(
    tree: Path, tmp_path: Path, method: EdgeMethod, has_record: bool
) -> None:
    root = edges_of(tree, tmp_path, EdgeSettings(method=method, train_share=0.6))
    if not has_record:
        (root / "edges.json").unlink()
    assert validated(root).findings == ()


def edges_of(tree: Path, tmp_path: Path, settings: EdgeSettings) -> Path:
    list(generate_edges(tree / "gain/DPM", tmp_path / "edges", settings))
    return tmp_path / "edges"


@pytest.mark.parametrize("size", [40, 96])
def test_edges_of_resized_images_are_those_of_their_image(tree: Path, tmp_path: Path, size: int) -> None:
    root = edges_of(tree, tmp_path, EdgeSettings(method="sobel", size=size))
    assert validated(root).findings == ()
    copy("0_0.png", "1_1.png")(root)
    check_only(root, "edges", "1_1.png")


def test_settings_of_the_detector_are_those_of_the_record(tree: Path, tmp_path: Path) -> None:
    """With steps of one level half of the cells are edges, and they lie where the steps are small."""
    settings = EdgeSettings(method="gradient", options=DetectOptions(gradient_step=1))
    root = edges_of(tree, tmp_path, settings)
    with Image.open(root / "1_0.png") as image:
        assert (np.array(image) > 0).mean() > 0.45
    assert validated(root).findings == ()


def test_an_image_in_which_the_detector_finds_nothing_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16) // 64).save(tmp_path / "source/a.png")
    list(generate_edges(tmp_path / "source", tmp_path / "edges", EdgeSettings(method="canny")))
    check_only(tmp_path / "edges", "empty-layer", "a.png")


@pytest.mark.parametrize(
    "plant",
    [
        change("train/edge/0_0.png", np.zeros_like),
        change("train/edge/0_0.png", lambda p: 255 - p),
        change("train/edge/0_0.png", lambda p: p[::-1, ::-1]),
        lambda root: shutil.copy(next(root.glob("test/edge/*.png")), root / "train/edge/0_0.png"),
    ],
    ids=["none", "inverted", "turned", "another map"],
)
def test_faults_of_edges_without_a_record(tree: Path, tmp_path: Path, plant: Planter) -> None:
    root = edges_of(tree, tmp_path, EdgeSettings(method="canny", train_share=0.6))
    (root / "edges.json").unlink()
    name = next(str(path.relative_to(root)) for path in root.glob("*/edge/0_0.png"))
    assert name == "train/edge/0_0.png"
    plant(root)
    check_only(root, "edges", name)


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="needs files of RadioMapSeer, not part of the repository")
def test_real_files_are_sound_and_thresholded(tmp_path: Path) -> None:
    """Map 419, in a folder of the layout, with the transmitters whose gains are there."""
    for name, target in (("gain", "gain_thresholded"), ("png", "png"), ("polygon", "polygon")):
        (tmp_path / name).symlink_to(SAMPLE / target)
    (tmp_path / "antenna").mkdir()
    cells = json.loads((SAMPLE / "antenna/419.json").read_text())
    (tmp_path / "antenna/419.json").write_text(json.dumps(cells[:4]))
    report = validated(tmp_path)
    assert (report.layout, report.scale) == ("radiomapseer", "thresholded")
    # The sample has IRT4 of transmitter 0 alone.
    assert [(finding.kind, finding.file) for finding in report.findings] == [("missing-gain", "gain/IRT4/419_1.png")]
