"""Faults planted in folders of edges are found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted_faults import change, check_only, copy, cut_short, remove, report_of, save_as

from radiodiff.data.edges.detect import EDGE_METHODS, DetectOptions, EdgeMethod
from radiodiff.data.edges.generate import EdgeSettings, generate_edges

Planter = Callable[[Path], None]


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
    report = report_of(edges)
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
    report = report_of(tmp_path)
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
    assert report_of(root).findings == ()


def edges_of(tree: Path, tmp_path: Path, settings: EdgeSettings) -> Path:
    list(generate_edges(tree / "gain/DPM", tmp_path / "edges", settings))
    return tmp_path / "edges"


@pytest.mark.parametrize("size", [40, 96])
def test_edges_of_resized_images_are_those_of_their_image(tree: Path, tmp_path: Path, size: int) -> None:
    root = edges_of(tree, tmp_path, EdgeSettings(method="sobel", size=size))
    assert report_of(root).findings == ()
    copy("0_0.png", "1_1.png")(root)
    check_only(root, "edges", "1_1.png")


def test_settings_of_the_detector_are_those_of_the_record(tree: Path, tmp_path: Path) -> None:
    """With steps of one level half of the cells are edges, and they lie where the steps are small."""
    settings = EdgeSettings(method="gradient", options=DetectOptions(gradient_step=1))
    root = edges_of(tree, tmp_path, settings)
    with Image.open(root / "1_0.png") as image:
        assert (np.array(image) > 0).mean() > 0.45
    assert report_of(root).findings == ()


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
